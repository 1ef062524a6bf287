#!/usr/bin/python3 -B
# Witnesses: what they cosign is kept, served and counted; what is wrong is refused, each for its
# own reason.
import base64
import os
import shutil

from lib.ledger import *
from lib.witness import Key

need_root('an auditor and others')
AUDITOR, NOBODY = 64440, 64441
bank, club, rogue = Key('bank.example/witness'), Key('club.example/w'), Key('rogue.example/w')

ledger = Ledger(roles={'manager': 'user:0', 'auditor': 'user:%d' % AUDITOR})
with open(ledger.config, 'a') as f:
    f.write('[witnesses]\nrequire = %s\naccept = %s\n' % (bank.vkey, club.vkey))
ledger.start()
boss, auditor, nobody = ledger.connect(), ledger.connect(AUDITOR), ledger.connect(NOBODY)


def checkpoint():
    """The newest head without cosignatures, as an auditor gets it."""
    note = auditor.call('Checkpoint')['checkpoint']
    text, _, lines = note.rpartition('\n\n')
    return text + '\n\n' + ''.join(l + '\n' for l in lines.splitlines()
                                   if ' test.example/fund ' in l)


def cosign(note):
    return auditor.call('Cosign', checkpoint=note)


def size_of(note):
    return int(note.split('\n')[1])


def window(who=None):
    status = (who or boss).call('Status')
    return status['entries'] - status['witnessed'], {s['currency']: s['amount']
                                                     for s in status.get('unwitnessed', [])}


boss.call('Open', name='alice', group=0, allowance=20000, id=new_id())
boss.call('Open', name='yen', group=0, currency='JPY', allowance=700, id=new_id())
status = boss.call('Status')
is_((status['witnesses'], status['witnessed']), (2, 0), 'two witnesses, and nothing covered yet')
is_(window(), (4, {'EUR': 20000, 'JPY': 700}), 'all of it could be rewritten')
ok('unwitnessed' not in nobody.call('Status'), 'how much money, not everybody is told')
ok('cosigned' not in boss.call('Checkpoint'), 'there is no cosigned checkpoint')

first = checkpoint()
cosign(first + club.signature(first))
is_(window()[0], 4, 'one that is not required covers nothing alone')
cosign(first + bank.signature(first))
is_(window(), (0, {}), 'the required one covers all')
ok('unwitnessed_since' not in boss.call('Status'), 'so there is no time since when')
both = nobody.call('Checkpoint')
lines = both['checkpoint'].rpartition('\n\n')[2].splitlines()
is_([l.split(' ')[1] for l in lines], ['test.example/fund', bank.name, club.name],
    'the checkpoint is served with both cosignatures')
is_(both['cosigned'], [both['checkpoint']], 'it is the cosigned one')
stranger.note_check(both['checkpoint'], [ledger.vkey])
for key in (bank, club):
    stranger.cosignature_check(both['checkpoint'], key.vkey)
ok(True, 'and all three signatures hold')
got = boss.call('Prove', seq=2)['receipt']['proof']
ok(got.endswith(both['checkpoint']), 'a proof against that head has them, too', got)

spent = [boss.call('Spend', spend(100 + n, budget='alice'))['entry'] for n in range(3)]
is_(window(), (3, {'EUR': 303}), 'since then three spends')
is_(boss.call('Status')['unwitnessed_since'], spent[0]['at'], 'the first of them at its time')
served = nobody.call('Checkpoint')
ok(served['checkpoint'] != both['checkpoint'] and served['cosigned'] == both['cosigned'],
   'the newer head has no cosignature yet, the older one is served beside it')
got = boss.call('Prove', seq=2, size=size_of(first))['receipt']['proof']
ok(got.endswith(both['checkpoint']), 'a proof against the cosigned head', got)

second = checkpoint()
boss.call('Spend', spend(50, budget='alice'))
cosign(second + bank.signature(second))
is_(window(), (1, {'EUR': 50}), 'a head that is not the newest any more is cosigned')
cosign(first + bank.signature(first))
is_(window(), (1, {'EUR': 50}), 'an older one changes nothing')
is_([size_of(n) for n in nobody.call('Checkpoint')['cosigned']], [size_of(second), size_of(first)],
    'each witness\'s newest is served')

# ---- Refused ------------------------------------------------------------------------------------

def refused(name, note, problem, who=auditor, error='Malformed'):
    before = boss.call('Checkpoint')
    try:
        got = who.call('Cosign', checkpoint=note)
    except Refused as told:
        got = told
    passed = isinstance(got, Refused) and got.name == error and problem in got.parameters['problem']
    ok(passed and boss.call('Checkpoint') == before, '%s is refused' % name, got)


def with_lines(note, *lines):
    return note.rpartition('\n\n')[0] + '\n\n' + ''.join(lines)


def changed(note, at, line):
    lines = note.split('\n')
    lines[at] = line
    return '\n'.join(lines)


good = checkpoint()
theirs = good.rpartition('\n\n')[2]
data = base64.b64decode(theirs.split(' ')[2])
broken = theirs.replace(theirs.split(' ')[2].strip(),
                        base64.b64encode(data[:-1] + bytes([data[-1] ^ 1])).decode())
cosignature = bank.signature(good)
refused('a note without a signature', good.partition('\n\n')[0] + '\n', 'no blank line')
refused("a note without the ledger's signature", with_lines(good, cosignature),
        'is not signed by the ledger')
refused('one with a wrong signature of the ledger', with_lines(good, broken, cosignature),
        'does not hold')
refused('one with another key in the name of the ledger',
        with_lines(good, Key('test.example/fund', 1).signature(good), cosignature),
        'is not signed by the ledger')
refused('one that nobody cosigned', good, 'by no witness')
refused('one that an unknown key cosigned', good + rogue.signature(good), 'by no witness')
refused('an unknown key in the name of a witness',
        good + Key(bank.name, seed=bytes(32)).signature(good), 'by no witness')
wrong = bank.signature(good.replace('test', 'tent'))
refused('a wrong cosignature', good + wrong, 'does not hold')
refused('a wrong cosignature beside a good one', good + club.signature(good) + wrong,
        'does not hold')
refused('two cosignatures of one key', good + cosignature + bank.signature(good, 1764000001),
        'twice')
refused('a signature of the wrong kind', good + Key(bank.name, 1).signature(good), 'by no witness')
refused('base64 with a blank', good + cosignature[:-9] + ' ' + cosignature[-9:], 'base64')
refused('base64 without its padding', good + cosignature.rstrip('=\n') + 'A\n', 'base64')
refused('a size with leading zeros', changed(good, 1, '0%d' % size_of(good)) + cosignature,
        'leading zeros')
refused('a size beyond the ledger', changed(good, 1, '%d' % (size_of(good) + 1)) + cosignature,
        'more entries')
refused('a size beyond all', changed(good, 1, '9' * 30) + cosignature, 'decimal')
refused('another root', changed(good, 2, base64.b64encode(bytes(32)).decode()) + cosignature,
        'another root')
refused('a root that is too short', changed(good, 2, base64.b64encode(bytes(31)).decode())
        + cosignature, 'root')
refused("another ledger's", changed(good, 0, 'other.example/fund') + cosignature, "another ledger")
refused('more lines than a checkpoint has', changed(good, 2, good.split('\n')[2] + '\nmore')
        + cosignature, 'lines')
refused('a control character', good + cosignature.replace('bank', 'ba\x01nk'), 'control')
refused('40 signatures', good + rogue.signature(good) * 40, 'more than 32')
client = ledger.connect(AUDITOR)
client.send_raw(frame('Cosign', checkpoint='NOTE').replace(b'NOTE', b'caf\xe9'))
try:
    got = client.answer()
except Refused as told:
    got = told
ok(isinstance(got, Refused) and got.name == 'Malformed' and 'UTF-8' in got.parameters['problem'],
   'what is not UTF-8 is refused', got)
client.close()
refused('a manager', good + cosignature, 'auditor', boss, 'NotPermitted')
refused('anybody', good + cosignature, 'auditor', nobody, 'NotPermitted')

burst = b''.join(frame('Spend', spend(1, budget='alice')) for _ in range(5))
boss.send_raw(burst)
for _ in range(5):
    boss.answer()
entries = boss.call('Status')['entries']
sizes = {size_of(boss.call('Prove', seq=0, size=n)['receipt']['proof'].partition('\n\n')[2])
         for n in range(1, entries + 1)}
inside = [n for n in range(1, entries + 1) if n not in sizes]
if ok(inside, 'five spends in one go share a head', sorted(sizes)):
    leaves = [r['leaf'].encode() for r in auditor.stream('Leaves', {'from': 0})[:-1]]
    root = stranger.root_of([stranger.sha256(b'\0', l) for l in leaves[:inside[0]]])
    text = 'test.example/fund\n%d\n%s\n\n' % (inside[0], base64.b64encode(root).decode())
    refused('a tree that is right but was never signed', text + bank.signature(text),
            'signed no head')

# ---- Kept ---------------------------------------------------------------------------------------

third = checkpoint()
cosign(third + bank.signature(third))
boss.call('Spend', spend(7, budget='alice'))
before, cosigned = window(), boss.call('Checkpoint')['cosigned']
for client in (boss, auditor, nobody):
    client.close()
is_(ledger.stop(), 0, 'the daemon ends well')
path = os.path.join(ledger.dir, 'witnesses')
is_(os.stat(path).st_mode & 0o777, 0o600, 'the file of the witnesses is nobody else\'s')
kept = stranger.witnesses_of(open(path, encoding='utf-8').read())
is_({v: size_of(n) for v, n, _ in kept}, {bank.vkey: size_of(third), club.vkey: size_of(first)},
    'it is as fund-ledger(5) says')
for vkey, note, _ in kept:
    stranger.note_check(note, [ledger.vkey])
    stranger.cosignature_check(note, vkey)
ok(True, 'and its notes are whole ones')
ledger.start()
boss = ledger.connect()
is_(boss.call('Checkpoint')['cosigned'], cosigned,
    'after a restart the cosigned checkpoints are there')
is_(window(), (before[0] + 1, before[1]), 'and the window is as it was, with the boot')
with open(ledger.config) as f:
    text = f.read()
with open(ledger.config, 'w') as f:
    f.write(text.replace('accept', '#accept').replace('require', 'accept'))
ledger.daemon.send_signal(signal.SIGHUP)
deadline = time.monotonic() + PATIENCE
while boss.call('Status')['witnesses'] != 1 and time.monotonic() < deadline:
    time.sleep(0.01)
is_(boss.call('Status')['witnesses'], 1, 'the witnesses are read again, too')
is_(window(), (before[0] + 1, before[1]), 'with what is known of them')
boss.close()
ledger.stop()

# ---- What was cosigned must be in the ledger ----------------------------------------------------

def starts(dir_):
    other = Ledger(init=False)
    other.dir, other.config = dir_, ledger.config
    try:
        other.start()
    except RuntimeError as error:
        return str(error)
    other.stop()
    return None


old = os.path.join(home(), 'old')
shutil.copytree(ledger.dir, old)
ledger.start()
with ledger.connect() as boss, ledger.connect(AUDITOR) as auditor:
    boss.call('Spend', spend(9, budget='alice'))
    note = checkpoint()
    cosign(note + bank.signature(note))
ledger.stop()
shutil.copy(path, old)
told = starts(old)
ok(told and 'more entries than the ledger has' in told and bank.name in told,
   'a ledger that was rolled back behind a witness is not served', told)
os.unlink(old + '/witnesses')
is_(starts(old), None, 'until an operator who knows why takes the file away')
moved = re.search('moved EUR 2 [0-9]', open(path, encoding='utf-8').read()).end() - 1
with open(path, 'r+b') as f:
    f.seek(moved)
    digit = f.read(1)[0]
    f.seek(moved)
    f.write(bytes([digit ^ 1]))
shutil.copy(path, old)
told = starts(old)
ok(told and 'more entries than the ledger has' in told, 'nor with a digit in the file that flipped', told)
ledger.start()
with ledger.connect() as boss:
    is_(boss.call('Checkpoint').get('cosigned'), None, 'with which it counts for nothing else')
ledger.stop()
for name, text in (('empty', ''), ('cut', open(path, encoding='utf-8').read()[:-100]),
                   ('noise', 'witness me\n')):
    with open(path, 'w') as f:
        f.write(text)
    is_(starts(ledger.dir), None, 'a file of the witnesses that is damaged (%s) is passed over'
        % name)
done()

#!/usr/bin/env python3
# Receipts, and fund verify: what a person holds, shows to a third one, and has checked without any
# daemon.
import base64
import json
import os
import random
import re
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
import ledger as t
import stranger
import witness
from ledger import ok, is_

random.seed(int(os.environ.get('SEED', '1')))
t.program('fund-verify')
ledger = t.Ledger(roles={'manager': 'user:0', 'auditor': 'user:61009'}).start()
rep, auditor, nobody = (61001, 61001, ()), (61009, 61009, ()), (61066, 61066, ())
is_(ledger.fund('open', 'alice', '--owner', '61001', '--allowance', '1000').returncode, 0,
    'a budget')
place = os.path.join(ledger.home, 'state-61001', 'fund', 'test.example', 'fund')
receipts = os.path.join(place, 'receipts')


def fund(*words):
    return ledger.fund(*words, who=rep)


def read(path):
    with open(path) as f:
        return f.read()


def write(name, text):
    path = os.path.join(ledger.home, name)
    with open(path, 'wb') as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def last():
    return max(map(int, os.listdir(receipts)))


def held(text, vkey=None):
    """The entry and its words, as a stranger reads a receipt; raises Bad."""
    bundle, _, own = text.rpartition('\n\nfundd receipt v1\n')
    lines, _, note = (bundle + '\n').partition('\n\n')
    first, index, *path = lines.splitlines()
    stranger.need(first == 'c2sp.org/tlog-proof@v1', 'no proof')
    head = stranger.note_check(note, [vkey or ledger.vkey]).splitlines()
    parts = dict(line.split(' ', 1) for line in own.splitlines())
    leaf = parts['leaf'].encode()
    entry = json.loads(leaf)
    stranger.need(index == 'index %d' % entry['seq'], 'another index')
    stranger.inclusion_check(entry['seq'], int(head[1]), stranger.sha256(b'\0', leaf),
                             [base64.b64decode(p) for p in path], base64.b64decode(head[2]))
    memo = base64.b64decode(parts['salt']) + parts['memo'].encode()
    stranger.need(stranger.sha256(b'fundd memo v1\n', memo) == base64.b64decode(entry['memo']),
                  'other words')
    return entry, json.loads(parts['memo'])


# ---- What is kept -------------------------------------------------------------------------------

fund('spend', '25', '--for', 'parcel came late', '--customer', 'C-9', '--category', 'late')
spent = last()
entry, words = held(read(os.path.join(receipts, str(spent))))
is_((entry['amount'], words['reason'], words['customer']), (2500, 'parcel came late', 'C-9'),
    'a receipt shows amount and words to a stranger, who checks them')
fund('refund', str(spent), '5', '--for', 'half of it')
is_(held(read(os.path.join(receipts, str(last()))))[0]['kind'], 'refund', "a refund's")
ledger.fund('topup', 'alice', '7')
mine = os.path.join(ledger.home, 'state-0', 'fund', 'test.example', 'fund', 'receipts')
is_([held(read(os.path.join(mine, n)))[0]['kind'] for n in os.listdir(mine)], ['topup'],
    "a top-up's")
before = last()
typed = fund('spend', '--batch', write('batch.csv', 'ref,amount,reason\n' + ''.join(
    'r%d,1.00,row %d\n' % (n, n) for n in range(100))))
is_((typed.returncode, typed.stderr), (0, ''), 'a batch')
kept = sorted(n for n in map(int, os.listdir(receipts)) if n > before)
is_([held(read(os.path.join(receipts, str(n))))[1]['reason'] for n in kept[::7]],
    ['row %d' % n for n in range(0, 100, 7)],
    'has a receipt for each row')
is_(len(kept), 100, 'all of them')
dry = last()
fund('spend', '1', '--for', 'x', '--dry-run')
is_(last(), dry, 'a dry run has none')

# ---- fund receipt -------------------------------------------------------------------------------

text = read(os.path.join(receipts, str(spent)))
os.unlink(os.path.join(receipts, str(spent)))
typed = fund('receipt', str(spent))
is_(held(typed.stdout)[1]['reason'], 'parcel came late', 'fund receipt fetches one')
is_(read(os.path.join(receipts, str(spent))), typed.stdout, 'and keeps it')
path = os.path.join(ledger.home, 'state-61001', 'mine')
is_(fund('receipt', str(spent), '-o', path).returncode, 0, 'into a file')
is_(read(path), typed.stdout, 'as it is')
env = t.environment(FUND_SOCKET=ledger.socket,
                    XDG_STATE_HOME=os.path.join(ledger.home, 'state-61001'))
for mask, mode in (('077', '0o600'), ('022', '0o644')):
    t.run([*t.identity(*rep), 'sh', '-c', 'umask %s; exec "$0" receipt %d -o %s'
           % (mask, spent, path), t.program('fund')], env=env)
    is_(oct(os.stat(path).st_mode & 0o777), mode,
        'which with a umask of %s others may %sread' % (mask, 'not ' * (mask == '077')))
trap = os.path.join(ledger.home, 'state-61001', '.mine')
other = os.path.join(receipts, str(spent + 1))
before = read(other)
t.run([*t.identity(*rep), 'sh', '-c', 'ln %s %s.$$; exec "$0" receipt %d -o %s'
       % (other, trap, spent, path), t.program('fund')],
      env=env)
ok(read(other) == before and held(read(path)), 'what somebody laid in its way is not written to')
bare = fund('receipt', str(spent), '--proof').stdout
ok(typed.stdout.startswith(bare + '\nfundd receipt v1\n'), 'the bare proof stands in it verbatim')
is_(fund('receipt', '99999').returncode, 3, 'of an entry that is not there: refused')
is_(ledger.fund('receipt', str(spent), who=nobody).returncode, 4, "somebody else's: not permitted")
is_(fund('receipt').returncode, 2, 'without a number: usage')
is_(fund('receipt', str(spent), '-o', '/nonexistent/x').returncode, 1,
    'a file that cannot be written: failed')

# ---- fund verify FILE, without a daemon ---------------------------------------------------------


def verify(*words, home=None, who=nobody):
    """fund verify, where no daemon is and nothing is remembered."""
    env = t.environment(FUND_SOCKET='/nonexistent', XDG_STATE_HOME=home or '/nonexistent')
    return t.run([*(t.identity(*who) if who else ()), t.program('fund'), 'verify', *words], env=env)


given = ['--vkey', ledger.vkey]
path = write('receipt', text)
typed = verify(path, *given)
ok(typed.returncode == 0 and 'EUR 25.00' in typed.stdout and 'parcel came late' in typed.stdout and
   'C-9' in typed.stdout, 'a third person checks it with the key', typed.stdout, typed.stderr)
said = json.loads(verify('--json', path, *given).stdout)
is_((said['leaf']['seq'], said['memo']['reason']), (spent, 'parcel came late'), 'as JSON')
typed = verify(path)
ok(typed.returncode == 6 and '--vkey' in typed.stderr,
   'without a key: not verified, and what is missing', typed.stderr)
other = t.Ledger()
is_(verify(path, '--vkey', other.vkey).returncode, 6, 'with another key: not verified')
is_(verify(path, '--vkey', 'x').returncode, 2, 'with no key: usage')
leaf = write('leaf', [line for line in text.splitlines() if line.startswith('leaf ')][0][5:] + '\n')
is_(verify(write('bare', bare), '--leaf', leaf, *given).returncode, 0, 'a bare proof with its leaf')
is_(verify(write('bare', bare), *given).returncode, 2, 'without: says what is missing')
is_(verify(os.path.join(place, 'checkpoint'), *given, who=None).returncode, 0, 'a checkpoint')
is_(verify(path, home=os.path.join(ledger.home, 'state-61001'), who=None).returncode, 0,
    'with the remembered key')
is_(verify(path, *given, '--witness', ledger.vkey).returncode, 2, "a ledger's key is no witness's")
is_(verify('/nonexistent', *given).returncode, 1, 'no such file')
typed = verify(write('letter', 'Dear customer,\n\nwe are sorry.\n'), *given)
ok(typed.returncode == 6
   and 'it is neither a receipt, nor a proof, nor a signed checkpoint' in typed.stderr,
   'a letter: says what it is not', typed.stderr)
is_(verify(*given).returncode, 2, 'a key without a file: usage')

wrong = []
for n in range(200):
    raw = bytearray(text.encode())
    at = random.randrange(len(raw))
    raw[at] ^= 1 << random.randrange(8)
    got = verify(write('mutant', bytes(raw)), *given, who=None)
    if got.returncode != 6 and n < 200:
        wrong.append((at, chr(raw[at]), got.returncode, got.stderr))
harmless = [w for w in wrong if w[2] in (2, 1) or text.encode()[w[0]:w[0] + 1] in b'\n']
ok(len(wrong) == len(harmless) and len(wrong) < 20,
   '200 receipts with one flipped bit: none verifies', *wrong)
with open(os.path.join(ledger.dir, 'signing.key'), 'rb') as f:
    seed = f.read()


def made(memo):
    """A receipt of a ledger of one entry with that memo, whatever it is, as who has the key can make it."""
    salt = bytes(32)
    commitment = base64.b64encode(stranger.sha256(b'fundd memo v1\n', salt, memo)).decode()
    leaf = re.sub('"memo":"[^"]*"', '"memo":"%s"' % commitment, re.sub('"seq":[0-9]+', '"seq":0', [
        line for line in text.splitlines() if line.startswith('leaf ')][0][5:]))
    head = 'test.example/fund\n1\n%s\n' % base64.b64encode(stranger.sha256(b'\0', leaf.encode())).decode()
    key = bytes.fromhex(ledger.vkey.split('+')[1])
    return ('c2sp.org/tlog-proof@v1\nindex 0\n\n%s\n\u2014 test.example/fund %s\n\nfundd receipt v1\nleaf %s\nsalt %s\nmemo ' % (
        head, base64.b64encode(key + witness.sign(seed, head.encode())).decode(), leaf,
        base64.b64encode(salt).decode())).encode() + memo + b'\n'


is_(verify(write('made', made(b'{"reason":"fine"}')), *given, who=None).returncode, 0,
    'a receipt made by hand')
for memo in (b'none', b'{"reason":5}', b'{"reason":"a","reason":"b"}', b'{},"size":9',
             b'{"reason":"\xff"}', b'\x1b[31m'):
    for more in ((), ('--json',)):
        got = verify(*more, write('made', made(memo)), *given, who=None)
        ok(got.returncode == 6 and 'memo' in got.stderr, 'the memo %r: refused' % memo, got.stdout,
           got.stderr)
for memo in (b'{"reason":"a\\u001b[2K"}', b'{"reason":"a\\n  It stands"}',
             b'{"customer":"\\u009b2J"}', b'{"reason":"\\u202eevil"}'):
    got = verify(write('made', made(memo)), *given, who=None)
    ok(got.returncode == 0 and 'not shown' in got.stdout
       and not re.search('[\x1b\x80-\x9f\u202e]|a\\n', got.stdout),
       'the memo %r: does not reach the terminal' % memo, repr(got.stdout), got.stderr)
lines = text.splitlines()
mutants = {
    'cut after the leaf': '\n'.join(lines[:-2]),
    'without its last newline': text[:-1],
    'a line more': text + 'note hello\n',
    'another amount': text.replace('"amount":2500', '"amount":2600'),
    'another reason': text.replace('came late', 'came later'),
    'two hashes exchanged': '\n'.join(lines[:2] + [lines[3], lines[2]] + lines[4:]) + '\n',
    'a hash left out': '\n'.join(lines[:2] + lines[3:]) + '\n',
    'an index with a leading zero': text.replace('index ', 'index 0'),
    'the signature of another': text.replace(lines[-5],
                                             '\u2014 other.example/x ' + lines[-5].split(' ')[-1]),
    'no signature': '\n'.join(l for l in lines if not l.startswith('\u2014')) + '\n',
    'too long': text + 'x' * 40000,
    'not UTF-8': text.encode().replace('\u2014'.encode(), b'\xff\xfe\xfd'),
    'empty': '',
}
for name, mutant in mutants.items():
    got = verify(write('mutant', mutant), *given, who=None)
    ok(got.returncode in (1, 2, 6) and got.stderr, 'a receipt %s: refused' % name, got.returncode,
       got.stdout, got.stderr)

# ---- fund verify, with the daemon ---------------------------------------------------------------

typed = fund('verify')
ok(typed.returncode == 0 and '102 receipts' in typed.stdout, 'all my receipts', typed.stdout,
   typed.stderr)
with open(os.path.join(receipts, '5'), 'w') as f:
    f.write(text)
typed = fund('verify')
ok(typed.returncode == 6 and 'entry 5' in typed.stderr, "a receipt under another's number: said",
   typed.stderr)
os.unlink(os.path.join(receipts, '5'))
is_(fund('verify', '--full').returncode, 4, 'a rep does not read all leaves')
typed = ledger.fund('verify', '--full', who=auditor)
with ledger.connect() as client:
    budgets = client.call('Balance', all=True)['budgets']
    entries = client.call('Status')['entries']
left = sum(b['balance'] for b in budgets)
ok(typed.returncode == 0 and 'all %d entries' % entries in typed.stdout
   and 'EUR %.2f left' % (left / 100) in typed.stdout,
   'an auditor does, and gets the same balances', typed.stdout, typed.stderr)
command = 'exec %s -c "import socket,sys,os,threading; s=socket.socket(socket.AF_UNIX); s.connect(\'%s\')\n' \
    'def up():\n while d:=os.read(0,65536): s.sendall(d)\n s.shutdown(1)\n' \
    'threading.Thread(target=up,daemon=True).start()\nwhile d:=s.recv(65536): os.write(1,d)"' % (sys.executable, ledger.socket)
typed = ledger.fund('verify', '--full', '--socket', '/nonexistent', '--connect', command)
is_(typed.returncode, 0, 'through a command, as ssh would be', typed.stderr)


class Liar(t.Proxy):
    def answer(self, method, reply):
        if method == 'Leaves' and reply['parameters'].get('seq') == 20:
            self.lie(reply['parameters'])


def swap(old, new):
    return lambda p: p.update(leaf=p['leaf'].replace(old, new))


liar = os.path.join(ledger.home, 'liar.sock')
for name, lie, says in (
        ('another balance', swap('"from_after":', '"from_after":1'),
         'entry 20: the balance after it is wrong'),
        ('another amount', swap('"amount":100', '"amount":99'),
         'entry 20: the balance after it is wrong'),
        ('another number', swap('"seq":20', '"seq":21'), 'entry 20: its number'),
        ('a blank', swap('"kind"', ' "kind"'), 'entry 20: '),
        ('money that goes elsewhere', swap('"to":"spent"', '"to":"company"'),
         'entry 20: money does not go that way'),
        ('another id', lambda p: p.update(leaf=re.sub('(?<="id":".{34})..', '00', p['leaf'])),
         'not those that were signed'),
        ('a gap', lambda p: p.update(seq=21), 'broke off at entry 20')):
    with Liar(liar, ledger.socket) as proxy:
        proxy.lie = lie
        typed = ledger.fund('verify', '--full', '--socket', liar)
    ok(typed.returncode in (5, 6) and says in typed.stderr, 'leaves with %s: %s' % (name, says),
       typed.returncode, typed.stderr)
t.done()

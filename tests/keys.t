#!/usr/bin/python3 -B
# The signing key: where it is found, how it is kept, how it is changed, and what happens when
# changing it is cut short.
import os
import re
import shutil

from lib.ledger import *
from lib.forge import row_bytes
from lib.witness import Key

need_root('strace, and the memory of a daemon')
ME = {'manager': 'user:0', 'auditor': 'user:0'}
ledger = Ledger(roles=ME)
first = ledger.vkey
at = ledger.dir


def file(name):
    return os.path.join(ledger.dir, name)


def seed(name='signing.key'):
    with open(file(name), 'rb') as f:
        return f.read()


def vkey_of(name):
    return Key('test.example/fund', 1, seed(name)).vkey


def there():
    return sorted(n for n in os.listdir(ledger.dir) if n.startswith('signing.key'))


def starts(env=None):
    """None, or what the daemon said last instead."""
    try:
        ledger.start(env=env)
    except RuntimeError as error:
        return str(error).rpartition('): ')[2].splitlines()[-1]
    return None


def head():
    with ledger.connect() as client:
        return client.call('Checkpoint')


def signers(note):
    """Which of these keys signed a note, and hold."""
    got = [v for v in keys if stranger.note_names(note, v)]
    stranger.note_check(note, got)
    assert len(got) == note.count('\u2014'), note
    return got


# ---- Kept ---------------------------------------------------------------------------------------

is_(starts(), None, 'it starts with the key of its making')
with ledger.connect() as client:
    client.call('Open', name='pool', group=0, allowance=10**6, id=new_id())
pid = ledger.daemon.pid
with open('/proc/%d/coredump_filter' % pid) as f:
    is_(int(f.read(), 16), 0, 'no page of it would be in a core')
limits = open('/proc/%d/limits' % pid).read()
ok(re.search(r'Max core file size +0 +0', limits), 'and no core file is made', limits)
found, wrong, area, secret = 0, [], None, seed()
with open('/proc/%d/maps' % pid) as f:    # AddressSanitizer makes mlock do nothing
    flags = {'dd'} if 'libasan' in f.read() else {'dd', 'lo'}
with open('/proc/%d/smaps' % pid) as smaps, open('/proc/%d/mem' % pid, 'rb', 0) as memory:
    for line in smaps:
        span = re.match(r'([0-9a-f]+)-([0-9a-f]+) (....)', line)
        if span:
            area = (int(span[1], 16), int(span[2], 16), line)
        if not line.startswith('VmFlags:') or area[1] - area[0] > 1 << 30:
            continue
        try:
            memory.seek(area[0])
            data = memory.read(area[1] - area[0])
        except (OSError, ValueError, OverflowError):
            continue
        hits = data.count(secret)
        found += hits
        if hits and not flags <= set(line.split()[1:]):
            wrong.append(area[2] + line)
ok(found and not wrong, 'its seed is in memory that is locked and dumped nowhere, and in no other',
   found, *wrong)
ledger.stop()

ANYBODY = 64610
other = Ledger(roles=ME)
poor = os.path.join(other.home, 'poor')
os.mkdir(poor)
other.socket = os.path.join(poor, 'sock')
for path in (poor, other.dir, *(os.path.join(other.dir, n) for n in os.listdir(other.dir))):
    os.chown(path, ANYBODY, ANYBODY)
for limit, told in ((0, True), (65536, False)):
    other.start(wrap=['prlimit', '--memlock=%d:%d' % (limit, limit), *identity(ANYBODY, ANYBODY)])
    other.stop()
    is_('cannot be locked' in other.log(), told and 'lo' in flags, 'locked memory up to %d: %s' % (
        limit, 'it is said that the key is not locked' if told else 'nothing has to be said'))
    open(other.logfile, 'w').close()

# ---- Found --------------------------------------------------------------------------------------

away = os.path.join(ledger.home, 'credentials')
os.mkdir(away)
credentials = environment(CREDENTIALS_DIRECTORY=away)
os.rename(file('signing.key'), os.path.join(away, 'signing.key'))
ok('cannot be read' in (starts() or ''), 'without a seed it does not start')
os.chmod(os.path.join(away, 'signing.key'), 0o440)
is_(starts(credentials), None, 'a systemd credential is as good')
ledger.stop()
shutil.copy(os.path.join(away, 'signing.key'), file('signing.key'))
os.chmod(file('signing.key'), 0o640)
ok('can be read by others' in (starts() or ''), 'a seed that others may read is refused')
os.chmod(file('signing.key'), 0o600)
good = seed()
for name, data in (('that is short', good[:31]), ('that is long', good + b'\0'),
                   ('that is empty', b'')):
    with open(file('signing.key'), 'wb') as f:
        f.write(data)
    ok('32 bytes' in (starts() or ''), 'a seed %s is refused' % name)
with open(file('signing.key'), 'wb') as f:
    f.write(bytes(32))
told = starts() or ''
ok("is not this ledger's" in told and first in told, 'so is one of another key', told)
is_(starts(credentials), None, 'while the credential is the right one')
ledger.stop()
with open(file('signing.key'), 'wb') as f:
    f.write(good)

# ---- Changed ------------------------------------------------------------------------------------

ledger.start()
with ledger.connect() as client:
    client.call('Spend', spend(1, budget='pool', receipt=True))
busy = ledger.rotate_key()
ok(busy.returncode == 1 and 'running' in busy.stderr,
   'the key is not changed under a running daemon', busy.stderr)
ledger.stop()
for words in (('--overlap', 'x'), ('--overlap', '-1'), ('--overlap', '3651'), ('--overlap', '01')):
    is_(ledger.rotate_key(*words).returncode, 2, 'an overlap of %s is refused' % words[1])
is_(there(), ['signing.key'], 'nothing is left of it')
done_ = ledger.rotate_key()
second = done_.stdout.strip()
keys = [first, second]
is_((done_.returncode, vkey_of('signing.key'), vkey_of('signing.key.old')), (0, second, first),
    'it gets a new key, whose verifier key is told')
ok(all(os.stat(file(n)).st_mode & 0o777 == 0o600 for n in there()), 'all seeds are nobody else\'s')
is_(starts(), None, 'it starts with it')
got = head()
is_((got['vkey'], signers(got['checkpoint'])), (second, [first, second]), 'both keys sign')
with ledger.connect() as client:
    receipt = client.call('Spend', spend(2, budget='pool', receipt=True))['receipt']
    is_(signers(receipt['proof'].partition('\n\n')[2]), [first, second], 'receipts, too')
    entry = client.call('Prove', seq=got['key'])['receipt']
    text = stranger.receipt_check(entry, [first])[0]
    is_((text['kind'], text['vkey']), ('key', second),
        'who knows the first key is led to the second')
with ledger.connect(64500) as client:
    is_(stranger.receipt_check(client.call('Prove', seq=got['key'])['receipt'], [first])[0], text,
        'whoever it is')
ledger.stop()
is_(ledger.verify('--all').returncode, 0, 'it verifies')

os.rename(file('signing.key.old'), os.path.join(ledger.home, 'old'))
is_(starts(), None, 'without the old key it starts')
with ledger.connect() as client:
    try:
        told = client.call('Spend', spend(2, budget='pool'))
    except Refused as refused:
        told = refused
    ok(isinstance(told, Refused) and told.name == 'Unavailable'
       and 'signing key' in told.parameters['problem'],
       'but records nothing before the overlap is over', told)
    is_(client.call('Checkpoint')['vkey'], second, 'and is read')
ok('signing.key.old' in ledger.log() and second.partition('+')[0] in ledger.log(),
   'it says what is missing')
ledger.stop()
os.rename(os.path.join(ledger.home, 'old'), os.path.join(away, 'signing.key.old'))
os.unlink(os.path.join(away, 'signing.key'))
is_(starts(credentials), None, 'the old one as a credential')
with ledger.connect() as client:
    client.call('Spend', spend(3, budget='pool'))
ledger.stop()

third = ledger.rotate_key('--overlap', '0')
is_(third.returncode, 0, 'a third key ends the overlap, so the first one is not needed any more',
    third.stderr)
keys.append(third.stdout.strip())
is_(starts(), None, 'it starts')
is_((signers(head()['checkpoint']), there()), ([keys[2]], ['signing.key']),
    'without an overlap the new key signs alone, and the old seed is gone')
ledger.stop()
is_(ledger.verify('--all').returncode, 0, 'it verifies still')
rows = ledger.rows()
for cut in (0, 68):
    seq = next(i for i, r in enumerate(rows) if b'"kind":"key"' in r and keys[2].encode() in r)
    leaf, hashes, previous, memo, heads = stranger.row_parts(seq, rows[seq])
    is_(len(heads), 136, 'the head over the new key has both signatures')
    forged = row_bytes(seq, leaf, hashes, previous, memo, heads[cut:cut + 68])
    try:
        stranger.verify(rows[:seq] + [forged] + rows[seq + 1:], open(file('keys'), 'rb').read())
        ok(False, 'the stranger takes no head over a new key with one signature')
    except stranger.Bad as problem:
        ok(True, 'the stranger takes no head over a new key with one signature (%s)' % problem)

# ---- The end of an overlap, in a running daemon -------------------------------------------------

preload = run(['faketime', '-f', '+0', 'sh', '-c', 'echo "$LD_PRELOAD"']).stdout.strip()
OVERLAP_LEFT = 5    # seconds


def ago(seconds):
    return environment(LD_PRELOAD=preload, FAKETIME='-%d' % seconds)


aged = Ledger(roles=ME, init=False)
aged.vkey = run([program('fundd'), '--init', '--origin', 'test.example/fund', '--dir', aged.dir],
                env=ago(2 * 86400)).stdout.strip()
aged.start(env=ago(2 * 86400))
with aged.connect() as client:
    client.call('Open', name='pool', group=0, allowance=10**6, period='none', id=new_id())
aged.stop()
changed = run([program('fundd'), '--rotate-key', '--overlap', '1', '--dir', aged.dir],
              env=ago(86400 - OVERLAP_LEFT))
keys_were, keys = keys, [aged.vkey, changed.stdout.strip()]
over = time.time() + OVERLAP_LEFT
aged.start()
with aged.connect() as client:
    got = signers(client.call('Checkpoint')['checkpoint'])
    is_(got, keys if time.time() < over else keys[1:],
        'both keys sign up to the end of the overlap')
    while time.time() < over + 0.01:
        time.sleep(0.05)
    client.call('Spend', spend(1, budget='pool'))
    is_(signers(client.call('Checkpoint')['checkpoint']), keys[1:], 'behind it the new one alone')
    deadline = time.monotonic() + PATIENCE
    while os.path.exists(aged.dir + '/signing.key.old') and time.monotonic() < deadline:
        time.sleep(0.05)
    ok(not os.path.exists(aged.dir + '/signing.key.old'), 'the old seed is removed')
    client.call('Spend', spend(1, budget='pool'))
is_(aged.stop(), 0, 'the daemon ends well')
is_(aged.verify('--all').returncode, 0, 'all heads verify')
keys = keys_were

# ---- Cut short ----------------------------------------------------------------------------------

fundd = program('fundd')
saved = os.path.join(home(), 'saved')
shutil.copytree(ledger.dir, saved)
before = len(rows)
outcomes, wrong, cuts = set(), [], 0
for call in ('openat:path', 'write', 'fsync', 'fdatasync', 'pwrite64', 'rename,renameat,renameat2',
             'unlinkat'):
    for when in range(1, 40):
        shutil.rmtree(ledger.dir)
        shutil.copytree(saved, ledger.dir)
        words = call.partition(':')
        only = ['-P', file('signing.key.new')] if words[2] else []
        cut = run(['strace', '-f', '-qq', '-o', '/dev/null', *only, '-e', 'trace=' + words[0],
                   '-e', 'inject=%s:signal=KILL:when=%d' % (words[0], when), fundd, '--rotate-key',
                   '--dir', ledger.dir],
                  env=environment(**sanitizer_options('detect_leaks=0')))
        if cut.returncode == 0:
            break
        cuts += 1
        left = there()
        again = starts()
        if again:
            wrong.append('%s %d, %r left: %s' % (call, when, left, again))
            continue
        with ledger.connect() as client:
            client.call('Spend', spend(1, budget='pool'))
        got = head()
        ledger.stop()
        changed = got['vkey'] != keys[2]
        outcomes.add(changed)
        now = vkey_of('signing.key')
        if now != got['vkey'] or changed and vkey_of('signing.key.old') != keys[2]:
            wrong.append('%s %d, %r left: signing.key is %s' % (call, when, left, now))
        if ledger.verify().returncode:
            wrong.append('%s %d, %r left: it does not verify' % (call, when, left))
ok(not wrong and cuts > 10, '%d rotations cut short, each before or after a write: every one starts'
   % cuts, *wrong)
is_(outcomes, {False, True}, 'the key was changed, or not')
is_(ledger.rotate_key().returncode, 0, 'and can be changed again')
starts()
is_(there(), ['signing.key', 'signing.key.old'], 'of which nothing is left')

# ---- Lost ---------------------------------------------------------------------------------------

last = head()['checkpoint']
ledger.stop()
note_file = os.path.join(ledger.home, 'last')
new = Ledger(roles=ME, init=False)


def init(origin, text):
    with open(note_file, 'w') as f:
        f.write(text)
    return run([fundd, '--init', '--origin', origin, '--after', note_file, '--dir', new.dir])


for name, origin, text, word in (('the same name', 'test.example/fund', last, 'name of its own'),
                                 ('no note', 'new.example/fund', 'nothing\n', 'blank line'),
                                 ('a size with leading zeros', 'new.example/fund',
                                  last.replace('\n', '\n0', 1), 'leading zeros')):
    got = init(origin, text)
    ok(got.returncode == 1 and word in got.stderr and not os.path.exists(new.dir),
       '%s: no ledger is made' % name, got.stderr)
got = run([fundd, '--init', '--origin', 'new.example/fund', '--after', '/nowhere', '--dir',
           new.dir])
ok(got.returncode == 1 and '--after' in got.stderr, 'no file: no ledger is made', got.stderr)
got = init('new.example/fund', last)
is_(got.returncode, 0, 'a new ledger goes on from the old one', got.stderr)
new.vkey = got.stdout.strip()
new.start()
with new.connect() as client:
    genesis = stranger.receipt_check(client.call('Prove', seq=0)['receipt'], [new.vkey])[0]
origin, size, root = last.splitlines()[:3]
is_((genesis['prior_origin'], genesis['prior_size'], genesis['prior_root']),
    (origin, int(size), root),
    'its first entry names the other\'s last head')
new.stop()
is_(new.verify('--all').returncode, 0, 'and it verifies')
done()

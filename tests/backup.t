#!/usr/bin/python3 -B
# fundd --backup beside a daemon at work: all that was answered before is in the copy, which needs
# nothing else and verifies; restored with its keys it goes on. Killed, it leaves no copy that is
# not whole; of a damaged ledger none.
import os
import random
import shutil

from lib.load import *

ROUNDS = 4
KILLED = 5
random.seed(5)


def backup_begin(name, ledger):
    return subprocess.Popen([program('fundd'), '--backup', name, '--dir', ledger.dir],
                            stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment())


def backup(name, ledger):
    return run([program('fundd'), '--backup', name, '--dir', ledger.dir])


def verified(text):
    found = re.search(r'^verified (\d+) entries', text, re.M)
    return int(found.group(1)) if found else 0


def answered():
    return max((l.answers[-1]['seq'] for l in loaders if l.answers), default=0)


ledger = Ledger().start()
place = os.path.join(ledger.home, 'backups')
os.mkdir(place)
loaders = [Loader(ledger.connect().sock, name, depth=16) for name in open_pools(ledger, 4)]

# ---- Beside a daemon at work --------------------------------------------------------------------

wrong = []
for n in range(ROUNDS):
    work(loaders, sum(len(l.answers) for l in loaders) + random.randint(200, 1500))
    before, name = answered(), os.path.join(place, 'copy-%d' % n)
    copying = backup_begin(name, ledger)
    while copying.poll() is None:
        work(loaders, sum(len(l.answers) for l in loaders) + 50, 1)
    said, told = copying.communicate()
    files = {f: oct(os.stat(os.path.join(name, f)).st_mode & 0o777)
             for f in os.listdir(name)} if not copying.returncode else {}
    if copying.returncode or told or verified(said) <= before or files != {'ledger.mdb': '0o600'}:
        wrong.append((copying.returncode, said, told, before, files))
    shutil.copy(os.path.join(ledger.dir, 'keys'), name)
    checked = run([program('fundd'), '--verify', '--all', '--dir', name])
    if checked.returncode or checked.stdout != said:
        wrong.append((checked.stdout, checked.stderr))
ok(not wrong, '%d copies: each has all that was answered before, alone, and verifies with its words'
   % ROUNDS, *wrong)
is_(oct(os.stat(name).st_mode & 0o777), '0o700', 'nobody else looks into it')
is_(os.listdir(os.path.dirname(name)).count('copy-0'), 1, 'each has its name')
again = backup(name, ledger)
ok(again.returncode == 1 and 'is there already' in again.stderr, 'one that is there stays as it is',
   again.stderr)
is_(run([program('fundd'), '--verify', '--dir', name]).stdout, said, '... and is what it was')
is_(backup(name + '/', ledger).returncode, 2, 'a slash at the end: usage')
is_(backup(os.path.join(place, 'no/such/place'), ledger).returncode, 1,
    'where nothing can be made: failed')

# ---- Killed -------------------------------------------------------------------------------------

wrong = []
for n in range(KILLED):
    name = os.path.join(place, 'killed')
    copying = backup_begin(name, ledger)
    time.sleep(random.random() * 0.1)
    copying.kill()
    copying.communicate()
    if os.path.exists(name):
        if run([program('fundd'), '--verify', '--dir', name]).returncode:
            wrong.append('a copy that does not verify')
        shutil.rmtree(name)
deadline = time.monotonic() + PATIENCE  # what it began may go on for a moment, and holds the name
while (copied := backup(name, ledger)).returncode and time.monotonic() < deadline:
    time.sleep(0.05)
ok(not wrong and copied.returncode == 0 and not os.path.exists(name + '.new'),
   'killed %d times: no copy that is not whole, and the next try clears up' % KILLED, *wrong,
   copied.stderr)

# ---- Restored -----------------------------------------------------------------------------------

for loader in loaders:
    while len(loader.answers) < len(loader.sent):
        loader.drain()
last = os.path.join(place, 'last')
is_(backup(last, ledger).returncode, 0, 'a last one')
for kept in ('keys', 'signing.key'):
    shutil.copy(os.path.join(ledger.dir, kept), last)
ledger.stop()
shutil.rmtree(ledger.dir)
shutil.copytree(last, ledger.dir)
ledger.start()
is_(ledger.verify('--all').returncode, 0, 'restored, it verifies')
with ledger.connect() as client:
    is_([check(l, stored_of(client, l)) for l in loaders], [None] * len(loaders),
        'and has each entry as it was answered')
    ok(client.call('Spend', spend(1, budget='pool/0')), 'and goes on')
is_(ledger.stop(), 0, 'and ends well')

# ---- Of another user, and of a damaged ledger ---------------------------------------------------

if os.geteuid() == 0:
    for path in [ledger.dir, *(os.path.join(ledger.dir, f) for f in os.listdir(ledger.dir))]:
        os.chown(path, 64001, 64001)
    os.chmod(place, 0o700)
    copied = backup(os.path.join(place, 'theirs'), ledger)
    ok(copied.returncode == 0 and os.stat(os.path.join(place, 'theirs/ledger.mdb')).st_uid == 64001,
       "root's copy of somebody's ledger is theirs, where only root may look", copied.stderr)
    is_(run([program('fundd'), '--verify', '--dir', os.path.join(place, 'theirs')]).returncode, 0,
        '... and root verifies it there')
    ok(all(os.stat(os.path.join(ledger.dir, f)).st_uid == 64001 for f in os.listdir(ledger.dir)),
       '... and so is all that is in the ledger')
    small = os.path.join(ledger.home, 'small')
    os.mkdir(small)
    for size in ('64k', '400k'):
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=' + size, 'tmpfs', small], check=True)
        try:
            with open(os.path.join(small, 'filler'), 'wb', buffering=0) as f:
                while size == '64k':
                    f.write(bytes(4096))
        except OSError:
            pass
        copied = backup(os.path.join(small, 'copy'), ledger)
        ok(copied.returncode == 1 and re.search('full disk|No space left', copied.stderr) and
           'corrupt' not in copied.stdout + copied.stderr
           and not os.path.exists(os.path.join(small, 'copy.new')),
           'a disk of %s that is full: says so, and leaves nothing' % size, copied.stdout,
           copied.stderr)
        subprocess.run(['umount', '-l', small], check=True)
with open(ledger.data(), 'r+b') as f:
    data = f.read().replace(b'"seq":50,"at"', b'"seq":50,"an"')
    f.seek(0)
    f.write(data)
copied = backup(os.path.join(place, 'damaged'), ledger)
ok(copied.returncode == 6 and 'is bad' in copied.stdout
   and 'keep those that you have' in copied.stderr,
   'a damaged ledger: says so', copied.stdout, copied.stderr)
ok(not [f for f in os.listdir(place) if f.startswith('damaged')], '... and leaves nothing')
copied = backup(os.path.join(place, 'none'), Ledger(init=False))
ok(copied.returncode == 1 and not os.path.exists(os.path.join(place, 'none.new')),
   'no ledger: failed', copied.stderr)
ledger.strange = False
done()

#!/usr/bin/python3 -B
# The rollback guard: an older copy of the ledger, or another one, is not taken for the newest.
import os
import shutil

from lib.ledger import *

HALF = 1024
ledger = Ledger(roles={'manager': 'user:%d' % os.getuid()}, init=False)
guard = os.path.join(ledger.home, 'elsewhere', 'guard')
os.mkdir(os.path.dirname(guard))
ledger.configure({'manager': 'user:%d' % os.getuid()}, {'guard': guard})
ledger.init()


def halves():
    with open(guard, 'rb') as f:
        data = f.read()
    assert len(data) in (HALF, 2 * HALF), len(data)
    return [data[:HALF], data[HALF:]]


def sizes():
    """What the halves hold, checked as fund-ledger(5) says."""
    found = []
    for half in halves():
        note = half.rstrip(b'\n').decode() + '\n'
        if note != '\n':
            found.append(int(stranger.note_check(note, [ledger.vkey]).split('\n')[1]))
    return found


def write(data):
    with open(guard, 'wb') as f:
        f.write(data)


def spent(times=1):
    with ledger.connect() as client:
        for _ in range(times):
            client.call('Spend', spend(1, budget='pool'))
            wanted = client.call('Status')['entries']
            if max(sizes()) != wanted:
                return '%r, but the ledger has %d entries' % (sizes(), wanted)
    return None


def starts():
    """None, or what the daemon said instead."""
    try:
        ledger.start()
    except RuntimeError as error:
        return str(error).rpartition('): ')[2].splitlines()[-1]
    return None


def refused(name, *words):
    told = starts()
    ok(told and all(w in told for w in words), name + ' is refused', told or 'it started')
    if not told:
        ledger.stop()


is_(starts(), None, 'a guard that is not there is made')
ok('guard' in ledger.log() and 'is new' in ledger.log(), 'and told of')
is_(os.stat(guard).st_mode & 0o777, 0o600, 'it is nobody else\'s')
with ledger.connect() as client:
    client.call('Open', name='pool', group=0, allowance=1000, id=new_id())
is_(spent(5), None, 'each head is there before its answer')
size = max(sizes())
is_(sorted(sizes()), [size - 1, size], 'it holds the last two')
ledger.stop()

is_(starts(), None, 'it starts again')
is_(spent(), None, 'and goes on')
ledger.kill()
old = os.path.join(home(), 'old')
shutil.copytree(ledger.dir, old)
is_(starts(), None, 'after a kill, too')
is_(spent(3), None, 'and goes on again')
ledger.stop()
new = halves()
saved = os.path.join(home(), 'saved')
shutil.copytree(ledger.dir, saved)


def put(dir_):
    shutil.rmtree(ledger.dir)
    shutil.copytree(dir_, ledger.dir)


put(old)
refused('a ledger that was rolled back', 'more entries than the ledger has', guard, 'restore')
put(saved)
write(new[0] + b'\0' * 500 + new[1][500:])
older = min(int(h.split(b'\n')[1]) for h in new)
is_(starts(), None, 'with a half that is torn, the other one counts')
ledger.stop()
write(b''.join(new))
put(old)
for at, half in enumerate(new):
    if int(half.split(b'\n')[1]) == older:
        torn = list(new)
        torn[1 - at] = half[:300] + b'x' + half[301:]
        write(b''.join(torn))
refused('a rolled back ledger with a torn half', 'more entries than the ledger has')
write(b''.join(new))
put(saved)
is_(starts(), None, 'the newest ledger is taken')
ledger.stop()
write(b''.join(halves())[:HALF])
is_(starts(), None, 'a half that is missing is none')
ledger.stop()
write(b'this is no guard' * 200)
refused('a file that is no guard', guard, 'damaged')
write(b''.join(new))

# ---- Rolled back by the very last commit, which only the newer half knows of --------------------

put(saved)
is_(starts(), None, 'one commit more, that of the start')
ledger.kill()
one_more = halves()
put(saved)
refused('a ledger that lacks the last commit', 'more entries than the ledger has')
write(b''.join(reversed(one_more)))
refused('... whichever half holds it', 'more entries than the ledger has')
write(b''.join(new))

# ---- Another history, with the right key --------------------------------------------------------

kept = b''.join(halves())
put(old)
os.unlink(guard)
is_(starts(), None, 'an operator who knows why takes the guard away')
is_(spent(20), None, 'the ledger goes on, otherwise than before')
ledger.stop()
other = b''.join(halves())
write(kept)
refused('a ledger that was written anew with the right key', 'another root')
write(other)
is_(starts(), None, 'it goes on from its own guard')
ledger.stop()

# ---- Another key --------------------------------------------------------------------------------

shutil.copytree(ledger.dir, os.path.join(home(), 'before'))
is_(ledger.rotate_key('--overlap', '0').returncode, 0, 'it gets a new key')
is_(max(int(h.split(b'\n')[1]) for h in halves()), len(ledger.rows()),
    'which writes the guard, too')
is_(starts(), None, 'and starts with it')
with ledger.connect() as client:
    client.call('Spend', spend(1, budget='pool'))
ledger.stop()
put(os.path.join(home(), 'before'))
refused('a ledger from before the new key', 'more entries than the ledger has')
foreign = Ledger()
shutil.rmtree(ledger.dir)
shutil.copytree(foreign.dir, ledger.dir)
refused('another ledger of the same name', 'than the ledger')
shutil.rmtree(ledger.dir)
run([program('fundd'), '--init', '--origin', 'other.example/fund', '--dir', ledger.dir], check=True)
refused('a ledger of another name', "another ledger's")

# ---- A place that cannot be written ---------------------------------------------------------------

ledger.configure({'manager': 'user:%d' % os.getuid()},
                 {'guard': os.path.join(home(), 'nowhere', 'guard')})
refused('a guard in a directory that is not there', 'nowhere/guard', 'No such file')
ledger.configure({'manager': 'user:%d' % os.getuid()}, {'guard': home()})
refused('a guard that is a directory', 'cannot open')
if os.path.exists('/dev/full'):
    ledger.configure({'manager': 'user:%d' % os.getuid()}, {'guard': '/dev/full'})
    refused('a guard that is no file', 'no regular file')
done()

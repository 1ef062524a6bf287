#!/usr/bin/python3 -B
# kill -9 in the middle of fund export: of the client, at random moments and at each of its renames,
# writes and unlinks; and of the daemon beneath it. What was published before must stay true for a
# stranger (lib/tiles.py) and for fund verify, and the next run must complete it: byte by byte what
# is exported in peace, with nothing left aside. KILL9_EXPORTS and KILL9_GROWTH (entries between two
# exports, at most) say how much.
#
# Control: a checkpoint ahead of its tiles and a tile that is cut are found out in the same way.
import os
import random
import shutil

from lib.ledger import *
from lib.tiles import Tiles
import stranger

EXPORTS = int(os.environ.get('KILL9_EXPORTS', 36))
GROWTH = int(os.environ.get('KILL9_GROWTH', 500))
CALLS = {'renameat': 99, 'write': 99, 'unlinkat': 3}  # of few calls, each; of many, ever fewer
random.seed(int(os.environ.get('SEED', '1')))

program('fund-export')
program('fund-verify')
place = tempfile.mkdtemp(prefix='fund-export-', dir='/dev/shm')  # a kill needs no disk to wait for
atexit.register(shutil.rmtree, place, True)
ledger = Ledger(place=place).start()
with ledger.connect() as client:
    client.call('Open', name='alice', owner=os.geteuid(), allowance=10**12, id=new_id())
public, fresh = (Tiles(os.path.join(place, name), ledger.vkey) for name in ('tiles', 'fresh'))
state = os.path.join(ledger.home, 'state')
os.mkdir(state)
words = environment(FUND_SOCKET=ledger.socket, XDG_STATE_HOME=state,
                    **sanitizer_options('detect_leaks=0'))


def grow(count):
    with ledger.connect() as client:
        while count:
            some = min(count, 60)
            client.send_raw(b''.join(frame('Spend', spend(1)) for _ in range(some)))
            for _ in range(some):
                client.answer()
            count -= some


def export(tiles=public, wrap=()):
    return subprocess.Popen([*wrap, program('fund'), 'export', '--format', 'tiles', tiles.dir],
                            env=words,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def problem(before):
    """What a stranger says of what is published after a blow; None: it is true, and none of it was taken back."""
    try:
        size = len(public.leaves())
    except (stranger.Bad, OSError, ValueError) as error:
        return repr(error)
    return 'went back from %d to %d entries' % (before, size) if size < before else None


def earlier(name):
    """A partial tile of a size that was exported once: the beginning of what the tile is now."""
    with open(os.path.join(public.dir, name), 'rb') as a, open(tile_of(name), 'rb') as b:
        return b.read().startswith(a.read())


def tile_of(name):
    """Of the fresh directory: the tile that a partial one became."""
    whole = os.path.join(fresh.dir, name.split('.p/')[0])
    return whole if os.path.exists(whole) else os.path.join(whole + '.p',
                                                            os.listdir(whole + '.p')[0])


def peace():
    """Exports at once, in peace, into the fresh directory."""
    shutil.rmtree(fresh.dir, ignore_errors=True)
    return is_(export(fresh).wait(), 0, 'an export in peace')


def differences():
    """Between that and what was killed, once it is completed."""
    completing = export()
    said = [completing.stderr.read()] if completing.wait() else []
    for name in set(fresh.names()) | set(public.names()):
        paths = [os.path.join(tiles.dir, name) for tiles in (public, fresh)]
        if '.p/' in name and not os.path.exists(paths[1]):
            said += [] if earlier(name) else [name + ' was never true']
        elif not all(map(os.path.exists, paths)):
            said.append(name + ' is only in one of them')
        elif len({open(path, 'rb').read() for path in paths}) > 1:
            said.append(name + ' is another one')
    return said + [name + ' is still there' for name in public.stale()]


# ---- At random moments --------------------------------------------------------------------------

peace()
longest = 0.02  # seconds until the blow; comes to where half of them end before
wrong, killed, ended = [], 0, 0
for n in range(EXPORTS):
    grow(random.randint(1, GROWTH))
    before = public.head()[0]
    exporting = export()
    time.sleep(random.random() * longest)
    if n % 5 == 4:
        ledger.kill()
    else:
        exporting.kill()
    status = exporting.wait()
    exporting.stderr.close()
    killed += status != 0
    longest *= 1.2 if status else 0.85
    wrong += filter(None, [problem(before)])
    if n % 5 == 4:
        ledger.start()
    if n % 9 == 8:
        peace()
        wrong += differences()
ok(not wrong, 'exports killed %d times: what is published stays true, and is completed' % EXPORTS,
   *wrong[:5])
note('%d of them died; %d entries are published' % (killed, public.head()[0]))
ok(killed, 'some died')

# ---- At each call that changes the directory -----------------------------------------------------

wrong, blows, kept = [], 0, public.dir + '-kept'
for call, apart in CALLS.items():
    shutil.copytree(public.dir, kept)
    grow(600)   # so that a partial tile becomes a full one
    peace()
    before, nth, status = public.head()[0], 1, -signal.SIGKILL
    while status and nth < 2000:
        exporting = export(wrap=['strace', '-f', '-o', '/dev/null', '-e', 'trace=' + call,
                                 '-e', 'inject=%s:signal=KILL:when=%d' % (call, nth)])
        exporting.stderr.close()
        status = exporting.wait()
        wrong += ['%s %d: %s' % (call, nth, p) for p in [problem(before), *differences()] if p]
        blows, nth = blows + 1, nth + 1 + nth // apart
        if status:
            shutil.rmtree(public.dir)
            shutil.copytree(kept, public.dir)
    shutil.rmtree(kept)
ok(not wrong, 'killed at each of these: what is published stays true, and is completed', *wrong[:5])
ok(blows > 30, '%d blows' % blows)
typed = ledger.fund('verify', public.dir, '--vkey', ledger.vkey)
is_(typed.returncode, 0, 'fund verify says so, too', typed.stderr)

# ---- Control ------------------------------------------------------------------------------------

before = public.head()[0]
grow(300)
is_(export(fresh).wait(), 0, 'a newer export')
good = os.path.join(public.dir, 'checkpoint')
shutil.copy(good, good + '-kept')
shutil.copy(os.path.join(fresh.dir, 'checkpoint'), good)
ok(problem(before), 'control: a checkpoint ahead of its tiles is found out')
os.rename(good + '-kept', good)
is_(problem(before), None, 'control: ... and with its own all is well')
with open(public.path('entries', 1), 'r+b') as f:
    f.truncate(1000)
ok(problem(before), 'control: a tile that is cut is found out')
is_(ledger.stop(), 0, 'the daemon ends well')
done()

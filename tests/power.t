#!/usr/bin/python3 -B
# Power loss, made by the file system: ext4 and xfs are shut down under load without writing back
# what is still in memory, the daemon is killed, and the image is mounted again, its journal
# replayed. What was answered must be there, and what was exported. Two planted faults must be found
# out in the same way: answers before the commit, and commits without a sync. POWER_CYCLES says how
# often (make soak: 500 of each).
import os
import random
import shutil

from lib.disk import *
from lib.load import *
from lib.tiles import Tiles
import stranger

need_root('mounting images')

CYCLES = int(os.environ.get('POWER_CYCLES', 12))
A_LEDGER = 60            # cycles: then a new one, before the disk is full
CONTROL_CYCLES = 12      # at most, until a planted fault shows
CLIENTS = 4
BETWEEN = (5, 150)       # answers before the blow
SETTLE_EVERY = 12        # of so many blows one falls after so many seconds: what is in the log is settled each second,
SETTLING = 2.5           # and then the log written over again
random.seed(int(os.environ.get('SEED', '1')))


def blow(ledger, disk, loaders, seconds=0):
    """Load for so long at least, then no power, at a random moment."""
    begun = time.monotonic()
    alive = work(loaders, random.randint(*BETWEEN))
    while alive and time.monotonic() < begun + seconds:
        alive = work(loaders, 1 + sum(len(l.answers) for l in loaders))
    if not alive:
        raise RuntimeError('the daemon is gone: ' + ledger.log()[-1000:])
    time.sleep(random.random() * 0.002)
    disk.shut_down()
    ledger.kill()
    for loader in loaders:
        while loader.drain():
            time.sleep(0.001)
    disk.unmount()
    disk.mount()


def cycle(ledger, disk, names, env=None, seconds=0):
    """One loss of power. What is wrong afterwards, one line each."""
    if not ledger.daemon:
        ledger.start(env=env)
    loaders = [Loader(ledger.connect().sock, name) for name in names]
    blow(ledger, disk, loaders, seconds)
    try:
        ledger.start(env=env)
    except RuntimeError as error:
        return [str(error)]
    return judge(ledger, loaders)


def weak(how):
    return environment(LD_PRELOAD=program('tests/tools/weak-commit.so'), WEAK_COMMIT=how,
                       **sanitizer_options('verify_asan_link_order=0'))


def place(disk, name):
    """A directory that is there for good."""
    path = os.path.join(disk.mount_point, name)
    os.mkdir(path)
    os.sync()
    return path


def control(disk, how):
    """A daemon with that fault is found out before long."""
    ledger = Ledger(place=place(disk, how)).start()
    names = open_pools(ledger, CLIENTS)
    is_(ledger.stop(), 0, 'control %s: prepared' % how)
    os.sync()
    for n in range(CONTROL_CYCLES):
        wrong = cycle(ledger, disk, names, weak(how))
        if wrong:
            break
    ok(wrong, 'control %s: found out after %d of at most %d cycles' % (how, n + 1, CONTROL_CYCLES))
    note('; '.join(wrong)[:200])
    ledger.kill()


def first_creation(disk):
    """Power is lost right behind --init: what it printed must be there."""
    wrong = []
    for n in range(max(2, CYCLES // 4)):
        ledger = Ledger(place=place(disk, 'new-%d' % n), init=False)
        ledger.init()
        disk.shut_down()
        disk.unmount()
        disk.mount()
        verified = ledger.verify('--all')
        if verified.returncode:
            wrong.append('exit %d: %s' % (verified.returncode, verified.stdout + verified.stderr))
        shutil.rmtree(os.path.dirname(ledger.dir))
        Ledger.all.remove(ledger)
    return wrong


def exports(disk):
    """Power is lost right behind an export, and in the middle of one: a stranger reads all that was published."""
    ledger = Ledger().start()
    with ledger.connect() as client:
        client.call('Open', name='alice', owner=os.geteuid(), allowance=10**9, id=new_id())
    tiles = Tiles(os.path.join(disk.mount_point, 'tiles'), ledger.vkey)
    wrong, fund, ended = [], program('fund'), 0
    program('fund-export')
    for n in range(max(4, CYCLES // 3)):
        with ledger.connect() as client:
            for _ in range(random.randint(2, 6)):
                client.send_raw(b''.join(frame('Spend', spend(1)) for _ in range(60)))
                for _ in range(60):
                    client.answer()
            entries = client.call('Status')['entries']
        exporting = subprocess.Popen([fund, 'export', '--socket', ledger.socket, '--format',
                                      'tiles', tiles.dir],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     env=environment(XDG_STATE_HOME=ledger.home))
        if n % 2:
            time.sleep(random.random() * 0.02)
        else:
            exporting.wait()
        disk.shut_down()
        said = exporting.poll() == 0
        ended += said
        exporting.kill()
        exporting.wait()
        disk.unmount()
        disk.mount()
        try:
            size = len(tiles.leaves())
            wrong += ['%d of %d entries are left of an export'
                      % (size, entries)] if said and size < entries else []
        except (stranger.Bad, OSError, ValueError) as error:
            wrong.append(repr(error))
    is_(ledger.stop(), 0, 'the daemon ends well')
    return wrong if ended else ['no export came to its end']


def cycles(disk, kind, numbers):
    """Losses of power, one after the other, in the life of one ledger."""
    ledger = Ledger(place=place(disk, 'ledger-%d' % numbers[0])).start()
    names = open_pools(ledger, CLIENTS)
    for n in numbers:
        wrong = cycle(ledger, disk, names, seconds=0 if (n + 1) % SETTLE_EVERY else SETTLING)
        if not ok(not wrong, '%s: power loss %d' % (kind, n + 1), *wrong):
            break
    if ledger.daemon:
        is_(ledger.stop(), 0, kind + ': the daemon ends well')
    is_(ledger.verify('--all').returncode, 0, kind + ': the ledger verifies')
    shutil.rmtree(os.path.dirname(ledger.dir))


def test(kind):
    disk = Disk(kind)
    try:
        wrong = first_creation(disk)
        ok(not wrong, kind + ': a ledger whose key was printed is there', *wrong)
        wrong = exports(disk)
        ok(not wrong, kind + ': what was exported as tiles is there and true', *wrong)
        for first in range(0, CYCLES, A_LEDGER):
            cycles(disk, kind, range(first, min(first + A_LEDGER, CYCLES)))
        for how in ('nosync', 'early'):
            control(disk, how)
    finally:
        for ledger in Ledger.all:
            ledger.kill()
        disk.unmount()


for kind in ('ext4', 'xfs'):
    began = time.monotonic()
    test(kind)
    note('%s: %d cycles, %.1f s' % (kind, CYCLES, time.monotonic() - began))
done()

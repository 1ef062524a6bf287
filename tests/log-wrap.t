#!/usr/bin/python3 -B
# The log is full before what it holds is in ledger.mdb, whose syncs are made slow: commits have to
# wait, and kill -9 in the middle must not find rows that neither file has. LOG_WRAPS says how
# often.
#
# Control: the mutant log-reused.
import os
import random

from lib.load import *

BLOWS = int(os.environ.get('LOG_WRAPS', 4))
COMMITS = 3000      # a page of the log each, so that both of its segments are full
random.seed(int(os.environ.get('SEED', '1')))

# commits are to be quick, settling slow
place = tempfile.mkdtemp(prefix='fund-log-', dir='/dev/shm')
atexit.register(shutil.rmtree, place, True)
slow = os.path.join(place, 'slow')
os.mkdir(slow)
env = environment(LD_PRELOAD=program('tests/tools/slow-commit.so'), SLOW_COMMIT=slow,
                  **sanitizer_options('verify_asan_link_order=0'))
ledger = Ledger(place=place).start(env=env)
names = open_pools(ledger, 2)


def delays():
    with open(os.path.join(slow, 'log')) as f:
        return f.read().count('settle')


for n in range(BLOWS):
    loaders = [Loader(ledger.connect().sock, name, depth=1) for name in names]
    open(os.path.join(slow, 'settle'), 'w').close()
    before = delays()
    alive, deadline = work(loaders, COMMITS + random.randint(0, 1500)), time.monotonic() + PATIENCE
    while alive and delays() == before and time.monotonic() < deadline:     # the settler's turn may come late
        alive = work(loaders, 1 + sum(len(l.answers) for l in loaders))
    ledger.kill()
    os.unlink(os.path.join(slow, 'settle'))
    for loader in loaders:
        while loader.drain():
            time.sleep(0.001)
    ok(alive and delays() > before, 'settling was slow meanwhile', ledger.log()[-500:])
    try:
        wrong = judge(ledger.start(env=env), loaders)
    except RuntimeError as error:
        wrong = [str(error)]
    if not ok(not wrong, 'blow %d: what was answered is there' % (n + 1), *wrong):
        break
if ledger.daemon:
    is_(ledger.stop(), 0, 'the daemon ends well')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies')
done()

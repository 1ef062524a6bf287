#!/usr/bin/python3 -B
# kill -9 in the middle of the work, again and again. Outside the daemon it is known what each
# client sent, in which order, and what was answered. After each restart: everything answered is
# there as it was answered, what is there was sent, in order, without a gap; what was not answered
# is sent again with its id and is there once; and the ledger verifies.
#
# Control: a daemon whose answers leave before the log is written (tools/weak-commit.c) is found out.
import os
import random
import shutil

from lib.load import *

CYCLES = int(os.environ.get('KILL9_CYCLES', 40))
EACH = 200          # blows that one ledger takes: it is replayed three times for each
CLIENTS = 8
CONTROL_CYCLES = 12 # at most, until the planted fault shows
SETTLE_EVERY = 10    # of so many blows one falls after up to so many seconds:
SETTLING = 2.5       # what is in the log is settled each second
BETWEEN = (10, 250)  # answers seen before the blow
random.seed(int(os.environ.get('SEED', '1')))

def work_until_blow(loaders, seconds):
    """Load for so long at least, then SIGKILL at a random moment, then whatever had been answered by then."""
    begun = time.monotonic()
    alive = work(loaders, random.randint(*BETWEEN))
    while alive and time.monotonic() < begun + seconds:
        time.sleep(0.02)  # not too much of it: all is checked again after each blow
        alive = work(loaders, 1 + sum(len(l.answers) for l in loaders))
    if not alive:
        raise RuntimeError('the daemon is gone: ' + ledger.log()[-1000:])
    time.sleep(random.random() * 0.002)
    ledger.kill()
    for loader in loaders:
        while loader.drain():
            time.sleep(0.001)


def cycle(n, env=None):
    """One blow. Returns what is wrong afterwards, one line each."""
    loaders = [Loader(ledger.connect().sock, name) for name in NAMES]
    work_until_blow(loaders, random.random() * SETTLING if n % SETTLE_EVERY == 0 else 0)
    ledger.start(env=env)
    wrong = judge(ledger, loaders)
    for loader in loaders:
        everything.setdefault(loader.budget, []).extend(loader.answers)
    return wrong


def whole():
    """The ledger once more, at its end."""
    with ledger.connect() as client:
        for name, answers in everything.items():
            stored = client.audit(budgets=[name], kind='spend')
            is_([(e['seq'], e['id'], e['amount']) for e in stored],
                [(e['seq'], e['id'], e['amount']) for e in answers],
                '%s: %d entries, each once, in order, as answered' % (name, len(answers)))
            balance = client.call('Balance', budgets=[name])['budgets'][0]['balance']
            is_(balance, OPENING - sum(e['amount'] for e in answers), name + ': the balance fits')
    note('%d spends were answered' % sum(map(len, everything.values())))


for first in range(0, CYCLES, EACH):
    ledger = Ledger().start()
    NAMES = open_pools(ledger, CLIENTS)
    everything = {}
    for n in range(first, min(first + EACH, CYCLES)):
        wrong = cycle(n)
        if not ok(not wrong, 'blow %d' % (n + 1), *wrong):
            done()
    whole()
    if first + EACH < CYCLES:
        ledger.kill()
        is_(ledger.verify('--all').returncode, 0, 'the ledger verifies, every signature')
        shutil.rmtree(ledger.dir)
        Ledger.all.remove(ledger)

# ---- SIGTERM finishes what is open --------------------------------------------------------------

loader = Loader(ledger.connect().sock, 'pool/0')
loader.fill()
ledger.daemon.terminate()
is_(ledger.daemon.wait(PATIENCE), 0, 'SIGTERM: exit 0')
ledger.daemon = None
while loader.drain():
    time.sleep(0.001)
ledger.start()
with ledger.connect() as client:
    stored = client.audit(budgets=['pool/0'], kind='spend', reverse=True, limit=loader.depth)[::-1]
    ids = {request['id'] for request in loader.sent}
    stored = [e for e in stored if e['id'] in ids]
    is_(check(loader, stored), None, 'SIGTERM: what was answered is there')
    is_(len(stored), len(loader.answers), 'SIGTERM: what is there was answered')

is_(ledger.stop(), 0, 'the daemon ends well')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies, every signature')

# ---- Control ------------------------------------------------------------------------------------

ledger = Ledger().start()
NAMES = open_pools(ledger, CLIENTS)
ledger.stop()
early = environment(LD_PRELOAD=program('tests/tools/weak-commit.so'), WEAK_COMMIT='early',
                    **sanitizer_options('verify_asan_link_order=0'))
for n in range(CONTROL_CYCLES):
    if not ledger.daemon:
        ledger.start(env=early)
    try:
        wrong = cycle(n + 1, early)
    except RuntimeError as error:
        wrong = [str(error)]
    if wrong:
        break
ok(wrong, 'control: answers before the log is written are found out')
note('after %d of at most %d blows: %s' % (n + 1, CONTROL_CYCLES, '; '.join(wrong)[:150]))
ledger.kill()
done()

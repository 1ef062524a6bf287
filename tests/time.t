#!/usr/bin/python3 -B
# Time, for the real programs: the wall clock goes back and forward under a daemon that runs and
# between two of them, tzdata changes between two runs, and reset comes twice at once, late, and is
# killed half-way. What all of it comes to in the core is in unit/time_test and in sim.t.
import datetime
import shutil
import threading

from lib.ledger import *

CRON, MANAGER, REP = 64001, 64002, 64003
ROLES = {'cron': 'user:%d' % CRON, 'manager': 'user:%d' % MANAGER}
PRELOAD = run(['faketime', '-f', '+0', 'sh', '-c', 'echo "$LD_PRELOAD"']).stdout.strip()
need_root('it resets as cron and spends as others')


class Clock:
    """The wall clock of a ledger's daemon, moved while it runs; the clock since boot stays real.

    It is a file beside the config: there the daemon may still read when it has shut itself in.
    """

    def __init__(self, ledger, now):
        self.path = os.path.join(ledger.home, 'clock')
        self.set(now)

    def set(self, now):
        offset = now.timestamp() - time.time()
        with open(self.path + '.new', 'w') as f:
            f.write('%+d\n' % offset)
        os.rename(self.path + '.new', self.path)

    def move(self, **by):
        self.set(datetime.datetime.fromtimestamp(time.time() + self.offset(), datetime.timezone.utc)
                 + datetime.timedelta(**by))

    def offset(self):
        with open(self.path) as f:
            return int(f.read())

    def environment(self, **extra):
        return environment(LD_PRELOAD=PRELOAD, FAKETIME_TIMESTAMP_FILE=self.path,
                           FAKETIME_NO_CACHE='1',
                           FAKETIME_DONT_FAKE_MONOTONIC='1', **extra)


def ledger_at(now, zone='UTC', **extra):
    """A ledger that was made half a year before that moment and is begun at it, and its clock."""
    ledger = Ledger(roles=ROLES, init=False)
    clock = Clock(ledger, now - datetime.timedelta(days=180))
    made = run([program('fundd'), '--init', '--origin', 'test.example/fund', '--currency', 'EUR',
                '--timezone',
                zone, '--dir', ledger.dir], env=clock.environment(**extra))
    if made.returncode:
        raise RuntimeError(made.stderr)
    clock.set(now)
    ledger.start(env=clock.environment(**extra))
    return ledger, clock


def utc(*words):
    return datetime.datetime(*words, tzinfo=datetime.timezone.utc)


def reset(ledger):
    """What cron's reset began, by budget and period, each with what moved."""
    with ledger.connect(CRON) as cron:
        return [(r['entry']['budget'], r['entry']['period'], r['entry'].get('amount'))
                for r in cron.stream('Reset') if r.get('entry')]


def spends(ledger, amount):
    """The entry, or the refusal's name."""
    with ledger.connect(REP) as rep:
        try:
            return rep.call('Spend', spend(amount))['entry']
        except Refused as refused:
            return refused.name


def problem(ledger):
    with ledger.connect(REP) as rep:
        return rep.call('Status').get('problem', '')


def accept(ledger, env):
    run([program('fundd'), '--accept-clock', '--dir', ledger.dir], env=env)
    deadline = time.monotonic() + PATIENCE
    while 'clock' in problem(ledger) and time.monotonic() < deadline:
        time.sleep(0.05)


def open_budget(ledger, name, **terms):
    with ledger.connect(MANAGER) as manager:
        manager.call('Open', dict({'name': name, 'id': new_id()}, **terms))


# ---- The clock moves while the daemon runs ------------------------------------------------------

ledger, clock = ledger_at(utc(2026, 3, 31, 23, 0, 0))
open_budget(ledger, 'rep', owner=REP, allowance=1000, period='month')
first = spends(ledger, 1)
ok(first['at'].startswith('2026-03-31T23:0'), 'the daemon has the clock it is given', first)
is_(reset(ledger), [], 'in March there is nothing to reset')

clock.move(hours=1, minutes=30)
is_(reset(ledger), [('rep', '2026-04', 999), ('rep', '2026-04', 1000)],
    'April begins, an hour and a half later')
clock.move(seconds=-1)
second = spends(ledger, 2)
clock.move(hours=-3)
third = spends(ledger, 4)
ok(second['at'] < third['at'] and third['period'] == '2026-04',
   'back a second, then three hours into March: entries go on in order, and in April', second,
   third)
is_(reset(ledger), [], 'March is not begun again')
clock.move(days=-31)
fourth = spends(ledger, 8)
ok(third['at'] < fourth['at'] and fourth['period'] == '2026-04', 'back a month: the same', fourth)
with ledger.connect(REP) as rep:
    ok(0 <= rep.call('Status')['uptime'] < 600,
       '... and status knows how long the daemon has been up')
is_(reset(ledger), [], '... and nothing is begun')

clock.move(days=31 + 61, hours=3)
is_(spends(ledger, 16), 'Unavailable', 'forward by two months: the clock is not trusted with money')
ok('jumped ahead' in problem(ledger) and '--accept-clock' in problem(ledger),
   '... and status says what to do',
   problem(ledger))
with ledger.connect(CRON) as cron:
    try:
        refused = cron.call('Reset')
    except Refused as refusal:
        refused = refusal.name
is_(refused, 'Unavailable', '... and none of the two months is begun')
deadline = time.monotonic() + PATIENCE
while 'jumped ahead' not in ledger.log() and time.monotonic() < deadline:
    time.sleep(0.05)
is_(ledger.log().count('jumped ahead'), 1, '... and the log says so, once')
accept(ledger, clock.environment())
is_([(b, p) for b, p, _ in reset(ledger)], [('rep', p)
                                            for p in ('2026-05', '2026-05', '2026-06', '2026-06')],
    'once an operator says that it is right, both months are posted in order')
is_(spends(ledger, 32)['period'], '2026-06', '... and money moves')
while 'trusted again' not in ledger.log() and time.monotonic() < deadline:
    time.sleep(0.05)
ok('trusted again' in ledger.log(), '... and the log says that, too', ledger.log())

# ---- Between two runs ---------------------------------------------------------------------------

ledger.stop()
clock.move(minutes=-10)
ledger.start(env=clock.environment())
is_(spends(ledger, 64), 'Unavailable',
    'a start with the clock behind the last entry: no money moves')
ok('behind the ledger' in problem(ledger), '... and status says why', problem(ledger))
with ledger.connect(REP) as rep:
    is_(rep.call('Balance')['budgets'][0]['balance'], 968, '... but what there is is told')
clock.move(minutes=11)
ok(isinstance(spends(ledger, 64), dict), 'when it has caught up, money moves by itself',
   problem(ledger))
ledger.stop()
clock.move(minutes=-30)
rotate = [program('fundd'), '--rotate-key', '--dir', ledger.dir]
refused = run(rotate, env=clock.environment())
ok(refused.returncode == 1 and refused.stderr.count('--accept-clock') == 1,
   'behind again, the key is not changed, and what to do is said once', refused.stderr)
run([program('fundd'), '--accept-clock', '--dir', ledger.dir], env=clock.environment())
rotated = run(rotate, env=clock.environment())
is_(rotated.returncode, 0, '... which helps', rotated.stderr)
is_(ledger.verify('--all').returncode, 0, 'all of it verifies')

# ---- tzdata changes between two runs ------------------------------------------------------------


def zoneinfo(name, source):
    """A tzdata in which Europe/Berlin is as some other zone."""
    place = os.path.join(home(), name)
    os.makedirs(os.path.join(place, 'Europe'))
    shutil.copy(os.path.join('/usr/share/zoneinfo', source), os.path.join(place, 'Europe/Berlin'))
    return place


before, after = zoneinfo('before', 'Europe/Berlin'), zoneinfo('after', 'America/New_York')
berlin, clock = ledger_at(utc(2026, 6, 30, 21, 0, 0), 'Europe/Berlin', TZDIR=before)
open_budget(berlin, 'rep', owner=REP, allowance=1000, period='month')
clock.move(hours=2)
is_([p for _, p, _ in reset(berlin)], ['2026-07', '2026-07'],
    'at one in the morning in Berlin July begins')
berlin.stop()
berlin.start(env=clock.environment(TZDIR=after))
is_(reset(berlin), [], 'by a changed tzdata it is June still: July is not begun again, nor June')
is_(spends(berlin, 1)['period'], '2026-07', '... and what is spent is of July')
clock.move(hours=6)
is_(reset(berlin), [], 'when July comes by the new rules too, it is there already')
berlin.stop()
empty = os.path.join(home(), 'empty')
os.mkdir(empty)
verified = run([program('fundd'), '--verify', '--all', '--dir', berlin.dir],
               env=environment(TZDIR=empty, **signals_allowed()))
is_(verified.returncode, 0, 'and it verifies on a machine without any tzdata', verified.stderr)

# ---- Reset: twice at once, late, killed half-way ------------------------------------------------

MANY = 600
shop, clock = ledger_at(utc(2026, 1, 31, 12, 0, 0))
with shop.connect(MANAGER) as manager:
    for i in range(MANY):
        manager.send('Open', name='b%d' % i, id=new_id(), group=5000, allowance=100 + i,
                     period='month')
        if i % 32 == 31 or i == MANY - 1:
            for _ in range(i % 32 + 1):
                manager.answer()


def periods(ledger):
    """How often each (budget, period) was granted, and how much."""
    with ledger.connect(MANAGER) as manager:
        entries = manager.audit(kind='reset')
    return sorted((e['budget'], e['period'], e['amount']) for e in entries
                  if e.get('from') == 'company')


def expected(*months):
    return sorted(('b%d' % i, month, 100 + i) for i in range(MANY) for month in months)


def restart(env):
    shop.stop()
    shop.start(env=env)


clock.move(hours=20)	# not quite what would be taken for a clock that jumped
results = []
threads = [threading.Thread(target=lambda: results.append(reset(shop))) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
is_(periods(shop), expected('2026-02'), 'two resets at once begin each period once')
is_(len(results[0]) + len(results[1]), 2 * MANY, '... and between them tell of each entry once')

clock.move(days=28)
for moment in (0.003, 0.01, 0.03):
    with shop.connect(CRON) as cron:
        cron.send_raw(frame('Reset', flags={'more': True}))
        time.sleep(moment)
        shop.kill()
    shop.start(env=clock.environment())
    note('killed %g s after it was asked, it had begun %d of %d'
         % (moment, len(periods(shop)) - MANY, MANY))
reset(shop)
is_(periods(shop), expected('2026-02', '2026-03'),
    'killed half-way three times, then run again: each period once')
is_(reset(shop), [], '... and again there is nothing to do')

with shop.connect(CRON) as cron:
    # a cron that is killed before it is done asking
    cron.send_raw(frame('Reset', flags={'more': True})[:-1])
restart(clock.environment())
clock.move(hours=20)
restart(clock.environment())
for _ in range(4):  # a restart trusts the clock, so that months pass as in a machine that was off
    shop.stop()
    clock.move(days=30)
    shop.start(env=clock.environment())
reset(shop)
is_(periods(shop), expected('2026-02', '2026-03', '2026-04', '2026-05', '2026-06'),
    'three months late: they are posted in order, each once')
with shop.connect(MANAGER) as manager:
    entries = manager.audit(kind='reset', budgets=['b7'])
is_([e['period'] for e in entries if e.get('from') == 'company'],
    ['2026-02', '2026-03', '2026-04', '2026-05', '2026-06'], '... for each budget in its order')
shop.stop()
is_(shop.verify('--all').returncode, 0, 'all of it verifies')
done()

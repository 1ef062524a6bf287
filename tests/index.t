#!/usr/bin/python3 -B
# index.mdb is derived: with it, without it, and with whatever is left of it, fundd answers the
# same. What it holds and the books have forgotten still counts: ids, refunds, customers, months.
import random

from lib.ledger import *

random.seed(int(os.environ.get('SEED', '1')))
need_root('it makes this boot of the machine look like another one')
SIGNALS = environment(**signals_allowed())  # of the process that looks at a damaged index

ledger = Ledger(zone='Europe/Berlin').start()
uid, gid = os.getuid(), os.getgid()
INDEX = os.path.join(ledger.dir, 'index.mdb')


def folded(place=ledger):
    """Waits until all that was recorded is in the index."""
    deadline = time.monotonic() + PATIENCE
    with place.connect() as client:
        while True:
            says = client.call('Status')
            if says['folded'] == says['entries']:
                return says['entries']
            if time.monotonic() > deadline:
                raise RuntimeError('not folded: %r' % says)
            time.sleep(0.01)


def refusal(client, method, params):
    try:
        return client.call(method, params)
    except Refused as refused:
        return refused.name, refused.parameters


with ledger.connect() as client:
    call = client.call
    call('Open', name='team/north', group=gid, allowance=90000, period='week', carry='all',
         id=new_id())
    call('Open', name='alice', owner=uid, allowance=20000, pool='team/north', self_topup=5000,
         guideline=2500, id=new_id())
    call('Open', name='yen', owner=uid + 77001, allowance=15000, currency='JPY', carry='cap',
         cap=3000,
         period='day', id=new_id())
    sent = [spend(100 + n, customer='C%d' % (n % 3), category='late' if n % 2 else 'broken')
            for n in range(12)]
    made = [call('Spend', params)['entry']['seq'] for params in sent]
    call('TopUp', topup('alice', 1200, **{'from': 'team/north'}))
    call('Refund', ref=made[0], amount=30, id=new_id())
    call('Refund', ref=made[1], amount=101, id=new_id())
    folded()
    call('Refund', ref=made[0], amount=20, id=new_id())
    again = spend(7, customer='C1')
    made.append(call('Spend', again)['entry']['seq'])
    sent.append(again)
    call('Close', name='yen', id=new_id())
folded()


def report(month, budgets=()):
    """What Report says, and what the audited entries come to."""
    with ledger.connect() as client:
        totals = [r['total'] for r in client.stream('Report', month=month, budgets=list(budgets))
                  if r.get('total')]
        sums = {}
        for entry in client.audit(since=month + '-01', budgets=list(budgets)):
            key = entry.get('currency'), entry.get('exp'), entry.get('category')
            for end, amount, times in (('to', 'spent', 'spends'), ('from', 'refunded', 'refunds')):
                if entry.get(end) == 'spent':
                    line = sums.setdefault(key, dict(spent=0, refunded=0, spends=0, refunds=0))
                    line[amount] += entry['amount']
                    line[times] += 1
    return totals, [dict(((k, v) for k, v in zip(('currency', 'exp', 'category'), key)
                          if v is not None),
                         **sums[key]) for key in sorted(sums, key=lambda k: (k[0], k[2] or ''))]


month = time.strftime('%Y-%m', time.gmtime(time.time() + 3600))
for budgets in ((), ('alice',), ('alice', 'team/north'), ('yen',)):
    says, sums = report(month, budgets)
    is_(says, sums, 'a report of %s is what its entries come to' % (', '.join(budgets) or 'all'))
with ledger.connect() as client:
    client.call('Spend', spend(3, category='late'))
    client.call('Spend', spend(4, budget='team/north'))
says, sums = report(month)
is_(says, sums, 'entries that are not folded yet count too')
is_(sum(line['spends'] for line in says), 15, 'all of them')
is_(report('2025-01')[0], [], 'nothing was spent in another month')
with ledger.connect() as client:
    for wrong in ('2026', '2026-13', '2026-W48', '2026-11-23', ''):
        try:
            client.stream('Report', month=wrong)
            ok(False, 'no month: %r' % wrong)
        except Refused as refused:
            is_(refused.name, 'Malformed', 'no month: %r' % wrong)
    try:
        is_(client.call('Report', month=month), 0, 'more is needed')
    except Refused as refused:
        ok(refused.name.endswith('ExpectedMore'), 'more is needed')
folded()


def told():
    """What fundd says of all that is in the index. Asking changes nothing."""
    says = []
    with ledger.connect() as client:
        says.append(client.call('Balance', all=True))
        for seq, params in zip(made, sent):
            answer = client.call('Spend', params)
            says.append((answer['entry'] if answer['replayed'] else 'NEW', seq))
            says.append(refusal(client, 'Spend', dict(params, amount=params['amount'] + 1)))
            for more in (0, 1):
                # entries 0 and 1 were refunded in part and whole
                left = params['amount'] - {0: 50, 1: 101}.get(made.index(seq), 0)
                got = refusal(client, 'Refund', dict(ref=seq, amount=left + more, id=new_id(),
                                                     dry_run=True))
                says.append(got if isinstance(got, tuple) else got['entry']['amount'])
        for customer in ('C0', 'C1', 'C2', 'C3'):
            says.append([e['seq'] for e in client.audit(customer=customer)])
        for budget in ('alice', 'team/north', 'yen'):
            says.append([e['seq'] for e in client.audit(budgets=[budget])])
    return says


first = told()
is_([s[1] for s in first if isinstance(s, tuple) and isinstance(s[0], dict)], made,
    'ids that are folded give their entries again')
is_(sum(1 for s in first if isinstance(s, tuple) and s[0] == 'IdConflict'), len(made),
    'and refuse other content')
is_(first[-7:-3], [[seq for seq, p in zip(made, sent) if p['customer'] == 'C%d' % n]
                   for n in range(4)], "a customer's chain goes on over folded entries")
is_(len([s for s in first if isinstance(s, tuple) and s[0] == 'LimitReached']), len(made),
    'nothing is refunded twice: one was whole, of the others no more than is left')
folded()


def restarted(name, says=None):
    """Started again, the answers are the same; `says`: what must be in the log, or must not."""
    before = len(ledger.log())
    try:
        ledger.start(env=SIGNALS)
    except RuntimeError as error:
        return ok(False, name, error)
    log = ledger.log()[before:]
    right = told() == first
    again = 'made again' in log or 'no index' in log
    return ok(right and (says is None or again == says), name, log, right)


folded()
ledger.stop()
restarted('after a stop, from the index', False)
folded()  # by the thread
ledger.kill()
restarted('after kill -9, from the index', False)
folded()
ledger.stop()
good = open(INDEX, 'rb').read()
here = shutil.copytree(ledger.dir, os.path.join(ledger.home, 'here'))


def put(data):
    with open(INDEX, 'wb') as f:
        f.write(data)


# ---- Lost, cut, foreign -------------------------------------------------------------------------

os.unlink(INDEX)
restarted('deleted', False)
ledger.stop()
for size in (0, 1, 4096, 8192, len(good) // 2, len(good) - 4096):
    put(good[:size])
    restarted('cut to %d bytes' % size)
    ledger.stop()
put(random.randbytes(len(good)))
restarted('noise', True)
ledger.stop()

other = Ledger().start()
with other.connect() as client:
    client.call('Open', name='alice', owner=uid, allowance=70000, id=new_id())
    for params in sent:
        client.call('Spend', dict(params, amount=1))
folded(other)
other.stop()
shutil.copy(os.path.join(other.dir, 'index.mdb'), INDEX)
restarted("another ledger's", True)
folded()
ledger.stop()

# An index that has more than the ledger: the ledger was put back to what it was.
ahead = open(INDEX, 'rb').read()
for name in ('ledger.mdb', 'keys'):
    shutil.copy(os.path.join(here, name), os.path.join(ledger.dir, name))
put(ahead)
try:
    ledger.start()
    said = 'it starts'
except RuntimeError as error:
    said = str(error)
ok('last ended well' in said, 'a ledger that was put back is not taken for the newest one', said)
put(ahead)
os.unlink(os.path.join(ledger.dir, 'last'))
restarted('ahead of the ledger', True)
ledger.stop()
put(good)
restarted('behind the ledger', False)
ledger.stop()

# ---- Damaged ------------------------------------------------------------------------------------

wrong = []
pages = [at for at in range(0, len(good), 4096) if good[at:at + 4096].strip(b'\0')]
for n in range(60):
    at = random.choice(pages) + random.choice((random.randrange(4096), random.randrange(64)))
    bit = random.randrange(8)
    put(good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1:])
    try:
        ledger.start(env=SIGNALS)
        if told() != first:
            wrong.append('byte %d, bit %d: other answers' % (at, bit))
    except (RuntimeError, OSError) as error:
        wrong.append('byte %d, bit %d: %s' % (at, bit, error))
    ledger.kill()
ok(not wrong, '60 flipped bits, one at a time: the same answers', *wrong[:5])

# Nothing that was not synced is relied on after the machine stopped.
put(good)
ledger.start()
with ledger.connect() as client:
    client.call('Reset')
folded()
ledger.kill()
boot = os.path.join(ledger.home, 'boot_id')
with open(boot, 'w') as f:
    f.write('00000000-0000-0000-0000-000000000000\n')
before = len(ledger.log())
ledger.start(wrap=['unshare', '-m', 'sh', '-c',
                   'mount --bind %s /proc/sys/kernel/random/boot_id && '
                   'exec "$0" "$@"' % boot])
ok('before it was written out' in ledger.log()[before:] and told() == first,
   'an index that was not closed before the machine stopped is made again', ledger.log()[before:])
ledger.stop()
before = len(ledger.log())
ledger.start()
ok('made again' not in ledger.log()[before:] and told() == first,
   'one that was closed is good in the next boot too', ledger.log()[before:])
ledger.stop()

# ---- kill -9 in mid-fold ------------------------------------------------------------------------

ENTRIES = 140000
big = Ledger(init=False)
run([program('tests/bench/fill'), big.dir, str(ENTRIES), '2000', '3'])
is_(big.verify().returncode, 0, 'a large ledger verifies')
if os.path.exists(big.dir + '/index.mdb'):
    os.unlink(big.dir + '/index.mdb')
killed = 0
for n in range(8):
    big.spawn()
    time.sleep(random.uniform(0.05, 0.7) * (n + 1) / 4)
    killed += big.daemon.poll() is None and 'listening' not in big.log()
    big.kill()
big.start()
with big.connect() as client:
    with_index = client.stream('Balance', all=True)
big.stop()
os.unlink(big.dir + '/index.mdb')
os.mkdir(big.dir + '/index.mdb')  # so that there can be none
big.start()
ok('there is no index' in big.log(), 'without an index fundd runs from memory')
with big.connect() as client:
    is_(client.stream('Balance', all=True) == with_index, True,
        'killed %d times while it folded, the index has what the ledger says' % killed)
big.stop()
shutil.rmtree(big.dir)

done()

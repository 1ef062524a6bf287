#!/usr/bin/python3 -B
# The books that are made again from the ledger equal the books that ran. Some weeks of everything,
# by several people; then all that can be asked is asked of the daemon that ran, of one started
# again after SIGTERM, and of one started again after SIGKILL under load: balances and terms, what
# may still be drawn and refunded, whose id made what, the customers' chains, resets that are due.
import os
import random

from lib.ledger import *

STEPS = 1500
PEOPLE = {'ann': 60001, 'ben': 60002, 'cleo': 60003}
TEAM = 60100

need_root('several people')
random.seed(int(os.environ.get('SEED', '7')))


def long_ago(days=70):
    """An environment in which it is so many days ago."""
    preload = run(['faketime', '-f', '+0', 'sh', '-c', 'echo "$LD_PRELOAD"']).stdout.strip()
    return environment(LD_PRELOAD=preload, FAKETIME='-%dd' % days)


class Shop:
    """The connections, and what was asked under which id."""

    def __init__(self):
        self.requests = []      # (who, method, parameters, entry)
        self.names = []
        self.connect()

    def connect(self):
        self.clients = {name: ledger.connect(uid, uid, [TEAM]) for name, uid in PEOPLE.items()}
        self.clients['boss'] = ledger.connect()

    def call(self, who, method, params):
        """The answer, or None where the fund refuses."""
        params = dict(params, id=new_id())
        try:
            answer = self.clients[who].call(method, params)
        except Refused as refusal:
            if refusal.name not in ('InsufficientFunds', 'LimitReached', 'BudgetClosed',
                                    'BudgetExists'):
                raise
            refusals.append((who, method, params, refusal.name))
            return None
        self.requests.append((who, method, params, answer['entry']))
        return answer

    def open(self):
        for name, terms in (
                ('team/north', {'group': TEAM, 'allowance': 90000, 'period': 'week',
                                'carry': 'all'}),
                ('team/once', {'group': TEAM, 'allowance': 10**7, 'period': 'none'}),
                ('team/yen', {'group': TEAM, 'allowance': 900, 'currency': 'JPY',
                              'period': 'day'}),
                ('ann', {'owner': PEOPLE['ann'], 'allowance': 20000, 'pool': 'team/north',
                         'self_topup': 9000}),
                ('ben', {'owner': PEOPLE['ben'], 'allowance': 500, 'period': 'day',
                         'carry': 'cap', 'cap': 2000, 'pool': 'team/once', 'self_topup': 300}),
                ('cleo', {'owner': PEOPLE['cleo'], 'allowance': 7000, 'period': 'week',
                          'guideline': 2500})):
            self.call('boss', 'Open', dict(terms, name=name))
            self.names.append(name)

    def spends(self):
        return [(who, entry) for who, method, _, entry in self.requests
                if method in ('Spend', 'TopUp') and who != 'boss']

    def spend(self, who):
        self.call(who, 'Spend', spend(random.randint(1, 3000), reason='order %d' % random.randint(
            1, 10**6), customer='C-%d' % random.randint(1, 9),
            **random.choice(({}, {'budget': 'team/north'}, {'category': 'late'},
                             {'budget': 'team/yen', 'currency': 'JPY'}))))

    def step(self):
        """One of the things people do."""
        who = random.choice(list(PEOPLE))
        what = random.random()
        if what < 0.55:
            self.spend(who)
        elif what < 0.7:
            self.call(who, 'TopUp', topup(who, random.randint(1, 400))) if who != 'cleo' else \
                self.call('boss', 'TopUp', topup('cleo', random.randint(1, 400)))
        elif what < 0.88 and self.spends():
            who, entry = random.choice(self.spends())
            self.call(who, 'Refund', dict({'ref': entry['seq']}, **random.choice(
                ({}, {'amount': random.randint(1, entry['amount'])}))))
        elif what < 0.95:
            self.call('boss', 'Adjust', {'name': random.choice(self.names[3:]), 'allowance':
                                         random.randint(100, 20000)})
        elif what < 0.97:
            name = 'short/%d' % len(self.names)
            self.call('boss', 'Open', {'name': name, 'group': TEAM, 'allowance': 55})
            self.call('ann', 'Spend', spend(30, budget=name))
            self.call('boss', 'Close', {'name': name})
        else:
            self.clients['boss'].call('Reset')

    def load(self):
        """Spends in flight, some of which nobody waits for."""
        self.clients['ann'].send_raw(b''.join(frame('Spend', spend(1, budget='team/once'))
                                              for _ in range(100)))
        for _ in range(40):
            self.clients['ann'].answer()


def replays(shop):
    """What each id is answered with once more."""
    answers = []
    for who, method, params, entry in shop.requests:
        answer = shop.clients[who].call(method, params)
        answers.append((answer['replayed'], answer['entry'] == entry, answer['budget']))
    return answers


def tried(client, method, params):
    """The answer to a dry run, without what every moment makes anew; or the refusal."""
    try:
        answer = client.call(method, dict(params, dry_run=True, id=new_id()))
        return {k: v for k, v in answer['entry'].items() if k not in ('seq', 'at', 'id')}
    except Refused as refusal:
        return refusal.name, refusal.parameters


def questions(shop):
    """All that the books know, as the daemon tells it; nothing in it changes them."""
    client = shop.clients['boss']
    return {
        'balances': client.call('Balance', all=True)['budgets'],
        'closed ones': client.call('Balance', budgets=shop.names + [
            p['name'] for _, m, p, _ in shop.requests if m == 'Close'])['budgets'],
        'ids': replays(shop),
        'entries': [e for e in client.audit() if e['kind'] not in ('boot', 'audit')],
        'customers': [[e['seq'] for e in client.audit(customer='C-%d' % n)] for n in range(1, 10)],
        'resets due': client.call('Reset', dry_run=True),
        'refunds': [tried(shop.clients[who], 'Refund', {'ref': entry['seq']})
                    for who, entry in shop.spends()],
        'draws': [tried(shop.clients[who], 'TopUp', topup(who, 10**6)) for who in PEOPLE],
        'short money': [tried(shop.clients[who], 'Spend', spend(10**9)) for who in PEOPLE],
        "people's own": [shop.clients[who].call('Balance')['budgets'] for who in PEOPLE],
    }


def compare(name, got, want):
    for what in want:
        same = got[what] == want[what]
        ok(same, '%s: the same %s' % (name, what),
           *(() if same else first_difference(got[what], want[what])))


def first_difference(got, want):
    if not isinstance(want, list) or len(got) != len(want):
        return 'got  %s' % str(got)[:1000], 'want %s' % str(want)[:1000]
    return next(('got  %s' % (a,), 'want %s' % (b,)) for a, b in zip(got, want) if a != b)


refusals = []
ledger = Ledger(init=False)
run([program('fundd'), '--init', '--origin', 'test.example/fund', '--timezone', 'Europe/Berlin',
     '--dir', ledger.dir], env=long_ago(71), check=True)
ledger.start(env=long_ago())
shop = Shop()
shop.open()
for _ in range(STEPS // 2):
    shop.step()
ledger.stop()
ledger.start()
shop.connect()
for _ in range(STEPS // 2):
    shop.step()
note('%d requests, %d refused' % (len(shop.requests), len(refusals)))
ok(len(refusals) > STEPS // 50, 'some were refused')
ok({e['kind'] for *_, e in shop.requests} == {'open', 'adjust', 'close', 'topup', 'spend',
                                              'refund'},
   'nothing was left out')

ran = questions(shop)
ok(all(replayed and same for replayed, same, _ in ran['ids']),
   'every id is answered with its first entry', [a for a in ran['ids'] if not a[0] or not a[1]][:3])
compare('asked twice', questions(shop), ran)

is_(ledger.stop(), 0, 'SIGTERM')
ledger.start()
shop.connect()
compare('started again', questions(shop), ran)

shop.load()
ledger.kill()
ledger.start()
shop.connect()
ran = questions(shop)
ledger.kill()
ledger.start()
shop.connect()
compare('killed, twice', questions(shop), ran)
ok(all(replayed and same for replayed, same, _ in ran['ids']),
   'after the blow, every id is answered with its first entry')

is_(ledger.stop(), 0, 'the daemon ends well')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies')
done()

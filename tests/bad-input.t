#!/usr/bin/python3 -B
# Bad input: each has its own error, in words that help, and changes nothing in the ledger.
import json
import os

from lib.ledger import *

MAX = 2**63 - 1
UNUSED = 77000  # a uid and gid of nobody here

ledger = Ledger().start()
client = ledger.connect()
uid, gid = os.getuid(), os.getgid()
call = client.call

call('Open', name='alice', owner=uid, allowance=20000, id=new_id())
call('Open', name='bob', owner=UNUSED, allowance=20000, id=new_id())
call('Open', name='yen', group=gid, currency='JPY', allowance=1000, id=new_id())
call('Open', name='rich', group=gid, id=new_id())
call('TopUp', topup('rich', MAX - 10**9))
call('Open', name='gone', group=gid, id=new_id())
call('Close', name='gone', id=new_id())
USED, SPENT = new_id(), call('Spend', spend(1000, id=(first := new_id())))['entry']['seq']
call('Spend', spend(700, id=USED))
REFUND = call('Refund', ref=SPENT, amount=400, id=new_id())['entry']['seq']


def state():
    """What must not change: the signed head, and every budget."""
    with ledger.connect() as other:
        return (other.call('Checkpoint')['checkpoint'],
                other.call('Balance', all=True)['budgets'])


def refused(name, error, method, params, parameter=None, /, **expected):
    """The call is refused as `error`, about `parameter`, and nothing has changed."""
    before = state()
    try:
        got, told = None, call(method, params)
    except Refused as refusal:
        got, told = refusal.name, refusal.parameters
    wanted = dict(expected, **({'parameter': parameter} if parameter else {}))
    passed = got == error and wanted.items() <= told.items()
    if 'problem' in told:
        passed = passed and len(told['problem']) > 8
    ok(passed and state() == before, '%s: %s' % (name, error), 'got %s %s' % (got, told),
       'want %s %s' % (error, wanted), '' if state() == before else 'the ledger changed')


def raw(text):
    """A Spend's bytes whose amount is this text."""
    return (b'{"method":"io.fundd.Ledger.Spend","parameters":{"amount":' + text +
            b',"currency":"EUR","reason":"x y","id":"' + new_id().encode() + b'"}}\0')


def garbage(name, data, hang_up=True, parameter='message'):
    """The bytes are answered as Malformed, then the daemon hangs up; nothing has changed."""
    before = state()
    with ledger.connect() as other:
        other.send_raw(data)
        try:
            got = other.answer()
        except Refused as refusal:
            got = refusal
        except ConnectionError as error:
            got = error
        passed = isinstance(got, Refused) and got.name == 'Malformed' and \
            (parameter is None or got.parameters.get('parameter') == parameter) and \
            len(got.parameters.get('problem', '')) > 8
        passed = passed and (not hang_up or other.hung_up())
    ok(passed and state() == before, name + ': Malformed' + (', and hangs up' if hang_up else ''),
       repr(got), '' if state() == before else 'the ledger changed')


# ---- Amounts ------------------------------------------------------------------------------------

for amount in (0, -5, -MAX - 1, 10.5, 1.005, '1,234', '1e3', '+5', '10.5 JPY', '٣', '', True, None,
               [1], {}, '5'):
    refused('amount %s' % json.dumps(amount), 'Malformed', 'Spend', spend(amount), 'amount')
garbage('amount 1e3', raw(b'1e3'), False, 'amount')
garbage('amount 9999999999999999999', raw(b'9999999999999999999'), None, 'amount')
garbage('amount -9999999999999999999', raw(b'-9999999999999999999'), None, 'amount')
for text in (b'+5', b'1,234', '٣'.encode(), b'0x10', b'NaN', b'1_000', b'007'):
    garbage('amount %s as it stands' % text.decode(), raw(text))
refused('a top-up of nothing', 'Malformed', 'TopUp', topup('alice', 0), 'amount')
refused('a refund of less than nothing', 'Malformed', 'Refund',
        {'ref': SPENT, 'amount': -1, 'id': new_id()}, 'amount')
refused('a negative allowance', 'Malformed', 'Open',
        {'name': 'new', 'group': gid, 'allowance': -1, 'id': new_id()}, 'allowance')

# ---- Words --------------------------------------------------------------------------------------

for name, reason in (('of 5,000 bytes', 'x' * 5000), ('that is empty', ''), ('of blanks', '   '),
                     ('with a line end', 'a\nb'), ('with an escape', 'a\x1b[31mb'),
                     ('with a DEL', 'a\x7fb'), ('with a C1 control', 'a\x9bb'),
                     ('with a right-to-left override', 'a\u202eb'), ('that is no string', 7),
                     ('that is null', None)):
    refused('a reason ' + name, 'Malformed', 'Spend', spend(1, reason=reason), 'reason')
for name, text in (('a stray byte', b'caf\xe9'), ('an overlong form', b'\xc0\xaf'),
                   ('a surrogate', b'\xed\xa0\x80'), ('beyond Unicode', b'\xf4\x90\x80\x80')):
    garbage('a reason that is no UTF-8, ' + name,
            frame('Spend', spend(1, reason='R')).replace(b'"R"', b'"' + text + b'"'), None, None)
garbage('a reason with a NUL', frame('Spend', spend(1, reason='a\0b')), True, 'reason')
refused('a customer with a tab', 'Malformed', 'Spend', spend(1, customer='a\tb'), 'customer')
refused('a category with blanks', 'Malformed', 'Spend', spend(1, category='late parcel'),
        'category')
refused('a category in capitals', 'Malformed', 'Spend', spend(1, category='Late'), 'category')
refused('all words together too long', 'Malformed', 'Spend',
        spend(1, reason='r' * 1100, customer='c' * 120, incident='i' * 120))

# ---- Budgets ------------------------------------------------------------------------------------

refused('an unknown budget', 'UnknownBudget', 'Spend', spend(1, budget='nowhere'),
        budget='nowhere')
refused('a budget without a name', 'Malformed', 'Spend', spend(1, budget=''), 'budget')
refused('a top-up from one', 'Malformed', 'TopUp', topup('alice', 5, **{'from': ''}), 'from')
refused('the balance of one', 'Malformed', 'Balance', {'budgets': ['alice', '']}, 'budgets[1]')
refused('a closed budget', 'BudgetClosed', 'Spend', spend(1, budget='gone'), budget='gone')
refused('a top-up of a closed one', 'BudgetClosed', 'TopUp', topup('gone', 5), budget='gone')
refused('closed again', 'BudgetClosed', 'Close', {'name': 'gone', 'id': new_id()}, budget='gone')
refused("somebody else's budget", 'NotPermitted', 'Spend', spend(1, budget='bob'))
refused('more than there is', 'InsufficientFunds', 'Spend', spend(10**7), budget='alice',
        available=18700, currency='EUR', exp=2)
refused('another currency', 'CurrencyMismatch', 'Spend', spend(1, currency='USD'),
        budget='alice', currency='EUR', exp=2)
refused('euros from yen', 'CurrencyMismatch', 'Spend', spend(1, budget='yen'), currency='JPY',
        exp=0)
refused('a currency that is none', 'CurrencyMismatch', 'Spend', spend(1, currency='EU'),
        currency='EUR')
refused('a currency of four letters', 'Malformed', 'Spend', spend(1, currency='EURO'), 'currency')
refused('the wrong exp', 'CurrencyMismatch', 'Spend', spend(1, exp=3), currency='EUR', exp=2)
refused('an exp below zero', 'Malformed', 'Spend', spend(1, exp=-2), 'exp')
refused('yen with an exp', 'CurrencyMismatch', 'Spend',
        spend(1, budget='yen', currency='JPY', exp=2), currency='JPY', exp=0)
refused('overflow of a balance', 'Overflow', 'TopUp', topup('rich', 2 * 10**9), budget='rich')
refused('overflow of all balances together', 'Overflow', 'TopUp', topup('bob', 10**9))
refused('a top-up from nowhere', 'UnknownBudget', 'TopUp', topup('bob', 5, **{'from': 'nowhere'}),
        budget='nowhere')
refused('a top-up from a rep', 'Malformed', 'TopUp', topup('bob', 5, **{'from': 'alice'}), 'from')
refused('a top-up from itself', 'Malformed', 'TopUp', topup('rich', 5, **{'from': 'rich'}), 'from')

# ---- Periods ------------------------------------------------------------------------------------

for period in ('2999-01', '2999-W01', '2999-01-01'):
    refused('a period not begun, ' + period, 'PeriodAhead', 'Reset', {'period': period},
            period=period)
for period in ('2026-13', '2026-W54', '2026-02-30', 'yesterday', '2026', ''):
    refused('no period, %r' % period, 'Malformed', 'Reset', {'period': period}, 'period')
refused('a reset of nothing known', 'UnknownBudget', 'Reset', {'budget': 'nowhere'})
refused('a reset of a closed one', 'BudgetClosed', 'Reset', {'budget': 'gone'})

# ---- Ids ----------------------------------------------------------------------------------------

ok(call('Spend', spend(700, id=USED))['replayed'], 'the same id and content: the first answer')
for name, change in (('amount', {'amount': 701}), ('reason', {'reason': 'another'}),
                     ('budget', {'budget': 'rich'}), ('customer', {'customer': 'C1'}),
                     ('category', {'category': 'late'})):
    refused('an id again with another ' + name, 'IdConflict', 'Spend',
            dict(spend(700, id=USED), **change), id=USED)
refused('an id again in another method', 'IdConflict', 'TopUp', topup('rich', 700, id=USED),
        id=USED)
for name, text in (('empty', ''), ('short', '0193a5b2'), ('without dashes', 'a' * 36),
                   ('braced', '{' + new_id()[2:] + '}'), ('too long', new_id() + '0'),
                   ('zero', '00000000-0000-0000-0000-000000000000'), ('a number', 5)):
    refused('an id that is ' + name, 'Malformed', 'Spend', spend(1, id=text), 'id')

# ---- Refunds ------------------------------------------------------------------------------------

refused('a refund of a refund', 'Malformed', 'Refund', {'ref': REFUND, 'id': new_id()}, 'ref')
refused('a refund of more than is left', 'LimitReached', 'Refund',
        {'ref': SPENT, 'amount': 601, 'id': new_id()}, left=600, limit=1000)
refused('a refund of the first entry', 'Malformed', 'Refund', {'ref': 0, 'id': new_id()}, 'ref')
refused('a refund of an entry below zero', 'Malformed', 'Refund', {'ref': -1, 'id': new_id()},
        'ref')
for ref in (10**6, MAX):
    refused('a refund of entry %d' % ref, 'UnknownEntry', 'Refund', {'ref': ref, 'id': new_id()},
            seq=ref)

# ---- Opening and adjusting ----------------------------------------------------------------------

refused('a second open budget for a uid', 'BudgetExists', 'Open',
        {'name': 'alice2', 'owner': uid, 'id': new_id()}, budget='alice')
refused('a budget handed to who has one', 'BudgetExists', 'Adjust',
        {'name': 'alice', 'owner': UNUSED, 'id': new_id()}, budget='bob')
refused('a name that is taken', 'BudgetExists', 'Open',
        {'name': 'bob', 'group': gid, 'id': new_id()}, budget='bob')
refused('the name of a closed one', 'BudgetClosed', 'Open',
        {'name': 'gone', 'group': gid, 'id': new_id()}, budget='gone')
for name in ('company', 'spent', '', 'Alice', '1st', '-a', 'a/', '/a', 'a//b', 'a b', 'ä', 'a\n',
             'a' * 65, '../a', 'a$', '.a'):
    refused('the name %r' % name[:20], 'Malformed', 'Open',
            {'name': name, 'group': gid, 'id': new_id()}, 'name')
for name, terms, parameter in (
        ('no owner and no group', {}, None),
        ('an owner and a group', {'owner': UNUSED + 1, 'group': gid}, None),
        ('an owner below zero', {'owner': -1}, 'owner'),
        ('an owner who cannot be', {'owner': 2**32}, 'owner'),
        ('a group that cannot be', {'group': 2**32}, 'group'),
        ('a currency of nowhere', {'group': gid, 'currency': 'EUX'}, 'currency'),
        ('a period of its own', {'group': gid, 'period': 'year'}, 'period'),
        ('a carry of its own', {'group': gid, 'carry': 'some'}, 'carry'),
        ('carry cap without a cap', {'group': gid, 'carry': 'cap'}, None),
        ('a cap without carry cap', {'group': gid, 'cap': 5}, None),
        ('a pool alone', {'owner': UNUSED + 1, 'pool': 'rich'}, None),
        ('self_topup alone', {'owner': UNUSED + 1, 'self_topup': 5}, None),
        ('a pool of nowhere', {'owner': UNUSED + 1, 'pool': 'nowhere', 'self_topup': 5}, None),
        ('a pool that is none', {'owner': UNUSED + 1, 'pool': 'bob', 'self_topup': 5}, None),
        ('a pool with other money', {'owner': UNUSED + 1, 'pool': 'yen', 'self_topup': 5}, None)):
    refused('terms with ' + name, 'Malformed', 'Open',
            dict(terms, name='new-%s' % new_id(), id=new_id()), parameter)
refused('clearing what cannot go', 'Malformed', 'Adjust',
        {'name': 'alice', 'clear': ['owner'], 'id': new_id()}, 'clear')
refused('an owner for a pool', 'Malformed', 'Adjust',
        {'name': 'rich', 'owner': UNUSED + 1, 'id': new_id()}, 'owner')
refused('an unknown one adjusted', 'UnknownBudget', 'Adjust', {'name': 'nowhere', 'id': new_id()})

# ---- Requests -----------------------------------------------------------------------------------

refused('an unknown key', 'Malformed', 'Spend', spend(1, approved=True), 'approved')
refused('a uid among the parameters', 'Malformed', 'Spend', spend(1, uid=0), 'uid')
refused('no parameters', 'Malformed', 'Spend', {})
garbage('no parameters at all', b'{"method":"io.fundd.Ledger.Spend"}\0', False, 'amount')
garbage('null for parameters', b'{"method":"io.fundd.Ledger.Spend","parameters":null}\0', False,
        'amount')
for missing in ('amount', 'currency', 'reason', 'id'):
    refused('no ' + missing, 'Malformed', 'Spend',
            {k: v for k, v in spend(1).items() if k != missing}, missing)
refused('an audit for one reply', 'org.varlink.service.ExpectedMore', 'Audit', {})
refused('an unknown method', 'org.varlink.service.MethodNotFound', 'Approve', {},
        method='io.fundd.Ledger.Approve')
refused('an unknown interface', 'org.varlink.service.InterfaceNotFound', 'io.other.Thing', {},
        interface='io.other')
refused('a method without an interface', 'org.varlink.service.InterfaceNotFound', '.', {})
for name, filters, parameter in (
        ('no date', {'since': 'last week'}, 'since'), ('no day', {'until': '2026-02-30'}, 'until'),
        ('an unknown kind', {'kind': 'approval'}, 'kind'),
        ('min without a currency', {'min': 5}, None), ('limit 0', {'limit': 0}, 'limit')):
    before = state()
    try:
        got = client.stream('Audit', filters)
    except Refused as refusal:
        got = refusal
    ok(isinstance(got, Refused) and got.name == 'Malformed' and state() == before and
       parameter in (None, got.parameters['parameter']), 'an audit with %s: Malformed' % name, got)

valid = frame('Spend', spend(1))
garbage('a key twice', valid.replace(b'"amount": 1', b'"amount": 1, "amount": 2'), None, None)
garbage('a key twice at the top',
        valid.replace(b'{"method"', b'{"more":false,"more":true,"method"'),
        None, None)
garbage('an unknown key at the top', valid.replace(b'{"method"', b'{"sudo":true,"method"'), None,
        None)
garbage('more with oneway', valid.replace(b'{"method"', b'{"more":true,"oneway":true,"method"'),
        None, None)
garbage('parameters that are a list', b'{"method":"io.fundd.Ledger.Status","parameters":[]}\0',
        None, None)
garbage('parameters that are a word', b'{"method":"io.fundd.Ledger.Status","parameters":"x"}\0',
        None, None)
garbage('a call without a method', b'{"parameters":{}}\0', None, None)
garbage('an empty frame', b'\0')
garbage('words', b'hello\0')
garbage('a number', b'42\0', True, None)
garbage('half an object, whole frame', b'{"method":\0')
garbage('two objects in one frame', b'{"method":"a.b"}{"method":"a.b"}\0')
garbage('too deep', b'{"method":"a.b","parameters":{"a":' + b'[' * 50 + b']' * 50 + b'}}\0')
garbage('very deep', b'[' * 16000 + b'\0')
garbage('noise', bytes(range(255, 0, -1)) + b'\0')
garbage('a frame over the limit', b'{"method":"' + b'a' * 20000 + b'"}\0')
garbage('a frame over the limit that never ends', b' ' * 17000)

# ---- Connections --------------------------------------------------------------------------------

before = state()
for name, data in (('nothing said', b''), ('half a frame', valid[:60]),
                   ('a frame without its end', valid[:-1])):
    with ledger.connect() as other:
        other.send_raw(data)
    is_(state(), before, name + ', then gone: nothing happens')

with ledger.connect() as other:
    other.send_raw(frame('Status')[:-1] + b'\0\0')
    ok('entries' in other.answer(), 'a call before an empty frame is answered')
    try:
        got = other.answer()
    except Refused as refusal:
        got = refusal.name
    is_(got, 'Malformed', 'the empty frame is then refused')

with ledger.connect() as other:
    for byte in frame('Status'):
        other.send_raw(bytes([byte]))
    ok('entries' in other.answer(), 'a call byte by byte is answered')

with ledger.connect() as other:
    other.send_raw(frame('Checkpoint', flags={'oneway': True}) + frame('Status'))
    ok('entries' in other.answer(), 'oneway gets no reply')

with ledger.connect() as other:
    other.send_raw(b''.join(frame('Status') for _ in range(200)))
    ok(all('entries' in other.answer() for _ in range(200)),
       'two hundred calls in one go are answered')

is_(state(), before, 'and nothing has changed')

# ---- What people type ---------------------------------------------------------------------------

for amount in ('0', '-5', '1,234', '1e3', '+5', '10.5 JPY', '1.005', '9999999999999999999', '٣', '',
               '5 EUR', '1.', '.5', ' 5', 'five'):
    before = state()
    typed = ledger.fund('spend', '--for', 'parcel came late', '--', amount)
    ok(typed.returncode == 2 and not typed.stdout and state() == before and
       len(typed.stderr.strip()) > 20, 'fund spend %r: usage, exit 2' % amount,
       'exit %d' % typed.returncode, typed.stdout, typed.stderr)
for words, status in ((['spend', '5'], 2), (['spend', '5', '--for', ''], 2),
                      (['spend', '5', '--for', 'x', '--budget', 'nowhere'], 3),
                      (['spend', '5', '--for', 'x', '--budget', 'gone'], 3),
                      (['spend', '5', '--for', 'x', '--budget', 'bob'], 4),
                      (['spend', '5', '--for', 'x' * 5000], 2),
                      (['spend', 'USD 5', '--for', 'x'], 2),
                      (['spend', '10.5', '--for', 'x', '--budget', 'yen'], 2),
                      (['spend', '5', '--for', 'a\tb'], 2),
                      (['spend', '5', '--for', 'a\udcffb'], 2),
                      (['spend', '90000', '--for', 'x'], 3),
                      (['refund', str(REFUND)], 2), (['refund', 'x'], 2),
                      (['approve', '1'], 2)):
    before = state()
    typed = ledger.fund(*words)
    shown = ' '.join(w[:12] for w in words)
    ok(typed.returncode == status and len(typed.stderr.strip()) > 10 and state() == before,
       'fund %s: exit %d' % (shown, status), 'exit %d' % typed.returncode, typed.stderr)

is_(ledger.stop(), 0, 'the daemon ends well')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies')
done()

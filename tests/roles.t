#!/usr/bin/python3 -B
# Who may: every method tried by everybody, with real uids and groups. What is not in a row's list
# must be refused as NotPermitted, and whatever the payload says, the kernel's word counts.
import os
import socket
import struct
from itertools import count

from lib.ledger import *

need_root('clients of several uids')

TEAM, OFFICE, NOBODYS = 64900, 64920, 64999  # groups: of the pool, of the managers, of none
PEOPLE = {                   # name: (uid, gid, supplementary groups)
    'stranger': (64010, 64010, ()),
    'alice': (64001, 64001, ()),         # owns alice, which draws from team/north
    'bob': (64002, 64002, ()),           # owns bob
    'member': (64003, 64003, (7, TEAM)),
    'native': (64004, TEAM, ()),         # in the pool's group by the primary one
    'manager': (64020, 64020, ()),       # by user:
    'deputy': (64021, 64021, (OFFICE,)),  # by group:
    'cron': (64030, 64030, ()),
    'auditor': (64040, 64040, ()),
    'root': (0, 0, ()),
}
EVERYBODY = ' '.join(PEOPLE)
MANAGERS = 'manager deputy root'
number = count()

ledger = Ledger(roles={'manager': 'user:64020 group:%d' % OFFICE, 'cron': 'user:64030',
                       'auditor': 'user:64040'}).start()
now = {name: ledger.connect(*who) for name, who in PEOPLE.items()}


def opened(**terms):
    """A fresh budget's name."""
    name = 'fresh/%d' % next(number)
    now['manager'].call('Open', name=name, id=new_id(), **terms)
    return name


def entry_of(who, method, params):
    return now[who].call(method, params)['entry']['seq']


def refund_of(who, method, params):
    return 'Refund', {'ref': entry_of(who, method, params), 'id': new_id()}


# ---- The table: what, who may, the call --------------------------------------------------------

now['manager'].call('Open', name='team/north', group=TEAM, id=new_id())
now['manager'].call('TopUp', topup('team/north', 10**9))
now['manager'].call('Open', name='alice', owner=64001, allowance=10**6, pool='team/north',
                    self_topup=10**8, id=new_id())
now['manager'].call('Open', name='bob', owner=64002, allowance=10**6, id=new_id())

SPENT = now['alice'].call('Spend', spend(5))['entry']['seq']

TABLE = [
    ('Spend from alice', 'alice', lambda: ('Spend', spend(1, budget='alice'))),
    ('Spend from bob', 'bob', lambda: ('Spend', spend(1, budget='bob'))),
    ('Spend from the pool', 'member native', lambda: ('Spend', spend(1, budget='team/north'))),
    ('TopUp of alice from the company', MANAGERS,
     lambda: ('TopUp', topup('alice', 5, **{'from': 'company'}))),
    ('TopUp of alice from her pool', 'alice ' + MANAGERS,
     lambda: ('TopUp', topup('alice', 5, **{'from': 'team/north'}))),
    ('TopUp of the pool', MANAGERS, lambda: ('TopUp', topup('team/north', 5))),
    ('Refund of what alice spent', 'alice ' + MANAGERS,
     lambda: refund_of('alice', 'Spend', spend(2))),
    ('Refund of what a member spent', 'member ' + MANAGERS,
     lambda: refund_of('member', 'Spend', spend(2))),
    ("Refund of alice's own top-up", 'alice',
     lambda: refund_of('alice', 'TopUp', topup('alice', 2))),
    ("Refund of a manager's top-up", 'manager',
     lambda: refund_of('manager', 'TopUp', topup('alice', 2))),
    ('Reset', 'cron', lambda: ('Reset', {})),
    ('Reset of one budget', 'cron', lambda: ('Reset', {'budget': 'alice'})),
    ('Reset, dry', 'cron', lambda: ('Reset', {'dry_run': True})),
    ('Open', MANAGERS, lambda: ('Open', {'name': 'new/%d' % next(number), 'group': NOBODYS,
                                         'id': new_id()})),
    ('Adjust', MANAGERS, lambda: ('Adjust', {'name': 'alice', 'guideline': 5000, 'id': new_id()})),
    ('Adjust of the pool', MANAGERS,
     lambda: ('Adjust', {'name': 'team/north', 'guideline': 5000, 'id': new_id()})),
    ('Close', MANAGERS, lambda: ('Close', {'name': opened(group=NOBODYS), 'id': new_id()})),
    ('Balance of alice', 'alice auditor ' + MANAGERS,
     lambda: ('Balance', {'budgets': ['alice']})),
    ('Balance of the pool', 'member native auditor ' + MANAGERS,
     lambda: ('Balance', {'budgets': ['team/north']})),
    ('Balance of alice and bob', 'auditor ' + MANAGERS,
     lambda: ('Balance', {'budgets': ['alice', 'bob']})),
    ('Balance', EVERYBODY, lambda: ('Balance', {})),
    ('Audit of alice', 'alice auditor ' + MANAGERS, lambda: ('Audit', {'budgets': ['alice']})),
    ('Audit of the pool', 'member native auditor ' + MANAGERS,
     lambda: ('Audit', {'budgets': ['team/north']})),
    ('Audit of alice and bob', 'auditor ' + MANAGERS,
     lambda: ('Audit', {'budgets': ['alice', 'bob']})),
    ('Checkpoint', EVERYBODY, lambda: ('Checkpoint', {})),
    ('Prove of what alice spent', 'alice auditor ' + MANAGERS, lambda: ('Prove', {'seq': SPENT})),
    ('Prove of the genesis', EVERYBODY, lambda: ('Prove', {'seq': 0})),
    ('Consistency', EVERYBODY, lambda: ('Consistency', {'old': 1, 'new': 3})),
    ('Leaves', 'auditor ' + MANAGERS, lambda: ('Leaves', {'from': 0, 'to': 3})),
    ('Status', EVERYBODY, lambda: ('Status', {})),
    ('GetInfo', EVERYBODY, lambda: ('org.varlink.service.GetInfo', {})),
    ('GetInterfaceDescription', EVERYBODY,
     lambda: ('org.varlink.service.GetInterfaceDescription',
              {'interface': 'io.fundd.Ledger'})),
]


def verdict(client, method, params):
    """None when it was done, else the refusal's name."""
    try:
        client.stream(method, params) if method in ('Audit',
                                                    'Leaves') else client.call(method, params)
    except Refused as refused:
        return refused.name
    return None


def size():
    return now['root'].call('Status')['entries']


for what, may, call in TABLE:
    for name in PEOPLE:
        method, params = call()
        before = size()
        got = verdict(now[name], method, params)
        if name in may.split():
            is_(got, None, '%s: %s may' % (what, name), params)
        else:
            is_((got, size()), ('NotPermitted', before), '%s: not %s' % (what, name), params)


# ---- What everybody sees ------------------------------------------------------------------------

def seen(who, **params):
    found = now[who].call('Balance', params)
    return sorted(b['name'] for b in found.get('budgets') or [] if not b['closed'])


everything = seen('root', all=True)
ok({'alice', 'bob', 'team/north'} <= set(everything), 'a manager sees every budget', everything)
for name in ('manager', 'deputy', 'auditor'):
    is_(seen(name, all=True), everything, 'so does %s' % name)
for name, theirs in (('alice', ['alice']), ('bob', ['bob']), ('member', ['team/north']),
                     ('native', ['team/north']), ('stranger', []), ('cron', [])):
    visible = [b for b in seen(name, all=True) if not b.startswith(('fresh/', 'new/'))]
    if name == 'alice':  # the pool that her budget names may be shown, or not
        visible = [b for b in visible if b != 'team/north']
    is_(visible, theirs, '%s sees what is theirs with all' % name)
    visible = [b for b in seen(name) if not b.startswith(('fresh/', 'new/'))]
    is_(visible, theirs, '%s sees what is theirs' % name)


def audited(who):
    """The budgets whose entries an audit without names shows; None when refused."""
    try:
        return {e.get('budget') for e in now[who].audit()}
    except Refused as refused:
        return refused.name


ok(audited('alice') in ({'alice'}, {'alice', 'team/north'}), 'alice audits her own entries',
   audited('alice'))
is_(audited('bob'), {'bob'}, 'bob his')
ok({'alice', 'bob', 'team/north'} <= audited('auditor'), 'an auditor everybody\'s')
for name in ('stranger', 'cron'):
    ok(audited(name) in (set(), 'NotPermitted'), '%s has nothing to audit' % name, audited(name))

is_(verdict(now['stranger'], 'Spend', spend(1)), 'BudgetNeeded',
    'who has no budget is told that one is needed')
is_(now['member'].call('Spend', spend(1))['entry']['budget'], 'team/north',
    'who is in one pool spends from it without naming it')
is_(now['alice'].call('Spend', spend(1))['entry']['budget'], 'alice',
    'who owns a budget spends from it without naming it')


# ---- Reading what is not one's own leaves an entry ----------------------------------------------

def trail(who):
    uid = PEOPLE[who][0]
    return [e for e in now['auditor'].audit(kind='audit') if e['uid'] == uid]


before = len(trail('deputy'))
now['deputy'].audit(budgets=['bob'], min=7, currency='EUR')
is_(len(trail('deputy')), before + 1, 'a manager\'s audit is on record')
now['deputy'].audit(budgets=['bob'], min=7, currency='EUR')
is_(len(trail('deputy')), before + 1, 'once for the same question on one day')
before = size()
now['bob'].audit(budgets=['bob'])
is_(size(), before, 'one\'s own entries leave none')


# ---- Managers and their own budgets -------------------------------------------------------------

for name, other in (('manager', 'deputy'), ('deputy', 'manager'), ('root', 'manager')):
    uid = PEOPLE[name][0]
    is_(verdict(now[name], 'Open', {'name': 'own-' + name, 'owner': uid, 'id': new_id()}),
        'NotPermitted', '%s does not open a budget of their own' % name)
    now[other].call('Open', name='own-' + name, owner=uid, id=new_id(), pool='team/north',
                    self_topup=100)
    is_(verdict(now[name], 'Adjust', {'name': 'own-' + name, 'allowance': 1, 'id': new_id()}),
        'NotPermitted', '%s does not adjust it' % name)
    is_(verdict(now[name], 'TopUp', topup('own-' + name, 5)), None,
        '%s tops it up from its pool, as a rep does' % name)
    is_(verdict(now[name], 'TopUp', topup('own-' + name, 5, **{'from': 'company'})),
        'NotPermitted', '%s does not top it up from the company' % name)
    is_(verdict(now[name], 'TopUp', topup('own-' + name, 101)), 'LimitReached',
        '%s draws no more than a rep may' % name)
    is_(verdict(now[name], 'Close', {'name': 'own-' + name, 'id': new_id()}), 'NotPermitted',
        '%s does not close it' % name)
    is_(verdict(now[other], 'TopUp', topup('own-' + name, 500)), None,
        '%s tops it up for %s' % (other, name))
    is_(verdict(now[name], 'Spend', spend(3)), None, '%s spends from it' % name)
    is_(verdict(now[other], 'Close', {'name': 'own-' + name, 'id': new_id()}), None,
        '%s closes it for %s' % (other, name))
    is_(verdict(now[name], 'Adjust', {'name': opened(owner=70000 + next(number)), 'owner': uid,
                                      'id': new_id()}),
        'NotPermitted', '%s takes over nobody\'s budget' % name)

# ---- Only the kernel says who somebody is -------------------------------------------------------

is_(verdict(now['stranger'], 'Spend', spend(1, budget='alice', uid=64001)), 'Malformed',
    'a uid in the request is an unknown key')


def credentials(uid, gid):
    """A message's ancillary data that claims to be from somebody."""
    return [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS,
             struct.pack('3i', os.getpid(), uid, gid))]


def forger(path):
    """What the kernel says to a stranger who claims to be alice: an exit status of errno."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(64010, 64010, 64010)
            os.setresuid(64010, 64010, 64010)
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(path)
            sock.sendmsg([frame('Spend', spend(1, budget='alice'))], credentials(64001, 64001))
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


is_(forger(ledger.socket), 1, 'the kernel refuses forged credentials: EPERM')
with ledger.connect(0, 0) as root:
    root.sock.sendmsg([frame('Spend', spend(1, budget='alice'))], credentials(64001, 64001))
    try:
        got = root.answer()
    except Refused as refused:
        got = refused.name
    is_(got, 'NotPermitted', 'credentials that root may forge change nothing')
with ledger.connect(64001, 64001) as alice:
    alice.sock.sendmsg([frame('Spend', spend(1))], [])
    is_(alice.answer()['entry']['uid'], 64001, 'an entry has the uid of who connected')

is_(ledger.stop(), 0, 'the daemon ends well')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies')
done()

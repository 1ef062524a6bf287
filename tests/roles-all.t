#!/usr/bin/python3 -B
# Who may, all of it: every method that the daemon's own interface lists, tried by everybody.
# Everybody is made, not chosen: each role by uid, by primary and by supplementary group, each pair
# of roles and all three, owners, members of a pool by either kind of group, strangers, root. What
# is expected comes from roles and relations alone. Then: descriptors that are passed along, user
# namespaces, groups and roles that are lost, and the socket's place.
import ctypes
import itertools
import os
import socket
import stat

from lib.ledger import *

need_root('clients of several uids')

ROLES = ('manager', 'cron', 'auditor')
TEAM, ALICE, BOB, STRANGER = 64900, 64001, 64002, 64010
CLONE_NEWUSER = 0x10000000


class Person:
    def __init__(self, name, uid, gid=None, groups=(), roles=(), team=False):
        self.name, self.uid, self.gid, self.groups = name, uid, gid or uid, tuple(groups)
        self.roles, self.team = set(roles), team
        self.client = None

    def connect(self):
        return ledger.connect(self.uid, self.gid, self.groups)


def everybody():
    """The people, and the config that makes them what they are."""
    grants = {role: [] for role in ROLES}
    people = [Person('stranger', STRANGER), Person('alice', ALICE), Person('bob', BOB),
              Person('member', 64003, groups=[7, TEAM], team=True),
              Person('native', 64004, gid=TEAM, team=True),
              Person('nobody', 65534), Person('root', 0, roles=['manager'])]
    uid = itertools.count(64100)
    for role in ROLES:
        group = next(uid)
        grants[role].append('group:%d' % group)
        who = next(uid)
        grants[role].append('user:%d' % who)
        people += [Person(role + ' by uid', who, roles=[role]),
                   Person(role + ' by gid', next(uid), gid=group, roles=[role]),
                   Person(role + ' by group', next(uid), groups=[5, group, 9], roles=[role])]
    for several in [*itertools.combinations(ROLES, 2), ROLES]:
        who = next(uid)
        for role in several:
            grants[role].append('user:%d' % who)
        people.append(Person(' and '.join(several), who, roles=several))
    several = Person('manager in the pool', next(uid), groups=[TEAM], roles=['manager'], team=True)
    grants['manager'].append('user:%d' % several.uid)
    return people + [several], {role: ' '.join(words) for role, words in grants.items()}


people, grants = everybody()
ledger = Ledger(roles=grants).start()
root = next(p for p in people if p.name == 'root').connect()
root.call('Open', name='team/north', group=TEAM, id=new_id())
root.call('TopUp', topup('team/north', 10**9))
for name, uid in (('alice', ALICE), ('bob', BOB)):
    root.call('Open', name=name, owner=uid, allowance=10**6, pool='team/north', self_topup=10**6,
              id=new_id())
for person in people:
    person.client = person.connect()
alice = next(p for p in people if p.name == 'alice').client
SPENT = alice.call('Spend', spend(50))['entry']['seq']
POOLED = next(p for p in people
              if p.name == 'member').client.call('Spend', spend(50))['entry']['seq']
number = itertools.count()


# ---- Method: what is tried, and who may ---------------------------------------------------------

def has(*roles):
    return lambda p: bool(p.roles & set(roles))


def anybody(_):
    return True


def named(*names, **also):
    return lambda p: p.name in names or also.get('team') and p.team or bool(p.roles & set(also.get('roles', ())))


READERS = ('manager', 'auditor')
TABLE = {
    'Spend': [(lambda: spend(1, budget='alice', dry_run=True), named('alice')),
              (lambda: spend(1, budget='team/north', dry_run=True), named(team=True))],
    'TopUp': [(lambda: topup('alice', 1, **{'from': 'company', 'dry_run': True}), has('manager')),
              (lambda: topup('alice', 1, **{'from': 'team/north', 'dry_run': True}),
               named('alice', roles=['manager'])),
              (lambda: topup('team/north', 1, dry_run=True), has('manager'))],
    'Refund': [(lambda: {'ref': SPENT, 'id': new_id(), 'dry_run': True},
                named('alice', roles=['manager'])),
               (lambda: {'ref': POOLED, 'id': new_id(), 'dry_run': True},
                named('member', roles=['manager']))],
    'Reset': [(lambda: {}, has('cron')), (lambda: {'budget': 'alice'}, has('cron')),
              (lambda: {'dry_run': True}, has('cron'))],
    'Open': [(lambda: {'name': 'new/%d' % next(number), 'group': 9, 'id': new_id()},
              has('manager'))],
    'Adjust': [(lambda: {'name': 'alice', 'guideline': 1 + next(number), 'id': new_id()},
                has('manager'))],
    'Close': [(lambda: {'name': fresh(), 'id': new_id()}, has('manager'))],
    'Balance': [(lambda: {'budgets': ['alice']}, named('alice', roles=READERS)),
                (lambda: {'budgets': ['team/north']}, named(team=True, roles=READERS)),
                (lambda: {'budgets': ['alice', 'bob']}, has(*READERS)), (lambda: {}, anybody)],
    'Audit': [(lambda: {'budgets': ['alice']}, named('alice', roles=READERS)),
              (lambda: {'budgets': ['team/north']}, named(team=True, roles=READERS)),
              (lambda: {'budgets': ['alice', 'bob']}, has(*READERS))],
    'Report': [(lambda: {'month': '2026-11', 'budgets': ['alice']}, named('alice', roles=READERS)),
               (lambda: {'month': '2026-11', 'budgets': ['team/north']},
                named(team=True, roles=READERS)),
               (lambda: {'month': '2026-11', 'budgets': ['alice', 'bob']}, has(*READERS)),
               (lambda: {'month': '2026-11'}, anybody)],
    'Checkpoint': [(lambda: {}, anybody)],
    'Status': [(lambda: {}, anybody)],
    'Consistency': [(lambda: {'old': 1, 'new': 2}, anybody)],
    'Prove': [(lambda: {'seq': SPENT}, named('alice', roles=READERS)),
              (lambda: {'seq': POOLED}, named(team=True, roles=READERS))],
    'Leaves': [(lambda: {'from': 0, 'to': 1}, has(*READERS))],
    'Cosign': [(lambda: {'checkpoint': 'no checkpoint'}, has('auditor'))],
}
STREAMS = ('Audit', 'Report', 'Leaves')


def fresh():
    name = 'fresh/%d' % next(number)
    root.call('Open', name=name, group=9, id=new_id())
    return name


def verdict(client, method, params):
    """Whether it was permitted; what else is wrong with the call does not matter here."""
    try:
        client.stream(method, params) if method in STREAMS else client.call(method, params)
    except Refused as refused:
        return refused.name != 'NotPermitted', refused
    return True, None


def size():
    return root.call('Status')['entries']


methods = re.findall(r'^method (\w+)', root.call('org.varlink.service.GetInterfaceDescription',
                                                 interface='io.fundd.Ledger')['description'], re.M)
is_(sorted(methods), sorted(TABLE), 'every method of the interface is tried')
cells = 0
for method in methods:
    for nth, (params, may) in enumerate(TABLE.get(method, [])):
        wrong = []
        for person in people:
            request = params()
            before = size()
            got, refused = verdict(person.client, method, request)
            cells += 1
            if got != bool(may(person)):
                wrong.append('%s: %s %s' % (person.name, 'may' if got else 'may not', refused))
            if not got and size() != before:
                wrong.append('%s: refused, and something was recorded' % person.name)
        ok(not wrong, '%s %d: %d people' % (method, nth + 1, len(people)), *wrong)
note('%d cells: %d methods, %d people' % (cells, len(methods), len(people)))

# ---- Descriptors along with a call --------------------------------------------------------------

def open_files():
    return len(os.listdir('/proc/%d/fd' % ledger.daemon.pid))


before = open_files()
with ledger.connect(ALICE, ALICE) as client:
    for n in range(50):
        socket.send_fds(client.sock, [frame('Spend', spend(1, dry_run=True))], [0, 1, 2])
    ok(all(client.answer()['budget'] for n in range(50)),
       'calls with descriptors passed along are answered')
    is_(open_files(), before + 1, 'and the descriptors do not stay')

# ---- User namespaces ----------------------------------------------------------------------------

def within_namespace(mapped):
    """Alice in a user namespace of her own, as its root or unmapped: a spend's answer, and Open's."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(ALICE, ALICE, ALICE)
            os.setresuid(ALICE, ALICE, ALICE)
            libc = ctypes.CDLL(None, use_errno=True)
            libc.prctl(4, 1, 0, 0, 0)  # dumpable: /proc/self is hers
            if libc.unshare(CLONE_NEWUSER):
                raise OSError(ctypes.get_errno(), 'unshare')
            if mapped:
                for file, text in (('setgroups', 'deny'), ('uid_map', '0 %d 1' % ALICE),
                                   ('gid_map', '0 %d 1' % ALICE)):
                    with open('/proc/self/' + file, 'w') as f:
                        f.write(text)
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(ledger.socket)
            socket.send_fds(theirs, [b'%d' % os.getuid()], [sock.fileno()])
        except OSError as error:
            theirs.send(str(error).encode())
        finally:
            os._exit(0)
    theirs.close()
    word, fds, _, _ = socket.recv_fds(ours, 100, 1)
    os.waitpid(child, 0)
    ours.close()
    return word.decode(), Client(socket.socket(fileno=fds[0])) if fds else None


for mapped, shown in ((True, '0'), (False, '65534')):
    word, client = within_namespace(mapped)
    is_(word, shown, 'in her namespace alice is uid %s' % shown)
    if client:
        is_(client.call('Spend', spend(1))['entry']['uid'], ALICE,
            'to the daemon she is who she was')
        permitted, _ = verdict(client, 'Open', {'name': 'mine', 'group': 9, 'id': new_id()})
        ok(not permitted, 'and no manager')
        client.close()

inside = run(['unshare', '--user', '--map-root-user', program('fundd'), '--dir',
              ledger.dir + '-none'])
ok(inside.returncode == 1 and 'tell people apart' in inside.stderr.replace('\n', ' '),
   'a daemon in a user namespace does not start', inside.stderr)

# ---- Who lost a group, or a role ----------------------------------------------------------------

deputy = next(p for p in people if p.name == 'manager by group')
old = deputy.connect()
ok(verdict(old, 'Open', {'name': 'new/%d' % next(number), 'group': 9, 'id': new_id()})[0],
   'a manager by group opens')
left = Person('left', deputy.uid, deputy.gid).connect()
ok(not verdict(left, 'Open', {'name': 'new/%d' % next(number), 'group': 9, 'id': new_id()})[0],
   'connected again without the group: no more')
member = next(p for p in people if p.name == 'member')
with ledger.connect(member.uid, member.gid, (7,)) as gone:
    ok(not verdict(gone, 'Spend', spend(1, budget='team/north', dry_run=True))[0],
       'who left the team does not spend from its pool')
ledger.configure({'manager': 'user:1', 'cron': 'user:1', 'auditor': 'user:1'}, {})
ledger.daemon.send_signal(signal.SIGHUP)
deadline = time.monotonic() + PATIENCE
while 'read again' not in ledger.log() and time.monotonic() < deadline:
    time.sleep(0.01)
wrong = []
for person in people:
    for method, params in (('Open', {'name': 'no', 'group': 9, 'id': new_id()}), ('Reset', {}),
                           ('Leaves', {'from': 0, 'to': 1}), ('Balance', {'budgets': ['bob']})):
        permitted, _ = verdict(person.client, method, params)
        expected = person.name == 'root' and method != 'Reset' or person.name == 'bob' and method == 'Balance'
        if permitted != expected:
            wrong.append('%s: %s' % (person.name, method))
ok(not wrong, 'roles taken away are gone, on connections that stand, too', *wrong)
is_(ledger.stop(), 0, 'the daemon ends well')

# ---- The socket's place -------------------------------------------------------------------------

other = Ledger(roles={})


def started():
    """None, or why it does not start."""
    try:
        other.start()
    except RuntimeError as error:
        return str(error)
    other.stop()
    return None


with open(other.socket, 'w') as f:
    f.write('squatted')
ok('cannot listen' in (started() or ''), 'a file stands in the socket\'s place: it does not start')
is_(open(other.socket).read(), 'squatted', 'and the file is not touched')
os.unlink(other.socket)
target = os.path.join(other.home, 'target')
with open(target, 'w') as f:
    f.write('target')
os.symlink(target, other.socket)
ok('cannot listen' in (started() or ''), 'a symbolic link stands there: it does not start')
is_(open(target).read(), 'target', 'and its target is not touched')
os.unlink(other.socket)
squatter = socket.socket(socket.AF_UNIX)
squatter.bind(other.socket)
squatter.listen()
other.spawn()  # not start(), which would ask the squatter
ok(other.daemon.wait(PATIENCE) == 1 and 'in use' in other.log(),
   'somebody listens there: it does not start')
other.daemon = None
squatter.close()
is_(started(), None, 'nobody listens there any more: it does')
os.chmod(other.home, 0o777)
ok('written by everybody' in (started() or ''), 'a directory that all may write: it does not start')
os.chmod(other.home, 0o1777)
is_(started(), None, 'with the sticky bit it does')
os.chmod(other.home, 0o755)

real = other.socket
theirs = os.path.join(home(), 'theirs')
os.makedirs(theirs + '/deep')
for name, place, link in (('somebody else\'s directory', theirs, None),
                          ('one of ours in somebody else\'s', theirs + '/deep', None),
                          ('somebody else\'s link to ours', home() + '/link', other.home),
                          ('our link into somebody else\'s', home() + '/ours', theirs + '/deep')):
    other.socket = os.path.join(place, 'fund.sock')
    if link:
        os.symlink(link, place)
    is_(started(), None, name + ': before it is theirs, it starts')
    os.lchown(place if link == other.home else theirs, STRANGER, STRANGER)
    got = started() or ''
    ok('belongs to somebody else' in got and 'chown' in got, name + ': it does not start', got)
    os.chown(theirs, 0, 0)
other.socket = real

# ---- The config's place: whoever may write there has every role ----------------------------------

for name, path in (('the config', other.config), ('its directory', other.home)):
    for change, back, what in ((lambda: os.chown(path, STRANGER, STRANGER),
                                lambda: os.chown(path, 0, 0),
                                'belongs to somebody else'),
                               (lambda: os.chmod(path, 0o777), lambda: os.chmod(path, 0o755),
                                'written by everybody')):
        change()
        got = started() or ''
        back()
        ok('any role' in got and what in got, '%s %s: it does not start' % (name, what), got)
other.start()
os.chmod(other.config, 0o666)
other.configure({'manager': 'user:%d' % STRANGER}, {})
os.chmod(other.config, 0o666)
other.daemon.send_signal(signal.SIGHUP)
deadline = time.monotonic() + PATIENCE
while 'stay as they were' not in other.log() and time.monotonic() < deadline:
    time.sleep(0.01)
with other.connect(STRANGER) as client:
    ok(not verdict(client, 'Open', {'name': 'mine', 'group': 9, 'id': new_id()})[0],
       'a config that everybody may write is not read again either', other.log())
is_(other.stop(), 0, 'the daemon ends well')
os.chmod(other.config, 0o644)
other.start()
is_(stat.S_IMODE(os.stat(other.socket).st_mode), 0o666, 'everybody may connect')
is_(other.stop(), 0, 'the daemon ends well')
done()

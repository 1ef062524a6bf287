#!/usr/bin/python3 -B
# What the daemon has given up once it serves: tests/tools/probe.c, within the daemon itself, tries
# it in each of its threads. All that must be refused is, all that serving needs goes on: the roles
# are read again, with names; zones are read; the ledger works, its files are renamed and removed.
# Control: the same tried before the sandbox works.
import ctypes
import os

from lib.ledger import *

need_root('a daemon that could do everything')

SANITIZED = b'__asan_init' in open(os.path.join(BUILD, 'fundd'), 'rb').read()
libc = ctypes.CDLL(None)
REFUSED = ('exec inet inet6 netlink read-outside write-outside home write-etc mount setuid code code-later '
           'namespace limits').split()
NEEDED = ['unix', 'zone', 'users']
if not SANITIZED:  # they look for leaks from a process of their own, in /proc
    REFUSED += ['fork', 'proc', 'ptrace', 'dumpable']

outside = os.path.join(home(), 'outside')
os.mkdir(outside)
with open(outside + '/secret', 'w') as f:
    f.write('secret')


def probe(log, send):
    """What came of each attempt, made by who gets the signal."""
    before = len(log())
    send()
    deadline = time.monotonic() + PATIENCE
    while 'probe: done' not in log()[before:] and time.monotonic() < deadline:
        time.sleep(0.01)
    return dict(re.findall(r'^probe: ([\w-]+): (\w+)$', log()[before:], re.M))


def check_probed(who, found):
    for name in REFUSED:
        ok(found.get(name) in ('EPERM', 'EACCES'), '%s is refused to %s' % (name, who),
           found.get(name, 'not tried'))
    for name in NEEDED:
        is_(found.get(name), 'ok', '%s works for %s' % (name, who))


def threads(pid):
    """All but the first."""
    return sorted({int(tid) for tid in os.listdir('/proc/%d/task' % pid)} - {pid})




ledger = Ledger(roles={'manager': 'user:0', 'cron': 'user:root', 'auditor': 'user:64040'},
                zone='Europe/Berlin')
preload = environment(LD_PRELOAD=program('tests/tools/probe.so'), PROBE=outside,
                      **sanitizer_options('verify_asan_link_order=0'))
ledger.start(env=preload)
with ledger.connect() as client:
    client.call('Open', name='pool', group=0, allowance=1000, id=new_id())
pid = ledger.daemon.pid
check_probed('the loop', probe(ledger.log, lambda: os.kill(pid, signal.SIGUSR1)))
behind = threads(pid)
is_(len(behind), 2, 'a thread settles, and one folds')
for number, tid in enumerate(behind, 2):
    check_probed('thread %d' % number, probe(ledger.log,
                                             lambda: libc.tgkill(pid, tid, signal.SIGUSR2)))
is_(sorted(os.sched_getscheduler(tid) == os.SCHED_BATCH
           and os.getpriority(os.PRIO_PROCESS, tid) == 10
           for tid in [pid, *behind]), [False, False, True], 'the one that folds is behind the others')
with open('/proc/%d/status' % pid) as f:
    status = f.read()
for line in ('Seccomp:\t2', 'NoNewPrivs:\t1'):
    ok(line in status, 'the kernel says ' + line.replace('\t', ' '))
with open('/proc/%d/limits' % pid) as f:
    ok(re.search(r'Max core file size +0 +0', f.read()), 'no core file')
ok('Landlock' not in ledger.log(), 'Landlock is in force', ledger.log())

# ---- What must go on ----------------------------------------------------------------------------

with ledger.connect() as client:
    for n in range(50):
        client.call('Spend', spend(1, budget='pool'))
    client.call('Reset')
    ok(client.audit(kind='all', since='2020-02-02'), 'the ledger works, days are found')
ledger.configure({'manager': 'user:0 user:daemon', 'auditor': 'group:root'}, {})
ledger.daemon.send_signal(signal.SIGHUP)
deadline = time.monotonic() + PATIENCE
while 'read again' not in ledger.log() and time.monotonic() < deadline:
    time.sleep(0.01)
with ledger.connect(1, 1) as daemon:
    ok(daemon.call('Open', name='by-daemon', group=5, id=new_id()),
       'the roles are read again, names included')
accepted = run([program('fundd'), '--accept-clock', '--dir', ledger.dir])
deadline = time.monotonic() + PATIENCE
while os.path.exists(ledger.dir + '/accept-clock') and time.monotonic() < deadline:
    time.sleep(0.05)
ok(not os.path.exists(ledger.dir + '/accept-clock'), 'a file in its directory is removed')
is_(ledger.stop(), 0, 'the daemon ends well')
ok(not os.path.exists(ledger.socket), 'and removes its socket')
ok(os.path.exists(ledger.dir + '/clean'), 'and leaves its note')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies')

# ---- Under the unit's own filter ----------------------------------------------------------------

if not SANITIZED:
    units = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'systemd')
    logged = len(ledger.log())
    ledger.start(wrap=[sys.executable, '-B', os.path.join(units, '../tests/lib/unit_filter.py'),
                       os.path.join(units, 'fundd.service')])
    with open('/proc/%d/status' % ledger.daemon.pid) as f:
        ok('Seccomp_filters:\t2' in f.read(),
           "fundd's own filter is in force, beside that of fundd.service")
    ok('Landlock' not in ledger.log()[logged:], '... and Landlock is', ledger.log()[logged:])
    with ledger.connect() as client:
        ok(client.call('Spend', spend(1, budget='pool')), '... and it works')
    is_(ledger.stop(), 0, '... and ends well')

# ---- Control ------------------------------------------------------------------------------------

sleeper_log = os.path.join(home(), 'sleeper')
with open(sleeper_log, 'w') as log:
    sleeper = subprocess.Popen(['sleep', '60'], stdout=log, stderr=log,
                               env=environment(LD_PRELOAD=program('tests/tools/probe.so'),
                                               PROBE=outside))
time.sleep(0.2)
os.kill(sleeper.pid, signal.SIGUSR1)
time.sleep(0.2)
sleeper.kill()
sleeper.wait()
is_(sleeper.returncode, 0, 'control: without the sandbox, exec works: sleep became true')
done()

#!/usr/bin/python3 -B
# fundd as a program: a new ledger and what is refused for one, its place under systemd (socket,
# readiness, priorities of the log), signals, and what it will not start with.
import os
import re
import shutil
import stat

from lib.ledger import *

need_root('a ledger for somebody else, and a user namespace')
NOBODY = 65534


def fundd(*words, **options):
    return run([program('fundd'), *words], **options)


def fails(name, got, status, *said):
    """It ended with that status, said each of these, and nothing on stdout."""
    ok(got.returncode == status and not got.stdout and all(s in got.stderr for s in said), name,
       'exit %d' % got.returncode, got.stdout, got.stderr)


def mode(path):
    return '%o' % stat.S_IMODE(os.stat(path).st_mode)


# ---- A new ledger -------------------------------------------------------------------------------

place = os.path.join(home(), 'place')
os.mkdir(place)


def init(dir, *words, **options):
    return fundd('--init', '--origin', 'test.example/fund', '--dir', dir, *words, **options)


first = os.path.join(place, 'first')
got = init(first, '--currency', 'KWD', '--timezone', 'Asia/Kuwait')
is_(got.returncode, 0, '--init', got.stderr)
ok(re.fullmatch(r'test\.example/fund\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\n', got.stdout),
   'prints the verifier key, and nothing else', got.stdout)
is_(mode(first), '700', 'the directory is its owner\'s alone')
is_(mode(first + '/signing.key'), '600', 'so is the seed')
is_(os.stat(first + '/signing.key').st_size, 32, 'of 32 bytes')
with open(os.path.join(ROOT, 'man/fund-ledger.5')) as f:
    listed = set(re.findall(r'[a-z.-]+', ' '.join(re.findall(r'(?m)^\.It Pa (.*)$', f.read()))))
ok({'keys', 'ledger.mdb', 'ledger.wal', 'signing.key'} <= set(os.listdir(first)) <= listed,
   'there is what fund-ledger(5) says', os.listdir(first), listed)
verified = fundd('--verify', '--all', '--dir', first)
ok(re.fullmatch(r'verified 1 entries, root [A-Za-z0-9+/]{43}=\n', verified.stdout) and
   verified.returncode == 0, 'it verifies, with its genesis', verified.stdout, verified.stderr)

before = {name: open(os.path.join(first, name), 'rb').read() for name in os.listdir(first)}
fails('a ledger that exists is not made again', init(first), 1, first)
is_({n: open(os.path.join(first, n), 'rb').read() for n in os.listdir(first)}, before,
    'nor touched')
os.mkdir(place + '/full')
open(place + '/full/letter', 'w').close()
fails('nor is one made among other things', init(place + '/full'), 1, 'not empty')
is_(os.listdir(place + '/full'), ['letter'], 'which stay alone')
os.mkdir(place + '/empty')
is_(init(place + '/empty').returncode, 0, 'a directory that is there and empty is taken')

new = os.path.join(place, 'new')
for name, words, said in (
        ('a zone that tzdata does not have', ['--timezone', 'Mars/Olympus'], '--timezone'),
        ('a zone that is a path', ['--timezone', '/etc/localtime'], '--timezone'),
        ('no currency', ['--currency', 'EUX'], 'ISO 4217'),
        ('an origin with a blank', ['--origin', 'my fund'], ''),
        ('an origin that is empty', ['--origin', ''], ''),
        ('a user of nowhere', ['--user', 'nobody-of-that-name'], '--user')):
    fails('refused: ' + name, init(new, *words), 2, said)
fails('refused: no origin', fundd('--init', '--dir', new), 2, '--origin NAME')
fails('refused: two things at once', init(new, '--verify'), 2, 'one thing at a time')
ok(not os.path.exists(new), 'and nothing is made then')
system = '/var/lib/fund-test-%d' % os.getpid()
fails('refused: root without --user, for a directory of the system', init(system), 2,
      '--user fund')
ok(not os.path.exists(system), 'which is not made either')
got = init(new, '--user', 'nobody')
is_(got.returncode, 0, 'with --user', got.stderr)
is_({os.stat(os.path.join(new, name)).st_uid for name in ['.', *os.listdir(new)]}, {NOBODY},
    'all of it is theirs')

# ---- What it does not start with ----------------------------------------------------------------

for words in (['--nonsense'], ['word'], ['--dir']):
    fails('fundd %s: usage' % ' '.join(words), fundd(*words), 2,
          'usage:' if words != ['--dir'] else '')
fails('no ledger', fundd('--dir', place + '/none'), 1, 'fundd --init')
conf = os.path.join(place, 'conf')
for name, text, said in (('an unknown key', '[ledger]\n\ncolour = red\n', 'line 3'),
                         ('an unknown section', '[ledger]\n[colours]\nred = 1\n', 'line'),
                         ('an unknown user', '[roles]\nmanager = user:nobody-of-that-name\n',
                          'line 2')):
    with open(conf, 'w') as f:
        f.write(text)
    fails('%s in the config' % name, fundd('--config', conf, '--dir', first), 1, conf, said)
fails('a config that is not there', fundd('--config', conf + '2', '--dir', first), 1, conf + '2')
got = run(['unshare', '--user', '--map-root-user', program('fundd'), '--dir', first, '--socket',
            place + '/s'])
fails('a user namespace that does not map all uids', got, 1, 'user namespace', 'PrivateUsers')
os.chmod(first + '/signing.key', 0o644)
fails('a seed that others can read', fundd('--dir', first, '--socket', place + '/s'), 1,
      'chmod 600')
os.chmod(first + '/signing.key', 0o600)
os.rename(first + '/signing.key', place + '/key')
fails('no seed', fundd('--dir', first, '--socket', place + '/s'), 1, 'signing.key')
os.rename(place + '/key', first + '/signing.key')
os.rename(first + '/keys', place + '/keys')
fails('no keyring', fundd('--dir', first, '--socket', place + '/s'), 1)
with open(first + '/keys', 'wb') as f:
    f.write(open(place + '/empty/keys', 'rb').read())
fails('another ledger\'s keyring', fundd('--dir', first, '--socket', place + '/s'), 1)
os.rename(place + '/keys', first + '/keys')

short = Ledger().start()
with short.connect() as client:
    client.call('Open', name='pool', group=0, allowance=100, id=new_id())
    for n in range(3):
        client.call('Spend', spend(1, budget='pool', reason='reason %d' % n))
short.stop()
os.truncate(short.dir + '/keys', 512 + 32 * 4)
got = fundd('--dir', short.dir, '--socket', place + '/s')
fails('a keyring that is shorter than the ledger', got, 1, 'keys for 4 entries', 'ledger has 6')
size = re.search(r'truncate -s (\d+)', got.stderr)[1]
run(['truncate', '-s', size, short.dir + '/keys'])
short.start()
with short.connect() as client:
    is_([e.get('reason') for e in client.audit(kind='spend')], ['reason 0', None, None],
        '... which starts when the operator says that the words are lost')
is_(short.stop(), 0, 'and ends well')
is_(fundd('--verify', '--all', '--dir', short.dir).returncode, 0, 'they count as erased')

lost = Ledger().start()
with lost.connect() as client:
    client.call('Open', name='pool', group=0, allowance=100, id=new_id())
lost.kill()
wal = lost.dir + '/ledger.wal'
os.rename(wal, wal + '-away')
for name in ('no log after a crash', '... nor at the next try'):
    fails(name, fundd('--dir', lost.dir, '--socket', place + '/s'), 6, 'ledger.wal', 'missing', 'last')
shutil.copy(wal + '-away', wal)
os.truncate(wal, 4 << 20)
fails('half a log after a crash', fundd('--dir', lost.dir, '--socket', place + '/s'), 6, 'cut short')
os.rename(wal + '-away', wal)
lost.start()
with lost.connect() as client:
    is_(client.call('Balance', budgets=['pool'])['budgets'][0]['balance'], 100, 'with its log all is there')
lost.kill()
os.unlink(wal)
os.unlink(lost.dir + '/last')
lost.start()
ok('missing or cut short' in lost.log(), 'an operator who knows why starts without it', lost.log())
is_(lost.stop(), 0, 'and it ends well')

ledger = Ledger(roles={'cron': 'user:%d' % NOBODY}).start()
fails('no place for its socket', fundd('--dir', first, '--socket', place + '/none/s'), 1, 'none/s')
verified = fundd('--verify', '--dir', first)
ok(verified.stdout.startswith('verified 1 entries'), '... and a start that failed is not on record',
   verified.stdout,
   verified.stderr)
fails('a second daemon', fundd('--dir', ledger.dir, '--socket', place + '/s'), 1, 'another fundd')
with ledger.connect() as client:
    ok(client.call('Status')['entries'] == 2, 'which the first one does not mind')
is_(fundd('--verify', '--dir', ledger.dir).returncode, 0, 'it verifies while it runs')

# ---- Signals ------------------------------------------------------------------------------------


def may_reset():
    with ledger.connect(NOBODY) as client:
        try:
            client.call('Reset')
            return True
        except Refused as refusal:
            return refusal.name != 'NotPermitted'


def hang_up(said):
    """SIGHUP, and what it says to that."""
    before = ledger.log().count(said)
    ledger.daemon.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE
    while ledger.log().count(said) == before and time.monotonic() < deadline:
        time.sleep(0.005)
    return ledger.log().count(said) > before


ok(may_reset(), 'cron may reset')
ledger.configure({'cron': 'user:1'}, {})
ok(hang_up('were read again'), 'SIGHUP: the roles are read again')
ok(not may_reset(), 'and who is cron no more may not')
with open(ledger.config, 'a') as f:
    f.write('cron = user:%d\n' % NOBODY)
ok(hang_up('stay as they were'), 'SIGHUP with an error in the config: they stay')
ok('line 4' in ledger.log(), 'it says where', ledger.log())
ok(not may_reset(), 'as they were')
is_(ledger.stop(), 0, 'SIGTERM: exit 0')
ok(not os.path.exists(ledger.socket), 'and its socket is gone')
ledger.configure({}, {})
ledger.start()
ledger.daemon.send_signal(signal.SIGINT)
is_(ledger.daemon.wait(PATIENCE), 0, 'SIGINT: the same')
ledger.daemon = None

# ---- Under systemd ------------------------------------------------------------------------------

listener = socket.socket(socket.AF_UNIX)
listener.bind(place + '/given')
listener.listen(16)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(place + '/notify')
notify.settimeout(PATIENCE)
log = open(place + '/log', 'w')
here = os.fstat(log.fileno())


def activated(*words):
    """The daemon as systemd starts it: sockets from 3 on, and where to notify and log."""
    return subprocess.Popen(
        ['sh', '-c', 'exec 3<&%d; LISTEN_PID=$$ exec "$@"' % listener.fileno(), 'sh',
         program('fundd'), '--dir', first, *words], pass_fds=[listener.fileno()],
        stdin=subprocess.DEVNULL, stderr=log, env=environment(
            LISTEN_FDS='1', NOTIFY_SOCKET=place + '/notify',
            JOURNAL_STREAM='%d:%d' % (here.st_dev, here.st_ino)))


daemon = activated('--socket', place + '/not-made')
try:
    ok(b'READY=1' in notify.recv(4096), 'it notifies that it is ready')
    client = Client(socket.socket(socket.AF_UNIX))
    client.sock.connect(place + '/given')
    is_(client.call('Status')['currency'], 'KWD', 'it answers on the socket it was given')
    client.close()
    ok(not os.path.exists(place + '/not-made'), 'and makes none of its own')
    daemon.terminate()
    ok(b'STOPPING=1' in notify.recv(4096), 'it notifies that it stops')
    is_(daemon.wait(PATIENCE), 0, 'and does')
finally:
    daemon.kill()
    daemon.wait()
ok(os.path.exists(place + '/given'), 'the socket stays, being systemd\'s')
lines = open(place + '/log').read().splitlines()
ok(lines and all(re.match('<[3-6]>', line) for line in lines), 'its log has priorities', *lines)
ok(any(line.startswith('<4>no config file') for line in lines), 'a warning is one', *lines)
ok(any(line.startswith('<5>') and 'listening' in line for line in lines), 'a notice too', *lines)

# ---- Without stdin, stdout and stderr -----------------------------------------------------------

closed = Ledger().start(wrap=('sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh'))
opened = {os.readlink('/proc/%d/fd/%d' % (closed.daemon.pid, fd)) for fd in range(3)}
is_(opened, {'/dev/null'}, 'what is closed at its start is nothing, and no file of the ledger')
got = run(['sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh', program('fund'), 'status'],
          env=environment(FUND_SOCKET=closed.socket, XDG_STATE_HOME=place))
is_(got.returncode, 1, 'a client that can say nothing fails')
is_(closed.stop(), 0, 'it ends well')
ok(not any(b'fundd: ' in open(os.path.join(closed.dir, name), 'rb').read()
           for name in os.listdir(closed.dir)), 'its log is in none of them')

is_(fundd('--verify', '--all', '--dir', first).returncode, 0, 'the ledger verifies')
got = fundd('--verify', '--dir', place + '/none')
ok(got.returncode not in (0, 6) and len(got.stderr) > 20, '--verify of nothing: no ledger, '
   'which is not a bad one', got.returncode, got.stderr)
done()

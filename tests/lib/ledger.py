"""What the end-to-end tests share: TAP, a ledger of one's own with its daemon, and clients that
speak the real protocol as any uid.

Programs come from $BUILD (default: build/ of the checkout). Everything lives in a temporary
directory that other uids can enter, with copies of the programs, and is gone at the end; so is
every process that was started.
"""
import atexit
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stranger

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get('BUILD', 'build'))
INTERFACE = 'io.fundd.Ledger.'
PATIENCE = 30  # seconds that anything may take at most, sanitizers included
SANITIZER = re.compile(r'(AddressSanitizer|LeakSanitizer|runtime error|UndefinedBehavior).*')


# ---- TAP ----------------------------------------------------------------------------------------

_count = _failed = 0


def ok(passed, name, *diagnostics):
    """One test; what `diagnostics` hold is shown when it failed. Returns whether it passed."""
    global _count, _failed
    _count += 1
    print('%s %d - %s' % ('ok' if passed else 'not ok', _count, name.replace('#', '')))
    if not passed:
        _failed += 1
        for line in '\n'.join(str(d) for d in diagnostics).splitlines():
            print('#  ' + line)
    sys.stdout.flush()
    return bool(passed)


def is_(got, want, name, *diagnostics):
    return ok(got == want, name, 'got  %r' % (got,), 'want %r' % (want,), *diagnostics)


def note(text):
    print('# ' + text, flush=True)


def skip_all(reason):
    print('1..0 # SKIP ' + reason)
    sys.exit(0)


def need_root(why):
    if os.geteuid() != 0:
        skip_all('needs root: ' + why)


def done():
    """Stops what still runs, has a stranger verify what is left behind, looks for a sanitizer's complaints,
    and prints the plan."""
    if _count:
        problems = [p for p in map(stranger_problem, Ledger.all) if p]
        ok(not problems, 'a verifier of another hand agrees on each ledger left behind', *problems)
    for ledger in Ledger.all:
        if ledger.daemon:
            ledger.stop()
    complaints = [m.group(0) for l in Ledger.all for m in SANITIZER.finditer(l.log())]
    if complaints:
        ok(False, 'no sanitizer complained', *complaints[:5])
    print('1..%d' % _count)
    sys.exit(1 if _failed else 0)


def stranger_problem(ledger):
    """What stranger.py, which shares no code with fundd, says of the ledger that fundd does not: None when they
    agree on root, balances and receipts, and where fundd itself does not verify it."""
    balances = ledger.balances() if ledger.daemon else None
    if ledger.daemon:
        ledger.stop()
    if not ledger.strange or not os.path.exists(ledger.data()):
        return None
    said = ledger.verify()
    if said.returncode:
        return None
    try:
        count, root, books = ledger.stranger()
    except (stranger.Bad, KeyError, IndexError, ValueError) as problem:
        return '%s: %r' % (ledger.dir, problem)
    if 'verified %d entries, root %s' % (count, root) not in said.stdout:
        return '%s: %d entries, root %s, but fundd %s' % (ledger.dir, count, root, said.stdout)
    wrong = {n: (b, books.budgets[n].balance) for n, b in (balances or {}).items()
             if books.budgets[n].balance != b}
    return '%s: balances of fundd and the stranger: %r' % (ledger.dir, wrong) if wrong else None


# ---- A place of one's own -----------------------------------------------------------------------

_home = None


def home():
    """The script's temporary directory: 0755, with bin/ in it."""
    global _home
    if not _home:
        _home = tempfile.mkdtemp(prefix='fund-test-')
        os.chmod(_home, 0o755)
        atexit.register(_tidy)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(1))
        os.mkdir(_home + '/bin')
    return _home


def _tidy():
    for ledger in Ledger.all:
        if ledger.daemon and ledger.daemon.poll() is not None:
            note('a daemon was gone, status %d: %s' % (ledger.daemon.poll(), ledger.log()[-1000:]))
        ledger.kill()
    shutil.rmtree(_home, ignore_errors=True)


def program(name):
    """The path of a copy of build/NAME that every uid can run."""
    path = os.path.join(home(), 'bin', os.path.basename(name))
    if not os.path.exists(path):
        built = os.path.join(BUILD, name)
        if not os.path.exists(built):
            print('Bail out! %s is not built; run make first' % built)
            sys.exit(1)
        shutil.copy(built, path)
        os.chmod(path, 0o755)
    return path


def environment(**extra):
    """The caller's environment without what would lead a program elsewhere."""
    drop = ('FUND_', 'NOTIFY_SOCKET', 'LISTEN_', 'XDG_', 'JOURNAL_STREAM', 'NO_COLOR')
    kept = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
    return {**kept, 'HOME': home(), 'LC_ALL': 'C.UTF-8', **extra}


def sanitizer_options(more):
    """For environment(): what the caller has in ASAN_OPTIONS, and `more`."""
    return {'ASAN_OPTIONS': ':'.join(filter(None, [os.environ.get('ASAN_OPTIONS'), more]))}


def signals_allowed():
    """A damaged file may end a process in a signal: sanitizers must let it."""
    return sanitizer_options('handle_segv=0:handle_sigbus=0:handle_abort=0')


def run(argv, **options):
    """Runs to the end; stdout and stderr are text in the result."""
    options.setdefault('env', environment())
    options.setdefault('timeout', 4 * PATIENCE)
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors='replace', **options)


def identity(uid, gid, groups=()):
    """The setpriv words that make a command somebody else's."""
    supplementary = ['--groups', ','.join(map(str, groups))] if groups else ['--clear-groups']
    return ['setpriv', '--reuid', str(uid), '--regid', str(gid)] + supplementary


# ---- The daemon ---------------------------------------------------------------------------------

class Ledger:
    """A ledger, its directory, its daemon and its socket.

    roles: {'manager': 'user:1 group:2', ...} makes a config file; None: no config, so that whoever
    runs the daemon has all roles. `settings` go into [ledger]. `place`: where the data lives.
    """
    all = []

    def __init__(self, roles=None, settings=None, place=None, zone='UTC', init=True):
        self.home = tempfile.mkdtemp(prefix='ledger-', dir=home())
        os.chmod(self.home, 0o755)
        self.dir = os.path.join(place or self.home, 'data')
        self.socket = os.path.join(self.home, 'fund.sock')
        self.logfile = os.path.join(self.home, 'log')
        self.daemon = None
        self.config = None
        self.receipts = []      # that its clients were given
        self.strange = True     # the stranger looks at it in the end
        if roles is not None or settings:
            self.configure(roles or {}, settings or {})
        Ledger.all.append(self)
        if init:
            self.init(zone)

    def configure(self, roles, settings):
        self.config = os.path.join(self.home, 'fund.conf')
        with open(self.config, 'w') as f:
            f.write('[ledger]\n' + ''.join('%s = %s\n' % pair for pair in settings.items()))
            f.write('[roles]\n' + ''.join('%s = %s\n' % pair for pair in roles.items()))

    def init(self, zone='UTC'):
        done = run([program('fundd'), '--init', '--origin', 'test.example/fund', '--currency',
                    'EUR', '--timezone', zone, '--dir', self.dir])
        if done.returncode:
            raise RuntimeError('fundd --init: exit %d: %s' % (done.returncode, done.stderr))
        self.vkey = done.stdout.strip()

    def spawn(self, wrap=(), env=None):
        """Starts the daemon and does not wait for it."""
        config = ['--config', self.config] if self.config else []
        with open(self.logfile, 'a') as log:
            self.daemon = subprocess.Popen(
                [*wrap, program('fundd'), *config, '--dir', self.dir, '--socket', self.socket],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env or environment())

    def start(self, wrap=(), env=None):
        """Starts the daemon and waits until it answers."""
        self.spawn(wrap, env)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with self.connect() as client:
                    client.call('org.varlink.service.GetInfo')
                return self
            except OSError:
                if self.daemon.poll() is not None or time.monotonic() > deadline:
                    status = self.daemon.poll()
                    self.kill()
                    raise RuntimeError('fundd did not come up (status %s): %s'
                                       % (status, self.log()[-2000:]))
                time.sleep(0.002)

    def stop(self):
        """SIGTERM, and how the daemon ended."""
        self.daemon.terminate()
        try:
            status = self.daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            status = self.daemon.wait()
        self.daemon = None
        return status

    def kill(self):
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait()
            self.daemon = None

    def connect(self, uid=None, gid=None, groups=()):
        """A connection; with a uid, the kernel will say that it is theirs."""
        if uid is None:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(self.socket)
        else:
            sock = connect_as(self.socket, uid, uid if gid is None else gid, groups)
        return Client(sock, self.receipts)

    def rotate_key(self, *options):
        """fundd --rotate-key, with no daemon running; the new verifier key is in stdout."""
        config = ['--config', self.config] if self.config else []
        return run([program('fundd'), '--rotate-key', *options, *config, '--dir', self.dir])

    def balances(self):
        """What the daemon says; None when it says nothing."""
        try:
            with self.connect() as client:
                replies = client.stream('Balance', all=True)
        except (OSError, Refused):
            return None
        return {r['budget']['name']: r['budget']['balance'] for r in replies if r}

    def rows(self):
        """The stored rows, in order, while no daemon has them open: those of ledger.mdb, then those of the log."""
        data = subprocess.run([program('tests/tools/rows'), self.data(), 'dump'], check=True,
                              capture_output=True).stdout
        rows, at = [], 0
        while at < len(data):
            size = int.from_bytes(data[at:at + 4], 'big')
            rows.append(data[at + 4:at + 4 + size])
            at += 4 + size
        with open(os.path.join(self.dir, 'ledger.wal'), 'rb') as f:
            return stranger.log_rows(f.read(), rows)

    def stranger(self):
        """Entries, root and books as the stranger finds them, the receipts given checked too; raises Bad."""
        rows = self.rows()
        with open(os.path.join(self.dir, 'keys'), 'rb') as f:
            keys = f.read()
        count, root, books, _ = stranger.verify(rows, keys, sample=max(1, len(rows) // 16))
        for receipt in self.receipts[::max(1, len(self.receipts) // 16)]:
            entry, words = stranger.receipt_check(receipt, books.keys)
            stranger.need(receipt['leaf'].encode() == stranger.row_parts(entry['seq'],
                                                                         rows[entry['seq']])[0],
                          'a receipt of another entry')
        return count, root, books

    def verify(self, *options, dir=None):
        return run([program('fundd'), '--verify', *options, '--dir', dir or self.dir],
                   env=environment(**signals_allowed()))

    def fund(self, *words, who=None, **env):
        """The client, as `who` = (uid, gid, groups) when given."""
        state = os.path.join(self.home, 'state-%d' % (who[0] if who else os.geteuid()))
        if not os.path.isdir(state):
            os.mkdir(state)
            os.chmod(state, 0o777)
        return run([*(identity(*who) if who else ()), program('fund'), *words],
                   env=environment(**{'FUND_SOCKET': self.socket, 'XDG_STATE_HOME': state, **env}))

    def log(self):
        try:
            with open(self.logfile, errors='replace') as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def data(self):
        """The file that holds the rows."""
        path = os.path.join(self.dir, 'ledger.mdb')
        return os.path.join(path, 'data.mdb') if os.path.isdir(path) else path


# ---- Clients ------------------------------------------------------------------------------------

def connect_as(path, uid, gid, groups):
    """A socket connected by a child that is (uid, gid, groups) for good, handed back to us. The
    kernel notes the peer at connect, so whoever holds the socket later is still that peer."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(list(groups))
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(path)
            socket.send_fds(theirs, [b'+'], [sock.fileno()])
        finally:
            os._exit(0)
    theirs.close()
    with ours:
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    os.waitpid(child, 0)
    if not fds:
        raise ConnectionRefusedError('uid %d cannot connect to %s' % (uid, path))
    return socket.socket(fileno=fds[0])


class Refused(Exception):
    """An error reply: its name (without our interface in front) and its parameters."""

    def __init__(self, name, parameters):
        super().__init__('%s %s' % (name, json.dumps(parameters)))
        self.name, self.parameters = name, parameters


class HungUp(ConnectionError):
    """The daemon closed the connection."""


class Client:
    def __init__(self, sock, receipts=None):
        """Receipts that come are added to `receipts`."""
        self.receipts = [] if receipts is None else receipts
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        self.buffer = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send_raw(self, data):
        self.sock.sendall(data)

    def send(self, method, params=None, **more):
        """One call without waiting; `more` are parameters too."""
        self.send_raw(frame(method, params, **more))

    def recv(self):
        """The next reply as it came: a dict."""
        while b'\0' not in self.buffer:
            try:
                data = self.sock.recv(1 << 16)
            except ConnectionResetError:
                data = b''
            if not data:
                raise HungUp('the daemon hung up')
            self.buffer += data
        text, self.buffer = self.buffer.split(b'\0', 1)
        reply = json.loads(text)
        receipt = (reply.get('parameters') or {}).get('receipt')
        if receipt:
            self.receipts.append(receipt)
        return reply

    def answer(self):
        """The next reply's parameters; raises Refused."""
        reply = self.recv()
        if 'error' in reply:
            raise Refused(reply['error'].removeprefix(INTERFACE), reply.get('parameters') or {})
        return reply.get('parameters') or {}

    def call(self, method, params=None, **more):
        self.send(method, params, **more)
        return self.answer()

    def stream(self, method, params=None, **more):
        """A call with `more`: all its replies' parameters."""
        self.send_raw(frame(method, params, flags={'more': True}, **more))
        replies = []
        while True:
            reply = self.recv()
            if 'error' in reply:
                raise Refused(reply['error'].removeprefix(INTERFACE), reply.get('parameters') or {})
            replies.append(reply.get('parameters') or {})
            if not reply.get('continues'):
                return replies

    def audit(self, **filters):
        """The entries that Audit gives."""
        return [r['entry'] for r in self.stream('Audit', filters) if r.get('entry')]

    def hung_up(self):
        """Whether the daemon has nothing more to say and closes."""
        try:
            return not self.buffer and self.sock.recv(1) == b''
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False


class Proxy:
    """A socket in front of a daemon's: `ask` may change each call's bytes, and `answer` each reply (a dict), before
    they are passed on."""

    def __init__(self, path, real):
        self.path, self.real = path, real
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o777)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        os.unlink(self.path)

    def serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_one, args=(near,), daemon=True).start()

    def serve_one(self, near):
        try:
            self.pass_on(near)
        except OSError:
            pass  # one of the two hung up

    def pass_on(self, near):
        """One connection, as the uid that the near end is; calls are answered one by one."""
        _, uid, gid = struct.unpack('3i', near.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED,
                                                          12))
        with near, Client(connect_as(self.real, uid, gid, ())) as far:
            pending = b''
            while data := near.recv(1 << 16):
                pending += data
                while b'\0' in pending:
                    call, pending = pending.split(b'\0', 1)
                    far.send_raw(self.ask(call) + b'\0')
                    self.replies(json.loads(call)['method'].removeprefix(INTERFACE), near, far)

    def replies(self, method, near, far):
        while True:
            reply = far.recv()
            self.answer(method, reply)
            near.sendall(json.dumps(reply).encode() + b'\0')
            if not reply.get('continues'):
                return

    def ask(self, call):
        return call

    def answer(self, method, reply):
        pass


def frame(method, params=None, flags=None, **more):
    """A call's bytes, its NUL included. Methods without a dot are ours."""
    call = {'method': method if '.' in method else INTERFACE + method,
            'parameters': dict(params or {}, **more)}
    return json.dumps(dict(call, **(flags or {}))).encode() + b'\0'


def new_id():
    return str(uuid.uuid4())


def spend(amount, **more):
    """A Spend's parameters."""
    return dict({'amount': amount, 'currency': 'EUR', 'reason': 'parcel came late',
                 'id': new_id()}, **more)


def topup(budget, amount, **more):
    return dict({'budget': budget, 'amount': amount, 'currency': 'EUR', 'id': new_id()}, **more)

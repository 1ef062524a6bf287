#!/usr/bin/python3 -B
# No answer before the commit: one write to ledger.wal and then its fdatasync. Each of the two made
# slow alone must make every answer slow that knows of an uncommitted entry: the spend's own, a
# repeat of its id, a balance that shows it, a refusal that is due to it. All four are asked on
# connections of their own, while the daemon is stopped, so that it finds them at once and puts them
# into one batch.
import os
import select
import shutil

from lib.ledger import *

DELAY = 0.3     # seconds; tests/tools/slow-commit.c has it too
MARGIN = 0.02   # what a clock may be off
QUICK = 0.2     # without a delay; ten times as long as a slow disk needs
ATTEMPTS = 20   # to have all four in one batch
KINDS = ('spend', 'repeat', 'balance', 'refusal')

if not shutil.which('strace'):
    skip_all('strace is needed')

ledger = Ledger()
slow = os.path.join(ledger.home, 'slow')
os.mkdir(slow)
ledger.start(env=environment(LD_PRELOAD=program('tests/tools/slow-commit.so'), SLOW_COMMIT=slow,
                             **sanitizer_options('verify_asan_link_order=0')))
uid = os.getuid()
setup = ledger.connect()
setup.call('Open', name='alice', owner=uid, id=new_id())


class Window:
    """Four questions in one batch, and when each was answered."""

    def __init__(self):
        """Puts 10.00 into the budget and asks for 6.00, again, what is left, and for 6.00 more."""
        balance = setup.call('Balance', budgets=['alice'])['budgets'][0]['balance']
        if balance < 1000:
            setup.call('TopUp', topup('alice', 1000 - balance))
        self.took, self.answers = {}, {}
        request = spend(600)
        self.clients = {kind: ledger.connect() for kind in KINDS}
        for client in self.clients.values():
            client.call('Checkpoint')
        ledger.daemon.send_signal(signal.SIGSTOP)
        self.clients['spend'].send('Spend', request)
        self.clients['repeat'].send('Spend', request)
        self.clients['balance'].send('Balance', budgets=['alice'])
        self.clients['refusal'].send('Spend', spend(600))
        time.sleep(0.02)
        began = time.monotonic()
        ledger.daemon.send_signal(signal.SIGCONT)
        self.collect(began)

    def collect(self, began):
        waiting = {client.sock: kind for kind, client in self.clients.items()}
        while waiting:
            ready, _, _ = select.select(list(waiting), [], [], PATIENCE)
            if not ready:
                raise RuntimeError('no answer: ' + ledger.log()[-1000:])
            now = time.monotonic()
            for sock in ready:
                kind = waiting.pop(sock)
                self.took[kind] = now - began
                self.answers[kind] = self.clients[kind].recv()
        for client in self.clients.values():
            client.close()

    def together(self):
        """Whether each answer knows of the spend."""
        parameters = {kind: answer['parameters'] for kind, answer in self.answers.items()}
        return (parameters['spend'].get('replayed') is False and
                parameters['repeat'].get('replayed') is True and
                parameters['balance']['budgets'][0]['balance'] == 400 and
                parameters['refusal'].get('available') == 400)


def window():
    for _ in range(ATTEMPTS):
        found = Window()
        if found.together():
            return found
    return None


def times(found):
    return ', '.join('%s %.0f ms' % (k, found.took[k] * 1000) for k in KINDS)


def all_slow(found, step):
    if not ok(found, '%s slow: the four questions met in one batch' % step):
        return
    note('%s slow: %s' % (step, times(found)))
    for kind in KINDS:
        ok(found.took[kind] >= DELAY - MARGIN, '%s slow: the %s waits for it' % (step, kind),
           times(found))


def all_quick(name):
    found = window()
    if ok(found, name + ': the four questions met in one batch'):
        note('%s: %s' % (name, times(found)))
        ok(max(found.took.values()) < QUICK, name + ': every answer is quick', times(found))


def delays():
    """How often the shim has made something wait."""
    try:
        with open(slow + '/log') as f:
            return f.read().split()
    except FileNotFoundError:
        return []


def with_shim(step):
    """A window while the shim delays that step."""
    open(os.path.join(slow, step), 'w').close()
    found = window()
    os.unlink(os.path.join(slow, step))
    return found


def with_strace(rule):
    """A window while strace makes the system call slow: nothing in the process can evade it."""
    trace = subprocess.Popen(['strace', '-f', '-qq', '-p', str(ledger.daemon.pid), '-e',
                              'trace=' + rule.split(':')[0], '-e', 'inject=' + rule],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
    deadline = time.monotonic() + PATIENCE
    while not traced(ledger.daemon.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    found = window()
    trace.terminate()
    trace.communicate()
    return found


def traced(pid):
    with open('/proc/%d/status' % pid) as f:
        return any(line.startswith('TracerPid:') and line.split()[1] != '0' for line in f)


all_quick('nothing slow')
all_slow(with_strace('fdatasync:delay_enter=%d' % (DELAY * 10**6)), 'fdatasync (strace)')
all_slow(with_shim('sync'), 'fdatasync')
ok('sync' in delays() and 'write' not in delays(), 'it was fdatasync alone that waited', delays())
all_slow(with_shim('write'), 'write')
ok('write' in delays(), 'it was the write that waited', delays())
all_quick('nothing slow any more')

# What does not know of an open entry has nothing to wait for.
open(slow + '/sync', 'w').close()
began = time.monotonic()
setup.call('Checkpoint')
setup.call('Balance')
ok(time.monotonic() - began < QUICK, 'without an open entry nobody waits')
os.unlink(slow + '/sync')

setup.close()
is_(ledger.stop(), 0, 'the daemon ends well')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies')
done()

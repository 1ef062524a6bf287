#!/usr/bin/python3 -B
# What a connection may take of the daemon, as fundd(8) says: calls in flight, replies that wait to be taken, time
# without a word. What is over a limit waits, and nothing of it is lost. (Connections, half frames and silence:
# hostile.t; the size of a call: bad-input.t.)
import fcntl
import os
import select
import termios

from lib.ledger import *

IN_FLIGHT = 64
WAITING = 256 << 10     # bytes of replies, and then no more is read
SLOW = 0.3              # seconds that a commit takes here; tests/tools/slow-commit.c has it too
IDLE = 300              # seconds

PRELOAD = run(['faketime', '-f', '+0', 'sh', '-c', 'echo "$LD_PRELOAD"']).stdout.strip()
ledger = Ledger(roles={'manager': 'user:0'})  # the clock stands beside the config, where it may be read
slow, clock = os.path.join(ledger.home, 'slow'), os.path.join(ledger.home, 'clock')
os.mkdir(slow)


def later(seconds):
    """All the daemon's clocks."""
    with open(clock + '.new', 'w') as f:
        f.write('%+d\n' % seconds)
    os.rename(clock + '.new', clock)


later(0)
ledger.start(env=environment(LD_PRELOAD=program('tests/tools/slow-commit.so') + ':' + PRELOAD, SLOW_COMMIT=slow,
                             FAKETIME_TIMESTAMP_FILE=clock, FAKETIME_NO_CACHE='1',
                             **sanitizer_options('verify_asan_link_order=0')))
other = ledger.connect()
other.call('Open', name='ours', group=os.getgid(), allowance=10**9, period='none', id=new_id())


def entries():
    return other.call('Status')['entries']


# ---- Calls in flight ----------------------------------------------------------------------------

COUNT = 3 * IN_FLIGHT + 8
with ledger.connect() as client:
    client.call('Checkpoint')
    open(os.path.join(slow, 'sync'), 'w').close()
    client.send_raw(b''.join(frame('Spend', spend(1)) for _ in range(COUNT)))
    commits, got = [], 0
    while got < COUNT:
        select.select([client.sock], [], [], PATIENCE)
        time.sleep(SLOW / 3)    # all that this commit let out
        data = client.sock.recv(1 << 20)
        commits.append(data.count(b'\0'))
        got += commits[-1]
    os.unlink(os.path.join(slow, 'sync'))
ok(max(commits) <= IN_FLIGHT, 'a commit takes no more than %d calls of a connection' % IN_FLIGHT, commits)
ok(max(commits) > IN_FLIGHT // 2, '... and no fewer when they are there', commits)
is_(got, COUNT, '... the others wait, and are answered')

# ---- Replies that wait --------------------------------------------------------------------------

MANY = 4000
before = entries()
with ledger.connect() as client:
    reply = len(json.dumps(client.call('Spend', spend(1)))) // 2    # at least
    client.sock.setblocking(False)
    calls, sent, then, deadline = b''.join(frame('Spend', spend(1)) for _ in range(MANY)), 0, -1, time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            sent += client.sock.send(calls[sent:])
            continue
        except BlockingIOError:
            pass
        now = entries()
        if now == then:
            break               # it reads no more
        then = now
        time.sleep(0.3)
    ok(sent < len(calls), 'who takes no replies is not read any more', sent)
    waiting = fcntl.ioctl(client.sock, termios.FIONREAD, b'\0\0\0\0')
    waiting = int.from_bytes(waiting, sys.byteorder)
    most = (waiting + WAITING) // reply + 2 * IN_FLIGHT
    ok(entries() - before < most, '... %d calls were run, at most %d' % (entries() - before, most))
    client.sock.setblocking(True)
    client.sock.settimeout(PATIENCE)
    whole = calls[:sent].count(b'\0')
    is_(sum('entry' in client.answer() for _ in range(whole)), whole, '... until they are taken: then all are answered')
is_(entries(), before + 1 + whole, '... each once')

# ---- Without a word -----------------------------------------------------------------------------

silent, talking = ledger.connect(), ledger.connect()
for client in (silent, talking):
    client.call('Checkpoint')
later(IDLE - 3)
time.sleep(1.2)
ok(talking.call('Checkpoint'), 'a connection may be silent for five minutes')
later(IDLE + 3)
time.sleep(1.2)
ok(silent.hung_up(), '... and no longer')
ok(talking.call('Checkpoint'), 'one that was heard of meanwhile stays')
for client in (silent, talking, other):
    client.close()
is_(ledger.stop(), 0, 'the daemon ends well')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies')
done()

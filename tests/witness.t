#!/usr/bin/env python3
# fund witness: cosigns what extends what it cosigned before, and nothing else; a stranger checks
# what it signs.
import base64
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
import ledger as t
import stranger
from ledger import ok, is_

for name in ('fund-witness', 'fund-verify'):
    t.program(name)
dave, rep = (61040, 61040, ()), (61001, 61001, ())
ledger = t.Ledger(roles={'manager': 'user:0', 'auditor': 'user:61040 user:61041'}, init=False)
state = os.path.join(ledger.home, 'state-61040', 'fund', 'witness')


def witness(*words, who=dave, **env):
    return ledger.fund('witness', *words, who=who, **env)


def cosigned(note, vkey):
    """The time of that witness's good cosignature (cosignature/v1); raises Bad."""
    name, ident, data = vkey.split('+', 2)
    data = base64.b64decode(data)
    stranger.need(data[0] == 4 and stranger.sha256(name.encode(), b'\n', data)[:4].hex() == ident,
                  'no witness key')
    text, _, lines = note.rpartition('\n\n')
    for line in lines.splitlines():
        dash, signer, signature = line.split(' ')
        signature = base64.b64decode(signature)
        if (signer, signature[:4].hex()) == (name, ident):
            when, = struct.unpack('>Q', signature[4:12])
            stranger.need(stranger.signed(data[1:],
                                          b'cosignature/v1\ntime %d\n%s\n' % (when, text.encode()),
                                          signature[12:]),
                          'a wrong cosignature')
            return when
    raise stranger.Bad('no cosignature')


def size(note):
    return int(note.split('\n')[1])


def status():
    with ledger.connect() as client:
        return client.call('Status')


# ---- The key ------------------------------------------------------------------------------------

typed = witness('--key', '--name', 'audit.example/dave')
vkey = typed.stdout.strip()
is_((typed.returncode, typed.stderr, vkey.split('+')[0]), (0, '', 'audit.example/dave'),
    'a key is made')
is_(witness('--key').stdout.strip(), vkey, 'once')
is_(oct(os.stat(state + '/key').st_mode & 0o777), '0o600', 'for the witness alone')
is_(witness('--key', '--dir', state + '-unnamed').stdout.split('+')[0],
    os.uname().nodename + '/61040',
    'a key without a name has the machine\'s and the user\'s')
is_(witness('--key', '--name', 'audit.example/other').returncode, 1, 'a new name is not that key')
is_(witness('--key', '--name', 'a b').returncode, 2, 'a name that is none: usage')
with open(ledger.config, 'a') as f:
    f.write('[witnesses]\nrequire = %s\n' % vkey)
ledger.init()
ledger.start()
is_(ledger.fund('open', 'alice', '--owner', '61001', '--allowance', '1000').returncode, 0,
    'a budget')

# ---- Cosigning ----------------------------------------------------------------------------------

is_(status()['witnessed'], 0, 'nothing is covered')
ok('Not covered by an outside witness yet: 3 entries, EUR 1000.00' in ledger.fund('status').stdout,
   'fund status says so',
   ledger.fund('status').stdout)
other = t.Ledger()
typed = witness('--vkey', other.vkey)
is_(typed.returncode, 6, 'a first look with another key than was given: status 6', typed.stderr)
is_(os.path.exists(state + '/test.example'), False, '... and nothing is remembered')
began = int(time.time())
typed = witness('--vkey', ledger.vkey)
is_((typed.returncode, typed.stderr), (0, ''), 'the first look cosigns')
ok('3 entries, seen for the first time' in typed.stdout, 'and says so', typed.stdout)
with ledger.connect() as client:
    note = client.call('Checkpoint')['checkpoint']
ok(began <= cosigned(note, vkey) <= time.time(),
   'the daemon serves the cosignature, which a stranger checks', note)
stranger.note_check(note, [ledger.vkey])
is_(status()['witnessed'], 3, 'all is covered')
ok('Every entry is covered' in ledger.fund('status').stdout, 'fund status says so')
path = os.path.join(ledger.home, 'checkpoint')
with open(path, 'w') as f:
    f.write(note)
verify = [t.program('fund'), 'verify', path, '--vkey', ledger.vkey, '--witness']
is_(t.run(verify + [vkey]).returncode, 0, 'fund verify --witness checks it offline')
stranger_key = t.Ledger(init=False).fund('witness', '--key').stdout.strip()
is_(t.run(verify + [stranger_key]).returncode, 6, '... and misses another witness')
tiles = os.path.join(ledger.home, 'tiles')
t.program('fund-export')
is_(ledger.fund('export', '--format', 'tiles', tiles).returncode, 0, 'tiles of what is cosigned')
verify[2] = tiles
is_(t.run(verify + [vkey]).returncode, 0, '... hold the cosignature')
is_(t.run(verify + [stranger_key]).returncode, 6, '... and not that of another witness')
for _ in range(5):
    ledger.fund('spend', '1', '--for', 'parcel came late', who=rep)
ok('5 entries, EUR 5.00' in ledger.fund('status').stdout, 'what came since is shown',
   ledger.fund('status').stdout)
typed = witness('--json')
is_(typed.stdout, '{"origin":"test.example/fund","size":8,"before":3}\n', 'the next look, as JSON',
    typed.stderr)
is_(witness().returncode, 0, 'again, with nothing new')
typed = ledger.fund('witness', '--name', 'audit.example/eve', who=(61041, 61041, ()))
ok(typed.returncode == 4
   and 'fund: the checkpoint is cosigned by no witness that fund.conf(5) names\n' in typed.stderr,
   'a witness that nobody named: refused',
   typed.stderr)
is_(ledger.fund('witness', '--name', 'rep.example', who=rep).returncode, 4,
    'who is no auditor: not permitted')

# ---- Over any stream, and on and on -------------------------------------------------------------

relay = os.path.join(ledger.home, 'relay.py')
with open(relay, 'w') as f:
    f.write('import os, socket, threading\ns = socket.socket(socket.AF_UNIX)\ns.connect(%r)\n'
            'def up():\n    while d := os.read(0, 65536):\n        s.sendall(d)\n    s.shutdown(1)\n'
            'threading.Thread(target=up, daemon=True).start()\nwhile d := s.recv(65536):\n    os.write(1, d)\n' % ledger.socket)
typed = witness('--connect', '/usr/bin/python3 ' + relay, '--socket', '/nonexistent')
is_(typed.returncode, 0, 'through a command', typed.stderr)
typed = witness('--connect', 'exit 1')
is_(typed.returncode, 5, 'a command that ends: unreachable', typed.stderr)
env = t.environment(FUND_SOCKET=ledger.socket,
                    XDG_STATE_HOME=os.path.dirname(os.path.dirname(state)))
follow = subprocess.Popen([*t.identity(*dave), t.program('fund'), 'witness', '--follow', '--every',
                           '1'], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
is_(follow.stdout.readline(), 'Cosigned test.example/fund: 8 entries, 0 more than before.\n',
    'following')
typed = witness()
ok(typed.returncode == 1 and 'another fund witness' in typed.stderr, 'one at a time', typed.stderr)
ledger.fund('spend', '1', '--for', 'parcel came late', who=rep)
is_(follow.stdout.readline(), 'Cosigned test.example/fund: 9 entries, 1 more than before.\n',
    'it sees what comes')
is_(status()['witnessed'], 9, 'and covers it')
follow.send_signal(signal.SIGTERM)
is_(follow.wait(t.PATIENCE), 0, 'told to end, it ends')

# ---- Kept before it is signed --------------------------------------------------------------------


class Watcher(t.Proxy):
    seen = None

    def answer(self, method, reply):
        if method == 'Cosign':
            with open(state + '/test.example/fund/checkpoint') as f:
                Watcher.seen = size(f.read())


front = os.path.join(ledger.home, 'front.sock')
ledger.fund('spend', '1', '--for', 'parcel came late', who=rep)
with Watcher(front, ledger.socket):
    is_(witness('--socket', front).returncode, 0, 'cosigned, through a watcher')
is_(Watcher.seen, 10, 'what is handed in is on the disk before')

# ---- A ledger that is not what it was -----------------------------------------------------------

ledger.stop()
shutil.copytree(ledger.dir, ledger.dir + '.old')
ledger.start()
for _ in range(3):
    ledger.fund('spend', '1', '--for', 'parcel came late', who=rep)
is_(witness().returncode, 0, 'cosigned')
with open(state + '/test.example/fund/checkpoint') as f:
    kept = f.read()


def refused(what):
    typed = witness()
    is_(typed.returncode, 6, what + ': status 6', typed.stderr)
    with open(state + '/test.example/fund/checkpoint') as f:
        is_(f.read(), kept, '... what it saw stays')
    ok(len(os.listdir(state + '/test.example/fund/evidence')) > 0, '... and there is evidence')
    with ledger.connect() as client:
        try:
            when = cosigned(client.call('Checkpoint')['checkpoint'], vkey)
        except stranger.Bad:
            when = None
        is_(when, None, '... it did not cosign')


ledger.stop()
shutil.move(ledger.dir, ledger.dir + '.true')
shutil.copytree(ledger.dir + '.old', ledger.dir)
ledger.start()
refused('rolled back')
with ledger.connect() as client:
    for n in range(9):
        client.call('TopUp', t.topup('alice', 100 + n))
refused('rewritten, and longer')
ledger.stop()
shutil.rmtree(ledger.dir)
shutil.move(ledger.dir + '.true', ledger.dir)
ledger.start()
is_(witness().returncode, 0, 'the true ledger again: cosigned')
ledger.stop()
assert ledger.rotate_key().returncode == 0
ledger.start()
is_(witness().returncode, 0, 'with a new key, brought in by the old one: cosigned')
with ledger.connect() as client:
    ok(cosigned(client.call('Checkpoint')['checkpoint'], vkey), 'over both signatures')

# ---- The key's file -----------------------------------------------------------------------------

with open(state + '/key') as f:
    good = f.read()
for what, text in (('damaged', good.replace('+', '-')), ('cut', good[:-9]),
                   ('with another id', good.replace(
        good.split('+')[3], '00000000')), ('empty', '')):
    with open(state + '/key', 'w') as f:
        f.write(text)
    typed = witness()
    ok(typed.returncode == 1 and 'key' in typed.stderr, 'a key file that is %s: refused' % what,
       typed.stderr)
with open(state + '/key', 'w') as f:
    f.write(good)
os.chmod(state + '/key', 0o644)
typed = witness()
ok(typed.returncode == 1 and 'others' in typed.stderr, 'a key that others may read: refused',
   typed.stderr)
os.chmod(state + '/key', 0o600)
is_(witness().returncode, 0, 'mended: cosigned')
is_(witness('--every', '5').returncode, 2, '--every without --follow: usage')
typed = t.run([*t.identity(*dave), t.program('fund'), 'witness'],
              env={k: v for k, v in t.environment(FUND_SOCKET=ledger.socket).items()
                   if k != 'HOME'})
ok(typed.returncode == 1 and '--dir' in typed.stderr, 'without a home: says what is needed',
   typed.stderr)
t.done()

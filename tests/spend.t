#!/usr/bin/python3 -B
# What one `fund spend` takes, as little as it can be, and what holds all the same.
import os
import time

from lib.ledger import *

FEW = {'libsodium', 'libc', 'ld-linux-x86-64', 'linux-vdso'}  # and what a sanitizer adds
SANITIZERS = {'libasan', 'libubsan', 'libm', 'libgcc_s', 'libstdc++', 'libpthread', 'libdl',
              'librt'}

program('fund-verify')
ledger = Ledger().start()
ledger.fund('open', 'desk', '--group', '0', '--allowance', '100')


def loaded(name):
    """The libraries that a program is linked with."""
    listed = run(['ldd', program(name)]).stdout
    return {os.path.basename(line.split()[0]).split('.so')[0] for line in listed.splitlines()}


is_(loaded('fund') - FEW - SANITIZERS, set(), 'fund loads the libraries of a spend, and no more')

# What few commands need is loaded by them, or missed with a sentence.
fake = os.path.join(home(), 'fake')
os.mkdir(fake)
open(os.path.join(fake, 'libsmartcols.so.1'), 'w').close()
said = ledger.fund('balance', 'desk', LD_LIBRARY_PATH=fake)
ok(said.returncode == 1 and 'libsmartcols.so.1' in said.stderr
   and 'needs that library' in said.stderr,
   'without the library for tables, a table is missed with a sentence', said.stderr)
said = ledger.fund('spend', '1', '--for', 'lamp', '--budget', 'desk', LD_LIBRARY_PATH=fake)
is_(said.returncode, 0, '... and a spend goes on', said.stderr)

# ---- Calls --------------------------------------------------------------------------------------


class Listener(Proxy):
    """Notes what is asked, and may make another spend before a Spend is passed on."""
    asked, between = [], False

    def ask(self, call):
        method = json.loads(call)['method'].removeprefix(INTERFACE)
        self.asked.append(method)
        if method == 'Spend' and self.between:
            with ledger.connect() as client:
                client.call('Spend', spend(1, budget='desk'))
        return call


def asked(between=False):
    Listener.asked, Listener.between = [], between
    path = os.path.join(ledger.home, 'near.sock')
    with Listener(path, ledger.socket):
        said = ledger.fund('spend', '1', '--for', 'lamp', '--budget', 'desk', FUND_SOCKET=path)
    is_(said.returncode, 0, 'a spend through a proxy', said.stderr)
    return Listener.asked


asked()     # the first time here, nothing is remembered
is_(asked(), ['Checkpoint', 'Balance', 'Spend'],
    'a spend takes three calls: its receipt proves that the ledger goes on from the head before')
is_(asked(between=True), ['Checkpoint', 'Balance', 'Spend', 'Consistency'],
    '... unless another entry came between')

class Dripping(Proxy):
    """Answers a byte at a time."""

    def replies(self, method, near, far):
        for byte in json.dumps(far.recv()).encode() + b'\0':
            near.sendall(bytes([byte]))
            time.sleep(0.02)


# The client's clock runs a hundred times as quick, so that a minute is not waited for.
preload = run(['faketime', '-f', '+0', 'sh', '-c', 'echo "$LD_PRELOAD"']).stdout.strip()
path = os.path.join(ledger.home, 'drip.sock')
with Dripping(path, ledger.socket):
    began = time.monotonic()
    said = ledger.fund('verify', FUND_SOCKET=path, LD_PRELOAD=preload, FAKETIME='+0 x100',
                       **sanitizer_options('verify_asan_link_order=0'))
    took = time.monotonic() - began
ok(said.returncode == 5 and 'too slowly to wait for' in said.stderr and took < 3,
   'a daemon that answers drop by drop is not waited for', '%.1f s' % took, said.stderr)

# ---- Files --------------------------------------------------------------------------------------

# Nothing that a spend keeps is synced, and no file is made but the receipt: see pending.h, state.h.
trace = os.path.join(ledger.home, 'trace')
run(['strace', '-f', '-o', trace, '-e', 'trace=fsync,fdatasync,unlink,unlinkat,openat',
     program('fund'), 'spend', '1',
     '--for', 'lamp', '--budget', 'desk'],
    env=environment(FUND_SOCKET=ledger.socket, XDG_STATE_HOME=ledger.home + '/state-0',
                    **sanitizer_options('detect_leaks=0')))
with open(trace) as f:
    made = [line for line in f if re.search('sync|unlink|O_CREAT|O_TMPFILE', line)]
ok(len(made) == 2 and 'O_TMPFILE' in made[0] and '"lock"' in made[1],
   'a spend makes one file, its receipt, removes none and syncs none', *made)

# A daemon of two faces: what is recorded is recorded in another ledger than the one it shows, of
# the same key and as long.
other = Ledger(init=False)
ledger.stop()
shutil.copytree(ledger.dir, other.dir)
ledger.start()
other.start()
other.strange = False               # its clients saw it through the other's socket
with ledger.connect() as one, other.connect() as two:
    one.call('Spend', spend(1, budget='desk'))
    two.call('Spend', spend(2, budget='desk'))


class TwoFaced(Proxy):
    def ask(self, call):
        self.call = json.loads(call)
        return call

    def answer(self, method, reply):
        if method == 'Spend':
            with other.connect() as two:
                reply['parameters'] = two.call('Spend', self.call['parameters'])


path = os.path.join(ledger.home, 'two.sock')
with TwoFaced(path, ledger.socket):
    said = ledger.fund('spend', '1', '--for', 'lamp', '--budget', 'desk', FUND_SOCKET=path)
ok(said.returncode == 6 and 'rewritten, rolled back or split' in said.stderr,
   'a receipt that does not go on from the head before is an alarm', said.stderr)

done()

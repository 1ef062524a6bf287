#!/usr/bin/env python3
# A lost answer: the request is kept, asked for again under the same id, and typed again it makes
# one entry. A batch file sent twice, and with a row inserted, doubles nothing.
import json
import os
import socket
import sys
import threading
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
import ledger as t
from ledger import ok, is_


class Thief:
    """A socket in front of the daemon's that passes everything on until it sees a Spend: that
    reaches the daemon, its answer reaches nobody, and the thief is gone."""

    def __init__(self, path, real):
        self.path, self.real = path, real
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        near, _ = self.listener.accept()
        far = socket.socket(socket.AF_UNIX)
        far.connect(self.real)
        while True:
            asked = near.recv(1 << 16)
            if not asked:
                break
            far.sendall(asked)
            answer = far.recv(1 << 16)
            if b'.Spend' in asked:
                break
            near.sendall(answer)
        self.listener.close()
        os.unlink(self.path)
        near.close()


class Deaf(t.Proxy):
    """Answers, but takes nothing any more that is sent after a Balance."""

    def replies(self, method, near, far):
        if method == 'Balance':
            near.shutdown(socket.SHUT_RD)
        super().replies(method, near, far)


ledger = t.Ledger().start()
ok(ledger.fund('open', 'alice', '--owner', str(os.geteuid()), '--allowance', '100').returncode == 0,
   'a budget')
state = os.path.join(ledger.home, 'state-%d' % os.geteuid(), 'fund', 'pending')
front = os.path.join(ledger.home, 'front.sock')
words = ['--socket', front, 'spend', '5', '--for', 'a lost answer']


def kept():
    """The requests without an answer; beside them may be the free file for the next."""
    return [name for name in os.listdir(state) if name != '.free']


def spends():
    return ledger.fund('--json', 'audit', '--kind', 'spend').stdout.count('"kind":"spend"')


Thief(front, ledger.socket)
typed = ledger.fund(*words)
is_(typed.returncode, 5, 'the answer is lost: exit 5')
ok('unknown' in typed.stderr and 'not be doubled' in typed.stderr, 'and a sentence', typed.stderr)
is_(spends(), 1, 'the daemon recorded it')
is_(len(kept()), 1, 'the request is kept')
ok('a lost answer' in ledger.fund('pending').stdout, 'fund pending shows it')
typed = ledger.fund('pending', '--send')
ok('sent to ' + front in typed.stdout and '--socket %s pending --send' % front in typed.stderr,
   'and, asked to send it to another daemon, says whose it is', typed.stdout, typed.stderr)
with Deaf(front, ledger.socket):
    typed = ledger.fund(*words)
is_(typed.returncode, 5, 'typed again, and it cannot be sent: exit 5', typed.stderr)
ok('unknown' in typed.stderr and 'Nothing' not in typed.stderr,
   'it may have been recorded the first time, and is not said to be nothing', typed.stderr)
is_((spends(), len(kept())), (1, 1), 'the request is kept still')
os.symlink(ledger.socket, front)
typed = ledger.fund(*words)
is_(typed.returncode, 0, 'typed again: answered', typed.stderr)
ok('recorded before' in typed.stdout, 'as recorded before', typed.stdout)
is_(spends(), 1, 'one entry')
is_(kept(), [], 'nothing is kept')
with open(state + '/.free', 'rb') as f:
    ok(not any(f.read()), 'not a word of it, where the next request will stand')
ledger.fund(*words)
is_(spends(), 2, 'once answered, the same words are another spend')

os.unlink(front)
Thief(front, ledger.socket)
typed = ledger.fund('--socket', front, 'spend', '6', '--for', 'another one')
is_(typed.returncode, 5, 'lost again')
os.symlink(ledger.socket, front)
typed = ledger.fund('--socket', front, 'balance')
ok('another one' in typed.stderr, 'another command finishes it first, and says so', typed.stderr)
is_((spends(), kept()), (3, []), 'one entry, nothing kept')

os.unlink(front)
typed = ledger.fund('--socket', front, 'spend', '7', '--for', 'nobody listens')
is_(typed.returncode, 5, 'no daemon: exit 5')
ok('Nothing was recorded' in typed.stderr, 'and said to be nothing', typed.stderr)
is_((spends(), kept()), (3, []), 'nothing recorded, nothing kept')

# ---- Batches ----
path = os.path.join(ledger.home, 'batch.csv')


def batch(text):
    with open(path, 'w') as f:
        f.write(text)
    return ledger.fund('spend', '--batch', path)


class Listener(t.Proxy):
    """Notes the parameters of the spends that it passes on."""
    spends = []

    def ask(self, call):
        call_ = json.loads(call)
        if call_['method'].endswith('.Spend'):
            self.spends.append(call_['parameters'])
        return call


with open(path, 'w') as f:
    f.write('ref,amount,reason,currency\nb1,1.00,euros,\nb2,700,yen,JPY\nb3,1.000,dinars,KWD\n')
near = os.path.join(ledger.home, 'near.sock')
with Listener(near, ledger.socket):
    ledger.fund('--socket', near, 'spend', '--batch', path, '--dry-run')
is_([(p['amount'], p['currency'], p.get('exp')) for p in Listener.spends],
    [(100, 'EUR', 2), (700, 'JPY', 0), (1000, 'KWD', 3)],
    'each row says its currency and how many digits that has')

rows = 'ref,amount,reason\na1,1.00,"one, quoted"\na2,2.00,two\na3,500,too much\n'
typed = batch(rows)
is_(typed.returncode, 3, 'a batch with a refused row: exit 3', typed.stderr)
ok('line 4' in typed.stderr and 'a3' in typed.stderr, 'the refused row is named', typed.stderr)
ok('2 spent, EUR 3.00; 0 already there, 1 refused' in typed.stdout, 'and summed up', typed.stdout)
typed = batch(rows.replace('a2,', 'new,3.00,inserted\na2,'))
ok('1 spent, EUR 3.00; 2 already there, 1 refused' in typed.stdout,
   'again with a row inserted: only that one', typed.stdout)
is_(spends(), 6, 'nothing doubled')
for text, why in (('amount,reason\n1,x\n', 'no ref column'),
                  ('ref,amount,reason\n,1,x\n', 'an empty ref'),
                  ('ref,amount,reason\na,1,x\na,1,x\n', 'a ref twice'),
                  ('ref,amount,reason,colour\na,1,x,red\n', 'an unknown column'),
                  ('ref,amount,reason\nb,1.005,x\n', 'an amount that is none'),
                  ('ref,amount,reason\nb,1,\n', 'an empty reason'),
                  ('ref,amount,reason\nb,1,x,y\n', 'more cells than columns'),
                  ('ref,amount,reason,currency\nb,1,x,EUX\n', 'a currency of nowhere'),
                  ('ref,amount,reason\nb,1,"x\n', 'a quote that never ends'),
                  ('', 'an empty file')):
    typed = batch(text)
    ok(typed.returncode == 2 and typed.stderr.strip() and spends() == 6,
       'a batch with %s is refused whole' % why, typed.returncode, typed.stderr)

ok('by commas, not by semicolons' in batch('ref;amount;reason\na;1;x\n').stderr,
   'a sheet with semicolons: says so')
typed = batch('ref,amount,reason\nc1,1,x\n\n,2,y\nc3,x,z\nc4,3,\n')
ok(all('line %d' % n in typed.stderr for n in (4, 6)) and 'Nothing was sent' in typed.stderr,
   'wrong rows are told of, each with its line', typed.stderr)
typed = batch('ref,amount,reason\nc1,1.005,x\n\nc2,2,y\nc3,EUR,z\n')
ok(all('line %d' % n in typed.stderr for n in (2, 5)) and 'line 4' not in typed.stderr,
   'so are wrong amounts', typed.stderr)
for more in (('5',), ('--for', 'x'), ('--customer', 'x'), ('--category', 'x'), ('--incident', 'x'),
             ('--evidence', path), ('--id', t.new_id())):
    typed = ledger.fund('spend', '--batch', path, *more)
    ok(typed.returncode == 2 and 'stand' in typed.stderr,
       '%s beside a batch is refused, not left out' % more[0], typed.returncode, typed.stderr)
typed = batch(rows.replace('1.00', '1.50'))
ok('line 2, a1: this ref stands for another spend' in typed.stderr,
   'a row that was changed is refused',
   typed.stderr)
is_(spends(), 6, 'and nothing was recorded')
typed = batch('\ufeffref,amount,reason\r\nd1,1,x\r\n\r\nd2,900,y\r\n')
ok('1 spent, EUR 1.00' in typed.stdout and 'line 4, d2' in typed.stderr,
   'as a spreadsheet writes it: byte order mark, carriage returns', typed.stdout, typed.stderr)

is_(ledger.stop(), 0, 'the daemon ends well')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies')
t.done()

#!/usr/bin/python3 -B
# kill -9 in the middle of the work, again and again. Outside the daemon it is known what each
# client sent, in which order, and what was answered. After each restart: everything answered is
# there as it was answered, what is there was sent, in order, without a gap; what was not answered
# is sent again with its id and is there once; and the ledger verifies.
import os
import random
import selectors

from lib.ledger import *

CYCLES = int(os.environ.get('KILL9_CYCLES', 50))
CLIENTS = 8
DEPTH = 4           # calls in flight of each
BETWEEN = (10, 250)  # answers seen before the blow
random.seed(int(os.environ.get('SEED', '1')))

ledger = Ledger().start()
with ledger.connect() as setup:
    for i in range(CLIENTS):
        setup.call('Open', name='pool/%d' % i, group=os.getgid(), id=new_id())
        setup.call('TopUp', topup('pool/%d' % i, 10**12))


class Loader(Client):
    """A client that keeps DEPTH spends in flight, and remembers."""

    def __init__(self, sock, name):
        super().__init__(sock)
        sock.setblocking(False)
        self.budget = name
        self.sent = []    # the requests
        self.answers = []  # the entries

    def fill(self):
        while len(self.sent) - len(self.answers) < DEPTH:
            self.sent.append(spend(random.randint(1, 500), budget=self.budget,
                                   reason='order %d' % random.randint(1, 10**6)))
            try:
                self.sock.send(frame('Spend', self.sent[-1]))
            except (BrokenPipeError, ConnectionResetError, BlockingIOError):
                return

    def drain(self):
        """Takes in all answers that have come. False when the daemon is gone."""
        try:
            while data := self.sock.recv(1 << 16):
                self.buffer += data
            alive = False
        except BlockingIOError:
            alive = True
        except ConnectionResetError:
            alive = False
        *answers, self.buffer = self.buffer.split(b'\0')
        for answer in map(json.loads, answers):
            if 'error' in answer or answer['parameters']['replayed']:
                raise RuntimeError('unexpected: %s' % answer)
            self.answers.append(answer['parameters']['entry'])
        return alive


def work_until_blow(loaders):
    """Load, then SIGKILL at a random moment, then whatever had been answered by then."""
    selector = selectors.DefaultSelector()
    for loader in loaders:
        selector.register(loader.sock, selectors.EVENT_READ, loader)
        loader.fill()
    enough = random.randint(*BETWEEN)
    while sum(len(l.answers) for l in loaders) < enough:
        for key, _ in selector.select(PATIENCE):
            if not key.data.drain():
                raise RuntimeError('the daemon is gone: ' + ledger.log()[-1000:])
            key.data.fill()
    time.sleep(random.random() * 0.002)
    ledger.kill()
    for loader in loaders:
        while loader.drain():
            time.sleep(0.001)
    selector.close()


def same(entry, answer):
    return all(entry.get(k) == v for k, v in answer.items())


def fits(entry, request):
    return all(entry[k] == request[k] for k in ('amount', 'budget', 'id', 'currency', 'reason'))


def check(loader, stored):
    """What is wrong with one client's entries after the restart, in words; None if nothing is."""
    if not len(loader.answers) <= len(stored) <= len(loader.sent):
        return '%s: %d answered, %d stored, %d sent' % (
            loader.budget, len(loader.answers), len(stored), len(loader.sent))
    if not all(map(same, stored, loader.answers)):
        return loader.budget + ': an entry is not as it was answered'
    if not all(map(fits, stored, loader.sent)):
        return loader.budget + ': an entry is not what was sent, or out of order'
    return None


def send_again(client, loader, stored):
    """Each that was not answered, once more with its id. Returns what is wrong, or None."""
    for nth in range(len(loader.answers), len(loader.sent)):
        again = client.call('Spend', loader.sent[nth])
        if again['replayed'] != (nth < len(stored)):
            return '%s: spend %d replayed: %s' % (loader.budget, nth, again['replayed'])
        if nth < len(stored) and not same(again['entry'], stored[nth]):
            return loader.budget + ': the replay is another entry'
        loader.answers.append(again['entry'])
    return None


def cycle():
    """One blow. Returns what is wrong afterwards, one line each."""
    loaders = [Loader(ledger.connect().sock, 'pool/%d' % i) for i in range(CLIENTS)]
    work_until_blow(loaders)
    ledger.start()
    wrong = []
    with ledger.connect() as client:
        for loader in loaders:
            stored = client.audit(budgets=[loader.budget], kind='spend', reverse=True,
                                  limit=len(loader.sent) + 1)[::-1]
            ids = {request['id'] for request in loader.sent}
            stored = [e for e in stored if e['id'] in ids]
            wrong += filter(None, [check(loader, stored), send_again(client, loader, stored)])
    verified = ledger.verify()
    if verified.returncode:
        wrong.append('--verify: exit %d: %s' % (verified.returncode, verified.stderr))
    for loader in loaders:
        loader.close()
        everything.setdefault(loader.budget, []).extend(loader.answers)
        lost_answers.append(len(loader.sent) - len(loader.answers))
    return wrong


everything, lost_answers = {}, []
for n in range(CYCLES):
    wrong = cycle()
    if not ok(not wrong, 'blow %d' % (n + 1), *wrong):
        break

# ---- The whole once more ------------------------------------------------------------------------

with ledger.connect() as client:
    for name, answers in everything.items():
        stored = client.audit(budgets=[name], kind='spend')
        is_([(e['seq'], e['id'], e['amount']) for e in stored],
            [(e['seq'], e['id'], e['amount']) for e in answers],
            '%s: %d entries, each once, in order, as answered' % (name, len(answers)))
        balance = client.call('Balance', budgets=[name])['budgets'][0]['balance']
        is_(balance, 10**12 - sum(e['amount'] for e in answers), name + ': the balance fits')
    note('%d spends were answered' % sum(map(len, everything.values())))

# ---- SIGTERM finishes what is open --------------------------------------------------------------

loader = Loader(ledger.connect().sock, 'pool/0')
loader.fill()
ledger.daemon.terminate()
is_(ledger.daemon.wait(PATIENCE), 0, 'SIGTERM: exit 0')
ledger.daemon = None
while loader.drain():
    time.sleep(0.001)
ledger.start()
with ledger.connect() as client:
    stored = client.audit(budgets=['pool/0'], kind='spend', reverse=True, limit=DEPTH)[::-1]
    ids = {request['id'] for request in loader.sent}
    stored = [e for e in stored if e['id'] in ids]
    is_(check(loader, stored), None, 'SIGTERM: what was answered is there')
    is_(len(stored), len(loader.answers), 'SIGTERM: what is there was answered')

is_(ledger.stop(), 0, 'the daemon ends well')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies, every signature')
done()

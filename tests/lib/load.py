"""Spends by many clients, with an oracle outside the daemon: what each sent, in which order, and what was
answered. After a blow and a restart: everything answered is there as it was answered; what is there was sent,
in order, without a gap; what was not answered is sent again with its id and is there once.
"""
import json
import random
import selectors

from lib.ledger import *

OPENING = 10**12


class Loader(Client):
    """A client that keeps `depth` spends in flight, and remembers."""

    def __init__(self, sock, budget, depth=4):
        super().__init__(sock)
        sock.setblocking(False)
        self.budget = budget
        self.depth = depth
        self.sent = []     # the requests
        self.answers = []  # the entries
        self.refused = []  # requests that were refused as Unavailable: they must leave nothing

    def fill(self):
        while len(self.sent) - len(self.answers) < self.depth:
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
            self.take(answer)
        return alive

    def take(self, answer):
        if answer.get('error') == INTERFACE + 'Unavailable':
            self.refused.append(self.sent.pop(len(self.answers)))
        elif 'error' in answer or answer['parameters']['replayed']:
            raise RuntimeError('unexpected: %s' % answer)
        else:
            self.answers.append(answer['parameters']['entry'])


def open_pools(ledger, count):
    """pool/0 and so on, of our own group, with much in them. Their names."""
    names = ['pool/%d' % i for i in range(count)]
    with ledger.connect() as client:
        for name in names:
            client.call('Open', name=name, group=os.getgid(), id=new_id())
            client.call('TopUp', topup(name, OPENING))
    return names


def work(loaders, answers, seconds=PATIENCE):
    """Load until so many answers have come, or the time is over. Whether the daemon still lives."""
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for loader in loaders:
            selector.register(loader.sock, selectors.EVENT_READ, loader)
            loader.fill()
        while sum(len(l.answers) for l in loaders) < answers and time.monotonic() < deadline:
            for key, _ in selector.select(1):
                if not key.data.drain():
                    return False
                key.data.fill()
    return True


def same(entry, answer):
    return all(entry.get(k) == v for k, v in answer.items())


def fits(entry, request):
    return all(entry[k] == request[k] for k in ('amount', 'budget', 'id', 'currency', 'reason'))


def stored_of(client, loader):
    """The loader's entries that the ledger has, in order."""
    asked = loader.sent + loader.refused
    stored = client.audit(budgets=[loader.budget], kind='spend', reverse=True,
                          limit=len(asked) + 1)[::-1]
    ids = {request['id'] for request in asked}
    return [e for e in stored if e['id'] in ids]


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


def judge(ledger, loaders):
    """What is wrong after the restart, one line each."""
    wrong = []
    with ledger.connect() as client:
        for loader in loaders:
            stored = stored_of(client, loader)
            wrong.append(check(loader, stored) or send_again(client, loader, stored))
    verified = ledger.verify()
    if verified.returncode:
        wrong.append('--verify: exit %d: %s' % (verified.returncode, verified.stdout))
    for loader in loaders:
        loader.close()
    return [w for w in wrong if w]

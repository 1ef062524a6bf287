#!/usr/bin/python3 -B
# One flipped bit: in ledger.mdb, index.mdb, the keyring, the signing key, the config, a pending file. It must be detected, by
# the start or by a refusal, or be harmless; never may an answer differ from what was true. The daemon may stop:
# LMDB's pages carry no checksums. Three ways: the bit flips while the daemon is down after a crash (the start
# checks in a process of its own first), after a clean end, and while it runs.
#
# Control: an answer that differs is noticed.
# CORRUPT_BITS: how many bits of each kind.
import os
import random
import shutil
import struct

from lib.ledger import *

BITS = int(os.environ.get('CORRUPT_BITS', 90))
SEED = int(os.environ.get('SEED', '1'))
random.seed(SEED)
ROLES = {'manager': 'user:0 user:64020', 'cron': 'user:64030', 'auditor': 'user:64040'}

base = Ledger(roles=ROLES).start()
with base.connect() as client:
    for name, owner in (('alice', 64001), ('bob', 64002)):
        client.call('Open', name=name, owner=owner, allowance=10**6, id=new_id())
    client.call('Open', name='team/north', group=os.getgid(), allowance=10**8, id=new_id())
    requests = [spend(n + 1, budget='team/north', reason='order %d' % n, customer='c%d' % (n % 7)) for n in range(120)]
    made = [client.call('Spend', request)['entry']['seq'] for request in requests]
with base.connect() as client:
    client.call('TopUp', topup('alice', 77))
    for n in range(20):
        client.call('Refund', ref=10 + n, id=new_id())
MONTH = time.strftime('%Y-%m', time.gmtime())


def ask_balance(client, known):
    for b in client.call('Balance', all=True)['budgets']:
        known['budget', b['name']] = b


def ask_each(client, known):
    for name in ('alice', 'bob', 'team/north'):
        known['alone', name] = client.call('Balance', budgets=[name])['budgets'][0]


def ask_audit(client, known):
    """Rows that come before a refusal count, too."""
    client.send_raw(frame('Audit', {'kind': 'all'}, flags={'more': True}))
    while 'entry' in (row := client.answer()):
        if row['entry']['seq'] < SIZE:
            known['entry', row['entry']['seq']] = row['entry']


def ask_status(client, known):
    known['status'] = {k: v for k, v in client.call('Status').items()
                       if k in ('origin', 'currency', 'exp', 'timezone')}


def answer(client, method, params):
    """What it comes to, a refusal included; but not that it cannot be told now."""
    try:
        return client.call(method, params)
    except Refused as refused:
        if refused.name == 'Unavailable':
            raise
        return refused.name, refused.parameters


def ask_again(client, known):
    """Each of these has its entry, or is refused, and makes none: what the index knows."""
    for n in range(0, 120, 9):
        known['replay', n] = client.call('Spend', requests[n])['entry']
        known['altered', n] = answer(client, 'Spend', dict(requests[n], amount=7777))
        known['refund', n] = answer(client, 'Refund', {'ref': made[n], 'amount': n + 2, 'id': new_id(), 'dry_run': True})


def ask_report(client, known):
    """By the index, and a customer's chain through it."""
    known['report'] = [r['total'] for r in client.stream('Report', month=MONTH) if r.get('total')]
    known['customer'] = [e['seq'] for e in client.audit(customer='c3')]


def facts(ledger):
    """Everything that can be asked about what the base had; and whether anything was refused."""
    known, refused = {}, False
    for ask in (ask_balance, ask_each, ask_audit, ask_status, ask_again, ask_report):
        try:
            with ledger.connect() as client:
                ask(client, known)
        except (Refused, OSError):
            refused = True
    return known, refused


SIZE = 0
time.sleep(1.2)     # all that was is in ledger.mdb; what comes now is in the log alone
with base.connect() as client:
    for n in range(12):
        client.call('Spend', spend(n + 1, budget='team/north', reason='late %d' % n))
    SIZE = client.call('Status')['entries']
TRUTH, _ = facts(base)
crashed = shutil.copytree(base.dir, os.path.join(base.home, 'crashed'))
deadline = time.monotonic() + PATIENCE
with base.connect() as client:
    while (says := client.call('Status'))['folded'] < says['entries'] and time.monotonic() < deadline:
        time.sleep(0.05)
is_(base.stop(), 0, 'the daemon ends well')
ok(os.path.exists(base.dir + '/clean'), 'and leaves a note that it did')
ok(len(TRUTH) > 180, 'much is known of it', len(TRUTH))
is_([TRUTH['replay', n]['seq'] for n in range(0, 120, 9)], [made[n] for n in range(0, 120, 9)], 'old requests, too')
ledger = Ledger(init=False)
ledger.config = base.config


def fresh(clean):
    """A copy of the base where the test's ledger is: as it ended, or as the power would have left it."""
    shutil.rmtree(ledger.dir, ignore_errors=True)
    subprocess.run(['cp', '-a', '--sparse=always', base.dir if clean else crashed, ledger.dir], check=True)


def flip(path, bit):
    with open(path, 'r+b', buffering=0) as f:
        f.seek(bit // 8)
        byte = f.read(1)[0]
        f.seek(bit // 8)
        f.write(bytes([byte ^ 1 << bit % 8]))


def compare(words_may_lack=False):
    """What is wrong: an answer that is not the truth; and the outcome. Errors and a daemon that stops are allowed."""
    got, refused = facts(ledger)
    outcome = 'refused' if refused else 'harmless'
    for key, value in TRUTH.items():
        seen = got.get(key)
        if seen == value or seen is None and refused:
            continue
        if words_may_lack and seen and key[0] == 'entry' and all(
                value[k] == v for k, v in seen.items()):
            outcome = 'words'
            continue
        return '%s: %s for %s' % (key, seen, value), 'wrong'
    return None, outcome


outcomes = {}


def attempt(file, bit, how):
    """One bit. What is wrong, or None."""
    fresh(clean=how != 'crash')
    path = os.path.join(ledger.dir, file)
    env = environment(**signals_allowed())
    open(ledger.logfile, 'w').close()
    if how != 'running':
        flip(path, bit)
    try:
        ledger.start(env=env)
    except (RuntimeError, Refused) as error:
        status = re.search(r'status (-?\d+)', str(error))
        count(file, how, 'no start')
        if how == 'crash' and status and int(status.group(1)) < 0:
            return 'the start ended in a signal after a crash: %s' % error
        return None if ledger.log().strip() or status and int(status.group(1)) < 0 else 'no start, and no word'
    if how == 'running':
        flip(path, bit)
    wrong, outcome = compare(words_may_lack=file == 'keys' or 'keyring is damaged' in ledger.log())
    ledger.kill()
    count(file, how, outcome)
    return wrong


def count(file, how, outcome):
    outcomes.setdefault((file, how), {}).setdefault(outcome, 0)
    outcomes[file, how][outcome] += 1


def places(path, number):
    """Bits to flip: most where there is something other than filling, some anywhere."""
    with open(path, 'rb') as f:
        data = f.read()
    used = [at for at in range(0, len(data), 64) if data[at:at + 56] != data[at + 8:at + 64]]
    for n in range(number):
        at = random.choice(used) + random.randrange(64) if n % 8 else random.randrange(len(data))
        yield 8 * min(at, len(data) - 1) + random.randrange(8)


def metas(dir_):
    """LMDB's two pages about the whole, the newest last: (where, the transaction's number, pages taken)."""
    with open(os.path.join(dir_, 'ledger.mdb'), 'rb') as f:
        data = f.read(8192)
    found = [(at, *reversed(struct.unpack('<QQ', data[at + 120:at + 136]))) for at in (16, 4096 + 16)]
    return sorted(found, key=lambda meta: meta[1])


def meta_places(number):
    """Bits of these pages, which have no checksum: numbers of transactions and pages, roots, sizes."""
    bits = [8 * (at + byte) + bit for at in (16, 4096 + 16) for byte in range(24, 136) for bit in range(8)]
    yield from random.sample(bits, min(number, len(bits)))


def every(file, how, number, choose=None):
    wrong = []
    for bit in choose(number) if choose else places(os.path.join(base.dir if how != 'crash' else crashed, file), number):
        problem = attempt(file, bit, how)
        if problem:
            wrong.append('bit %d: %s' % (bit, problem[:300]))
    ok(not wrong, '%d bits of %s%s, %s: never a wrong answer' % (
        number, file, "'s meta pages" if choose else '', how), *wrong[:5])
    note('%s, %s: %s' % (file, how, outcomes.get((file, how))))


for how in ('crash', 'clean', 'running'):
    every('ledger.mdb', how, BITS)
    every('ledger.mdb', how, BITS // 6, meta_places)
every('ledger.wal', 'crash', BITS)
ok('no start' in outcomes['ledger.wal', 'crash'], 'a damaged log is not passed over')
every('index.mdb', 'clean', BITS // 2)
every('index.mdb', 'running', BITS // 4)
ok('no start' not in outcomes['index.mdb', 'clean'], 'a damaged index never keeps it from starting')
every('keys', 'clean', BITS // 3)
every('keys', 'running', BITS // 3)
every('signing.key', 'clean', BITS // 5)

# ---- What is written on a damaged page ------------------------------------------------------------------------

GROWS = 64 << 20    # bytes that the file may grow by at most


def work_on(bit, how):
    """Spends while there is that damage, through a round of settling, and a crash. What is wrong, or None."""
    fresh(clean=True)
    path, size, answered = ledger.data(), os.path.getsize(ledger.data()), {}
    env = environment(**signals_allowed())
    try:
        if how != 'running':
            flip(path, bit)
        ledger.start(env=env)
        if how == 'running':
            flip(path, bit)
        with ledger.connect() as client:
            for n in range(30):
                entry = client.call('Spend', spend(1, budget='team/north'))['entry']
                answered['entry', entry['seq']] = entry
                time.sleep(1.1 if n == 20 else 0)  # settled
    except (RuntimeError, Refused, OSError):
        # it may stop, or take no money; but what it answered is to be there, or to be missed
        time.sleep(2 if how == 'running' else 0)    # settled
    ledger.kill()
    if os.path.getsize(path) > size + GROWS:
        return 'the file has grown by %d bytes' % (os.path.getsize(path) - size)
    try:
        ledger.start(env=env)
    except RuntimeError:
        return None if ledger.log().strip() else 'no start, and no word'
    known, refused = {}, False
    try:
        with ledger.connect() as client:
            client.send_raw(frame('Audit', {'kind': 'all'}, flags={'more': True}))
            while 'entry' in (row := client.answer()):
                known['entry', row['entry']['seq']] = row['entry']
    except (Refused, OSError):
        refused = True
    ledger.kill()
    entries = {**{key: e for key, e in TRUTH.items() if key[0] == 'entry'}, **answered}
    for key, entry in entries.items():
        if known.get(key) != entry and not (refused and key not in known):
            return '%s: %s for %s' % (key, known.get(key), entry)
    return None


(older, _, _), (newest, _, taken) = metas(base.dir)
few, many = 8 * (newest + 120) + taken.bit_length() - 1, 8 * (newest + 120) + 26    # bits of how many pages are taken
for name, bit, how, said in (
        ('the older page about the whole becomes the newest', 8 * (older + 128) + 40, 'clean', 'last ended well'),
        ('so many pages are taken that the disk would be filled', many, 'clean', 'cannot open the ledger'),
        ('so few that pages with rows would be taken again', few, 'clean', 'cannot open the ledger'),
        ('so many, while it runs', many, 'running', 'cannot be moved'),
        ('so few, while it runs', few, 'running', 'cannot be moved')):
    open(ledger.logfile, 'w').close()
    is_(work_on(bit, how), None, name)
    ok(said in ledger.log(), '... it is noticed', ledger.log())
wrong = ['bit %d, %s: %s' % (bit, how, problem) for how in ('clean', 'running')
         for bit in [*places(base.data(), BITS // 90), *meta_places(BITS // 90)] if (problem := work_on(bit, how))]
ok(not wrong, 'what is answered by a daemon with a damaged page is there, or missed', *wrong[:5])

# ---- What the start does, and says ------------------------------------------------------------------------------

fresh(clean=False)
with open(ledger.data(), 'r+b') as f:
    f.seek(4096 * 2)
    f.write(os.urandom(60 * 4096))
open(ledger.logfile, 'w').close()
ledger.spawn(env=environment(**signals_allowed()))
is_(ledger.daemon.wait(PATIENCE), 6, 'garbage for pages, after a crash: exit 6')
ledger.daemon = None
ok('corrupt' in ledger.log() and 'backup' in ledger.log(), 'in words', ledger.log())
fresh(clean=False)
ledger.start()
ok('checking the ledger first' in ledger.log(), 'a start after a crash checks first')
is_(ledger.stop(), 0, 'it ends well')
open(ledger.logfile, 'w').close()
ledger.start()
ok('checking the ledger first' not in ledger.log(), 'a start after a clean end does not')
ledger.kill()
open(ledger.logfile, 'w').close()
ledger.start()
ok('checking the ledger first' in ledger.log(), 'after kill -9 it does')
is_(ledger.stop(), 0, 'it ends well')

# ---- The config: refused with a line, or taken with its meaning -----------------------------------------------

with open(base.config, 'rb') as f:
    config = f.read()
fresh(clean=True)
wrong, refused = [], 0
bits = random.sample(range(8 * len(config)), min(BITS // 2, 8 * len(config)))
for bit in bits:
    ledger.config = os.path.join(ledger.home, 'flipped.conf')
    shutil.copy(base.config, ledger.config)
    flip(ledger.config, bit)
    open(ledger.logfile, 'w').close()
    try:
        ledger.start()
    except RuntimeError:
        refused += 1
        if not re.search(r', line \d+: ', ledger.log()):
            wrong.append('bit %d: no line is named: %s' % (bit, ledger.log()))
        continue
    with ledger.connect() as client:
        budget = client.call('Balance', budgets=['team/north'])['budgets'][0]
        if budget != TRUTH['budget', 'team/north']:
            wrong.append('bit %d: %s' % (bit, budget))
    if ledger.stop() != 0:
        wrong.append('bit %d: it did not end well' % bit)
ok(not wrong, '%d bits of the config' % len(bits), *wrong[:5])
note('config: %d refused with their line' % refused)
ledger.config = base.config

# ---- A pending request ------------------------------------------------------------------------------------------

fresh(clean=True)
ledger.start()
state = os.path.join(ledger.home, 'state-%d' % os.geteuid())
front = os.path.join(ledger.home, 'front.sock')


class Thief(Proxy):
    """Takes the answer to a spend, and is gone."""

    def answer(self, method, reply):
        if method == 'Spend':
            os.unlink(self.path)
            sys.exit()


Thief(front, ledger.socket)
typed = ledger.fund('--socket', front, 'spend', '3', '--budget', 'team/north', '--for', 'a lost answer')
folder = os.path.join(state, 'fund', 'pending')
names = os.listdir(folder)
ok(names, 'a request whose answer was lost is kept', typed.stderr)
with open(os.path.join(folder, names[0]), 'rb') as f:
    kept = f.read()
os.symlink(ledger.socket, front)


def spends():
    with ledger.connect() as client:
        return [(e['amount'], e['reason'], e['budget']) for e in client.audit(kind='spend')]


before = spends()
sent = 0
bits = random.sample(range(8 * len(kept)), min(BITS // 2, 8 * len(kept)))
for bit in bits:
    with open(os.path.join(folder, names[0]), 'wb') as f:
        f.write(kept)
    flip(os.path.join(folder, names[0]), bit)
    said = ledger.fund('pending', '--send')
    sent += said.returncode == 0 and 'amaged' not in said.stderr
    first_word = said.stderr[:200]
    if said.returncode < 0:
        ok(False, 'bit %d of a pending file: no crash' % bit, said.stderr)
after = spends()
ok(after == before or after == before + [(300, 'a lost answer', 'team/north')],
   '%d bits of a pending file: nothing but what was typed is sent' % len(bits), after[-3:])
note('pending: %d of them sent; the last time: %s' % (sent, first_word))
is_(ledger.stop(), 0, 'the daemon ends well')

# ---- Control ----------------------------------------------------------------------------------------------------

TRUTH['entry', 5] = dict(TRUTH['entry', 5], at='2000-01-01T00:00:00.000000Z')
fresh(clean=True)
ledger.start()
ok(compare()[0], 'control: an answer that differs is noticed')
is_(ledger.stop(), 0, 'the daemon ends well')
done()

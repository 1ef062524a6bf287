#!/usr/bin/env python3
# A verifier that was written from fund-ledger(5) alone agrees with fundd, on a good ledger and on
# damaged ones: the page says all that it takes.
import os
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
import ledger as t
import stranger
from forge import row_bytes

ALICE, BOB, TEAM = 60001, 60002, 60100


def long_ago():
    """An environment in which it is a month and a half ago."""
    words = t.run(['faketime', '-f', '+0', 'sh', '-c', 'echo "$LD_PRELOAD"'])
    return t.environment(LD_PRELOAD=words.stdout.strip(), FAKETIME='-45d')


def begin(ledger):
    ledger.vkey = t.run([t.program('fundd'), '--init', '--origin', 'test.example/fund',
                         '--timezone',
                         'Europe/Berlin', '--dir',
                         ledger.dir], env=long_ago(), check=True).stdout.strip()
    ledger.start(env=long_ago())


def play(ledger):
    """Every kind of entry but resets, which need another day."""
    boss, alice = ledger.connect(), ledger.connect(ALICE)
    both = ledger.connect(BOB, BOB, [TEAM])

    def call(who, method, **params):
        return who.call(method, dict(params, id=t.new_id()))['entry']['seq']

    call(boss, 'Open', name='team/north', group=TEAM, allowance=90000, period='week', carry='all')
    call(boss, 'Open', name='alice', owner=ALICE, allowance=20000, period='month', carry='cap',
         cap=5000, pool='team/north', self_topup=3000, guideline=5000)
    call(boss, 'Open', name='bob', owner=BOB, allowance=0, period='none')
    spent = alice.call('Spend', t.spend(2500, customer='C-1', category='late'))['entry']['seq']
    alice.call('Spend', t.spend(700, customer='C-1', incident='I-9', reason='"Blumen" für Łukasz'))
    drawn = alice.call('TopUp', t.topup('alice', 3000))['entry']['seq']
    call(alice, 'Refund', ref=drawn, amount=1000)
    alice.call('TopUp', t.topup('alice', 1000))
    boss.call('TopUp', t.topup('bob', 1234))
    both.call('Spend', t.spend(100, budget='team/north'))
    call(alice, 'Refund', ref=spent, amount=500, reason='not all of it')
    call(boss, 'Adjust', name='alice', allowance=25000, period='week', clear=['guideline'])
    boss.audit(budgets=['alice'])
    call(boss, 'Close', name='bob', reason='moved away')
    for client in (boss, alice, both):
        client.close()


class Copy:
    """The ledger's files as a stranger gets them."""

    def __init__(self, ledger):
        self.rows_tool = t.program('tests/tools/rows')
        self.file = ledger.data()
        with open(os.path.join(ledger.dir, 'keys'), 'rb') as f:
            self.keys = f.read()
        count = int(self.tool('count'))
        self.rows = [self.tool('get', str(seq)) for seq in range(count)]

    def tool(self, *words):
        return t.subprocess.run([self.rows_tool, self.file, *words], check=True,
                                capture_output=True).stdout


def finds(name, rows, keys, vkey=None):
    try:
        stranger.verify(rows, keys, vkey)
        t.ok(False, name, 'it was not found')
    except (stranger.Bad, KeyError, IndexError, ValueError) as problem:
        t.ok(True, '%s (%s)' % (name, problem))


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def forged(bytes_, seq=5):
    """All the rows, with this one in the place of the real one."""
    return copy.rows[:seq] + [bytes_] + copy.rows[seq + 1:]


t.need_root('it plays several people')
home = t.Ledger(roles={'manager': 'user:0', 'cron': 'user:0'}, init=False)
begin(home)
play(home)
home.stop()
t.is_(home.rotate_key().returncode, 0, 'it gets a new key')
home.start()
client = home.connect()
t.ok(client.call('Reset')['reset'] > 6, 'weeks and months were made up for')
status, checkpoint = client.call('Status'), client.call('Checkpoint')
balances = {b['name']: b['balance'] for b in client.call('Balance', all=True)['budgets']}
client.close()
t.is_(home.stop(), 0, 'a ledger of every kind was made')

copy = Copy(home)
count, root, books, memos = stranger.verify(copy.rows, copy.keys, home.vkey)
t.is_(books.keys, [home.vkey, checkpoint['vkey']], 'both verifier keys')
t.ok(True, 'the stranger verifies it')
t.is_(count, status['entries'], 'it has as many entries as the daemon said')
t.is_(checkpoint['checkpoint'].splitlines()[2], root, 'the root is the checkpoint\'s')
open_ones = {n: b.balance for n, b in books.budgets.items() if b.open}
t.is_(open_ones, {n: b for n, b in balances.items() if n in open_ones}, 'the balances agree')
said = home.verify('--all')
t.ok(said.returncode == 0 and '%d entries' % count in said.stdout + said.stderr and
     root in said.stdout + said.stderr, 'fundd --verify says the same', said.stdout, said.stderr)
words = [m.get('reason') for m in memos if m]
t.ok('"Blumen" für Łukasz' in words, 'the words open, as they were written', words)
kinds = {e['kind'] for e in books.entries}
t.is_(kinds, set(stranger.KINDS), 'no kind was left out')

last = len(copy.rows) - 1
leaf, hashes, previous, memo, heads = stranger.row_parts(5, copy.rows[5])
leaf, hashes = bytearray(leaf), bytearray(hashes)
amount = leaf.index(b'"amount":') + 9
for at in (0, 30, len(copy.rows[5]) - 1):
    finds('a flipped bit at byte %d of a row' % at, forged(flipped(copy.rows[5], at)), copy.keys)
leaf[amount] ^= 1
finds('another amount', forged(row_bytes(5, leaf, hashes, previous, memo, heads)), copy.keys)
hashes[:32] = stranger.sha256(b'\0', leaf)
finds('... with its hash', forged(row_bytes(5, leaf, hashes, previous, memo, heads)), copy.keys)
leaf[amount] ^= 1
hashes[:32] = stranger.sha256(b'\0', leaf)
previous[-1] = 4 if previous[-1] != 4 else 3
finds('another back pointer', forged(row_bytes(5, leaf, hashes, previous, memo, heads)), copy.keys)
parts = stranger.row_parts(last, copy.rows[last])
finds('an end that is not signed', forged(row_bytes(last, *parts[:4], b''), last), copy.keys)
finds('a signature of another', forged(row_bytes(last, *parts[:4], flipped(parts[4], 20)), last),
      copy.keys)
finds('a signature of the new key alone, while both sign',
      forged(row_bytes(last, *parts[:4], parts[4][68:]), last),
      copy.keys)
finds('a missing row', copy.rows[:3] + copy.rows[4:], copy.keys)
finds('two rows exchanged', copy.rows[:3] + [copy.rows[4], copy.rows[3]] + copy.rows[5:], copy.keys)
finds('a row cut short', copy.rows[:last] + [copy.rows[last][:-1]], copy.keys)
finds('another verifier key', copy.rows, copy.keys, home.vkey[:-4] + 'AAA=')
finds('another key for a memo', copy.rows, flipped(copy.keys, 512 + 32 * 5))
erased = copy.keys[:512 + 32 * 5] + bytes(32) + copy.keys[544 + 32 * 5:]
t.is_(stranger.verify(copy.rows, erased)[1], root, 'erased words change no hash')
t.done()

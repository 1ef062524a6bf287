#!/usr/bin/python3 -B
# fundd --verify: a good ledger passes; rows that are cut, flipped, missing, exchanged, forged or
# unsigned at the end never do, and whatever a damaged file does to the process that reads it is
# told as damage. And: the books made from the ledger at start are the books that ran.
import hashlib
import os
import random
import struct

from lib.ledger import *
from lib.forge import row_bytes

REFUSED = 6
random.seed(int(os.environ.get('SEED', '1')))
rows_tool = program('tests/tools/rows')

ledger = Ledger(zone='Europe/Berlin').start()
uid, gid = os.getuid(), os.getgid()

# ---- A ledger with everything in it -------------------------------------------------------------

with ledger.connect() as client:
    call = client.call
    call('Open', name='team/north', group=gid, allowance=90000, period='week', carry='all',
         id=new_id())
    call('Open', name='alice', owner=uid, allowance=20000, pool='team/north', self_topup=5000,
         guideline=2500, id=new_id())
    call('Open', name='bob', owner=uid + 77001, allowance=15000, carry='cap', cap=3000,
         period='day', id=new_id())
    call('Open', name='gone', group=gid, currency='JPY', allowance=100, id=new_id())
    for n in range(12):
        seq = call('Spend', spend(100 + n, customer='C%d' % (n % 3), incident='I%d' % n,
                                  category='late-delivery'))['entry']['seq']
    call('Refund', ref=seq, amount=50, reason='it came after all', id=new_id())
    call('TopUp', topup('alice', 1200, **{'from': 'team/north'}))
    call('TopUp', topup('bob', 999, reason='well done'))
    call('Spend', spend(700, budget='team/north', category='goodwill'))
    call('Adjust', name='bob', allowance=17000, guideline=100, id=new_id())
    call('Close', name='gone', id=new_id())
    call('Reset')
    client.audit(budgets=['bob'])
    client.audit(budgets=['bob'], kind='spend')


def books():
    """Everything that a start must make again from the ledger."""
    with ledger.connect() as client:
        return client.call('Balance', all=True)['budgets']


ran = books()
is_(sorted(b['name'] for b in ran), ['alice', 'bob', 'gone', 'team/north'], 'all are shown')
is_(ledger.stop(), 0, 'the daemon ends well')
ledger.start()
is_(books(), ran, 'started again, the books are as they ran')
ledger.kill()
ledger.start()
is_(books(), ran, 'after kill -9 too')

# One commit of several entries at the end: whoever cuts its last row off leaves an unsigned end.
with ledger.connect() as client:
    ledger.daemon.send_signal(signal.SIGSTOP)
    for n in range(5):
        client.send('Spend', spend(n + 1))
    time.sleep(0.02)
    ledger.daemon.send_signal(signal.SIGCONT)
    last = [client.answer()['entry'] for n in range(5)][-1]['seq']

for options in ([], ['--all']):
    beside = ledger.verify(*options)
    is_(beside.returncode, 0, 'beside the running daemon: %s' % ' '.join(options), beside.stderr)
ran = books()
is_(ledger.stop(), 0, 'the daemon ends well')
good = ledger.verify()
is_(good.returncode, 0, 'a good ledger verifies', good.stderr)
match = re.fullmatch(r'verified (\d+) entries, root (\S+)\n', good.stdout)
if ok(match, 'and is told so, with its root', good.stdout):
    is_(int(match.group(1)), last + 1, 'all of its entries')
is_(ledger.verify('--all').stdout, good.stdout, '--all says the same')


# ---- Rows ---------------------------------------------------------------------------------------

class Row:
    """A stored row taken apart as fund-ledger(5) has it, and put together again with a checksum
    that fits: anybody can compute it."""

    def __init__(self, seq, data):
        self.seq = seq
        self.leaf, self.hashes, self.previous, self.memo, self.heads = stranger.row_parts(seq, data)
        if self.bytes() != data:
            raise ValueError('row %d is not as described' % seq)

    def bytes(self):
        return row_bytes(self.seq, self.leaf, self.hashes, self.previous, self.memo, self.heads)


def rows(file, *words, data=None):
    done = subprocess.run([rows_tool, file, *map(str, words)], input=data, capture_output=True,
                          env=environment())
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return done.stdout


def compact_copy(place):
    """A copy of the ledger without the room filled ahead."""
    os.mkdir(place, 0o700)
    for name in os.listdir(ledger.dir):
        if not name.endswith('-lock'):
            with open(os.path.join(ledger.dir, name), 'rb') as f:
                data = f.read()
            if name == 'ledger.mdb':
                data = data[:used_bytes(data)]
            with open(os.path.join(place, name), 'wb') as f:
                f.write(data)
            os.chmod(os.path.join(place, name), 0o600)
    return place


def used_bytes(data):
    """Up to the last page: LMDB's two meta pages say it, each behind a header of 16 bytes."""
    page, = struct.unpack_from('<I', data, 16 + 24)
    return 4096 * (1 + max(struct.unpack_from('<Q', data, start + 16 + 120)[0]
                           for start in (0, 4096))) if page in (0, 4096) else len(data)


plain = compact_copy(os.path.join(ledger.home, 'plain'))
is_(ledger.verify('--all', dir=plain).stdout, good.stdout, 'a copy verifies like it')


class Copy:
    """A copy of the ledger's directory to be damaged; a context manager."""

    def __enter__(self):
        self.dir = os.path.join(ledger.home, 'copy')
        shutil.copytree(plain, self.dir)
        self.file = os.path.join(self.dir, 'ledger.mdb')
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def row(self, seq):
        return Row(seq, rows(self.file, 'get', seq))

    def put(self, row):
        rows(self.file, 'put', row.seq, data=row.bytes())


def judged(name, copy, *options, says=None):
    """The copy is refused: exit 6, and a sentence that names `says`."""
    got = ledger.verify(*options, dir=copy.dir)
    told = got.stdout + got.stderr
    ok(got.returncode == REFUSED and 'verified' not in told and len(told.strip()) > 10 and
       (says is None or 'entry %d ' % says in told), name + ': refused',
       'exit %d' % got.returncode, told)


middle = last // 2

for seq in (0, 1, middle, last - 1, last):
    raw = rows(plain + '/ledger.mdb', 'get', seq)
    for size in sorted({1, 5, len(raw) // 2, len(raw) - 8, len(raw) - 1}):
        with Copy() as copy:
            rows(copy.file, 'put', seq, data=raw[:size])
            judged('row %d cut to %d bytes' % (seq, size), copy, says=seq)
    with Copy() as copy:
        rows(copy.file, 'put', seq, data=raw + b'\0')
        judged('row %d with a byte more' % seq, copy, says=seq)
    with Copy() as copy:
        rows(copy.file, 'put', seq, data=b'')
        judged('row %d empty' % seq, copy, says=seq)
    for bit in random.sample(range(8 * len(raw)), 6):
        with Copy() as copy:
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            rows(copy.file, 'put', seq, data=bytes(flipped))
            judged('row %d with bit %d flipped' % (seq, bit), copy, says=seq)

for seq in (0, 1, middle, last - 1):
    with Copy() as copy:
        rows(copy.file, 'drop', seq)
        judged('row %d missing' % seq, copy, says=seq)

with Copy() as copy:
    rows(copy.file, 'drop', last)
    judged('the last row of the last commit missing: an unsigned end', copy)
with Copy() as copy:
    row = copy.row(last)
    ok(row.heads, 'the last row is signed')
    row.heads = b''
    copy.put(row)
    judged('no signature at the end', copy)
with Copy() as copy:
    row = copy.row(last)
    row.heads = row.heads[:4] + bytes(64)
    copy.put(row)
    judged('a signature of zeros at the end', copy)
with Copy() as copy:
    row = copy.row(last)
    row.heads = bytes([row.heads[0] ^ 1]) + row.heads[1:]
    copy.put(row)
    judged('a signature by a key that nobody knows', copy)
with Copy() as copy:
    earlier = next(r for r in (copy.row(s) for s in range(middle, 0, -1)) if r.heads)
    row = copy.row(last)
    row.heads = earlier.heads
    copy.put(row)
    judged('the signature of an earlier head at the end', copy)
with Copy() as copy:
    heads = [s for s in range(last) if copy.row(s).heads]
    row = copy.row(heads[len(heads) // 2])
    row.heads = row.heads[:20] + bytes([row.heads[20] ^ 1]) + row.heads[21:]
    copy.put(row)
    judged('an earlier signature flipped, with --all', copy, '--all', says=row.seq)
with Copy() as copy:
    one, two = copy.row(middle), copy.row(middle + 1)
    one.seq, two.seq = two.seq, one.seq
    copy.put(one)
    copy.put(two)
    judged('two rows exchanged', copy)
with Copy() as copy:
    row = copy.row(last)
    row.seq += 1
    copy.put(row)
    judged('the last row twice', copy)
with Copy() as copy:
    row = copy.row(last)
    row.seq += 5
    copy.put(row)
    judged('a row behind a gap', copy)


def forge(name, change, *options, says=None):
    """A row changed in one part, with a checksum that fits: only deeper checks see it."""
    with Copy() as copy:
        row = copy.row(middle)
        change(row)
        copy.put(row)
        judged(name, copy, *options, says=says)


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def set_part(part, value):
    return lambda row: setattr(row, part, value(getattr(row, part)))


def rehashed(change):
    """The leaf is changed and its hash with it."""
    def apply(row):
        row.leaf = change(row.leaf)
        row.hashes = hashlib.sha256(b'\0' + row.leaf).digest() + row.hashes[32:]
    return apply


forge('a leaf changed, not its hash', set_part('leaf', lambda b: b.replace(b'"v":1', b'"v":2')),
      says=middle)
forge('an amount changed, its hash too',
      rehashed(lambda b: re.sub(rb'"amount":(\d)', lambda m: b'"amount":%d' % (int(m[1]) % 9 + 1),
                                b)))
forge('a category changed, its hash too', rehashed(lambda b: b.replace(b'late-', b'fast-')))
forge('a leaf with a blank in it, its hash too', rehashed(lambda b: b.replace(b',', b', ', 1)))
forge('a leaf hash changed', set_part('hashes', lambda b: flip(b, 3)), says=middle)
forge('a hash more', set_part('hashes', lambda b: b + bytes(32)), says=middle)
forge('no hashes', set_part('hashes', lambda b: b''), says=middle)
forge('a back pointer changed', set_part('previous', lambda p: [*p[:-1], p[-1] - 1]), says=middle)
forge('a back pointer missing', set_part('previous', lambda p: p[1:]), says=middle)
forge('a memo changed, with --all', set_part('memo', lambda b: flip(b, len(b) // 2)), '--all',
      says=middle)
forge('no memo, with --all', set_part('memo', lambda b: b''), '--all', says=middle)

# ---- The keyring --------------------------------------------------------------------------------

HEADER, SLOT = 512, 32


def edit_keys(change):
    """A copy whose keyring went through `change`."""
    copy = Copy().__enter__()
    path = os.path.join(copy.dir, 'keys')
    with open(path, 'rb') as f:
        data = bytearray(f.read())
    data = change(data) or data
    with open(path, 'wb') as f:
        f.write(data)
    return copy


def zero_slot(data, seq):
    data[HEADER + SLOT * seq:HEADER + SLOT * (seq + 1)] = bytes(SLOT)


def flip_at(data, at, bit=0):
    data[at] ^= 1 << bit


copy = edit_keys(lambda data: flip_at(data, HEADER + SLOT * middle + 7))
judged('a key flipped, with --all', copy, '--all', says=middle)
copy.__exit__()
copy = edit_keys(lambda data: flip_at(data, 16))
judged("another ledger's keyring, with --all", copy, '--all')
copy.__exit__()
copy = edit_keys(lambda data: data[:HEADER + SLOT * middle])
judged('a keyring cut short, with --all', copy, '--all')
copy.__exit__()
copy = edit_keys(lambda data: zero_slot(data, middle))
is_(ledger.verify('--all', dir=copy.dir).stdout, good.stdout, 'an erased memo is no damage')
copy.__exit__()

# ---- Files --------------------------------------------------------------------------------------

size = os.path.getsize(plain + '/ledger.mdb')


def harmless(got):
    """Either refused, or the same ledger."""
    if got.returncode == REFUSED:
        return 'verified' not in got.stdout
    return got.returncode == 0 and got.stdout == good.stdout


wrong, refused = [], 0
with Copy() as copy:
    with open(copy.file, 'rb') as f:
        whole = f.read()
    leaf = whole.index(b'"seq":%d,' % middle)
    places = [random.randrange(size) for _ in range(150)] + \
        [random.randrange(8192) for _ in range(40)] + \
        [page + at for page in range(0, size, 4096) for at in (0, 8, 10, 12, 14, 17)][:300]
    for at in places:
        bit = random.randrange(8)
        with open(copy.file, 'r+b') as f:
            f.seek(at)
            f.write(bytes([whole[at] ^ 1 << bit]))
        got = ledger.verify(dir=copy.dir)
        refused += got.returncode == REFUSED
        if not harmless(got):
            wrong.append('byte %d, bit %d: exit %d: %s%s' % (at, bit, got.returncode, got.stdout,
                                                             got.stderr[-300:]))
        with open(copy.file, 'r+b') as f:
            f.seek(at)
            f.write(whole[at:at + 1])
    ok(not wrong, '%d bits flipped, one at a time: %d refused, the others harmless'
       % (len(places), refused), *wrong[:10])
    ok(refused > 40, 'a good part was seen', refused)
    for at in range(leaf, leaf + 40, 5):
        with open(copy.file, 'r+b') as f:
            f.seek(at)
            f.write(bytes([whole[at] ^ 1]))
        judged('a bit of entry %d flipped in the file' % middle, copy, says=middle)
        with open(copy.file, 'r+b') as f:
            f.seek(at)
            f.write(whole[at:at + 1])

for cut in (0, 1, 4096, 8192):
    with Copy() as copy:
        os.truncate(copy.file, cut)
        judged('the file cut to %d bytes' % cut, copy)
wrong, refused = [], 0
for cut in range(size - 4096, 8192, -4096):  # what is cut off may be a page that is not in use
    with Copy() as copy:
        os.truncate(copy.file, cut)
        got = ledger.verify(dir=copy.dir)
        refused += got.returncode == REFUSED
        if not harmless(got):
            wrong.append('cut to %d bytes: exit %d' % (cut, got.returncode))
ok(not wrong and refused > 2, 'pages cut off the end: refused, or they held nothing', *wrong)
with Copy() as copy:
    with open(copy.file, 'wb') as f:
        f.write(random.randbytes(size))
    judged('noise instead of the file', copy)
with Copy() as copy:
    os.unlink(copy.file)
    got = ledger.verify(dir=copy.dir)
    ok(got.returncode not in (0, -signal.SIGSEGV) and got.stderr and
       not os.path.exists(copy.file), 'no file at all: refused, and none is made',
       'exit %d' % got.returncode, got.stderr)

# ---- A check that is killed ---------------------------------------------------------------------

def killed_check(number):
    """What a check says whose process gets that signal; None: it was sooner."""
    check = subprocess.Popen([program('fundd'), '--verify', '--all', '--dir', ledger.dir],
                             stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, env=environment())
    children = '/proc/%d/task/%d/children' % (check.pid, check.pid)
    while check.poll() is None:
        with open(children) as f:
            child = f.read().split()
        if child:
            os.kill(int(child[0]), number)
            break
    out, err = check.communicate(timeout=PATIENCE)
    return None if 'verified' in out else (check.returncode, out, err)


for number, word in ((signal.SIGKILL, 'memory'), (signal.SIGTERM, 'signal')):
    got = next(filter(None, (killed_check(number) for _ in range(50))), None)
    ok(got and got[0] == 1 and not got[1] and word in got[2],
       'a check that got %s says nothing of the ledger'
       % number.name, got)

# ---- A log that is missing ----------------------------------------------------------------------

def without_log(name, change, told):
    """A daemon dies with its last spends in the log alone, a change is made, and the check tells of it or not."""
    other = Ledger().start()
    with other.connect() as client:
        client.call('Open', name='pool', group=0, allowance=1000, id=new_id())
        for _ in range(5):
            client.call('Spend', spend(1, budget='pool'))
    change(other)
    for options in ((), ('--all',)):
        got = other.verify(*options)
        ok(got.returncode == 0 and ('may be missing' in got.stderr) == told,
           '%s: the check %s' % (name, 'warns' if told else 'says nothing of it'), got.returncode,
           got.stdout, got.stderr)
    other.kill()
    other.strange = False
    shutil.rmtree(other.dir)
    Ledger.all.remove(other)


def died_and(change):
    return lambda other: (other.kill(), change(os.path.join(other.dir, 'ledger.wal')))


def ended_and(change):
    return lambda other: (other.stop(), change(os.path.join(other.dir, 'ledger.wal')))


without_log('a log is there beside the daemon', lambda other: None, False)
without_log('a log is there after its death', died_and(lambda path: None), False)
without_log('a log is removed after its death', died_and(os.unlink), True)
without_log('a log is removed beneath it',
            lambda other: os.unlink(os.path.join(other.dir, 'ledger.wal')), True)
without_log('a log is cut short after its death', died_and(lambda path: os.truncate(path, 1 << 22)),
            True)
without_log('a log is removed after a good end', ended_and(os.unlink), False)

# ---- The daemon does not serve what is damaged --------------------------------------------------

def starts(dir):
    """Whether a daemon answers from there."""
    other = Ledger(init=False)
    other.dir = dir
    try:
        other.start(env=environment(**signals_allowed()))
    except RuntimeError as error:
        return str(error)
    other.kill()
    return None


for name, change in (('no signature at the end', lambda c: rows(c.file, 'drop', last)),
                     ('a row missing', lambda c: rows(c.file, 'drop', middle)),
                     ('no keyring', lambda c: os.unlink(c.dir + '/keys')),
                     ('the file cut', lambda c: os.truncate(c.file, 8192))):
    with Copy() as copy:
        change(copy)
        ok(starts(copy.dir), 'the daemon does not start with ' + name)

with Copy() as copy:
    is_(starts(copy.dir), None, 'it does with a good copy')

ledger.start()
is_(books(), ran, 'at last, the books are as they ran')
is_(ledger.stop(), 0, 'the daemon ends well')
done()

"""A verifier of ledgers, written from fund-ledger(5) alone, with nothing but Python's own library.

It shares no code with fundd, so that the two check each other, and the page.
"""
import base64
import hashlib
import json
import re
import struct

NONE = 2**64 - 1
BUILT_IN = ('company', 'spent')
HEAD = ('v seq at kind uid budget from to amount currency exp from_after to_after ref period '
        'category id').split()
GENESIS = 'origin vkey zone prior_origin prior_size prior_root'.split()
TERMS = 'owner group allowance every carry cap pool self_topup guideline'.split()
OWN = {'genesis': GENESIS, 'key': ['vkey', 'until'], 'open': TERMS, 'adjust': TERMS}
KINDS = 'genesis boot open adjust close topup reset spend refund audit key'.split()
WITH_ID = 'open adjust close topup spend refund audit'.split()


class Bad(Exception):
    pass


def need(condition, problem):
    if not condition:
        raise Bad(problem)


def sha256(*parts):
    return hashlib.sha256(b''.join(parts)).digest()


# ---- Ed25519, as in RFC 8032, section 6 ---------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = add(q, p)
        p, n = add(p, p), n >> 1
    return q


def point(data):
    y = int.from_bytes(data, 'little')
    sign, y = y >> 255, y & (1 << 255) - 1
    need(y < P, 'a point is not on the curve')
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    need((x * x - x2) % P == 0, 'a point is not on the curve')
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, 'little'))


def signed(key, text, signature):
    s = int.from_bytes(signature[32:], 'little')
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), 'little') % ORDER
    p, q = times(s, BASE), add(point(signature[:32]), times(h, point(key)))
    return s < ORDER and not (p[0] * q[2] - q[0] * p[2]) % P and not (p[1] * q[2] - q[1] * p[2]) % P


# ---- XChaCha20-Poly1305, as in RFC 8439 and draft-irtf-cfrg-xchacha ------------------------------

def rounds(state):
    x = list(state)
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            for one, two, three, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                x[one] = (x[one] + x[two]) & 0xffffffff
                v = x[three] ^ x[one]
                x[three] = (v << turn | v >> (32 - turn)) & 0xffffffff
    return x


def chacha_state(key, tail):
    return struct.unpack('<4I', b'expand 32-byte k') + struct.unpack('<8I', key) + \
        struct.unpack('<4I', tail)


def unseal(key, data, nonce, sealed):
    x = rounds(chacha_state(key, nonce[:16]))
    key = struct.pack('<8I', *x[:4], *x[12:])

    def block(counter):
        state = chacha_state(key, struct.pack('<II', counter, 0) + nonce[16:])
        return struct.pack('<16I', *((a + b) & 0xffffffff for a, b in zip(state, rounds(state))))

    text, tag = sealed[:-16], sealed[-16:]
    r, s = block(0)[:16], int.from_bytes(block(0)[16:32], 'little')
    r = int.from_bytes(r, 'little') & 0x0ffffffc0ffffffc0ffffffc0fffffff
    mac, sum_ = b'', 0
    for part in (data, text):
        mac += part + bytes(-len(part) % 16)
    mac += struct.pack('<QQ', len(data), len(text))
    for i in range(0, len(mac), 16):
        sum_ = (sum_ + int.from_bytes(mac[i:i + 16] + b'\1', 'little')) * r % (2**130 - 5)
    need(((sum_ + s) % 2**128).to_bytes(16, 'little') == tag, 'a memo does not open')
    stream = b''.join(block(i + 1) for i in range(-(-len(text) // 64)))
    return bytes(a ^ b for a, b in zip(text, stream))


# ---- XXH64, as in its specification, doc/xxhash_spec.md of xxHash ---------------------------------

M64 = 2**64 - 1
P1, P2, P3 = 0x9e3779b185ebca87, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9
P4, P5 = 0x85ebca77c2b2ae63, 0x27d4eb2f165667c5


def turned(n, by):
    return (n << by | n >> (64 - by)) & M64


def lane(acc, value):
    return turned((acc + value * P2) & M64, 31) * P1 & M64


def xxh64(data, seed=0):
    at, acc = 0, (seed + P5) & M64
    if len(data) >= 32:
        lanes = [(seed + n) & M64 for n in (P1 + P2, P2, 0, -P1)]
        for at in range(0, len(data) - 31, 32):
            lanes = [lane(a, v) for a, v in zip(lanes, struct.unpack_from('<4Q', data, at))]
        at += 32
        acc = sum(turned(a, by) for a, by in zip(lanes, (1, 7, 12, 18))) & M64
        for value in lanes:
            acc = ((acc ^ lane(0, value)) * P1 + P4) & M64
    acc = (acc + len(data)) & M64
    for size, first, by, times_, plus in ((8, None, 27, P1, P4), (4, P1, 23, P2, P3),
                                          (1, P5, 11, P1, 0)):
        while len(data) - at >= size:
            value = int.from_bytes(data[at:at + size], 'little')
            acc ^= lane(0, value) if first is None else value * first & M64
            acc = (turned(acc, by) * times_ + plus) & M64
            at += size
    for shift, prime in ((33, P2), (29, P3), (32, 1)):
        acc = (acc ^ acc >> shift) * prime & M64
    return acc


# ---- Proofs, as in RFC 9162, sections 2.1.3.2 and 2.1.4.2 ----------------------------------------

def inclusion_check(index, size, leaf_hash, path, root):
    """That the leaf is number `index` of the tree of this size and root."""
    need(index < size, 'the index is beyond the tree')
    fn, sn, r = index, size - 1, leaf_hash
    for p in path:
        need(sn, 'the proof is too long')
        if fn & 1 or fn == sn:
            r = sha256(b'\1', p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b'\1', r, p)
        fn, sn = fn >> 1, sn >> 1
    need(not sn and r == root, 'the proof does not lead to the root')


def consistency_check(old, old_root, size, root, path):
    """That the tree of `old` leaves is the beginning of the other."""
    need(old <= size, 'the old tree is the larger one')
    if old in (0, size):
        need(not path and (not old or old_root == root), 'another tree of the same size')
        return
    path = list(path)
    if old & old - 1 == 0:
        path.insert(0, old_root)
    need(path, 'the proof is empty')
    fn, sn, fr = old - 1, size - 1, path[0]
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    sr = fr
    for c in path[1:]:
        need(sn, 'the proof is too long')
        if fn & 1 or fn == sn:
            fr, sr = sha256(b'\1', c, fr), sha256(b'\1', c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha256(b'\1', sr, c)
        fn, sn = fn >> 1, sn >> 1
    need(not sn and fr == old_root and sr == root, 'the proof does not lead to the roots')


# ---- Rows and leaves ----------------------------------------------------------------------------

def completed(seq):
    """How many subtrees leaf `seq` completes."""
    return (seq ^ seq + 1).bit_length()


def row_split(seq, row):
    """Leaf, hashes, previous, memo and heads, whatever the row's checksum says."""
    need(len(row) >= 13 and row[0] == 1, 'the row is cut, or of an unknown version')
    leaf_end = 4 + int.from_bytes(row[2:4], 'big')
    at = hashes_end = leaf_end + 32 * completed(seq)
    end = len(row) - 9 - 68 * row[-9]
    previous = []
    for _ in range(row[1]):
        size, distance = 1, 0
        while row[at + size - 1] & 128:
            size += 1
        for byte in reversed(row[at:at + size]):
            distance = distance << 7 | byte & 127
        need(distance <= seq and (size == 1 or distance >> 7 * (size - 1)),
             'a back pointer is wrong')
        previous.append(seq - distance if distance else NONE)
        at += size
    need(at <= end, 'the row is cut')
    return row[4:leaf_end], row[leaf_end:hashes_end], previous, row[at:end], row[end:-9]


def row_parts(seq, row):
    need(xxh64(row[:-8], seq) == int.from_bytes(row[-8:], 'big'), 'the checksum is wrong')
    return row_split(seq, row)


LOG_SEGMENT, LOG_PAGE, LOG_MAGIC = 4 << 20, 4096, b'\xf5wal\r\n\x1a\1'


def log_record(segment, at):
    """The record there: the number of its first row, the checksum before it, its rows. None: it is not whole."""
    head = segment[at:at + 40]
    if head[:8] != LOG_MAGIC or xxh64(head[:32]) != int.from_bytes(head[32:], 'big'):
        return None
    first, count, length = struct.unpack('>QII', head[8:24])
    rows, at, end = [], at + 40, at + 40 + length
    while len(rows) < count and at + 4 <= end <= len(segment):
        size = int.from_bytes(segment[at:at + 4], 'big')
        row = segment[at + 4:at + 4 + size]
        if size < 9 or at + 4 + size > end or xxh64(row[:-8], first + len(rows)) != int.from_bytes(row[-8:], 'big'):
            return None
        rows.append(row)
        at += 4 + size
    return (first, head[24:32], rows) if count and len(rows) == count and at == end else None


def log_rows(log, rows):
    """What the log adds to the rows of ledger.mdb."""
    records = [record for segment in chunks(log, LOG_SEGMENT)
               for at in range(0, LOG_SEGMENT, LOG_PAGE)
               if (record := log_record(segment, at))]
    rows = list(rows)
    for first, prior, more in sorted(records, key=lambda record: record[0]):
        if first + len(more) > len(rows):
            need(first <= len(rows) and prior == (rows[first - 1][-8:] if first else bytes(8)),
                 'the log does not go on where ledger.mdb ends')
            rows += more[len(rows) - first:]
    return rows


def chunks(data, size):
    need(len(data) % size == 0, 'a part is cut')
    return [data[i:i + size] for i in range(0, len(data), size)]


def leaf_entry(leaf):
    """The leaf as a dict, if its bytes are the one form there is."""
    text = leaf.decode('ascii')
    entry = json.loads(text)
    need(json.dumps(entry, separators=(',', ':')) == text and len(leaf) <= 2048,
         'the leaf is not in its form')
    for value in entry.values():
        need(re.fullmatch('[ !#-[\\]-~]+', value) if type(value) is str
             else type(value) is int and 0 <= value < 2**63, 'a value is not in its form')
    need(entry['v'] == 1, 'the version of the leaf is unknown')
    if entry['kind'] in KINDS:
        order = HEAD + OWN.get(entry['kind'], []) + ['memo']
        need(list(entry) == [k for k in order if k in entry], 'the fields are out of order')
    return entry


def label_kind(label):
    for pattern, kind in ((r'\d{4}-\d\d', 'month'), (r'\d{4}-W\d\d', 'week'),
                          (r'\d{4}-\d\d-\d\d', 'day')):
        if re.fullmatch(pattern, label or ''):
            return kind
    return 'none'


def label_next(label):
    from datetime import date, timedelta
    if label_kind(label) == 'month':
        year, month = map(int, label.split('-'))
        return '%04d-%02d' % (year + month // 12, month % 12 + 1)
    if label_kind(label) == 'week':
        monday = date.fromisocalendar(int(label[:4]), int(label[6:]), 1) + timedelta(7)
        return '%04d-W%02d' % monday.isocalendar()[:2]
    return str(date.fromisoformat(label) + timedelta(1))


# ---- The books ----------------------------------------------------------------------------------

class Budget:
    def __init__(self):
        self.open, self.balance, self.spent, self.drawn, self.last = True, 0, 0, 0, NONE
        self.terms, self.current = {}, None

    def enter(self, label):
        if label != self.current:
            self.current, self.spent, self.drawn = label, 0, 0

    def draws(self, entry):
        return entry['uid'] == self.terms.get('owner') and entry['from'] == self.terms.get('pool')


class Books:
    def __init__(self):
        self.keys, self.until = [], ''  # every verifier key, the current one last
        self.budgets, self.entries, self.ids, self.refunded = {}, [], set(), {}
        self.spent, self.balances, self.granting = 0, 0, None

    def touched(self, entry):
        names = [entry.get(k) for k in ('budget', 'from', 'to')]
        return [n for n in dict.fromkeys(names) if n and n not in BUILT_IN]

    def move(self, entry):
        fields = ('from', 'to', 'from_after', 'to_after')
        if 'amount' not in entry:
            need(not any(k in entry for k in fields), 'accounts without an amount')
            return
        need(entry['amount'] > 0 and entry['from'] != entry['to'], 'nothing moves')
        for side, sign in (('from', -1), ('to', 1)):
            name, after = entry[side], entry.get(side + '_after')
            if name in BUILT_IN:
                need(after is None, 'a built-in account has no balance')
                self.spent += sign * entry['amount'] if name == 'spent' else 0
                continue
            budget = self.budgets[name]
            need(budget.open, 'the account is closed')
            need((entry['currency'], entry['exp']) == budget.terms['money'], 'another currency')
            budget.balance += sign * entry['amount']
            self.balances += sign * entry['amount']
            need(budget.balance == after and after >= 0, 'the balance after is wrong')
        need(0 <= self.spent < 2**63, 'too much was spent')
        need(self.balances < 2**63, 'too much money')

    def terms(self, entry):
        terms = {k: entry[k] for k in TERMS if k in entry}
        need(('owner' in terms) != ('group' in terms), 'an owner or a group')
        need(('cap' in terms) == (terms['carry'] == 'cap'), 'a cap with carry cap')
        need(terms['every'] != 'none' or terms['carry'] == 'none', 'nothing to carry')
        need(('pool' in terms) == ('self_topup' in terms), 'pool and self_topup')
        need(terms.get('self_topup', 1) and terms.get('guideline', 1), 'a zero in the terms')
        terms['money'] = (entry['currency'], entry['exp'])
        if 'pool' in terms:
            pool = self.budgets[terms['pool']]
            need('owner' in terms and pool.open and 'group' in pool.terms and
                 pool.terms['money'] == terms['money'], 'no such pool')
        need(label_kind(entry.get('period')) == terms['every'], 'the period is of another kind')
        others = [b for n, b in self.budgets.items() if n != entry['budget']]
        need('owner' not in terms or all(
            not b.open or b.terms.get('owner') != terms['owner'] for b in others), 'two budgets')
        return terms

    def expect(self, entry, **fields):
        for key, value in fields.items():
            need(entry.get(key.rstrip('_')) == value, 'its %s is wrong' % key.rstrip('_'))

    def apply(self, entry):
        kind, name = entry['kind'], entry.get('budget')
        need(entry['seq'] == len(self.entries), 'the number is wrong')
        need((kind == 'genesis') == (not self.entries), 'the genesis is entry 0')
        need(not self.entries or entry['at'] > self.entries[-1]['at'], 'the time is not later')
        need(('id' in entry) >= (kind in WITH_ID), 'no id')
        if 'id' in entry:
            need((entry['uid'], entry['id']) not in self.ids, 'the id was used')
            self.ids.add((entry['uid'], entry['id']))
        need(not self.granting or (kind, name) == ('reset', self.granting), 'no allowance')
        if kind == 'open':
            need(name not in self.budgets, 'the name was used')
            terms = self.terms(entry)
            self.budgets[name] = Budget()
            self.budgets[name].terms = terms
        budget = self.budgets[name] if name else None
        if kind in ('adjust', 'close', 'topup', 'reset', 'spend'):
            need(budget.open, 'the budget is closed')
        if kind in ('close', 'topup', 'spend'):
            self.expect(entry, period=budget.current)
        check = getattr(self, 'apply_' + kind, None)
        if check:
            check(entry, budget)
        self.move(entry)
        for touched in self.touched(entry):
            self.budgets[touched].last = entry['seq']
        if kind == 'close':
            need(budget.balance == 0, 'something is left')
            budget.open = False
        self.entries.append(entry)

    def signers(self):
        """The verifier keys that sign a head which ends here."""
        return self.keys[-2:] if self.entries[-1]['at'] <= self.until else self.keys[-1:]

    def apply_genesis(self, entry, budget):
        need(key_of(entry['vkey'])[0] == entry['origin'], 'the key is not the origin\'s')
        prior = [entry.get('prior_' + k) for k in ('origin', 'size', 'root')]
        need(prior == [None] * 3 or prior[0] != entry['origin'] and prior[1] > 0 and
             len(base64.b64decode(prior[2], validate=True)) == 32, 'no prior ledger')
        self.keys = [entry['vkey']]

    def apply_key(self, entry, budget):
        need(key_of(entry['vkey'])[0] == key_of(self.keys[0])[0], 'a key of another origin')
        need(entry['vkey'] != self.keys[-1] and entry['until'] >= entry['at'], 'no new key')
        need('amount' not in entry, 'money moves')
        named = [e['seq'] for e in self.entries if e['kind'] in ('genesis', 'key')]
        self.expect(entry, ref=named[-1])
        self.keys.append(entry['vkey'])
        self.until = entry['until']

    def apply_open(self, entry, budget):
        budget.enter(entry.get('period'))
        need(entry.get('amount', 0) == entry['allowance'], 'opening grants the allowance')
        if entry['allowance']:
            self.expect(entry, from_='company', to=entry['budget'])

    def apply_adjust(self, entry, budget):
        terms = self.terms(entry)
        need('amount' not in entry and terms['money'] == budget.terms['money'] and
             ('owner' in terms) == ('owner' in budget.terms), 'this cannot be adjusted')
        if terms['every'] == budget.terms['every']:
            self.expect(entry, period=budget.current)
        budget.terms = terms
        budget.enter(entry.get('period'))

    def apply_close(self, entry, budget):
        if 'amount' in entry:
            self.expect(entry, from_=entry['budget'], to='company', from_after=0)

    def apply_topup(self, entry, budget):
        self.expect(entry, to=entry['budget'])
        need(entry['from'] == 'company' or 'group' in self.budgets[entry['from']].terms, 'no pool')
        if budget.draws(entry):
            budget.drawn += entry['amount']
            need(budget.drawn <= budget.terms['self_topup'], 'too much was drawn')

    def apply_spend(self, entry, budget):
        self.expect(entry, from_=entry['budget'], to='spent')
        budget.spent += entry['amount']
        need(budget.spent < 2**63, 'too much was spent')

    def apply_reset(self, entry, budget):
        terms, name = budget.terms, entry['budget']
        grant = {'from_': 'company', 'to': name, 'amount': terms['allowance']}
        if self.granting:
            self.granting = None
            self.expect(entry, period=budget.current, **grant)
            return
        keep = {'none': 0, 'all': budget.balance, 'cap': min(budget.balance, terms.get('cap', 0))}
        lapse = budget.balance - keep[terms['carry']]
        self.expect(entry, period=label_next(budget.current))
        if lapse:
            self.expect(entry, from_=name, to='company', amount=lapse)
            self.granting = name if terms['allowance'] else None
        else:
            self.expect(entry, **(grant if terms['allowance'] else {'amount': None}))
        budget.enter(entry['period'])

    def apply_refund(self, entry, budget):
        original = self.entries[entry['ref']]
        need(original['kind'] in ('spend', 'topup'), 'this is not refunded')
        source = self.budgets.get(original['from'])
        back = 'company' if source and not source.open else original['from']
        self.expect(entry, budget=original['budget'], category=original.get('category'),
                    from_=original['to'], to=back, period=budget.current if budget.open else None)
        done = self.refunded.get(entry['ref'], 0) + entry['amount']
        need(done <= original['amount'], 'too much is refunded')
        self.refunded[entry['ref']] = done
        if not budget.open:
            return
        if original['kind'] == 'spend':
            budget.spent -= entry['amount']
        elif budget.draws(original) and original.get('period') == budget.current:
            budget.drawn -= entry['amount']

    def apply_audit(self, entry, budget):
        need(label_kind(entry.get('period')) == 'day', 'an audit has its day')


# ---- Notes ---------------------------------------------------------------------------------------

def key_of(vkey):
    """The name, key id and key that a verifier key holds."""
    name, ident, data = vkey.split('+', 2)
    data = base64.b64decode(data, validate=True)
    need(data[0] == 1 and len(data) == 33, 'no Ed25519 key')
    need(sha256(name.encode(), b'\n', data)[:4].hex() == ident, 'the key id is wrong')
    return name, bytes.fromhex(ident), data[1:]


def note_check(note, vkeys):
    """The text of a note that all these keys signed."""
    text, _, lines = note.rpartition('\n\n')
    signatures = {}
    for line in lines.splitlines():
        dash, name, data = line.split(' ')
        data = base64.b64decode(data, validate=True)
        need(dash == '\u2014' and len(data) > 4, 'a signature line is malformed')
        signatures[name, data[:4]] = data[4:]
    for name, ident, key in map(key_of, vkeys):
        need((name, ident) in signatures, 'a key did not sign')
        need(signed(key, text.encode() + b'\n', signatures[name, ident]), 'a signature is wrong')
    return text + '\n'


def note_names(note, vkey):
    """Whether the note has a signature that says it is of this key."""
    name, ident, _ = key_of(vkey)
    return any(line.split(' ')[1] == name and base64.b64decode(line.split(' ')[2])[:4] == ident
               for line in note.rpartition('\n\n')[2].splitlines())


def cosignature_check(note, vkey):
    """The Unix time at which this witness cosigned the note."""
    name, ident, data = vkey.split('+', 2)
    data = base64.b64decode(data, validate=True)
    need(data[0] == 4 and sha256(name.encode(), b'\n', data)[:4].hex() == ident,
         'no key of a witness')
    text, _, lines = note.rpartition('\n\n')
    for line in lines.splitlines():
        _, who, signature = line.split(' ')
        signature = base64.b64decode(signature, validate=True)
        if who == name and signature[:4].hex() == ident:
            time = int.from_bytes(signature[4:12], 'big')
            cosigned = 'cosignature/v1\ntime %d\n%s\n' % (time, text)
            need(len(signature) == 76 and signed(data[1:], cosigned.encode(), signature[12:]),
                 'it is wrong')
            return time
    raise Bad('the witness did not cosign it')


SUM_LINE = len('AAAAAAAAAAA=\n')


def witnesses_of(text):
    """What the file `witnesses` holds: verifier key, note, and what had moved, of each witness."""
    text, sum = text[:-SUM_LINE], text[-SUM_LINE:]
    need(base64.b64decode(sum) == xxh64(text.encode()).to_bytes(8, 'big'), 'the checksum is wrong')
    first, _, text = text.partition('\n')
    need(first == 'fundd witnesses v1', 'no file of witnesses')
    found = []
    while text:
        line, _, text = text.partition('\n')
        need(line.startswith('witness '), 'no witness')
        vkey, moved = line[8:], {}
        line, _, text = text.partition('\n')
        while line.startswith('moved '):
            currency, exp, amount = line[6:].split(' ')
            moved[currency, int(exp)] = int(amount)
            line, _, text = text.partition('\n')
        need(line.startswith('note '), 'no note')
        data = text.encode()
        size = int(line[5:])
        found.append((vkey, data[:size].decode(), moved))
        text = data[size:].decode()
    return found


def root_of(hashes):
    """RFC 6962, section 2.1, over leaf hashes."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256()
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b'\1', root_of(hashes[:half]), root_of(hashes[half:]))


# ---- The whole ----------------------------------------------------------------------------------

def memo_check(seq, entry, sealed, slot):
    commitment = base64.b64decode(entry['memo'], validate=True)
    if slot == bytes(32):
        return None
    memo = unseal(slot, struct.pack('>Q', seq) + commitment, commitment[:24], sealed)
    need(sha256(b'fundd memo v1\n', memo) == commitment, 'the commitment is wrong')
    return json.loads(memo[32:])


def heads_check(heads, books, root, thorough):
    """The row's signatures are those of the keys that must sign it."""
    want = dict(key_of(vkey)[1:] for vkey in books.signers())
    got = {h[:4]: h[4:] for h in chunks(heads, 68)}
    need(got.keys() == want.keys() and len(heads) == 68 * len(got), 'the head is not signed')
    text = '%s\n%d\n%s\n' % (key_of(books.keys[0])[0], len(books.entries), root)
    for ident, key in want.items():
        need(not thorough or signed(key, text.encode(), got[ident]), 'the signature is wrong')


def verify(rows, keyring, vkey=None, sample=1):
    """The number of entries, the root, the books and the memos (None: erased); raises Bad. Of the memos and of
    the signatures that are looked at with --all, every `sample`th is checked: Python is slow at it."""
    books, edge, memos, heads, new_key = Books(), [], [], (), False
    for seq, row in enumerate(rows):
        leaf, hashes, previous, sealed, heads = row_parts(seq, row)
        entry = leaf_entry(leaf)
        if not seq:
            need(vkey in (None, entry['vkey']), 'another key')
            need(keyring[:512] == ('fundd keys v1\n%s\n'
                                   % entry['origin']).encode().ljust(512, b'\0'),
                 'another keyring')
        want = [sha256(b'\0', leaf)]
        while seq >> len(want) - 1 & 1:
            want.append(sha256(b'\1', edge.pop(), want[-1]))
        edge.append(want[-1])
        need(chunks(hashes, 32) == want, 'the hashes are wrong')
        before = [books.budgets[n].last if n in books.budgets else NONE
                  for n in books.touched(entry)]
        need(previous == before, 'the back pointers are wrong')
        books.apply(entry)
        sampled = seq % sample == 0
        if sampled:
            memos.append(memo_check(seq, entry, sealed, keyring[512 + 32 * seq:544 + 32 * seq]))
        new_key |= entry['kind'] == 'key'
        if heads:
            need(not books.granting, 'a head between the two entries of a reset')
            last = seq == len(rows) - 1
            heads_check(heads, books, root_at(edge), sampled or last or new_key)
            new_key = False
    need(rows and heads, 'the last entry is not signed')
    return len(rows), root_at(edge), books, memos


def root_at(edge):
    root = edge[-1]
    for node in reversed(edge[:-1]):
        root = sha256(b'\1', node, root)
    return base64.b64encode(root).decode()


def receipt_check(receipt, vkeys):
    """A Receipt, proven by a head that one of these keys signed. The entry and the words (None: not known)."""
    lines, _, note = receipt['proof'].partition('\n\n')
    first, index, *path = lines.split('\n')
    need(first == 'c2sp.org/tlog-proof@v1' and re.fullmatch('index (0|[1-9][0-9]*)', index),
         'no proof')
    text = note_check(note, [v for v in vkeys if note_names(note, v)])
    need(any(note_names(note, v) for v in vkeys), 'no known key signed the head')
    origin, size, root = text.splitlines()
    need(origin == key_of(vkeys[0])[0], 'another ledger')
    leaf, index = receipt['leaf'].encode(), int(index[6:])
    inclusion_check(index, int(size), sha256(b'\0', leaf),
                    [base64.b64decode(p, validate=True) for p in path], base64.b64decode(root))
    entry = leaf_entry(leaf)
    need(entry['seq'] == index, 'another entry')
    if 'memo' not in receipt:
        return entry, None
    memo = base64.b64decode(receipt['salt'], validate=True) + receipt['memo'].encode()
    need(base64.b64encode(sha256(b'fundd memo v1\n', memo)).decode() == entry['memo'],
         'other words')
    return entry, json.loads(receipt['memo'])

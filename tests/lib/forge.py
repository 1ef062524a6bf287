"""What somebody with an editor, and perhaps the ledger's own key, could make of a stored ledger."""
import json
import subprocess

import stranger
from witness import Key, sign


def row_bytes(seq, leaf, hashes, previous, memo, heads):
    """A row of these parts, with a checksum that fits."""
    row = bytes((1, len(previous))) + len(leaf).to_bytes(2, 'big') + leaf + hashes
    for at in previous:
        distance = 0 if at == stranger.NONE else seq - at
        while distance > 127:
            row, distance = row + bytes((distance & 127 | 128,)), distance >> 7
        row += bytes((distance,))
    row += memo + heads + bytes((len(heads) // 68,))
    return row + stranger.xxh64(row, seq).to_bytes(8, 'big')


class Forgery:
    """The rows of a ledger directory, to be changed and written back."""

    def __init__(self, dir_, tool):
        """`tool`: build/tests/tools/rows."""
        self.dir, self.tool = dir_, tool
        self.file = dir_ + '/ledger.mdb'
        data, at, self.rows = self.run('dump'), 0, []
        while at < len(data):
            size = int.from_bytes(data[at:at + 4], 'big')
            self.rows.append(data[at + 4:at + 4 + size])
            at += 4 + size
        self.was = list(self.rows)

    def run(self, *words, data=b''):
        return subprocess.run([self.tool, self.file, *words], input=data, check=True,
                              capture_output=True).stdout

    def parts(self, seq):
        return stranger.row_parts(seq, self.rows[seq])

    def set(self, seq, parts):
        """A row of these parts, with a checksum that fits."""
        self.rows[seq] = row_bytes(seq, *parts)

    def entry(self, seq):
        return json.loads(self.parts(seq)[0])

    def set_entry(self, seq, entry):
        self.set(seq, [json.dumps(entry, separators=(',', ':')).encode(), *self.parts(seq)[1:]])

    def renumber(self):
        """After rows were taken out or moved: numbers, times and back pointers that fit. Hashes do not yet."""
        leaves = [json.loads(r[4:4 + int.from_bytes(r[2:4], 'big')]) for r in self.rows]
        last, at, seqs = {}, sorted(leaf['at'] for leaf in leaves), [leaf['seq'] for leaf in leaves]
        for seq, row in enumerate(self.rows):
            leaf, _, _, memo, heads = stranger.row_split(seqs[seq], row)
            entry = dict(json.loads(leaf), seq=seq, at=at[seq])
            touched = [n for n in dict.fromkeys(entry.get(k) for k in ('budget', 'from', 'to'))
                       if n and n not in stranger.BUILT_IN]
            previous = [last.get(n, stranger.NONE) for n in touched]
            hashes = bytes(32 * stranger.completed(seq))
            last.update((n, seq) for n in touched)
            self.set(seq, [json.dumps(entry, separators=(',', ':')).encode(), hashes, previous,
                           memo, heads])

    def rebalance(self):
        """Balances after that fit the amounts."""
        balance = {}
        for seq in range(len(self.rows)):
            entry = self.entry(seq)
            for side, sign in (('from', -1), ('to', 1)):
                name = entry.get(side)
                if name and name not in stranger.BUILT_IN:
                    balance[name] = balance.get(name, 0) + sign * entry['amount']
                    entry[side + '_after'] = balance[name]
            self.set_entry(seq, entry)

    def rehash(self, key=None):
        """All hashes anew; with a key, all heads too: those that were there, and the last one."""
        edge = []
        for seq in range(len(self.rows)):
            leaf, _, previous, memo, heads = self.parts(seq)
            hashes = [stranger.sha256(b'\0', leaf)]
            while seq >> len(hashes) - 1 & 1:
                hashes.append(stranger.sha256(b'\1', edge.pop(), hashes[-1]))
            edge.append(hashes[-1])
            if key and (heads or seq == len(self.rows) - 1):
                text = '%s\n%d\n%s\n' % (key.name, seq + 1, stranger.root_at(edge))
                heads = key.id + sign(key.seed, text.encode())
            self.set(seq, [leaf, b''.join(hashes), previous, memo, heads])

    def write(self):
        for seq, row in enumerate(self.rows):
            if seq >= len(self.was) or row != self.was[seq]:
                self.run('put', str(seq), data=row)
        for seq in range(len(self.rows), len(self.was)):
            self.run('drop', str(seq))


def ledger_key(dir_, name):
    """The key whose seed lies in the directory."""
    with open(dir_ + '/signing.key', 'rb') as f:
        return Key(name, 1, f.read())

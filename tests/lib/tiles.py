"""A ledger exported as tiles, read as C2SP's tlog-tiles describes them, by nobody who shares code with fund."""
import base64
import os
import struct

import stranger


def widths(size):
    """The full tiles of a level of that size, and the partial one."""
    return [(n, 256) for n in range(size // 256)] + ([(size // 256, size % 256)]
                                                     if size % 256 else [])


class Tiles:
    """A directory; `vkey` is the key that its checkpoint must be signed with."""

    def __init__(self, dir, vkey):
        self.dir, self.vkey = dir, vkey

    def path(self, level, number, width=256):
        parts = ['%03d' % (number % 1000)]
        while number >= 1000:
            number //= 1000
            parts.insert(0, 'x%03d' % (number % 1000))
        return os.path.join(self.dir, 'tile', str(level),
                            *parts) + ('.p/%d' % width if width < 256 else '')

    def raw(self, *where):
        with open(self.path(*where), 'rb') as f:
            return f.read()

    def head(self):
        """The size and the root that are signed; of no checkpoint, 0 and None. Raises Bad."""
        try:
            with open(os.path.join(self.dir, 'checkpoint')) as f:
                _, size, root, _ = stranger.note_check(f.read(), [self.vkey]).split('\n')
        except FileNotFoundError:
            return 0, None
        return int(size), base64.b64decode(root)

    def tile(self, level, number, width, unit):
        """The bytes of a tile; where a partial one is gone, the full one that it became stands for it, and
        unit(bytes, at) says where the element at `at` ends."""
        try:
            return self.raw(level, number, width)
        except FileNotFoundError:
            data, at = self.raw(level, number), 0
            for _ in range(width):
                at = unit(data, at)
            return data[:at]

    def leaves(self):
        """All that the checkpoint speaks of; every tile is compared. Raises Bad, and OSError for what is missing."""
        size, root = self.head()
        leaves = []
        for number, width in widths(size):
            data, at = self.tile('entries', number, width, leaf_end), 0
            for _ in range(width):
                end = leaf_end(data, at)
                stranger.need(end <= len(data), 'a tile of leaves is cut')
                leaves.append(data[at + 2:end])
                at = end
            stranger.need(at == len(data), 'more than the leaves in a tile')
        level, hashes = 0, [stranger.sha256(b'\0', leaf) for leaf in leaves]
        stranger.need(not root or stranger.root_of(hashes) == root, 'another root')
        while hashes:
            for number, width in widths(len(hashes)):
                want = b''.join(hashes[256 * number:256 * number + width])
                stranger.need(self.tile(level, number, width, lambda _, at: at + 32) == want,
                              'tile %d/%d is wrong' % (level, number))
            hashes = [stranger.root_of(hashes[i:i + 256]) for i in range(0, len(hashes) - 255, 256)]
            level += 1
        return leaves

    def names(self):
        return sorted(os.path.relpath(os.path.join(top, f), self.dir)
                      for top, _, files in os.walk(self.dir) for f in files)

    def contents(self):
        """Every file's bytes but those of partial tiles: they may be of any earlier size."""
        found = {}
        for name in self.names():
            if '.p/' not in name:
                with open(os.path.join(self.dir, name), 'rb') as f:
                    found[name] = f.read()
        return found

    def stale(self):
        """Partial tiles beside the full one that stands for them."""
        return [n for n in self.names() if '.p/' in n
                and os.path.exists(os.path.join(self.dir, n.split('.p/')[0]))]


def leaf_end(data, at):
    stranger.need(at + 2 <= len(data), 'a tile of leaves is cut')
    return at + 2 + struct.unpack_from('>H', data, at)[0]

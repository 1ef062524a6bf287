"""A witness that cosigns what it is told to, good or bad: Ed25519 signing of RFC 8032 over stranger.py's curve."""
import base64
import hashlib

import stranger


def compressed(p):
    z = pow(p[2], stranger.P - 2, stranger.P)
    x, y = p[0] * z % stranger.P, p[1] * z % stranger.P
    return (y | (x & 1) << 255).to_bytes(32, 'little')


def secret(seed):
    digest = hashlib.sha512(seed).digest()
    a = int.from_bytes(digest[:32], 'little') & (1 << 254) - 8 | 1 << 254
    return a, digest[32:]


def public(seed):
    return compressed(stranger.times(secret(seed)[0], stranger.BASE))


def sign(seed, text):
    a, prefix = secret(seed)
    key = public(seed)

    def number(*parts):
        return int.from_bytes(hashlib.sha512(b''.join(parts)).digest(), 'little') % stranger.ORDER

    r = number(prefix, text)
    big_r = compressed(stranger.times(r, stranger.BASE))
    return big_r + ((r + number(big_r, key, text) * a) % stranger.ORDER).to_bytes(32, 'little')


class Key:
    """A key of one role: type 1 signs notes, type 4 cosigns checkpoints."""

    def __init__(self, name, type_=4, seed=None):
        self.name, self.type = name, type_
        self.seed = seed or hashlib.sha256(name.encode()).digest()
        self.typed = bytes([type_]) + public(self.seed)
        self.id = stranger.sha256(name.encode(), b'\n', self.typed)[:4]
        self.vkey = '%s+%s+%s' % (name, self.id.hex(), base64.b64encode(self.typed).decode())

    def line(self, signature):
        return '\u2014 %s %s\n' % (self.name, base64.b64encode(self.id + signature).decode())

    def signature(self, note, time=1764000000):
        """The line to put below a note."""
        text = note.rpartition('\n\n')[0].encode() + b'\n'
        if self.type == 1:
            return self.line(sign(self.seed, text))
        text = b'cosignature/v1\ntime %d\n' % time + text
        return self.line(time.to_bytes(8, 'big') + sign(self.seed, text))

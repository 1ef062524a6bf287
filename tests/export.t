#!/usr/bin/env python3
# fund export --format tiles: what it writes is read back by a stranger, who knows the specification
# alone, and by fund verify; it goes on where it ended, and takes nothing of a directory on trust.
import json
import os
import shutil
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
import ledger as t
import stranger
from ledger import ok, is_
from tiles import Tiles, widths

for name in ('fund-export', 'fund-verify'):
    t.program(name)
ledger = t.Ledger().start()
with ledger.connect() as client:
    client.call('Open', name='alice', owner=os.geteuid(), allowance=10**9, id=t.new_id())
out = os.path.join(ledger.home, 'tiles')


def grow(to):
    """Spends until the ledger has `to` entries."""
    with ledger.connect() as client:
        count = to - client.call('Status')['entries']
        for n in range(count):
            client.send('Spend', t.spend(1))
            if n % 32 == 31 or n == count - 1:
                for _ in range(n % 32 + 1):
                    client.answer()


def export(*words, **env):
    return ledger.fund('export', '--format', 'tiles', out, *words, **env)


published = Tiles(out, ledger.vkey)
path, raw, names = published.path, published.raw, published.names


def stranger_reads():
    """The leaves, whose books come out; raises Bad."""
    leaves, books = published.leaves(), stranger.Books()
    for leaf in leaves:
        books.apply(stranger.leaf_entry(leaf))
    return leaves


for size in (3, 4, 255, 256, 257, 511, 513, 1025):
    grow(size)
    typed = export()
    is_(typed.returncode, 0, 'export at %d entries' % size, typed.stdout, typed.stderr)
    is_(len(stranger_reads()), size, 'a stranger reads them, and every tile')
    typed = ledger.fund('verify', out)
    ok(typed.returncode == 0 and '%d entries' % size in typed.stdout, 'fund verify does',
       typed.stdout, typed.stderr)
is_(published.stale(), [], 'where a full tile is, the partial ones are gone')
is_([n for n in names() if os.path.basename(n).startswith('.')], [], 'nothing is left aside')
ok(all(os.stat(os.path.join(out, n)).st_mode & 0o777 == 0o644 for n in names()),
   'a web server may read them')
text = b''.join(raw('entries', n, w) for n, w in widths(1025))
ok(b'parcel came late' not in text and b'"reason"' not in text, 'no words are in them')
said = json.loads(export('--json').stdout)
is_((said['size'], said['before']), (1025, 1025), 'again: nothing new')
fresh = out + '-fresh'
is_(ledger.fund('export', '--format', 'tiles', fresh).returncode, 0, 'all at once')
for name in names():
    if '.p/' in name and not os.path.exists(os.path.join(fresh, name)):
        continue    # of an earlier size: the specification lets them stay
    with open(os.path.join(out, name), 'rb') as a, open(os.path.join(fresh, name), 'rb') as b:
        if a.read() != b.read():
            ok(False, name + ' is another one than exported bit by bit')

# ---- Damage: found by both, and not built upon --------------------------------------------------


def flip(name, at=40):
    with open(name, 'r+b') as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 1]))


for what, where in (('a hash tile', (0, 2)), ('a partial hash tile', (1, 0, 4)),
                    ('a tile of leaves', ('entries', 1))):
    shutil.rmtree(fresh)
    shutil.copytree(out, fresh)
    flip(path(*where))
    typed = ledger.fund('verify', out)
    ok(typed.returncode == 6 and 'tile' in typed.stderr or 'entry' in typed.stderr,
       what + ' with a flipped bit: said where',
       typed.stderr)
    shutil.rmtree(out)
    shutil.copytree(fresh, out)
os.unlink(path('entries', 2))
typed = ledger.fund('verify', out)
ok(typed.returncode == 6 and 'missing' in typed.stderr, 'a tile that is missing: said',
   typed.stderr)
shutil.rmtree(out)
shutil.copytree(fresh, out)
for what, where in (('hashes', (0, 4, 1)), ('leaves', ('entries', 4, 1))):
    for more in (b'\0\0', b'\0' * 32):
        with open(path(*where), 'ab') as f:
            f.write(more)
        typed = ledger.fund('verify', out)
        ok(typed.returncode == 6 and 'than its name says' in typed.stderr
           or 'as many hashes' in typed.stderr,
           'a partial tile of %s with more in it: said' % what, typed.returncode, typed.stderr)
        shutil.rmtree(out)
        shutil.copytree(fresh, out)

# ---- A daemon that gives other leaves than it signed: what is published stays whole ----------------


class Liar(t.Proxy):
    def answer(self, method, reply):
        if method == 'Leaves' and reply['parameters'].get('seq') == 1024:
            reply['parameters']['leaf'] = reply['parameters']['leaf'].replace('"amount":1',
                                                                              '"amount":2')


liar = os.path.join(ledger.home, 'liar.sock')
with open(out + '/checkpoint') as f:
    before = f.read()
for size in (1025, 1030, 1300):
    grow(size)
    with Liar(liar, ledger.socket):
        typed = export('--socket', liar)
    is_(typed.returncode, 6, 'leaves that are not those signed, at %d entries: status 6' % size,
        typed.stderr)
    with open(out + '/checkpoint') as f:
        is_(f.read(), before, '... the checkpoint stays')
    is_(len(stranger_reads()), 1025, '... and all that it speaks of')
    is_(ledger.fund('verify', out).returncode, 0, '... for fund verify, too')
is_(export().returncode, 0, 'the true leaves again')
is_(len(stranger_reads()), 1300, '... and all is there')
shutil.rmtree(out)
shutil.copytree(fresh, out)
flip(path(0, 1))
with open(out + '/checkpoint') as f:
    before = f.read()
typed = export()
is_(typed.returncode, 6, 'a damaged directory is not built upon: status 6', typed.stderr)
with open(out + '/checkpoint') as f:
    is_(f.read(), before, 'and its checkpoint stays')
shutil.rmtree(out)
shutil.copytree(fresh, out)
other = t.Ledger().start()
typed = other.fund('export', '--format', 'tiles', out)
ok(typed.returncode == 6 and 'another directory' in typed.stderr,
   "another ledger's directory: refused", typed.stderr)
is_(export(who=(61066, 61066, ())).returncode, 4, 'who may not read the leaves: not permitted')
is_(ledger.fund('export', out).returncode, 2, 'without a format: usage')
is_(ledger.fund('export', '--format', 'csv', out).returncode, 2, 'another format: usage')
t.done()

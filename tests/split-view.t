#!/usr/bin/env python3
# Every client is a witness: `fund` remembers the ledger's key and newest checkpoint, and whatever
# is put in the ledger's place afterwards is told in plain words with status 6, and kept as
# evidence.
import base64
import concurrent.futures
import os
import shutil
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
import ledger as t
import stranger
from ledger import ok, is_

t.program('fund-verify')
ledger = t.Ledger().start()
rep = (61001, 61001, ())
is_(ledger.fund('open', 'alice', '--owner', '61001', '--allowance', '1000').returncode, 0,
    'a budget')
state = os.path.join(ledger.home, 'state-61001', 'fund')
place = os.path.join(state, 'test.example', 'fund')


def read(*parts):
    try:
        with open(os.path.join(place, *parts)) as f:
            return f.read()
    except FileNotFoundError:
        return None


def size(note):
    return int(note.split('\n')[1])


def evidence():
    try:
        return sorted(os.listdir(os.path.join(place, 'evidence')))
    except FileNotFoundError:
        return []


def fund(*words):
    return ledger.fund(*words, who=rep)


def spend(amount='1', *words):
    return fund('spend', amount, '--for', 'parcel came late', *words)


def swap(other, keep=True):
    """Another directory in the ledger's place, served at the same socket."""
    ledger.stop()
    if keep:
        shutil.copytree(ledger.dir, ledger.dir + '.kept')
    shutil.rmtree(ledger.dir)
    shutil.copytree(other, ledger.dir)
    ledger.start()


def back():
    swap(ledger.dir + '.kept', keep=False)
    shutil.rmtree(ledger.dir + '.kept')


# ---- What is remembered -------------------------------------------------------------------------

typed = fund()
is_((typed.returncode, typed.stderr), (0, ''), 'first use: as ever')
is_(read('vkey'), ledger.vkey + '\n', 'the key is pinned')
first = read('checkpoint')
stranger.note_check(first, [ledger.vkey])
is_(oct(os.stat(os.path.join(place, 'checkpoint')).st_mode & 0o777), '0o600', 'for its owner alone')
is_(spend('25').returncode, 0, 'a spend')
newer = read('checkpoint')
stranger.note_check(newer, [ledger.vkey])
ok(size(newer) > size(first), "the spend's own checkpoint is remembered", newer)
is_(size(newer) - 1, int(max(os.listdir(os.path.join(place, 'receipts')), key=int)),
    'and its receipt kept')
inode = os.stat(os.path.join(place, 'checkpoint')).st_ino
fund()
is_(os.stat(os.path.join(place, 'checkpoint')).st_ino, inode, 'nothing new: nothing is written')
inodes = set()
for _ in range(4):
    spend()
    inodes.add(os.stat(os.path.join(place, 'checkpoint')).st_ino)
is_((len(inodes), size(read('checkpoint')) - size(read('checkpoint.before'))), (2, 1),
    'the newest checkpoint and the one before it change places')

with concurrent.futures.ThreadPoolExecutor(8) as pool:
    typed = list(pool.map(lambda _: spend(), range(24)))
is_([x for x in typed if x.returncode or x.stderr], [],
    '24 spends, 8 at a time: no alarm, no complaint')
receipts = sorted(map(int, os.listdir(os.path.join(place, 'receipts'))))
is_(len(receipts), 29, 'each has its receipt')
is_(size(read('checkpoint')), receipts[-1] + 1, 'the newest checkpoint is remembered')
stranger.note_check(read('checkpoint'), [ledger.vkey])

# ---- Another ledger in its place ----------------------------------------------------------------

copies = os.path.join(ledger.home, 'copies')
ledger.stop()
shutil.copytree(ledger.dir, copies + '-old')
ledger.start()
for _ in range(5):
    spend()
remembered = read('checkpoint')


def alarmed(what, *says, sent=True):
    """Whatever is typed says so, ends with 6 and replaces nothing. Where one head alone shows it (sent=False), a spend
    is not even sent; elsewhere the proof is asked for together with it, and it is told of what came back."""
    before, kept = read('checkpoint'), read('vkey')
    had = evidence()
    typed = fund()
    is_(typed.returncode, 6, what + ': status 6', typed.stderr)
    ok(all(word in typed.stderr for word in says), '... in plain words', typed.stderr)
    new = [name for name in evidence() if name not in had]
    is_(len(new), 1, '... with evidence', had, evidence())
    if new:
        is_(read('evidence', new[0], 'remembered'), before, '... what was remembered')
        served = read('evidence', new[0], 'received')
        ok(served != before and served.startswith('test.example/fund\n'), '... and what came',
           served)
    with ledger.connect() as client:
        entries = client.call('Status')['entries']
        typed = spend()
        is_(typed.returncode, 6, '... a spend: status 6', typed.stderr)
        is_('nothing was sent' not in typed.stderr, sent,
            '... which is sent before that is known: %s' % sent,
            typed.stderr)
        if not sent:
            is_(client.call('Status')['entries'], entries, '... and nothing is recorded')
    is_((read('checkpoint'), read('vkey')), (before, kept), '... what is remembered stays')


swap(copies + '-old')
alarmed('rolled back', 'rolled back', 'evidence', sent=False)
with ledger.connect() as client:
    for n in range(8):
        client.call('TopUp', t.topup('alice', 1000 + n))
alarmed('rewritten with the same key, and longer', 'rewritten')
with ledger.connect() as client:
    bundle = client.call('Prove', seq=0, size=size(remembered))['receipt']['proof']
path = os.path.join(ledger.home, 'other-head')
with open(path, 'w') as f:
    f.write(bundle.split('\n\n', 1)[1])
for more in ((), ('--vkey', ledger.vkey)):
    typed = fund('verify', path, *more)
    ok(typed.returncode == 6 and 'rewritten or split' in typed.stderr,
       'offline: a head of the size of the remembered one that is another, with %s key'
       % ('a given' if more else 'the pinned'), typed.stderr)
held = os.path.join(ledger.home, 'held')
shutil.copytree(state, os.path.join(held, 'fund'))
for name in ('checkpoint', 'checkpoint.before'):
    os.unlink(os.path.join(held, 'fund', 'test.example', 'fund', name))
typed = t.run([t.program('fund'), 'verify'],
              env=t.environment(FUND_SOCKET=ledger.socket, XDG_STATE_HOME=held))
ok(typed.returncode == 6 and 'rewritten' in typed.stderr,
   'receipts alone show it, too, to fund verify', typed.stderr)
# nothing but one receipt is left, of an entry that is another one now
for name in ('evidence', 'checkpoint', 'checkpoint.before'):
    path = os.path.join(held, 'fund', 'test.example', 'fund', name)
    shutil.rmtree(path) if name == 'evidence' else os.path.exists(path) and os.unlink(path)
last = size(remembered) - 1
typed = t.run([t.program('fund'), 'receipt', str(last)],
              env=t.environment(FUND_SOCKET=ledger.socket, XDG_STATE_HOME=held))
ok(typed.returncode == 6 and 'another one now' in typed.stderr, 'and to fund receipt', typed.stderr)
kept = [os.path.join(top, f) for top, _,
        files in os.walk(os.path.join(held, 'fund', 'test.example', 'fund', 'evidence'))
        for f in files]
is_(sorted(map(os.path.basename, kept)), ['received', 'remembered'],
    '... with both heads as evidence')
for path in kept:
    with open(path) as f:
        stranger.note_check(f.read(), [ledger.vkey])
back()
is_(fund().returncode, 0, 'the true ledger again: all is well')

other = t.Ledger()
swap(other.dir)
is_(ledger.fund('open', 'alice', '--owner', '61001', '--allowance', '1000').returncode, 6,
    'another ledger of that name, with another key: a manager sees it too')
alarmed('another key', 'another key')
back()
is_(fund().returncode, 0, 'the true ledger again: all is well')
ok(os.path.isfile(os.path.join(state, 'test.example', 'fund', 'lock')),
   'what is remembered has a lock')

# ---- A new key ----------------------------------------------------------------------------------


def rotate(of, *options):
    done = of.rotate_key(*options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


ledger.stop()
shutil.copytree(ledger.dir, copies + '-before')
second = rotate(ledger, '--overlap', '0')
ledger.start()


class Usurper(t.Proxy):
    """Shows a new key's entry, and heads, without what the key before signed."""

    def answer(self, method, reply):
        known = stranger.key_of(ledger.vkey)[1]
        for parameters in (reply['parameters'], reply['parameters'].get('receipt') or {}):
            for name in ('proof', 'checkpoint'):
                lines = parameters.get(name, '').split('\n')
                parameters.update({name: '\n'.join(l for l in lines if not signed_by(l, known))}
                                  if len(lines) > 1 else {})


def signed_by(line, ident):
    return line.startswith('\u2014 ') and base64.b64decode(line.split(' ')[2])[:4] == ident


usurper = os.path.join(ledger.home, 'usurper.sock')
before, kept = read('checkpoint'), read('vkey')
with Usurper(usurper, ledger.socket):
    for words in ((), ('spend', '1', '--for', 'parcel came late')):
        typed = fund(*words, '--socket', usurper)
        is_(typed.returncode, 6, 'a new key that the old one did not sign: status 6', typed.stdout,
            typed.stderr)
is_((read('checkpoint'), read('vkey')), (before, kept), '... and it is not remembered')
path = os.path.join(ledger.home, 'new-key.checkpoint')
with ledger.connect() as client, open(path, 'w') as f:
    f.write(client.call('Checkpoint')['checkpoint'])
typed = fund('verify', path)
ok(typed.returncode == 6 and 'fund verify, without a file, fetches the new one' in typed.stderr,
   'a file that is signed with a key not met yet: where that comes from', typed.stderr)
is_(spend().returncode, 0, 'the key has changed: all is well')
is_(fund('verify', path).returncode, 0, '... and then the file verifies')
is_([line.split(' ')[-1] for line in read('vkey').splitlines()], [ledger.vkey, second],
    'the new one is remembered')
stranger.note_check(read('checkpoint'), [second])
ledger.stop()
keys = [ledger.vkey, second, rotate(ledger, '--overlap', '0'), rotate(ledger, '--overlap', '30')]
ledger.start()
typed = fund()
is_((typed.returncode, typed.stderr), (0, ''),
    'twice more meanwhile, the last in its overlap: all is well')
is_([line.split(' ')[-1] for line in read('vkey').splitlines()], keys, 'all of them are remembered')
stranger.note_check(read('checkpoint'), keys[2:])
is_(ledger.fund('status', who=(61003, 61003, ())).returncode, 0, 'somebody who comes now')
with open(os.path.join(ledger.home, 'state-61003', 'fund', 'test.example', 'fund', 'vkey')) as f:
    is_(f.read(), read('vkey'), 'has them all from the genesis on')
swap(copies + '-before')
alarmed('rolled back to before a new key', 'rolled back', sent=False)
with ledger.connect() as client:
    for n in range(12):
        client.call('TopUp', t.topup('alice', 1000 + n))
alarmed('the old key, going on without the new one', 'rolled back or split', sent=False)
back()
ledger.stop()
for _ in range(40):
    last = rotate(ledger, '--overlap', '0')
ledger.start()
for who in (rep, (61005, 61005, ())):
    typed = ledger.fund('status', who=who)
    is_((typed.returncode, typed.stderr), (0, ''), '40 keys later, %s: all is well' % (
        'who knows the fourth' if who == rep else 'who comes now'))
is_(read('vkey').splitlines()[-1].split(' ')[-1], last, 'the last is remembered')
other.start()
other.stop()
rotate(other, '--overlap', '0')
swap(other.dir)
alarmed('another key, with a key entry of its own', 'another key')
back()
is_(fund().returncode, 0, 'the true ledger again: all is well')

# ---- A ledger of another name in its place ------------------------------------------------------


def renamed(name, *options):
    """The directory of a new ledger."""
    path = os.path.join(ledger.home, name)
    done = t.run([t.program('fundd'), '--init', '--origin', 'test.example/' + name, '--currency',
                  'EUR', '--timezone', 'UTC',
                  '--dir', path, *options])
    assert done.returncode == 0, done.stderr
    return path


swap(renamed('unrelated'))
typed = spend()
ok(typed.returncode == 6 and 'another, test.example/unrelated' in typed.stderr,
   'a ledger of another name: status 6', typed.stderr)
is_(os.path.exists(os.path.join(state, 'test.example', 'unrelated')), False,
    '... and it is not remembered')
back()
newest = os.path.join(ledger.home, 'newest')
with open(newest, 'w') as f:
    f.write(read('checkpoint'))
older = os.path.join(ledger.home, 'older')
with open(older, 'w') as f:
    f.write(remembered)
swap(renamed('forgetful', '--after', older))
typed = fund()
ok(typed.returncode == 6 and 'not with all the entries' in typed.stderr,
   'one that goes on from an earlier head: status 6',
   typed.stderr)
back()
who = (61004, 61004, ())
is_(ledger.fund('status', who=who).returncode, 0, 'the true ledger, for somebody else')
swap(renamed('next', '--after', newest))
typed = fund()
ok(typed.returncode == 0 and 'goes on from test.example/fund' in typed.stderr,
   'one that goes on from the head that was seen: said, and remembered', typed.stderr)
typed = fund()
is_((typed.returncode, typed.stderr), (0, ''), '... once')
for name in os.listdir(os.path.join(state, 'served')):
    os.unlink(os.path.join(state, 'served', name))
back()
is_(fund().returncode, 0, 'the true ledger again: all is well')

# ---- A daemon that does not prove ---------------------------------------------------------------

spend()
with ledger.connect() as client:
    client.call('TopUp', t.topup('alice', 1))
liar = os.path.join(ledger.home, 'liar.sock')


class Liar(t.Proxy):
    def answer(self, method, reply):
        if method == 'Consistency':
            self.lie(reply)


for name, lie in (
        ('another hash', lambda r: r['parameters']['hashes'].__setitem__(0, 'A' * 43 + '=')),
        ('one hash too many', lambda r: r['parameters']['hashes'].append('A' * 43 + '=')),
        ('one hash too few', lambda r: r['parameters']['hashes'].pop()),
        ('no hash but a word', lambda r: r['parameters']['hashes'].__setitem__(0, 'trust me')),
        ('no hashes', lambda r: r['parameters'].pop('hashes')),
        ('an error', lambda r: r.update(error='io.fundd.Ledger.Unavailable',
                                        parameters={'problem': 'not now'}))):
    with Liar(liar, ledger.socket) as proxy:
        proxy.lie = lie
        typed = fund('--socket', liar)
        is_(typed.returncode, 6, 'a proof with %s: status 6' % name, typed.stderr)
        if name == 'no hashes':
            ok('(hashes is missing)' in typed.stderr, '... which says what is missing',
               typed.stderr)
is_(fund().returncode, 0, 'asked itself, the daemon proves it')


class Forger(t.Proxy):
    def answer(self, method, reply):
        if method == 'Spend':
            self.lie(reply['parameters']['receipt'])


def edit(part, old, new):
    def lie(receipt):
        assert old in receipt[part], receipt
        receipt[part] = receipt[part].replace(old, new)
    return lie


for name, lie in (
        ('another amount', edit('leaf', '"amount":100', '"amount":900')),
        ('another reason', edit('memo', 'late', 'well')),
        ('another index', edit('proof', 'index ', 'index 1')),
        ('another salt', lambda r: r.__setitem__('salt', 'A' * 43 + '=')),
        ('a memo without salt', lambda r: r.pop('salt')),
        ('no signature', lambda r: r.__setitem__('proof',
                                                 r['proof'].rpartition('\n\n')[0] + '\n\n'))):
    with Forger(liar, ledger.socket) as proxy:
        proxy.lie = lie
        typed = spend('1', '--socket', liar)
        ok(typed.returncode == 6 and 'receipt' in typed.stderr,
           'a receipt with %s: status 6' % name, typed.stderr)
        ok(typed.stdout.startswith('Spent'), '... but the spend was recorded, and is told',
           typed.stdout)

# A receipt that holds, but is not the one of what was asked.
with ledger.connect(*rep) as client:
    earlier = client.call('Prove', seq=receipts[-1])['receipt']


class Swapper(t.Proxy):
    def answer(self, method, reply):
        if method in ('Spend', 'Prove'):
            self.lie(reply['parameters'])


class Rewriter(t.Proxy):
    """Has other words recorded than were typed."""
    def ask(self, call):
        return call.replace(b'"reason":"parcel', b'"reason":"a party as the parcel')


batch = os.path.join(ledger.home, 'batch.csv')
for name, lie in (
        ("an earlier entry's", lambda p: p.update(receipt=earlier)),
        ('without its words', lambda p: [p['receipt'].pop(part) for part in ('salt', 'memo')]),
        ('of another amount than is told', lambda p: p['entry'].update(amount=1))):
    with Swapper(liar, ledger.socket) as proxy:
        proxy.lie = lie
        with open(batch, 'w') as f:
            f.write('ref,amount,reason\n%s,1.00,parcel came late\n' % name)
        for words in (('1', '--for', 'parcel came late'), ('--batch', batch)):
            typed = fund('spend', '--socket', liar, *words)
            ok(typed.returncode == 6 and 'receipt' in typed.stderr,
               'a receipt %s, spend %s: status 6' % (name, words[0]),
               typed.stderr)
            ok('to begin anew' not in typed.stderr, '... for which what is remembered need not go',
               typed.stderr)
with Rewriter(liar, ledger.socket):
    typed = spend('1', '--socket', liar)
    ok(typed.returncode == 6 and 'words' in typed.stderr, 'other words than were typed: status 6',
       typed.stderr)
with Swapper(liar, ledger.socket) as proxy:
    proxy.lie = lambda p: p.update(receipt=earlier)
    path = os.path.join(ledger.home, 'state-61001', 'swapped')
    typed = fund('receipt', str(receipts[-2]), '--socket', liar, '-o', path)
    ok(typed.returncode == 6 and "another entry's" in typed.stderr,
       "fund receipt with another entry's: status 6", typed.stderr)
    is_(os.path.exists(path), False, '... and it is not written')
    proxy.lie = lambda p: p.pop('receipt')
    typed = spend('1', '--socket', liar)
    ok(typed.returncode == 0 and 'no receipt came' in typed.stderr, 'no receipt at all: said',
       typed.stderr)

# ---- Places where nothing can be remembered -----------------------------------------------------


def bare(*words, **env):
    """Without HOME, as another who has no budget."""
    env = {k: v for k, v in t.environment(FUND_SOCKET=ledger.socket, **env).items()
           if k not in ('HOME',)}
    return t.run([*t.identity(61002, 61002), t.program('fund'), *words], env=env)


typed = bare()
ok(typed.returncode == 0 and 'nothing is remembered' in typed.stderr,
   'without a home: works, and says so', typed.stderr)
readonly = os.path.join(ledger.home, 'readonly')
os.mkdir(readonly, 0o755)
typed = bare(XDG_STATE_HOME=readonly)
ok(typed.returncode == 0 and 'nothing is remembered' in typed.stderr,
   'a read-only home: works, and says so',
   typed.stderr)
shutil.copytree(os.path.join(state), os.path.join(readonly, 'fund'))
for top, dirs, files in os.walk(readonly):
    for name in dirs + files:
        os.chmod(os.path.join(top, name), 0o755)
spend()
typed = bare(XDG_STATE_HOME=readonly)
is_(typed.returncode, 0, 'a read-only home that remembers: works', typed.stderr)
swap(copies + '-old')
typed = bare(XDG_STATE_HOME=readonly)
ok(typed.returncode == 6 and 'could not be kept' in typed.stderr,
   'and sees a ledger that was rolled back', typed.stderr)
back()

# ---- Damage -------------------------------------------------------------------------------------

good = read('checkpoint')
for name, text in (('damaged', good.replace('\n', '\n1', 1)), ('empty', '')):
    with open(os.path.join(place, 'checkpoint'), 'w') as f:
        f.write(text)
    typed = fund()
    ok(typed.returncode == 0 and 'the one before it is gone by' in typed.stderr,
       'the newest checkpoint is %s: the one before it is gone by' % name, typed.stderr)
    is_(fund().stderr, '', '... and then the newest is there again')
    ok(size(read('checkpoint')) >= size(good), '... whole', read('checkpoint'))
os.unlink(os.path.join(place, 'checkpoint.before'))
for name, text in (('vkey', 'no key\n'), ('vkey', read('vkey').strip() + '\0 and more\n'),
                   ('checkpoint', read('checkpoint').replace('\n', '\n1', 1)), ('checkpoint', '')):
    good = read(name)
    with open(os.path.join(place, name), 'w') as f:
        f.write(text)
    typed = fund()
    if text:
        ok(typed.returncode == 6 and 'damaged' in typed.stderr,
           'a %s that is damaged: status 6' % name, typed.stderr)
        is_(read(name), text, '... and it is left as it is')
    else:
        is_(typed.returncode, 0, 'an empty %s is one that was never there' % name, typed.stderr)
    with open(os.path.join(place, name), 'w') as f:
        f.write(good)
is_(fund().returncode, 0, 'mended: all is well')

# ---- Heads that are none ------------------------------------------------------------------------


class Babbler(t.Proxy):
    def answer(self, method, reply):
        if method == 'Checkpoint':
            reply['parameters']['checkpoint'] = self.words


had = evidence()
served = os.path.join(ledger.home, 'babble.sock')
with Babbler(served, ledger.socket) as babbler:
    for words in ('no checkpoint\n', 'none either\n'):
        babbler.words = words
        is_(ledger.fund('--socket', served, who=rep).returncode, 6, 'a head that is none: status 6')
new = [name for name in evidence() if name not in had]
is_(sorted(read('evidence', name, 'received') for name in new),
    ['no checkpoint\n', 'none either\n'],
    'each is kept as evidence', new)
t.done()

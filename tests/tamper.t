#!/usr/bin/python3 -B
# What is done to a stored ledger, and who finds out: fundd --verify, fundd --verify --all, or only
# those who hold something of it outside: a checkpoint, what `fund` and `fund verify` remember, a
# witness, its cosignature, the rollback guard.
import base64
import os
import shutil

from lib.ledger import *
from lib.forge import Forgery, ledger_key
from lib.witness import Key

ORIGIN = 'test.example/fund'
home_ledger = Ledger()
guard = os.path.join(home_ledger.home, 'guard')
for name in ('fund-verify', 'fund-witness'):
    program(name)
witness = home_ledger.fund('witness', '--key', '--name', 'bank.example/w').stdout.strip()


def configured(ledger, **settings):
    ledger.configure({role: 'user:%d' % os.getuid() for role in ('manager', 'auditor')}, settings)
    with open(ledger.config, 'a') as f:
        f.write('[witnesses]\nrequire = %s\n' % witness)


configured(home_ledger, guard=guard)
home_ledger.start()
with home_ledger.connect() as client:
    client.call('Open', name='pool', group=os.getgid(), allowance=100000, id=new_id())
    for n in range(6):
        client.call('Spend', spend(100 + n, budget='pool'))
early = os.path.join(home(), 'early')
shutil.copytree(home_ledger.dir, early)
with home_ledger.connect() as client:
    client.send_raw(b''.join(frame('Spend', spend(200 + n, budget='pool')) for n in range(7)))
    for _ in range(7):
        client.answer()
    for n in range(3):
        client.call('Spend', spend(300 + n, budget='pool'))
is_(home_ledger.fund('balance', 'pool').returncode, 0, 'a rep has a look')
is_(home_ledger.fund('spend', '1', '--for', 'a late parcel').returncode, 0, 'and spends')
is_(home_ledger.fund('witness').returncode, 0, 'a witness cosigns')
with home_ledger.connect() as client:
    held = client.call('Checkpoint')['checkpoint']
    is_((held.count('\u2014'), client.call('Status')['witnessed']), (2, int(held.split('\n')[1])),
        'all of it is covered')
home_ledger.stop()
state = os.path.join(home_ledger.home, 'state-%d' % os.geteuid())
size, root = int(held.split('\n')[1]), base64.b64decode(held.split('\n')[2])
last = size - 1

# ---- Who looks ----------------------------------------------------------------------------------

def by_checkpoint(ledger):
    """A witness with nothing but a checkpoint and a vkey. What it says of the ledger, or None."""
    with ledger.connect() as client:
        now = client.call('Checkpoint')['checkpoint']
        try:
            stranger.note_check(now, [home_ledger.vkey])
            new_size, new_root = int(now.split('\n')[1]), base64.b64decode(now.split('\n')[2])
            stranger.need(new_size >= size, 'it was rolled back')
            path = client.call('Consistency', old=size, new=new_size)['hashes']
            stranger.consistency_check(size, root, new_size, new_root,
                                       [base64.b64decode(h) for h in path])
        except stranger.Bad as problem:
            return str(problem)
    return None


def by_command(*words):
    """Somebody's own fund, which remembers."""
    def look(ledger):
        theirs = os.path.join(ledger.home, 'state-%d' % os.geteuid())
        shutil.rmtree(theirs, ignore_errors=True)
        shutil.copytree(state, theirs)
        got = ledger.fund(*words)
        return (got.stderr.strip() or '6') if got.returncode == 6 else None
    return look


LOOKS = (('checkpoint', by_checkpoint), ('fund', by_command('balance', 'pool')),
         ('fund verify', by_command('verify')), ('fund witness', by_command('witness')))


def found_by(change):
    """Who finds out, in the order in which they would be asked, and what they say."""
    victim = Ledger(init=False)
    victim.strange = False
    shutil.copytree(home_ledger.dir, victim.dir)
    change(victim.dir)
    for options in ((), ('--all',)):
        said = victim.verify(*options)
        if said.returncode:
            return ['fundd ' + ' '.join(('--verify',
                                         *options))], said.stdout.strip() or said.stderr.strip()
    kept = os.path.join(victim.home, 'guard')
    shutil.copy(guard, kept)
    configured(victim, guard=kept)
    found = []
    try:
        victim.start()
        victim.stop()
    except RuntimeError as told:
        found.append(('guard', str(told)))
    configured(victim)
    try:
        victim.start()
    except RuntimeError as told:
        found.append(('cosignature', str(told)))
        os.unlink(os.path.join(victim.dir, 'witnesses'))    # which whoever has the directory may do
        victim.start()
    found += [(name, told) for name, look in LOOKS if (told := look(victim))]
    victim.stop()
    return [name for name, _ in found], '; '.join(told for _, told in found)


def caught(name, by, change):
    found, told = found_by(change)
    is_(found, by, '%s: caught by %s' % (name, ', '.join(by) or 'nobody'), told)


# ---- What is done -------------------------------------------------------------------------------

VERIFY, ALL, OUTSIDE = ['fundd --verify'], ['fundd --verify --all'], [
    'guard', 'cosignature', *(name for name, _ in LOOKS)]
middle = last - 5


def forged(change):
    """Changes rows with this function of a Forgery, and writes them."""
    def apply(dir_):
        forgery = Forgery(dir_, program('tests/tools/rows'))
        change(forgery, ledger_key(dir_, ORIGIN))
        forgery.write()
    return apply


def flip_raw(forgery, key):
    row = bytearray(forgery.rows[middle])
    row[20] ^= 1
    forgery.rows[middle] = bytes(row)


def amount(forgery, key=None):
    entry = forgery.entry(middle)
    entry['amount'] -= 50
    forgery.set_entry(middle, entry)


def amount_fitting(forgery, key=None):
    amount(forgery)
    forgery.rebalance()
    forgery.rehash()


def part(number):
    def change(forgery, key):
        seq = next(s for s in range(middle, last) if forgery.parts(s)[number])
        parts = [p[:] if type(p) is list else bytearray(p) for p in forgery.parts(seq)]
        parts[number][-1] ^= 1
        forgery.set(seq, parts)
    return change


def deleted(forgery):
    del forgery.rows[middle]
    forgery.renumber()
    forgery.rebalance()
    forgery.rehash()


def reordered(forgery):
    forgery.rows[middle], forgery.rows[middle - 1] = forgery.rows[middle - 1], forgery.rows[middle]
    forgery.renumber()
    forgery.rebalance()
    forgery.rehash()


def cut(forgery, seq):
    forgery.rows = forgery.rows[:seq]


def cut_to_head(forgery, key):
    cut(forgery, next(s for s in range(last - 1, 0, -1) if forgery.parts(s)[4]) + 1)


def cut_between_heads(forgery, key):
    cut(forgery, next(s for s in range(last, 0, -1) if not forgery.parts(s)[4]) + 1)


def another_key(forgery, genesis_too):
    key = Key(ORIGIN, 1)
    if genesis_too:
        forgery.set_entry(0, dict(forgery.entry(0), vkey=key.vkey))
        with open(forgery.dir + '/signing.key', 'wb') as f:
            f.write(key.seed)
    forgery.rehash(key)


def rolled_back(dir_):
    for name in ('ledger.mdb', 'ledger.wal', 'keys',
                 'index.mdb'):    # the file of the witnesses stays
        if os.path.exists(os.path.join(early, name)):
            shutil.copy(os.path.join(early, name), dir_)


def knowing(change):
    """The same by who takes away what fundd noted of its own last end."""
    def apply(dir_):
        change(dir_)
        for name in ('clean', 'last'):
            if os.path.exists(os.path.join(dir_, name)):
                os.unlink(os.path.join(dir_, name))
    return apply


def branched(dir_):
    """An early copy, gone on from otherwise: what anybody can do who has the directory."""
    knowing(rolled_back)(dir_)
    other = Ledger(init=False)
    other.dir, other.strange = dir_, False
    os.rename(dir_ + '/witnesses', dir_ + '.witnesses')
    other.start()
    with other.connect() as client:
        for _ in range(20):
            client.call('Spend', spend(1, budget='pool'))
    other.stop()
    os.rename(dir_ + '.witnesses', dir_ + '/witnesses')


def rewritten(forgery, key):
    amount_fitting(forgery)
    forgery.rehash(key)


caught('nothing', [], lambda dir_: None)
caught('a flipped bit', VERIFY, forged(flip_raw))
caught('a flipped bit of the hashes, with a checksum', VERIFY, forged(part(1)))
caught('a flipped bit of a memo, with a checksum', ALL, forged(part(3)))
caught("a flipped bit of an older head's signature, with a checksum", ALL, forged(part(4)))
caught('another amount, with a checksum', VERIFY, forged(amount))
caught('another amount, with all balances and hashes', VERIFY, forged(amount_fitting))
caught('a deleted row', VERIFY, lambda dir_: run([program('tests/tools/rows'), dir_ + '/ledger.mdb',
                                                  'drop', str(middle)]))
caught('a deleted entry, the others renumbered', VERIFY, forged(lambda f, key: deleted(f)))
caught('two entries exchanged, renumbered', VERIFY, forged(lambda f, key: reordered(f)))
caught('a few rows cut off, up to no head', VERIFY, forged(cut_between_heads))
caught('signed again with another key', VERIFY, forged(lambda f, key: another_key(f, False)))
caught('a few rows cut off, up to a head', VERIFY, forged(cut_to_head))
caught('... by who knows of the note', OUTSIDE, knowing(forged(cut_to_head)))
caught('rolled back', VERIFY, rolled_back)
caught('... by who knows of the note', OUTSIDE, knowing(rolled_back))
caught('rolled back and gone on from otherwise', OUTSIDE, branched)
caught('made anew with another key, the genesis too', OUTSIDE,
       knowing(forged(lambda f, key: another_key(f, True))))
caught('an entry deleted, and all signed anew with the right key', ALL,
       knowing(forged(lambda f, key: (deleted(f), f.rehash(key)))))
caught('everything rewritten with the right key', OUTSIDE, knowing(forged(rewritten)))
done()

#!/usr/bin/python3 -B
# A full disk, and a full map: callers are told, what is there stays, reads go on, and spends work
# again as soon as there is room. A start that needs room and has none says so; so does a daemon
# that can read no more.
import errno
import os

from lib.ledger import *

need_root('a tmpfs of its own')

DISK = 64 << 20
MAP = 16 << 20
TRIES = 60000   # spends at most until one is refused
BURST = 64      # in flight
LOOKS = 6400    # audits: more than there are keys in a block


def prepare(ledger):
    with ledger.connect() as client:
        for name in ('pool/a', 'pool/b'):
            client.call('Open', name=name, group=0, id=new_id())
            client.call('TopUp', topup(name, 10**12))
        client.call('Open', name='alice', owner=61001, id=new_id())


def spend_until_refused(client, tries=TRIES):
    """Spends until there is no room. The entries that were answered, and the refusals."""
    entries, refusals = [], []
    while len(entries) < tries and not refusals:
        client.send_raw(b''.join(frame('Spend', spend(1, budget='pool/a', reason='r' * 600))
                                 for _ in range(BURST)))
        for _ in range(BURST):
            try:
                entries.append(client.answer()['entry'])
            except Refused as refusal:
                refusals.append(refusal)
    return entries, refusals


def attempt(client, method, params):
    try:
        return client.call(method, params)
    except Refused as refusal:
        return refusal


def check_full(ledger, name, entries, refusals):
    """What must hold while there is no room. The last answered entry is still the last."""
    if not ok(refusals, name + ': spends are refused before long', '%d spends' % len(entries)):
        return
    is_({r.name for r in refusals}, {'Unavailable'}, name + ': as Unavailable')
    ok(len(refusals[0].parameters['problem']) > 15, name + ': in words',
       refusals[0].parameters['problem'])
    note('%s: after %d spends: %s' % (name, len(entries), refusals[0].parameters['problem']))
    check_reading(ledger, name, entries)
    with ledger.connect() as client:
        for method, params in (('Spend', spend(1, budget='pool/b')),
                               ('TopUp', topup('pool/b', 5))):
            got = attempt(client, method, params)
            ok(isinstance(got, Refused) and got.name == 'Unavailable',
               '%s: a %s is refused' % (name, method), got)


def check_reading(ledger, name, entries):
    with ledger.connect() as client:
        spent = sum(e['amount'] for e in entries)
        budget = client.call('Balance', budgets=['pool/a'])['budgets'][0]
        is_(budget['balance'], 10**12 - spent, name + ': the balance is what was answered')
        last = client.audit(budgets=['pool/a'], kind='spend', reverse=True, limit=100)[::-1]
        is_([e['seq'] for e in last], [e['seq'] for e in entries[-100:]],
            name + ': so are the entries')
        ok(client.call('Status')['entries'] > len(entries), name + ': status answers')
        ok(client.call('Checkpoint')['checkpoint'], name + ': so does the checkpoint')


def check_record(ledger, name):
    """Whoever looks is on record all the same."""
    with ledger.connect() as client:
        before, looks = client.call('Status')['entries'], 0
        while looks < LOOKS:
            client.send_raw(b''.join(frame('Audit',
                                           {'budgets': ['alice'], 'since': '2000-01-01',
                                            'currency': 'EUR',
                                                     'min': looks + n, 'limit': 1}, {'more': True})
                                     for n in range(BURST)))
            looks += BURST
            for _ in range(BURST):
                while client.recv().get('continues'):
                    pass
        is_(client.call('Status')['entries'] - before, looks,
            name + ': who looks is still on record')


def check_again(ledger, name, entries):
    """There is room again: a spend works within moments."""
    deadline = time.monotonic() + 10
    with ledger.connect() as client:
        while True:
            got = attempt(client, 'Spend', spend(1, budget='pool/a'))
            if not isinstance(got, Refused) or time.monotonic() > deadline:
                break
            time.sleep(0.1)
    if ok(not isinstance(got, Refused), name + ': with room, spends work again', got):
        entries.append(got['entry'])
    check_reading(ledger, name + ', with room', entries)


def check_restart(ledger, name, entries):
    """It starts without room too, shows what is there, and refuses as before."""
    is_(ledger.stop(), 0, name + ': the daemon ends well')
    try:
        ledger.start()
    except RuntimeError as error:
        ok(False, name + ': the daemon starts again', error)
        return
    check_reading(ledger, name + ', started again', entries)
    with ledger.connect() as client:
        more, refusals = spend_until_refused(client)  # it may find some more room than before
        entries += more
        ok(refusals and len(more) < 1000, name + ', started again: spends are still refused',
           len(more))


def check_verified(ledger, name):
    verified = ledger.verify('--all')
    is_(verified.returncode, 0, name + ': the ledger verifies', verified.stderr)


def die_with_log(ledger):
    """The daemon is killed while rows are in the log alone. What it answered."""
    ledger.kill()
    ledger.start()
    entries, end = [], time.monotonic() + 0.2  # of the second after which they are moved
    with ledger.connect() as client:
        while time.monotonic() < end:
            entries += spend_until_refused(client, BURST)[0]
        ledger.kill()
    return entries


def check_no_start(ledger, name, words):
    """There is no room for what is in the log: it does not start, and says what to do."""
    before = os.path.getsize(os.path.join(ledger.dir, 'ledger.wal'))
    try:
        ledger.start()
        ledger.kill()
        ok(False, name + ': a start that needs room')
    except RuntimeError as error:
        ok(words in str(error) and 'Nothing that was answered is lost' in str(error),
           name + ': a start that needs room says so, and what to do', error)
    is_(os.path.getsize(os.path.join(ledger.dir, 'ledger.wal')), before, name + ': the log stays')
    check_verified(ledger, name + ', not started')


# ---- The disk -----------------------------------------------------------------------------------

def cut(path):
    """Takes away what was filled ahead, as a copy with holes would."""
    with open(path, 'rb') as f:
        used = len(f.read().rstrip(b'\0'))
    os.truncate(path, (used + 4095) // 4096 * 4096)


def fill(path):
    """Takes all the room there is."""
    with open(path, 'ab', buffering=0) as f:
        for size in (1 << 20, 4096):
            try:
                while True:
                    f.write(b'x' * size)
            except OSError:
                pass


disk = os.path.join(home(), 'disk')
os.mkdir(disk)
subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=%d,mode=755' % DISK, 'tmpfs', disk],
               check=True)
try:
    ledger = Ledger(place=disk).start()
    prepare(ledger)
    with ledger.connect() as client:
        entries = [client.call('Spend', spend(1, budget='pool/a'))['entry'] for _ in range(50)]
        fill(disk + '/filler')
        more, refusals = spend_until_refused(client)
    entries += more
    check_full(ledger, 'disk full', entries, refusals)
    check_record(ledger, 'disk full')
    check_restart(ledger, 'disk full', entries)
    os.unlink(disk + '/filler')
    if not ledger.daemon:
        ledger.start()
    check_again(ledger, 'disk full', entries)
    is_(ledger.stop(), 0, 'disk full: the daemon ends well')
    check_verified(ledger, 'disk full')

    # a ledger with rows in its log, and without what was filled ahead
    os.mkdir(disk + '/other')
    shutil.rmtree(ledger.dir)
    Ledger.all.remove(ledger)
    ledger = Ledger(place=disk + '/other').start()
    prepare(ledger)
    entries = die_with_log(ledger)
    cut(ledger.data())
    fill(disk + '/filler')
    os.truncate(disk + '/filler', os.path.getsize(disk + '/filler') - 3 * 4096)  # room for a part
    check_no_start(ledger, 'disk full, rows in the log', 'the disk is full')
    os.unlink(disk + '/filler')
    ledger.start()
    check_again(ledger, 'disk full, rows in the log', entries)
    is_(ledger.stop(), 0, 'disk full, rows in the log: the daemon ends well')
    check_verified(ledger, 'disk full, rows in the log')
finally:
    for ledger in Ledger.all:
        ledger.kill()
    subprocess.run(['umount', disk], check=True)

# ---- The map ------------------------------------------------------------------------------------

roles = {'manager': 'user:0', 'cron': 'user:0', 'auditor': 'user:0'}
ledger = Ledger(roles=roles, settings={'map_size': MAP}).start()
prepare(ledger)
with ledger.connect() as client:
    entries, refusals = spend_until_refused(client)
check_full(ledger, 'map full', entries, refusals)
with ledger.connect() as client:
    got = attempt(client, 'Close', {'name': 'pool/b', 'id': new_id()})
    ok(not isinstance(got, Refused), 'map full: a budget can still be closed', got)
check_restart(ledger, 'map full', entries)
if not ledger.daemon:
    done()
is_(ledger.stop(), 0, 'map full: the daemon ends well')
check_verified(ledger, 'map full')
ledger.configure(roles, {'map_size': 8 * MAP})
entries += die_with_log(ledger)
ledger.configure(roles, {'map_size': MAP // 2})
check_no_start(ledger, 'a map_size below what is used, with rows in the log',
               'map_size is too small')
ledger.configure(roles, {'map_size': 8 * MAP})
ledger.start()
is_(ledger.stop(), 0, 'with a larger one the daemon starts and ends well')
ledger.configure(roles, {'map_size': MAP // 2})
ledger.start()
with ledger.connect() as client:
    got = attempt(client, 'Spend', spend(1, budget='pool/a'))
    ok(isinstance(got, Refused) and got.name == 'Unavailable',
       'a map_size below what is used: spends are refused', got)
check_reading(ledger, 'a map_size below what is used', entries)
is_(ledger.stop(), 0, 'a map_size below what is used: the daemon ends well')
ledger.configure(roles, {'map_size': 8 * MAP})
ledger.start()
check_again(ledger, 'map full', entries)
is_(ledger.stop(), 0, 'the daemon ends well')
check_verified(ledger, 'a larger map')

# ---- Rows cannot be moved -----------------------------------------------------------------------

ledger = Ledger(roles=roles)
ledger.start(env=environment(LD_PRELOAD=program('tests/tools/fail.so'),
                             FAIL='meta:1:%d:before' % errno.EIO,
                             FAIL_COUNT=os.path.join(home(), 'count'),
                             **sanitizer_options('verify_asan_link_order=0')))
prepare(ledger)
with ledger.connect() as client:
    entries = [client.call('Spend', spend(1, budget='pool/a'))['entry'] for _ in range(50)]
is_(ledger.daemon.wait(PATIENCE), 1, 'when nothing can be read any more, the daemon leaves',
    ledger.log())
ledger.daemon = None
ok('cannot be moved from ledger.wal to ledger.mdb: Input/output error' in ledger.log() and
   'can be read no more' in ledger.log(), 'and says why', ledger.log())
ledger.start()
check_reading(ledger, 'moving failed, started again', entries)
is_(ledger.stop(), 0, 'moving failed: the daemon ends well')
check_verified(ledger, 'moving failed')
done()

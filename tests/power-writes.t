#!/usr/bin/python3 -B
# Power loss, made from a record of every write: the disk as it may be at each moment, with any part
# of what was not synced yet (tests/lib/replay.py). In each of these states the ledger must verify
# and hold every entry that was answered before; some are also started and used. Controls: the same
# record with its syncs left out, and with its answers moved before their commit, must be found out.
# POWER_STATES: how many states of each moment.
import os
import random
import shutil

from lib.load import *
from lib.replay import *

MOST = int(os.environ.get('POWER_STATES', 3))
# of these states, one is started and used; and where an index
USED_EVERY = int(os.environ.get('POWER_USED', 40))
INDEX_EVERY = USED_EVERY // 3                       # has just been written, one of these
random.seed(int(os.environ.get('SEED', '1')))

work_dir = tempfile.mkdtemp(dir='/dev/shm' if os.path.isdir('/dev/shm') else home())


def recording(path):
    return environment(LD_PRELOAD=program('tests/tools/record.so'), RECORD=path,
                       **sanitizer_options('verify_asan_link_order=0'))


def make(state):
    """The state as a directory; the ledger in it."""
    place = os.path.join(work_dir, 'state')
    shutil.rmtree(place, ignore_errors=True)
    os.mkdir(place)
    state.save(place)
    return place + '/data'


def verified(dir):
    """How many entries verify; None when they do not, with what was said."""
    done = run([program('fundd'), '--verify', '--all', '--dir', dir],
               env=environment(**signals_allowed()))
    found = re.search(r'verified (\d+) entr', done.stdout)
    return int(found.group(1)) if done.returncode == 0 and found else None, done


boot_id = os.path.join(home(), 'boot_id')
with open(boot_id, 'w') as f:
    f.write(new_id() + '\n')
AFTER_BOOT = ['unshare', '-m', 'sh', '-c',
              'mount --bind %s /proc/sys/kernel/random/boot_id && exec "$0" "$@"' % boot_id]


def asked_again(client, due):
    """Spends that were answered by then, asked for again: what the index, or the books without one, know of ids."""
    for loader in loaders:
        for request, entry in list(zip(loader.sent, loader.answers))[::7]:
            if entry['seq'] >= due:
                break
            again = client.call('Spend', request)
            if not again['replayed'] or again['entry']['seq'] != entry['seq']:
                return 'entry %d is made again as %s' % (entry['seq'], again['entry'])
    return None


def use(dir, due):
    """Starts a daemon there, after the machine came up again, and spends. What is wrong, or None."""
    ledger = Ledger(init=False)
    ledger.dir = dir
    try:
        ledger.start(wrap=AFTER_BOOT)
        with ledger.connect() as client:
            wrong = asked_again(client, due)
            if wrong:
                return wrong
            entries = client.call('Status')['entries']
            client.call('Open', name='after', group=os.getgid(), allowance=500, id=new_id())
            client.call('Spend', spend(5, budget='after'))
        status = ledger.stop()
    except (RuntimeError, OSError, Refused) as error:
        return str(error)
    finally:
        ledger.kill()
        Ledger.all.remove(ledger)
    size, done = verified(dir)
    return None if status == 0 and size == entries + 2 else 'used, it does not verify: ' + done.stdout


def answered(events):
    """For each number of events: the entries that answers knew of by then."""
    known, buffer = [0], b''
    for event in events:
        most = known[-1]
        if event['op'] == 'answer':
            *answers, buffer = (buffer + event['data']).split(b'\0')
            for answer in map(json.loads, answers):
                entry = (answer.get('parameters') or {}).get('entry')
                if entry:
                    most = max(most, entry['seq'] + 1)
        known.append(most)
    return known


def judge_states(disk, events, known, most, stop_early=False):
    """(how many states were tried, how many used, what is wrong)."""
    count = used = indexed = 0
    wrong = []
    for due, state in states(disk, events, known, most):
        dir = make(state)
        count += 1
        size, said = verified(dir)
        if size is None:
            wrong.append('%d answered: %s%s' % (due, said.stdout, said.stderr))
        elif size < due:
            wrong.append('%d entries of %d answered' % (size, due))
        elif count % (INDEX_EVERY if state.unsure('index.mdb') else USED_EVERY) == 0:
            indexed += state.unsure('index.mdb')
            used += 1
            problem = use(dir, due)
            if problem:
                wrong.append('%d answered, used: %s' % (due, problem))
        if len(wrong) > (0 if stop_early else 5):
            break
    note('%d of the used ones in the middle of writing an index' % indexed)
    return count, used, wrong


# ---- The first creation -------------------------------------------------------------------------

def record_init(place):
    """The events of fundd --init in an empty directory."""
    path = os.path.join(home(), 'init.record')
    done = run([program('fundd'), '--init', '--origin', 'test.example/fund', '--dir',
                place + '/data'],
               env=recording(path))
    if done.returncode:
        raise RuntimeError(done.stderr)
    return read_record(path)


place = os.path.join(home(), 'fund')
os.mkdir(place)
empty = Disk(place)
empty.load()
init_events = record_init(place)
said = next((n for n, e in enumerate(init_events) if e['op'] == 'said'), None)
ok(said is not None and init_events[said]['data'].startswith(b'test.example/fund+'),
   'the record of --init holds what it printed')


def judge_init():
    """Before the key was printed anything may be there but a crash; from then on, a ledger."""
    count, wrong = 0, []
    printed = [n > said for n in range(len(init_events) + 1)]
    for due, state in states(empty.copy(), init_events, printed, 4 * MOST):
        dir = make(state)
        count += 1
        size, result = verified(dir)
        if due and size is None:
            wrong.append('printed, but: %s%s' % (result.stdout, result.stderr))
        if not due and result.returncode not in (0, 1, 6) or 'signal' in result.stdout:
            wrong.append('exit %d %s' % (result.returncode, result.stdout))
    return count, wrong


count, wrong = judge_init()
ok(not wrong, '--init: whatever moment the power goes', *wrong[:5])
note('--init: %d events, %d states' % (len(init_events), count))

# ---- A ledger at work ---------------------------------------------------------------------------

before = Disk(place)
before.load()
path = os.path.join(home(), 'work.record')
ledger = Ledger(init=False)
ledger.dir = place + '/data'
ledger.start(env=recording(path))
names = open_pools(ledger, 2)
loaders = [Loader(ledger.connect().sock, name) for name in names]
for share in (20, 40, 60):  # settled in between, so that each segment of the log is used twice
    work(loaders, share)
    time.sleep(1.1)
for loader in loaders:
    loader.depth = 0
deadline = time.monotonic() + PATIENCE
while any(len(l.answers) < len(l.sent) for l in loaders) and time.monotonic() < deadline:
    for loader in loaders:
        loader.drain()
with ledger.connect() as client:
    client.call('Reset')
    client.call('Close', name=names[1], id=new_id())
is_(ledger.stop(), 0, 'the recorded daemon ends well')
ledger.start(env=recording(path))
is_(judge(ledger, loaders), [], 'what was answered is what is stored')
is_(ledger.stop(), 0, 'and once more')
events = read_record(path)
known = answered(events)
ok(known[-1] > 60 and any(e['op'] == 'sync' for e in events)
   and any(e['op'] == 'dsync' for e in events),
   'the record holds answers, syncs and meta pages')

began = time.monotonic()
count, used, wrong = judge_states(before.copy(), events, known, MOST)
ok(not wrong, 'whatever moment the power goes, what was answered is there', *wrong[:5])
note('%d events, %d states verified and %d used, %.1f s' % (len(events), count, used,
                                                          time.monotonic() - began))

# ---- Another signing key ------------------------------------------------------------------------

TURNED_EVERY = int(os.environ.get('POWER_TURNED', 3))  # of these states, one is started


def turned(dir, printed):
    """Starts a daemon there, which must have one of the two keys: the new one, once that was printed."""
    ledger = Ledger(init=False)
    ledger.dir = dir
    try:
        ledger.start()
        with ledger.connect() as client:
            client.call('Spend', spend(1, budget=names[0]))
            key = client.call('Checkpoint')['vkey']
        status = ledger.stop()
    except (RuntimeError, OSError, Refused) as error:
        return None, str(error)
    finally:
        ledger.kill()
        Ledger.all.remove(ledger)
    if printed and key != printed:
        return key, 'the new key was printed, and it signs with the old one'
    return key, None if status == 0 else 'it ended with %d' % status


before_turn = Disk(place)
before_turn.load()
path = os.path.join(home(), 'turn.record')
done_ = run([program('fundd'), '--rotate-key', '--dir', ledger.dir], env=recording(path))
is_(done_.returncode, 0, 'the key is changed', done_.stderr)
turn_events = read_record(path)
printed = next(n for n, e in enumerate(turn_events) if e['op'] == 'said')
wrong, count, tried, keys = [], 0, 0, set()
for due, state in states(before_turn, turn_events,
                         [n > printed for n in range(len(turn_events) + 1)], MOST):
    count += 1
    if count % TURNED_EVERY:
        continue
    key, problem = turned(make(state), due and done_.stdout.strip())
    tried += 1
    keys.add(key)
    wrong += [problem] if problem else []
ok(not wrong,
   'whatever moment the power goes while the key is changed, it starts with one of the two',
   *wrong[:5])
ok(len(keys - {None}) == 2, '... and each of them is seen', keys)
note('%d events, %d states, %d started' % (len(turn_events), count, tried))

# ---- Controls -----------------------------------------------------------------------------------

unsynced = [dict(e, op='write' if e['op'] == 'dsync' else e['op']) for e in events
            if e['op'] != 'sync']
_, _, wrong = judge_states(before.copy(), unsynced, answered(unsynced), 6, stop_early=True)
ok(wrong, 'control: without the syncs it is found out')
note(wrong[0].strip()[:150] if wrong else '')


def early(events):
    """Each answer before the record of the log that was written before it."""
    moved = []
    for event in events:
        at = len(moved)
        if event['op'] == 'answer':
            while at and moved[at - 1]['op'] == 'answer':
                at -= 1
            while at and moved[at - 1]['path'].endswith('/ledger.wal') and moved[at - 1]['op'] in ('write', 'sync'):
                at -= 1
        moved.insert(at, event)
    return moved


too_early = early(events)
_, _, wrong = judge_states(before.copy(), too_early, answered(too_early), 2, stop_early=True)
ok(wrong, 'control: answers before their commit are found out')
note(wrong[0].strip()[:150] if wrong else '')
shutil.rmtree(work_dir)
done()

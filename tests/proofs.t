#!/usr/bin/python3 -B
# Prove, Consistency and Leaves, checked by a verifier of another hand, for every entry and every
# size.
import base64
import os

from lib.ledger import *

MAX = 2**63 - 1

ledger = Ledger().start()
client = ledger.connect()
call = client.call
uid = os.getuid()

call('Open', name='alice', owner=uid, allowance=20000, id=new_id())
for burst in (1, 2, 3, 5, 7, 9):    # heads of several sizes
    for _ in range(burst):
        client.send('Spend', spend(100, category='late'))
    for _ in range(burst):
        client.answer()


def unpacked(note):
    """Size, root and signature lines of a checkpoint's note."""
    text, _, signatures = note.rpartition('\n\n')
    origin, size, root = text.split('\n')
    assert origin == 'test.example/fund'
    return int(size), base64.b64decode(root), signatures


signed = set()    # notes whose signatures were checked: that is slow in Python


def held(receipt, seq):
    """The size that a receipt is proven against; raises Bad."""
    lines, _, note = receipt['proof'].partition('\n\n')
    first, index, *path = lines.split('\n')
    stranger.need((first, index) == ('c2sp.org/tlog-proof@v1', 'index %d' % seq), 'another index')
    if note not in signed:
        stranger.note_check(note, [ledger.vkey])
        signed.add(note)
    size, root, _ = unpacked(note)
    leaf = receipt['leaf'].encode()
    stranger.inclusion_check(seq, size, stranger.sha256(b'\0', leaf),
                             [base64.b64decode(p) for p in path], root)
    entry = stranger.leaf_entry(leaf)
    memo = base64.b64decode(receipt['salt']) + receipt['memo'].encode()
    stranger.need(entry['memo'] == base64.b64encode(stranger.sha256(b'fundd memo v1\n',
                                                                    memo)).decode(),
                  'another memo')
    return size


def every(name, cases, check):
    """One test over many cases; the first that is wrong is told."""
    wrong = None
    for case in cases:
        try:
            problem = check(*case)
        except (stranger.Bad, Refused, KeyError, ValueError) as error:
            problem = repr(error)
        if problem:
            wrong = '%r: %s' % (case, problem)
            break
    ok(not wrong, name, wrong)


status = call('Status')
size = status['entries']
newest = call('Checkpoint')['checkpoint']

# ---- Leaves -------------------------------------------------------------------------------------

def leaves(**span):
    rows = client.stream('Leaves', span)
    assert rows[-1] == {}
    return rows[:-1]


stream = leaves(**{'from': 0})
is_([r['seq'] for r in stream], list(range(size)), 'all leaves come, in order')
hashes = [stranger.sha256(b'\0', r['leaf'].encode()) for r in stream]
roots = {n: stranger.root_of(hashes[:n]) for n in range(size + 1)}
is_(roots[size], unpacked(newest)[1], 'their root is the one that is signed')
is_(leaves(**{'from': 5, 'to': 9}), stream[5:9], 'a part of them')
is_(leaves(**{'from': size}), [], 'none of them')

# ---- Prove --------------------------------------------------------------------------------------

heads = set()


def proven(seq, at_least):
    receipt = call('Prove', {'seq': seq, **({'size': at_least} if at_least else {})})['receipt']
    got = held(receipt, seq)
    heads.add(got)
    if receipt['leaf'] != stream[seq]['leaf']:
        return 'another leaf'
    return None if got == size or at_least and got >= at_least else 'proven against %d' % got


every('each entry, against the newest head', [(seq, 0) for seq in range(size)], proven)
is_(heads, {size}, 'which it is')
every('each entry, against each head', [(seq, n) for n in range(1, size + 1) for seq in range(n)],
      proven)
ok(3 < len(heads) < size, 'there are heads of several sizes', heads)


def first_head(n):
    got = held(call('Prove', seq=0, size=n)['receipt'], 0)
    return None if got == min(h for h in heads if h >= n) else 'got %d' % got


every('the first head of at least that size', [(n,) for n in range(1, size + 1)], first_head)
receipt = call('Prove', seq=size - 1)['receipt']
ok('parcel came late' in receipt['memo'], 'a receipt has the words in it', receipt)

# ---- Consistency --------------------------------------------------------------------------------

def consistent(old, new):
    path = [base64.b64decode(h) for h in call('Consistency', old=old, new=new)['hashes']]
    stranger.consistency_check(old, roots[old], new, roots[new], path)


every('each size is the beginning of each later one',
      [(old, new) for new in range(size + 1) for old in range(new + 1)], consistent)

# ---- Refused ------------------------------------------------------------------------------------

def refused(name, error, method, params, parameter=None, more=False):
    before = call('Status')['entries']
    try:
        got, told = None, (client.stream if more else call)(method, params)
    except Refused as refusal:
        got, told = refusal.name, refusal.parameters
    passed = got == error and told.get('parameter') == parameter and call('Status')['entries'] == before
    ok(passed and ('problem' not in told or len(told['problem']) > 8), '%s: %s' % (name, error),
       'got %s %s' % (got, told))


refused('an entry beyond the tree', 'UnknownEntry', 'Prove', {'seq': size})
refused('one far beyond it', 'UnknownEntry', 'Prove', {'seq': MAX})
refused('a negative entry', 'Malformed', 'Prove', {'seq': -1}, 'seq')
refused('no entry', 'Malformed', 'Prove', {}, 'seq')
refused('a head beyond the ledger', 'Malformed', 'Prove', {'seq': 1, 'size': size + 1}, 'size')
refused('one far beyond it', 'Malformed', 'Prove', {'seq': 1, 'size': MAX}, 'size')
refused('a head without the entry', 'Malformed', 'Prove', {'seq': 4, 'size': 4}, 'size')
refused('a head of nothing', 'Malformed', 'Prove', {'seq': 0, 'size': 0}, 'size')
refused('old over new', 'Malformed', 'Consistency', {'old': 5, 'new': 4}, 'old')
refused('new beyond the ledger', 'Malformed', 'Consistency', {'old': 5, 'new': size + 1}, 'new')
refused('new far beyond it', 'Malformed', 'Consistency', {'old': 0, 'new': MAX}, 'new')
refused('a negative size', 'Malformed', 'Consistency', {'old': -1, 'new': 1}, 'old')
refused('one size', 'Malformed', 'Consistency', {'old': 1}, 'new')
refused('leaves beyond the ledger', 'Malformed', 'Leaves', {'from': 0, 'to': size + 1}, 'to', True)
refused('leaves from beyond it', 'Malformed', 'Leaves', {'from': size + 1}, 'from', True)
refused('leaves backwards', 'Malformed', 'Leaves', {'from': 3, 'to': 2}, 'from', True)
refused('leaves without more', 'org.varlink.service.ExpectedMore', 'Leaves', {'from': 0})

# ---- Receipts in the same reply -----------------------------------------------------------------

def receipt_of(answer):
    """The size of the head that an answer's receipt is proven against."""
    receipt, entry = answer['receipt'], answer['entry']
    stranger.need(('"id":"%s"' % entry['id']) in receipt['leaf'], "another entry's receipt")
    return held(receipt, entry['seq'])


def spent(**more):
    return call('Spend', spend(100, **more))


got = spent(receipt=True)
is_(receipt_of(got), got['entry']['seq'] + 1, "a spend's receipt is of the head of its own commit")
is_(call('Checkpoint')['checkpoint'], got['receipt']['proof'].partition('\n\n')[2],
    'which is served')
is_('receipt' in spent(), False, 'who does not ask gets none')
is_('receipt' in spent(receipt=True, dry_run=True), False, 'a dry run has none')
up = call('TopUp', topup('alice', 500, receipt=True))
is_(receipt_of(up), up['entry']['seq'] + 1, "a top-up's")
back = call('Refund', ref=got['entry']['seq'], amount=40, id=new_id(), receipt=True)
is_(receipt_of(back), back['entry']['seq'] + 1, "a refund's")

first = spend(100)
once = call('Spend', first)
again = call('Spend', first, receipt=True)
is_((again['replayed'], again['entry']['seq']), (True, once['entry']['seq']),
    'a repeated request is the same')
is_(receipt_of(again), once['entry']['seq'] + 1, 'and gets its receipt, asked for only now')
spent()
is_(receipt_of(call('Spend', first, receipt=True)), once['entry']['seq'] + 2,
    'later, of a newer head')

mixed = [(n % 3 != 1, n % 7 == 3) for n in range(60)]    # receipt, and refused
calls = [spend(0 if bad else 100, receipt=wanted) for wanted, bad in mixed]
client.send_raw(b''.join(frame('Spend', params) for params in calls))
wrong, sizes = [], set()
for (wanted, bad), params in zip(mixed, calls):
    reply = client.recv()
    answer = reply.get('parameters')
    if ('error' in reply) != bad:
        wrong.append(reply)
    elif not bad and ('receipt' in answer) != wanted:
        wrong.append(answer)
    elif not bad and wanted:
        assert answer['entry']['id'] == params['id']
        sizes.add(receipt_of(answer))
ok(not wrong, '60 in one go, with and without receipts, some refused', *wrong)
ok(len(sizes) < 10, 'they share their heads', sizes)

before = call('Status')['entries']
client.send_raw(frame('Spend', spend(100, receipt=True), flags={'oneway': True}) +
                frame('Spend', spend(100, receipt=True)))
ok(receipt_of(client.answer()) == before + 2,
   'a oneway call has no answer and leaves no hole in the next')

long_ = '"\\' * 590
client.send_raw(b''.join(frame('Spend', spend(1, reason=long_, receipt=True)) for _ in range(64)))
time.sleep(0.1)    # a slow reader
answers = [client.answer() for _ in range(64)]
every('64 long ones, read slowly', [(a,) for a in answers],
      lambda a: receipt_of(a) and None
      if json.loads(a['receipt']['memo'])['reason'] == long_ else 'other words')
client.close()

# A commit that fails takes its receipts' holes with it.
def spend_ten(client):
    """Ten spends in one go. The names of the refusals; raises Bad for what is no answer and no refusal."""
    calls, refusals = [spend(1, receipt=True) for _ in range(10)], []
    client.send_raw(b''.join(frame('Spend', params) for params in calls))
    for params in calls:
        try:
            answer = client.answer()
        except Refused as refused:
            refusals.append(refused.name)
            continue
        stranger.need(params['id'] in answer['receipt']['leaf'], 'a receipt of another entry')
        receipt_of(answer)
    return refusals


ledger.stop()
undone, left, wrong = 0, 0, []
for nth in range(1, 8):
    try:
        ledger.start(['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-P',
                      ledger.dir + '/ledger.wal', '-e',
                      'trace=pwrite64', '-e',
                      'inject=pwrite64:error=ENOSPC:when=%d'
                      % nth], environment(**sanitizer_options('detect_leaks=0')))
    except RuntimeError:    # it was the start that failed
        continue
    refusals = []
    with ledger.connect() as client:
        try:
            refusals = spend_ten(client) + spend_ten(client)
        except OSError:     # the outcome is unknown, so nobody is answered
            left += 1
            status, ledger.daemon = ledger.daemon.wait(PATIENCE), None
            if status != 1:
                wrong.append((nth, 'it ended with status %d' % status))
            continue
        except (stranger.Bad, KeyError) as problem:
            wrong.append((nth, repr(problem)))
    ledger.stop()
    undone += len(refusals)
    # those of one commit: ten, or as many as had come when it was made
    if set(refusals) - {'Unavailable'} or len(refusals) > 10:
        wrong.append((nth, refusals))
ok(undone and not wrong, '%d spends undone: refused, and the next ones have the right receipts'
   % undone,
   '%d times left unanswered' % left, *wrong)
ledger.start()

# ---- Somebody else's ----------------------------------------------------------------------------

if uid == 0:
    BOB, STRANGER = 64301, 64302
    with ledger.connect() as boss, ledger.connect(BOB) as bob, ledger.connect(STRANGER) as stranger_:
        boss.call('Open', name='bob', owner=BOB, allowance=5000, id=new_id())
        spent = bob.call('Spend', spend(300))['entry']['seq']
        opened = spent - 1
        is_(held(bob.call('Prove', seq=spent)['receipt'], spent), spent + 1, 'his own spend')
        held(bob.call('Prove', seq=opened)['receipt'], opened)
        ok(True, 'his own budget')
        try:
            stranger_.call('Prove', seq=spent)
            ok(False, "somebody else's spend is refused")
        except Refused as told:
            is_(told.name, 'NotPermitted', "somebody else's spend is refused")
        for seq in (0, 1):
            held(stranger_.call('Prove', seq=seq)['receipt'], seq)
        ok(True, 'genesis and boot are proven to everybody')
        for _ in range(2):
            held(boss.call('Prove', seq=spent)['receipt'], spent)
        records = [e for e in boss.audit(kind='audit')
                   if e.get('filter') == '{"receipt":%d}' % spent]
        is_([e['budget'] for e in records], ['bob'], 'a manager who looks at it is on record, once')

is_(ledger.stop(), 0, 'the daemon ends well')
done()

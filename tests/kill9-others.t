#!/usr/bin/python3 -B
# kill -9 where it is not the daemon's daily work: a ledger's first creation, a reset of many
# budgets, and the clients. KILL9_INITS, KILL9_RESETS (blows), KILL9_BUDGETS and KILL9_CLIENTS say
# how much.
import os
import random
import shutil

from lib.ledger import *

INITS = int(os.environ.get('KILL9_INITS', 60))
RESETS = int(os.environ.get('KILL9_RESETS', 12))
BUDGETS = int(os.environ.get('KILL9_BUDGETS', 900))
CLIENTS = int(os.environ.get('KILL9_CLIENTS', 60))
random.seed(int(os.environ.get('SEED', '1')))

# ---- The first creation -------------------------------------------------------------------------

wrong, printed, whole = [], 0, 0
longest = 0.02  # seconds until the blow; comes to where half of them end before
for n in range(INITS):
    dir = os.path.join(home(), 'init')
    making = subprocess.Popen([program('fundd'), '--init', '--origin', 'test.example/fund', '--dir',
                               dir],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment())
    time.sleep(random.random() * longest)
    making.kill()
    said = making.communicate()[0]
    longest *= 0.85 if said else 1.2
    verified = run([program('fundd'), '--verify', '--all', '--dir', dir])
    again = run([program('fundd'), '--init', '--origin', 'test.example/fund', '--dir', dir])
    printed += bool(said)
    whole += verified.returncode == 0
    if said and verified.returncode:
        wrong.append('the key was printed, and: ' + verified.stdout + verified.stderr)
    if verified.returncode not in (0, 1, 6) or 'signal' in verified.stdout:
        wrong.append('--verify: %d %s' % (verified.returncode, verified.stdout))
    if again.returncode == 0 and whole and verified.returncode == 0:
        wrong.append('a whole ledger was made anew')
    shutil.rmtree(dir, ignore_errors=True)
ok(not wrong, '--init killed %d times: what was printed is there, nothing is made anew' % INITS,
   *wrong[:5])
note('%d had printed the key, %d were whole' % (printed, whole))

# ---- A reset of many budgets --------------------------------------------------------------------

ledger = Ledger().start()
with ledger.connect() as client:
    for first in range(0, BUDGETS, 50):
        for n in range(first, min(first + 50, BUDGETS)):
            client.send('Open', name='b/%d' % n, group=1000 + n, allowance=100 + n, period='day',
                        id=new_id())
        for n in range(first, min(first + 50, BUDGETS)):
            client.answer()
is_(ledger.stop(), 0, 'the daemon ends well')
preload = run(['faketime', '-f', '+0', 'sh', '-c', 'echo "$LD_PRELOAD"']).stdout.strip()
later = environment(FAKETIME='+3d', LD_PRELOAD=preload,
                    **sanitizer_options('verify_asan_link_order=0'))
blows = posted = 0
ledger.start(env=later)
for n in range(RESETS):
    client = ledger.connect()
    client.send_raw(frame('Reset', {}, flags={'more': True}))
    wanted = random.randint(1, max(2, 6 * BUDGETS // RESETS))
    try:
        while wanted and client.recv().get('continues'):
            wanted -= 1
    except HungUp:
        pass
    ledger.kill()
    client.close()
    blows += 1
    ledger.start(env=later)
with ledger.connect() as client:
    last = client.call('Reset')
    is_(client.call('Reset')['reset'], 0, 'once it is done, there is nothing more to reset')
    balances = {r['budget']['name']: r['budget'] for r in client.stream('Balance', all=True)
                if 'budget' in r}
    is_([n for n in range(BUDGETS) if balances['b/%d' % n]['balance'] != 100 + n], [],
        'every budget has its allowance, once')
    entries = client.audit(kind='reset')
    periods = {}
    for e in entries:
        periods.setdefault((e['budget'], e['period']), []).append(e)
    days = {p for _, p in periods}
    is_(len(periods), BUDGETS * len(days), 'every budget has each of the %d days' % len(days))
    is_([k for k, es in periods.items()
         if [e['to'] == k[0] for e in es] != [False, True] or es[0]['seq'] + 1 != es[1]['seq']], [],
        'each once: what lapsed and what was granted, one behind the other')
note('%d blows; the last reset still had %d periods to post' % (blows, last['reset']))
is_(ledger.stop(), 0, 'the daemon ends well')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies')

# ---- Clients ------------------------------------------------------------------------------------

ledger = Ledger().start()
with ledger.connect() as client:
    client.call('Open', name='mine', owner=os.getuid(), allowance=10**9, id=new_id())
state = os.path.join(ledger.home, 'state')
os.mkdir(state)
words = environment(FUND_SOCKET=ledger.socket, XDG_STATE_HOME=state)
ended, longest = {}, 0.01
for n in range(CLIENTS):
    reason = 'reason %d' % n
    typed = subprocess.Popen([program('fund'), 'spend', '1', '--for', reason],
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env=words)
    time.sleep(random.random() * longest)
    typed.kill()
    ended[reason] = typed.wait()
    longest *= 1.2 if ended[reason] else 0.85
folder = os.path.join(state, 'fund', 'pending')
left = [name for name in os.listdir(folder)
        if not name.startswith('.')] if os.path.isdir(folder) else []
sent = run([program('fund'), 'pending', '--send'], env=words)
with ledger.connect() as client:
    reasons = [e['reason'] for e in client.audit(kind='spend')]
is_(sorted(r for r in ended if reasons.count(r) > 1), [], 'a client killed: nothing is spent twice')
is_([r for r, status in ended.items() if status == 0 and r not in reasons], [],
    'what was reported as spent is there')
is_([name for name in os.listdir(folder) if not name.startswith('.')] if left else [], [],
    'no request is left over once all were sent', sent.stderr)
note('%d clients killed, %d ended before, %d requests were kept, %d spends are there'
     % (CLIENTS, sum(s == 0 for s in ended.values()), len(left), len(reasons)))
is_(ledger.stop(), 0, 'the daemon ends well')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies')
done()

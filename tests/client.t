#!/usr/bin/python3 -B
# What people see: each command of fund as a rep, a manager, cron and an auditor type it, in words
# and with --json, and what each says when it cannot.
import fcntl
import hashlib
import os
import pty
import re
import termios

from lib.ledger import *

need_root('several people')
TEAM = 64900
PEOPLE = {'alice': (64001, 64001, (TEAM,)), 'bob': (64002, 64002), 'dora': (64005, 64005),
          'boss': None, 'cron': (64030, 64030), 'dave': (64040, 64040)}
ALICE, BOB = (str(PEOPLE[name][0]) for name in ('alice', 'bob'))
BIG = 5 * 10**18  # of which two are more than a balance can be


def fund(who, *words):
    """The client, by the clock of the day, which is preloaded into it alone."""
    if not clock:
        return ledger.fund(*words, who=PEOPLE[who])
    state = os.path.join(ledger.home, 'then-' + who)
    os.makedirs(state, exist_ok=True)
    os.chmod(state, 0o777)
    return run([*(identity(*PEOPLE[who]) if PEOPLE[who] else ()), 'env',
                *('%s=%s' % pair for pair in clock.items()), program('fund'), *words],
               env=environment(FUND_SOCKET=ledger.socket, XDG_STATE_HOME=state))


def types(who, line, said='', status=0, told=''):
    """They type it: it ends with that status, and prints and tells what matches."""
    words = re.findall(r'"([^"]*)"|(\S+)', line)
    got = fund(who, *[a or b for a, b in words])
    ok(got.returncode == status and re.search(said, got.stdout) and re.search(told, got.stderr) and
       bool(got.stderr) == bool(told), '%s: fund %s' % (who, line), 'exit %d' % got.returncode,
       got.stdout, got.stderr)
    return got.stdout


def json_of(who, line, status=0):
    """The objects that it prints with --json."""
    got = fund(who, *line.split(), '--json')
    try:
        objects = [json.loads(text) for text in got.stdout.splitlines()]
    except ValueError:
        objects = []
    ok(got.returncode == status and objects, '%s: fund %s --json' % (who, line), got.stdout,
       got.stderr)
    return objects


def rows(table):
    """A table's lines below its heading, by its first column."""
    return [line.split()[0] for line in table.splitlines()[1:]]


# What makes it two months ago, for the daemon and for people.
clock = {'LD_PRELOAD': run(['faketime', '-f', '+0', 'sh', '-c',
                            'echo "$LD_PRELOAD"']).stdout.strip(),
         'FAKETIME': '-62d', **sanitizer_options('verify_asan_link_order=0')}
ledger = Ledger(roles={'cron': 'user:64030', 'auditor': 'user:64040'}, init=False)
run([program('fundd'), '--init', '--origin', 'test.example/fund', '--dir', ledger.dir],
    env=environment(**clock), check=True)
ledger.start(env=environment(**clock))

# ---- Budgets ------------------------------------------------------------------------------------

types('alice', '', '^You have no budget here yet. A manager opens one: '
      'fund open rep-%s --owner %s --allowance 100\n$' % (ALICE, ALICE))
types('boss', '', 'fund open root --owner root --allowance 100\n$')
types('boss', 'open team/north --group %d --allowance 500' % TEAM,
      r'^Opened team/north for group %d: EUR 500.00 a month. EUR 500.00 left until ' % TEAM)
types('boss', 'open alice --owner %s --allowance 200 --pool team/north --self-topup 300 '
      '--guideline 50' % ALICE,
      r'EUR 200.00 a month, draws up to EUR 300.00 from team/north a month, guideline EUR 50.00\.')
types('boss', 'open bob --owner %s --allowance 100 --carry 50 --period week' % BOB,
      r'EUR 100.00 a week, up to EUR 50.00 of what is left is kept\.')
types('boss', 'open team/yen --group %d --currency JPY --allowance 9000 --carry all' % TEAM,
      r'JPY 9000 a month, ')
types('boss', 'open more --group 64901 --allowance %d --carry all' % (BIG // 100), 'EUR ')
for line, told in (('open carol', 'name is needed'), ('open Carol --owner 5', 'small letter'),
                   ('open carol --owner nobody-of-that-name', 'no such user'),
                   ('open carol --group nobody-of-that-name', 'no such group'),
                   ('open carol --owner 5 --group 5', 'either'),
                   ('open carol --owner 5 --currency EUX', 'ISO 4217'),
                   ('open carol --owner 5 --period year', 'month, week, day or none'),
                   ('open carol --owner 5 --allowance -1', 'no sign'),
                   ('adjust bob', 'say what changes'), ('adjust bob --clear name', 'clear'),
                   ('close', 'name of a budget')):
    types('boss', line, status=2, told=told)
types('boss', 'open bob2 --owner ' + BOB, status=3, told='there is bob already')
types('alice', 'open mine --owner 5', status=4, told='manager')

lines = types('alice', '').splitlines()
ok(len(lines) == 3 and lines[0].startswith('alice        EUR 200.00 of 200.00 left, until 1 ') and
   len({line.index(' left') for line in lines}) <= 2 and
   len({re.search(r'(\.\d\d|\d) of', line).end() for line in lines}) == 1,
   'several budgets stand one below the other', *lines)
ok(re.fullmatch(r'bob   EUR 100.00 of 100.00 left, until \d+ [A-Z][a-z]+\n', types('bob', '')),
   'one budget is one line')

# ---- Spending -----------------------------------------------------------------------------------

types('alice', 'spend 25 --for "parcel came late, order 1187" --category late --customer C-1',
      r'^Spent EUR 25.00 from alice. EUR 175.00 left until 1 [A-Z][a-z]+.  \(entry 7\)$')
types('alice', 'spend 5 --for lamp --dry-run',
      r'^Dry run, nothing is recorded: Spent EUR 5.00 from alice. EUR 170.00 left until .*\.$')
types('alice', 'spend 500 --for stamps --budget team/yen',
      r'Spent JPY 500 from team/yen. JPY 8500 ')
types('alice', 'spend EUR 1.50 --for stamps', 'EUR 173.50 left')
photo = os.path.join(home(), 'photo.jpg')
with open(photo, 'w') as f:
    f.write('a broken lamp')
types('alice', 'spend 1.50 --for lamp --incident I-9 --evidence ' + photo, 'EUR 172.00 left')
sha = hashlib.sha256(b'a broken lamp').hexdigest()
types('alice', 'spend 422 --for "a sofa"', status=3,
      told=r'alice has EUR 172.00 left; EUR 200.00 more comes on 1 .*\.\n +team/north can help with '
           r'EUR 250.00 now:  fund topup 250.00 && fund spend 422 --for "a sofa"\n')
types('alice', 'spend 900 --for sofas', status=3,
      told='team/north can help with EUR 300.00 now:  fund topup 300.00\n')
types('bob', 'spend 900 --for sofas', status=3,
      told='A manager can help now:  fund topup bob 800.00\n')
types('bob', 'spend 5 --for lamp --budget alice', status=4, told='its owner spends from it')
types('bob', 'spend 5 --for lamp --budget team/north', status=4, told="its group's members spend")
types('dora', 'spend 5 --for lamp', status=3, told='you have no budget here yet')
for words, told in (('5', 'say what it is for'), ('--for lamp', 'one amount is needed'),
                    ('25 --for parcel came late',
                     'came is a word too many; .* in quotes: --for "parcel'),
                    ('25 EUR --for lamp', 'EUR: the currency stands before the amount'),
                    ('lamp --for lamp', 'lamp: '), ('0.005 --for lamp', 'two digits'),
                    ('1 --for lamp --evidence /no/such/file', 'No such file'),
                    ('1 --for lamp --id 5', 'a UUID'), ('1 --for lamp --category Late', 'small'),
                    ('1 --for lamp --for lamp', 'twice'), ('1 --for', 'needs a value'),
                    ('1 --for lamp --nonsense', 'no option --nonsense'),
                    ('JPY 500 --for lamp', 'kept in EUR, not in JPY'),
                    ('1.5 --for lamp --budget team/yen', 'whole number')):
    types('alice', 'spend ' + words, status=2, told=told)
answer = json_of('alice', 'spend 2 --for lamp')[0]
ok(answer['entry']['amount'] == 200 and answer['budget']['balance'] == 17000 and
   answer['replayed'] is False, 'the answer as the protocol has it', answer)
types('alice', 'spend 2 --for lamp --id ' + answer['entry']['id'],
      r'EUR 170.00 left .*\(entry %d, recorded before\)$' % answer['entry']['seq'])

# ---- Topping up and taking back -----------------------------------------------------------------

types('alice', 'topup 30', '^Added EUR 30.00 to alice from team/north. EUR 200.00 left until ')
types('alice', 'topup 271', status=3, told='may draw EUR 300.00 .* and EUR 270.00 of that is left')
types('bob', 'topup 5', status=4, told='no pool to draw from')
types('boss', 'topup bob 5 --for "well done"',
      '^Added EUR 5.00 to bob from the company. EUR 105.00 ')
types('boss', 'topup bob EUR 5 --from team/north --dry-run',
      '^Dry run.*bob from team/north. EUR 110.00 ')
types('boss', 'topup nowhere 5', status=3, told='there is no budget nowhere here')
types('alice', 'refund 7 10 --for "half of it came back"',
      r'^Refunded EUR 10.00 of entry 7 to alice. alice has EUR 210.00 left until .*\(entry \d+\)$')
types('alice', 'refund 7 20', status=3, told='EUR 25.00, of which EUR 15.00 is left to refund')
types('alice', 'refund 7', 'Refunded EUR 15.00 of entry 7')
types('alice', 'refund 7', status=3, told='all of it is refunded already')
types('alice', 'refund 2', status=4, told='was not made by you')
types('alice', 'refund 999', status=3, told='no entry 999')
types('boss', 'refund 0', status=2, told='^fund: entry 0 is no spend and no top-up')
types('alice', 'refund lamp', status=2, told='number of an entry')

# ---- Resets, two months later -------------------------------------------------------------------

is_(ledger.stop(), 0, 'two months go by')
clock = {}
ledger.start()
types('alice', '', r'^alice +EUR 225.00 left, its reset overdue since 1 ')
types('alice', 'reset', status=4, told='cron')
dry = types('cron', 'reset --dry-run --budget alice',
            r'Dry run, nothing is recorded: [23] periods begun')
types('cron', 'reset --dry-run', r'Dry run, nothing is recorded: \d+ periods begun', status=1,
      told='more cannot be reset: its balance would be more than a ledger can hold')
table = types('cron', 'reset', r'\d+ periods begun', status=1, told='more cannot be reset: ')
lines = [line.split() for line in table.splitlines()]
is_(lines[0], ['BUDGET', 'PERIOD', 'LAPSED', 'GRANTED', 'LEFT'], 'it is a table')
first = next(line for line in lines if line[0] == 'alice')
is_(first[2:], ['EUR', '225.00', 'EUR', '200.00', 'EUR', '200.00'], 'what lapsed and what came')
ok({'alice', 'bob', 'team/north', 'team/yen'} == {line[0] for line in lines[1:-1]},
   'one that fails does not stop the others', table)
types('cron', 'reset', r'^Nothing was due; 4 budgets were there already\.$', status=1, told='more')
types('cron', 'reset --quiet', '^$', status=1, told='more')
types('boss', 'close more', 'Closed more; EUR .* went back to the company')
types('cron', 'reset', r'^Nothing was due; 4 budgets were there already\.$')
types('cron', 'reset --quiet', '^$')
types('cron', 'reset --period 2999-01', status=3, told='2999-01 has not begun')
is_(json_of('cron', 'reset'), [{'reset': 0, 'already': 4}], 'its counts')

# ---- Looking at it ------------------------------------------------------------------------------

table = types('dave', 'balance --all', r'^BUDGET +LEFT +SPENT NEXT RESET +OWNER +TERMS\n')
is_(rows(table), ['team/north', 'alice', 'bob', 'team/yen', 'more'], 'an auditor sees every budget')
ok(re.search(r'\nmore .* closed ', table), 'and which is closed', table)
is_([b['name'] for b in json_of('alice', 'balance')], ['alice', 'team/north', 'team/yen'],
    'a rep their own and their pools\'')
types('bob', 'balance alice', status=4, told='not yours')
table = types('alice', 'audit alice', r'^ENTRY +WHEN +BUDGET +WHO +WHAT +AMOUNT +LEFT WHY\n')
for line in (r'7 .* alice +64001 spend +EUR -25.00 175.00 parcel came late, order 1187; C-1 #late',
             r'alice +64001 spend +EUR -1.50 172.00 lamp; I-9; sha256:%s photo.jpg' % sha,
             r'topup +EUR 30.00 200.00 from team/north',
             r'refund +EUR 10.00 210.00 of entry 7; half',
             r'reset +EUR -225.00 +0.00 20\d\d-\d\d: lapsed',
             r'reset +EUR 200.00 200.00 .*: allowance'):
    ok(re.search(line, table), 'audit: ' + line, table)
for filters, count in (('--kind spend', 5), ('--kind spend --category late', 1),
                       ('--customer C-1', 1),
                       ('--kind spend --min 20', 1), ('--kind spend --max 1.99', 2),
                       ('--kind spend --min "JPY 1"', 1), ('--limit 2', 2),
                       ('--kind refund --reverse', 2),
                       ('--since 2999-01-01', None), ('--until 2000-01-01', None)):
    if count:
        is_(len(rows(types('alice', 'audit ' + filters, 'ENTRY'))), count,
            'audit %s: %d' % (filters, count))
    else:
        types('alice', 'audit ' + filters, '^$', told='no entry that you may see')
seqs = [int(n) for n in rows(types('alice', 'audit --reverse', 'ENTRY'))]
is_(seqs, sorted(seqs, reverse=True), 'the newest first')
types('bob', 'audit alice', status=4, told='somebody else')
types('alice', 'audit --since yesterday', status=2, told='--since is a date such as')
types('alice', 'audit --kind thanks', status=2, told='--kind is all, ')
types('dave', 'audit --kind audit', r'64040 audit +looked for {.*"kind":"audit"')
is_({e['kind']
     for e in json_of('dave', 'audit --kind all')} >= {'genesis', 'boot', 'audit', 'close'},
    True, 'with --kind all there is everything')
types('boss', 'adjust alice --allowance 250 --clear guideline',
      r'^Adjusted alice for 64001: EUR 250.00 a ')
types('boss', 'adjust alice --owner ' + BOB, status=3, told='there is bob already')
types('alice', 'status', r'^test.example/fund: \d+ entries, 5 budgets, kept in EUR, UTC\n'
      r'fundd \S+, up for \d+ seconds?, \d connections?\n'
      r'No outside witness is named in the configuration.\n$')
is_(json_of('alice', 'status')[0]['currency'], 'EUR', 'in JSON')
types('alice', 'pending', '^$', told='every answer came')
types('boss', 'close bob --for "moved away"',
      r'^Closed bob; EUR .* went back to the company. Its history')
types('boss', 'close bob', status=3, told='bob is closed')
types('boss', 'open bob --owner ' + BOB, status=3,
      told='bob was a budget before, and is closed. A name is used once, .* '
      'choose another, such as bob-2')
types('bob', '', '^You have no budget here yet')
types('bob', 'balance', '^You have no budget here yet. A manager opens one: fund open ')
types('dora', 'balance --all',
      '^There is no budget here yet that you may see. A manager opens one: fund open ')
types('alice', 'topup alice 1 --dry-run', 'Dry run')
types('alice', 'spend %d.00 --for everything' % (2**63 // 100 - 1), status=3,
      told='alice has EUR .* left')
types('alice', 'spend --batch /', status=2, told='the file cannot be read: Is a directory')

# ---- Nobody reads it ----------------------------------------------------------------------------

def unread(line, stdout):
    """alice types it, and what it prints cannot be written; returns what is told."""
    words = re.findall(r'"([^"]*)"|(\S+)', line)
    state = os.path.join(ledger.home, 'unread')
    os.makedirs(state, exist_ok=True)
    os.chmod(state, 0o777)
    got = subprocess.run([*identity(*PEOPLE['alice']), program('fund'),
                          *[a or b for a, b in words]],
                         env=environment(FUND_SOCKET=ledger.socket, XDG_STATE_HOME=state),
                         stdout=stdout, stderr=subprocess.PIPE, text=True)
    is_(got.returncode, 1, 'fund %s, and it cannot be written: exit 1' % line)
    return got.stderr


with open('/dev/full', 'w') as full:
    told = unread('spend 1 --for lamp', full)
    last = json_of('alice', 'audit --limit 1')[0]
    is_(told, 'fund: entry %d is recorded, only the answer could not be written out: do not ask again\n'
        'fund: not all of it could be written out: No space left on device\n' % last['seq'],
        'it is told as it is')
    is_(unread('spend 1 --for lamp --dry-run', full),
        'fund: not all of it could be written out: No space left on device\n',
        'a dry run records nothing')
reading, pipe = os.pipe()
os.close(reading)
ok('is recorded' in unread('spend 1 --for lamp', pipe), 'a pipe that is closed: the same')
is_(unread('audit', pipe), '', 'audit | head: nothing to tell')
os.close(pipe)

# ---- A terminal of 80 columns -------------------------------------------------------------------


def on_terminal(line, columns):
    """What alice sees of it there."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    state = os.path.join(ledger.home, 'unread')
    subprocess.run([*identity(*PEOPLE['alice']), program('fund'), *line.split()], stdin=slave,
                   stdout=slave,
                   stderr=slave, env=environment(FUND_SOCKET=ledger.socket, XDG_STATE_HOME=state))
    os.close(slave)
    seen = b''
    try:
        while chunk := os.read(master, 65536):
            seen += chunk
    except OSError:  # all is read, and nobody has the other side
        pass
    os.close(master)
    return seen.decode().replace('\r\n', '\n')


reason = 'the parcel came much too late, so flowers for Frau Größenwahn were sent by courier'
types('alice', 'spend 1 --for "%s" --customer C-9' % reason, 'Spent')
shown = on_terminal('audit --limit 1', 80).splitlines()
where = shown[0].index('WHY')
ok(max(map(len, shown)) <= 80 and len(shown) > 3, 'the table stays within it', *shown)
is_(' '.join(line[where:] for line in shown[1:]), reason + '; C-9', 'its lines end between words')
is_(len(on_terminal('audit --limit 1', 200).splitlines()), 2,
    'where there is room, an entry is a line')

# ---- A month's report ---------------------------------------------------------------------------

program('fund-report')
now = [e for e in json_of('alice', 'audit alice --kind spend')
       if e['at'][:7] == time.strftime('%Y-%m', time.gmtime())]
here = [r for r in json_of('alice', 'report %s alice' % now[0]['period']) if r['currency'] == 'EUR']
is_((sum(r['spends'] for r in here), sum(r['spent'] for r in here)),
    (len(now), sum(e['amount'] for e in now)),
    'the report adds up what the audit lists')
types('alice', 'report %s alice' % now[0]['period'],
      r'^CATEGORY +SPENT TIMES CAME BACK +IN ALL\n(\(none\)|late) +EUR \d')
types('boss', 'report 2001-01', '^$', told='nothing was spent in that month')
types('boss', 'report 2026-13', status=2, told='2026-13: a month is written as in 2026-11')
types('boss', 'report nobody', status=3, told='there is no budget nobody here')

# ---- Help, and nobody there ---------------------------------------------------------------------

for command in re.findall(r'(?m)^  ([a-z]+)  ', types('bob', 'help', '^fund: what is left')):
    shown = types('bob', 'help ' + command, '^usage: fund %s ' % command)
    is_(types('bob', command + ' --help', '^usage'), shown, 'and so says fund %s --help' % command)
types('bob', '--version', r'^fund \d+\.\d+')
types('bob', 'nonsense', status=2, told='there is no command `nonsense`')
types('bob', 'help nonsense', status=2, told='there is no command')
types('bob', '--nonsense', status=2, told='there is no option')
types('bob', 'status extra', status=2, told='no arguments')
is_(ledger.stop(), 0, 'the daemon ends well')
for line in ('', 'spend 5 --for lamp', 'balance', 'audit', 'reset', 'status', 'topup 5', 'refund 7',
             'open x --owner 5', 'close x'):
    types('alice', line, '^$', status=5, told='cannot reach fundd at .*\n +Try again in a moment')
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies')
done()

#!/usr/bin/env python3
# What talks to the daemon trusts none of its bytes: replies with bytes flipped, cut, doubled, grown
# and taken out end in an answer or a sentence, never in a crash, and never in something remembered
# that was not signed.
import json
import os
import random
import re
import shutil
import sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
import ledger as t
import stranger
from ledger import ok, is_

seed = int(os.environ.get('SEED', '1'))
rounds = int(os.environ.get('HOSTILE_ROUNDS', '12'))
for name in ('fund-verify', 'fund-witness', 'fund-export'):
    t.program(name)
ledger = t.Ledger().start()
is_(ledger.fund('open', 'alice', '--owner', str(os.geteuid()), '--allowance', '100000').returncode,
    0, 'a budget')
for n in range(20):
    ledger.fund('spend', '1', '--for', 'parcel came late')


class Garbler(t.Proxy):
    """Changes each reply's bytes with some chance."""

    def __init__(self, path, real, dice):
        self.dice = dice
        super().__init__(path, real)

    def garble(self, data):
        dice, at = self.dice, self.dice.randrange(len(data))
        end = min(len(data), at + dice.choice((1, 2, 8, 40, 400)))
        return dice.choice((
            lambda: data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1:],
            lambda: data[:at] + data[end:],
            lambda: data[:end] + data[at:],
            lambda: data[:at] + dice.randbytes(dice.choice((1, 3, 30))) + data[at:],
            lambda: data[:at],
            lambda: data[:at] + data[at:at + 1] * dice.choice((50, 5000, 60000)) + data[at:],
            lambda: re.sub(rb'\d+', lambda m: dice.choice((b'0', b'-1', b'18446744073709551615',
                                                           b'9' * 40, m.group())), data),
            lambda: re.sub(rb'"[^"]{0,60}"',
                           lambda m: dice.choice((b'null', b'""', b'[]', m.group(), m.group(),
                                                  m.group())), data),
        ))()

    def replies(self, method, near, far):
        while True:
            reply = far.recv()
            data = json.dumps(reply, separators=(',', ':')).encode()
            if self.dice.random() < 0.5:
                data = self.garble(data)
            near.sendall(data + b'\0')
            if not reply.get('continues'):
                return


front = os.path.join(ledger.home, 'front.sock')
state = os.path.join(ledger.home, 'state-%d' % os.geteuid(), 'fund')
out = os.path.join(ledger.home, 'tiles')
# no real spend: it would ask again for 10 seconds when its answer is no answer
commands = (['spend', '1', '--for', 'x', '--dry-run'], [], ['verify'], ['verify', '--full'],
            ['receipt', '5'], ['status'],
            ['export', '--format', 'tiles', out], ['witness'])
wrong, statuses = [], {}
for n in range(rounds * len(commands)):
    dice = random.Random('%d %d' % (seed, n))
    words = commands[n % len(commands)]
    with Garbler(front, ledger.socket, dice):
        typed = ledger.fund('--socket', front, *words)
    statuses[typed.returncode] = statuses.get(typed.returncode, 0) + 1
    if typed.returncode not in (0, 1, 3, 4, 5, 6) or t.SANITIZER.search(typed.stderr) or \
            (typed.returncode and not typed.stderr.strip()):
        wrong.append((n, words, typed.returncode, typed.stderr[-600:]))
    shutil.rmtree(os.path.join(state, 'pending'), ignore_errors=True)
ok(not wrong, '%d garbled conversations, seed %d: an answer or a sentence'
   % (rounds * len(commands), seed), *wrong[:3])
ok(statuses.get(0, 0) and statuses.get(6, 0), 'some went well, and some were told', statuses)
t.note('exit statuses: %s' % statuses)
kept = [os.path.join(top, f) for top, _, files in os.walk(state) for f in files if f == 'checkpoint'
        and 'evidence' not in top]
bad = []
for path in kept:
    try:
        with open(path) as f:
            stranger.note_check(f.read(), [ledger.vkey])
    except (stranger.Bad, ValueError) as problem:
        bad.append((path, problem))
ok(kept and not bad, 'what is remembered is signed', kept, bad)
is_(ledger.fund('verify').returncode, 0, 'and the daemon itself still agrees with it',
    ledger.fund('verify').stderr)
typed = ledger.fund('witness')
ok(typed.returncode == 4 and 'no witness that fund.conf(5) names' in typed.stderr,
   'the witness, too (it is none that is configured)',
   typed.returncode, typed.stderr)
t.done()

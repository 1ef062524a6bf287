#!/usr/bin/python3 -B
"""`make bench` still runs: all of it but the peers, with sizes too small to mean anything."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib'))
from ledger import BUILD, ROOT, PATIENCE, done, is_, ok

ran = subprocess.run([os.path.join(ROOT, 'tests', 'bench', 'run'), '--smoke'],
                     stdin=subprocess.DEVNULL,
                     capture_output=True, text=True, timeout=4 * PATIENCE)
is_(ran.returncode, 0, 'the benchmark runs to its end', ran.stderr[-2000:])
ok('64 clients, one call each: spends/s' in ran.stdout, '... and prints its table', ran.stdout)

with open(os.path.join(BUILD, 'bench.json')) as f:
    said = json.load(f)
values = {' / '.join(m['measure']): m['value'] for m in said['measures']}
for name in ('64 clients, one call each: spends/s', '64 clients, 8 calls in flight each: spends/s',
             '1 client: spends/s', 'fund spend, the whole command, µs',
             'fundd --verify, entries/s'):
    ok((values.get(name) or 0) > 0, 'bench.json has "%s"' % name, said['measures'])
is_([name for name in values if 'PostgreSQL' in name and values[name]], [], 'no peer was started')
with open(os.path.join(BUILD, 'bench.svg')) as f:
    ok(f.read().startswith('<svg '), 'the chart is drawn')
ok(not os.path.exists(os.path.join(BUILD, 'bench.d')), 'nothing is left behind')
done()

"""What is measured: each function adds its figures, one value a round for each name."""
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import time

import peers
import place
from fundd import AUDITOR, POOLS, Fundd

WITH_DEPTH = ((64, 1), (64, 8), (16, 1), (1, 1))


class Figures(dict):
    """A list for each name, one value a round. Where something could not be measured there is none."""

    def add(self, name, value):
        self.setdefault(name, []).append(value)

    def add_load(self, name, load, *keys):
        for key in keys or ('rate', 'median_us', 'p99_us', 'p999_us'):
            self.add('%s_%s' % (name, key), load[key])

    def median(self, name):
        return statistics.median(self[name])

    def spread(self, name):
        """The distance between the extremes, as a share of the median."""
        return (max(self[name]) - min(self[name])) / self.median(name)


def disk(figures):
    speed = place.run_json([place.tool('disk'), place.PLACE, '1000'])
    figures.add('disk_over_us', speed['over_us'])
    figures.add('disk_behind_us', speed['behind_us'])


# ---- Side by side -------------------------------------------------------------------------------

def fundd_side(figures, number, sizes):
    """A fresh ledger: all client counts in turn, and what it takes on the disk."""
    daemon = Fundd('fresh-%d' % number)
    daemon.start()
    daemon.load(16, 4, POOLS, '-o')
    daemon.load(64, 8, sizes.spends)
    for clients, depth in WITH_DEPTH:
        spends = sizes.spends * depth if clients > 1 else sizes.spends // 50
        before, entries = daemon.sizes(), daemon.status()['entries']
        figures.add_load('fundd_%dx%d' % (clients, depth), daemon.load(clients, depth, spends))
        after, entries = daemon.sizes(), daemon.status()['entries'] - entries
        figures.add('bytes_%dx%d' % (clients, depth),
                    (sum(after.values()) - sum(before.values())) / entries)
    figures.add_load('receipts_64x1', daemon.load(64, 1, sizes.spends // 2, '-r'))
    commands(figures, daemon, sizes)
    daemon.stop()
    daemon.remove()


def commands(figures, daemon, sizes):
    """Whole commands, from their start to their end."""
    state = os.path.join(daemon.home, 'state')
    os.mkdir(state)
    os.environ.update(FUND_SOCKET=daemon.socket, XDG_STATE_HOME=state)
    figures.add('true_us', 1e6 * place.median_time(sizes.commands, '/bin/true'))
    figures.add('fund_spend_us', 1e6 * place.median_time(
        sizes.commands, place.program('fund'), 'spend', '0.25', '--budget', 'bench/1', '--for',
        'parcel came late, order 1187'))


def redis_side(figures, redis, sizes):
    redis.start()
    for clients, depth in WITH_DEPTH:
        spends = sizes.spends * min(depth, 2) if clients > 1 else sizes.spends // 50
        figures.add_load('redis_%dx%d' % (clients, depth), redis.load(clients, spends, depth),
                         'rate', 'median_us')
    figures.add('redis_cli_us', 1e6 * redis.command_time(sizes.commands))
    redis.stop()


def postgres_side(figures, postgres, sizes):
    for name, chain in (('postgres', False), ('chain', True)):
        postgres.fresh()
        for clients, depth in WITH_DEPTH:
            if depth == 1:
                figures.add_load('%s_%dx%d' % (name, clients, depth),
                                 postgres.load(clients, sizes.seconds, chain), 'rate', 'median_us')
    figures.add('psql_us', 1e6 * postgres.command_time(sizes.commands))


class Peers:
    """Both of them, or none."""

    def __init__(self, wanted):
        self.redis = self.postgres = None
        if not wanted:
            return
        self.redis, self.postgres = peers.Redis(), peers.Postgres()
        self.postgres.start()

    def versions(self):
        return [side.version() for side in (self.postgres, self.redis) if side]

    def side(self, figures, sizes):
        if self.redis:
            redis_side(figures, self.redis, sizes)
            postgres_side(figures, self.postgres, sizes)

    def stop(self):
        if self.postgres:
            self.postgres.stop()


# ---- Growth -------------------------------------------------------------------------------------

class Grown:
    """Ledgers of several sizes, with the same budgets; all of them are loaded in turn."""

    def __init__(self, sizes):
        self.sizes = sizes
        self.ledgers = []
        for entries in sizes.grown:
            place.say('  making a ledger of %s entries' % format(entries, ','))
            self.ledgers.append((entries, Fundd('grown-%d' % entries, entries + sizes.budgets,
                                                sizes.budgets)))

    def round(self, figures):
        for entries, daemon in self.ledgers:
            figures.add('start_%d_s' % entries, daemon.start())
            daemon.load(64, 8, self.sizes.spends // 4)
            figures.add_load('grown_%d' % entries, daemon.load(64, 1, self.sizes.spends))
            figures.add('memory_%d' % entries, daemon.memory())
            daemon.stop()
        self.largest(figures, *self.ledgers[-1])

    def largest(self, figures, entries, daemon):
        """The largest also: killed, read, verified."""
        daemon.start()
        self.kill(figures, daemon)
        audits(figures, daemon, entries, self.sizes)
        daemon.stop()
        rows = entries + self.sizes.budgets
        figures.add('verify_rate', rows / daemon.verify())

    def kill(self, figures, daemon):
        daemon.load(64, 8, self.sizes.spends // 4)
        daemon.stop(signal.SIGKILL)
        figures.add('start_killed_s', daemon.start())

    def once(self, figures):
        """What no round would change."""
        entries, daemon = self.ledgers[-1]
        sizes = daemon.sizes()
        figures.add('bytes_grown', sum(sizes.values()) / (entries + self.sizes.budgets))
        _, smallest = self.ledgers[0]
        smallest.start()
        empty = Fundd('empty')
        empty.start()
        empty.load(1, 1, POOLS, '-o')
        figures.add('bytes_budget', (smallest.memory() - empty.memory()) / self.sizes.budgets)
        idle_memory(figures, empty)
        for ledger in (smallest, empty):
            ledger.stop()


def seconds_of(link, method, **parameters):
    began = time.monotonic()
    replies = link.replies(method, **parameters)
    return time.monotonic() - began, replies


def audits(figures, daemon, entries, sizes):
    with daemon.connect() as link:
        times = [seconds_of(link, 'Audit', more=True, limit=50, reverse=True,
                            budgets=['bench/%d' % (n * 37 % sizes.budgets)])[0] for n in range(51)]
        figures.add('audit_50_ms', 1000 * statistics.median(times))
        seconds, _ = seconds_of(link, 'Audit', more=True, currency='EUR', min=10**12)
        figures.add('scan_rate', entries / seconds)
        reports = [seconds_of(link, 'Report', more=True, month='2026-02') for _ in range(5)]
        figures.add('report_ms', 1000 * statistics.median(seconds for seconds, _ in reports))
        if b'"category"' not in reports[0][1]:
            raise SystemExit('the report of a month has nothing in it: %r' % reports[0][1][:200])


def idle_memory(figures, daemon, users=12, each=60):
    """Other users connect and say nothing, which only root can arrange."""
    if os.geteuid():
        return
    time.sleep(2.5)  # what was recorded is folded, which takes memory of its own
    before = daemon.memory()
    ours, theirs = socket.socketpair()
    children = []
    for n in range(users):
        child = os.fork()
        if not child:
            idle_child(daemon.socket, AUDITOR - 1 - n, each, theirs)
        children.append(child)
    for _ in children:
        ours.recv(1)
    time.sleep(1.5)  # buffers of idle connections are given back each second
    figures.add('bytes_connection', (daemon.memory() - before) / (users * each))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def idle_child(path, uid, count, say):
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        held = [socket.socket(socket.AF_UNIX) for _ in range(count)]
        for sock in held:
            sock.connect(path)
            sock.sendall(b'{"method":"org.varlink.service.GetInfo"}\0')
            sock.recv(4096)
        say.send(b'+')
        signal.pause()
    finally:
        os._exit(0)


# ---- Reading beside spending --------------------------------------------------------------------

def audited_load(figures, daemon, sizes):
    """Ten audits of the whole ledger, over and over, while 64 clients spend."""
    if os.geteuid():
        return
    alone = daemon.load(64, 1, sizes.spends)
    both = daemon.load(64, 1, sizes.spends, '-a', '10', '-u', str(AUDITOR))
    figures.add('audited_rate', both['rate'])
    figures.add('audited_share', both['rate'] / alone['rate'])
    figures.add('audited_p99', both['p99_us'] / alone['p99_us'])
    figures.add('audited_rows_rate', both['audit_rows'] / both['seconds'])


# ---- Plain text accounting ----------------------------------------------------------------------

def journal_round(figures, daemon, entries):
    """The same ledger as a journal, for the programs that people add up journals with."""
    path = os.path.join(place.PLACE, 'journal')
    with open(path, 'w') as f:
        subprocess.run([os.path.join(place.HERE, 'journal'), daemon.socket], check=True, stdout=f,
                       timeout=place.LONGEST)
    with daemon.connect() as link:
        budgets = json.loads(link.replies('Balance', budgets=['bench/0'])[:-1])
    want = budgets['parameters']['budgets'][0]['balance']
    for name, words in (('ledger', ['-f', path, 'bal', '^fund:bench.0$']),
                        ('hledger', ['-f', path, 'bal', '^fund:bench.0$'])):
        if not shutil.which(name):
            continue
        began = time.monotonic()
        said = place.run([name, *words])
        figures.add('%s_s' % name, time.monotonic() - began)
        if '%d.%02d' % divmod(want, 100) not in said.replace(',', ''):
            raise SystemExit('%s does not come to %d:\n%s' % (name, want, said))
    figures.add('journal_verify_s', daemon.verify())
    full = place.program('fund-verify')
    if os.path.exists(full):
        figures.add('journal_full_s', full_verify(full, daemon))
    figures.journal_entries = entries


def full_verify(program, daemon):
    state = os.path.join(daemon.home, 'verify-state')
    os.makedirs(state, exist_ok=True)
    began = time.monotonic()
    place.run([program, '--full'], env=dict(os.environ, FUND_SOCKET=daemon.socket,
                                            XDG_STATE_HOME=state))
    return time.monotonic() - began

"""The peers: PostgreSQL 15 and Redis 7 as Debian has them, each in a directory of its own, over Unix
sockets alone, durable before each answer. What they do for a spend is in peers/."""
import csv
import glob
import os
import pwd
import re
import shutil
import statistics

import place

PEERS = os.path.join(place.HERE, 'peers')
ACCOUNTS = 10000
# What a spend says, as in peers/spend.sql.
TEXT = 'Northwind Traders GmbH|courtesy credit for late delivery of an order'


class Postgres:
    """initdb's defaults: fsync and synchronous_commit are on."""

    def __init__(self):
        self.bin = sorted(glob.glob('/usr/lib/postgresql/*/bin'))[-1]
        self.dir = os.path.join(place.PLACE, 'postgres')
        self.log = os.path.join(place.PLACE, 'postgres.log')
        self.socket = os.path.join(place.SOCKETS, 'postgres')
        self.results = os.path.join(place.PLACE, 'postgres.results')
        self.who = []
        for path in (self.dir, self.socket, self.results):
            os.mkdir(path, 0o700)
        if os.geteuid() == 0:  # it refuses to run as root
            user = pwd.getpwnam('postgres')
            self.who = ['setpriv', '--reuid=%d' % user.pw_uid, '--regid=%d' % user.pw_gid,
                        '--clear-groups']
            for path in (self.dir, self.socket, self.results):
                os.chown(path, user.pw_uid, user.pw_gid)
        place.run([*self.who, self.bin + '/initdb', '-D', self.dir, '-U', 'bench', '-A', 'trust',
                   '-E', 'UTF8', '--locale=C'], cwd='/')

    def version(self):
        return place.run([self.bin + '/postgres', '--version']).strip()

    def start(self):
        self.process, _ = place.start(
            [*self.who, self.bin + '/postgres', '-D', self.dir, '-k', self.socket, '-c',
             'listen_addresses='], self.log, self.ready, cwd='/')

    def ready(self):
        path = os.path.join(self.socket, '.s.PGSQL.5432')
        return os.path.exists(path) and not os.system(
            '%s/pg_isready -q -h %s' % (self.bin, self.socket))

    def stop(self):
        place.stop(self.process, 2)  # SIGINT: without waiting for clients

    def client(self, name, *words):
        return [*self.who, os.path.join(self.bin, name), '-h', self.socket, '-U', 'bench', *words]

    def fresh(self):
        """Empty tables."""
        with open(os.path.join(PEERS, 'schema.sql')) as schema:
            place.run(self.client('psql', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'postgres', '-c',
                                  schema.read()), cwd='/')
        place.run(self.client('psql', '-q', '-d', 'postgres', '-c', 'CHECKPOINT'), cwd='/')

    def load(self, clients, seconds, chain=False):
        """Spends a second, and the median of an answer in microseconds."""
        script = os.path.join(self.results, 'script.sql')
        shutil.copy(os.path.join(PEERS, 'spend_chain.sql' if chain else 'spend.sql'), script)
        os.chmod(script, 0o644)
        prefix = os.path.join(self.results, 'times')
        said = place.run(self.client(
            'pgbench', '-n', '-M', 'prepared', '-f', script, '-c', str(clients), '-j',
            str(min(2, clients)), '-T', str(seconds), '-l', '--log-prefix', prefix, 'postgres'),
            cwd='/')
        failed = re.search(r'number of failed transactions: (\d+)', said)
        if failed and int(failed.group(1)):
            raise SystemExit('PostgreSQL refused spends:\n' + said)
        times = []
        for path in glob.glob(prefix + '*'):
            with open(path) as f:
                times += [int(line.split()[2]) for line in f]
            os.unlink(path)
        return {'rate': float(re.search(r'tps = ([\d.]+)', said).group(1)),
                'median_us': statistics.median(times)}

    def command_time(self, count):
        """psql -c with one spend: the median seconds. The change of user is not its own."""
        sql = ("SELECT * FROM spend(7, 25, 'Northwind Traders GmbH', 'courtesy credit for late "
               "delivery of an order', gen_random_uuid())")
        words = ['psql', '-h', self.socket, '-U', 'bench', '-d', 'postgres', '-c', sql]
        return place.run_json([*self.who, place.tool('spawn'), str(count), *words],
                              cwd='/')['median_us'] / 1e6


class Redis:
    """An append-only file that is synced before each answer; no snapshots."""

    def __init__(self):
        self.dir = os.path.join(place.PLACE, 'redis')
        self.log = os.path.join(place.PLACE, 'redis.log')
        self.socket = os.path.join(place.SOCKETS, 'redis')

    def version(self):
        return place.run(['redis-server', '--version']).split(' sha')[0]

    def start(self):
        """With an empty directory."""
        shutil.rmtree(self.dir, ignore_errors=True)
        os.mkdir(self.dir, 0o700)
        self.process, _ = place.start(
            ['redis-server', '--port', '0', '--unixsocket', self.socket, '--dir', self.dir,
             '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''], self.log, self.ready)
        self.cli('eval', self.script('accounts.lua'), '0', str(ACCOUNTS))
        self.sha = self.cli('script', 'load', self.script('spend.lua'))

    def script(self, name):
        with open(os.path.join(PEERS, name)) as f:
            return f.read()

    def ready(self):
        return os.path.exists(self.socket) and self.cli('ping') == 'PONG'

    def stop(self):
        place.stop(self.process)

    def cli(self, *words):
        return place.run(['redis-cli', '-s', self.socket, *words]).strip()

    def load(self, clients, spends, depth=1):
        """Spends a second, and the median of an answer in microseconds. An id is three random
        numbers below 10,000, so nearly all are new."""
        before = int(self.cli('llen', 'entry'))
        number = '__rand_int__'
        said = place.run(['redis-benchmark', '-s', self.socket, '-c', str(clients), '-n',
                          str(spends), '-P', str(depth), '-r', str(ACCOUNTS), '--csv',
                          '--precision', '3', 'evalsha', self.sha, '0', number, '25',
                          '-'.join([number] * 3), TEXT])
        added = int(self.cli('llen', 'entry')) - before
        if added < spends * 0.999:
            raise SystemExit('Redis took %d of %d spends:\n%s' % (added, spends, said))
        *_, head, row = csv.reader(line for line in said.splitlines() if line.startswith('"'))
        figures = dict(zip(head, row))
        return {'rate': float(figures['rps']), 'median_us': 1000 * float(figures['p50_latency_ms'])}

    def command_time(self, count):
        """redis-cli with one spend: the median seconds."""
        return place.median_time(count, 'redis-cli', '-s', self.socket, 'evalsha', self.sha, '0',
                                 '%012d' % 7, '25', '{}', TEXT)

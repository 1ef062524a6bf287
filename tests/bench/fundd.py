"""Our side: a ledger, its daemon, and the load generator on it."""
import json
import os
import re
import shutil
import signal
import socket
import struct
import time

import place

POOLS = 64
AUDITOR = 65533  # a user that nobody is; it has the auditor's role


class Refused(Exception):
    """An error reply."""


class Link:
    """A connection that speaks the protocol."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(place.PATIENCE)
        self.sock.connect(path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def replies(self, method, more=False, **parameters):
        """The bytes of all replies."""
        call = {'method': 'io.fundd.Ledger.' + method, 'parameters': parameters}
        if more:
            call['more'] = True
        self.sock.sendall(json.dumps(call).encode() + b'\0')
        pieces, tail = [], b''
        while not tail.endswith(b'\0') or tail.endswith(b'"continues":true}\0'):
            piece = self.sock.recv(1 << 18)
            if not piece:
                raise ConnectionError('the daemon hung up')
            pieces.append(piece)
            tail = (tail + piece)[-32:]
        return b''.join(pieces)

    def call(self, method, **parameters):
        reply = json.loads(self.replies(method, **parameters)[:-1])
        if 'error' in reply:
            raise Refused(reply['error'])
        return reply['parameters']


class Fundd:
    """A ledger in PLACE. `entries`: made at once, of that many entries in `budgets` pools; else a
    new one, whose pools the first load opens."""

    def __init__(self, name, entries=0, budgets=POOLS, months=3):
        self.home = os.path.join(place.PLACE, name)
        self.dir = os.path.join(self.home, 'data')
        self.socket = os.path.join(place.SOCKETS, name)
        self.log = os.path.join(self.home, 'log')
        self.conf = os.path.join(self.home, 'fund.conf')
        self.budgets = budgets
        self.process = None
        os.mkdir(self.home)
        with open(self.conf, 'w') as f:
            f.write('[roles]\nmanager = user:%d\nauditor = user:%d user:%d\n'
                    % (os.geteuid(), os.geteuid(), AUDITOR))
        if entries:
            place.run([place.tool('fill'), self.dir, str(entries), str(budgets), str(months)])
        else:
            place.run([place.program('fundd'), '--init', '--origin', 'bench.example/fund',
                       '--currency', 'EUR', '--timezone', 'UTC', '--dir', self.dir])

    def ready(self):
        try:
            self.status()
            return True
        except (OSError, Refused):
            return False

    def start(self):
        """Returns the seconds until it answers."""
        self.process, seconds = place.start(
            [place.program('fundd'), '--config', self.conf, '--dir', self.dir,
             '--socket', self.socket], self.log, self.ready)
        return seconds

    def stop(self, number=signal.SIGTERM):
        status = place.stop(self.process, number)
        if status not in (0, -number):
            raise SystemExit('fundd ended badly: %s; see %s' % (status, self.log))

    def remove(self):
        shutil.rmtree(self.home)

    def connect(self):
        return Link(self.socket)

    def status(self):
        with self.connect() as link:
            return link.call('Status')

    def quiet(self):
        """Waits until nobody else is connected."""
        deadline = time.monotonic() + place.PATIENCE
        while time.monotonic() < deadline:
            try:
                if self.status()['connections'] == 1:
                    return
            except (OSError, Refused):
                pass
            time.sleep(0.01)

    def load(self, clients, depth, spends, *more):
        """Runs the load generator; its figures."""
        figures = place.run_json([place.tool('load'), '-s', self.socket, '-c', str(clients), '-d',
                                  str(depth), '-n', str(spends), '-b', str(self.budgets), *more])
        self.quiet()
        return figures

    def memory(self):
        """Bytes that are the process's own: without what it maps from files."""
        with open('/proc/%d/status' % self.process.pid) as f:
            return 1024 * int(re.search(r'RssAnon:\s+(\d+)', f.read()).group(1))

    def sizes(self):
        """Bytes in use of each file; the ledger's is filled with zeros ahead of its use."""
        sizes = {'keys': os.stat(os.path.join(self.dir, 'keys')).st_size}
        for name in ('ledger', 'index'):
            path = os.path.join(self.dir, name + '.mdb')
            sizes[name] = pages_used(path) * 4096 if os.path.exists(path) else 0
        return sizes

    def verify(self, *options):
        """The seconds that fundd --verify takes."""
        began = time.monotonic()
        place.run([place.program('fundd'), '--verify', *options, '--dir', self.dir])
        return time.monotonic() - began


def pages_used(path):
    """LMDB's two meta pages, each behind a header of 16 bytes, have the number of the last page."""
    with open(path, 'rb') as f:
        head = f.read(8192)
    return 1 + max(struct.unpack_from('<Q', head, at + 16 + 120)[0] for at in (0, 4096))

"""What a disk may hold after a power loss: a record of tests/tools/record.c, taken apart into what was durable
and what was still on its way at each moment.

The model: 512-byte sectors are written whole or not at all. fsync and fdatasync make a file's earlier writes and
its size durable, a write through O_DSYNC is durable when it returns, and a name is durable when its directory was
synced. Everything else may be there or not, in any combination, except that names change in order.
"""
import json
import os
import random

SECTOR = 512
NOTHING = bytes(SECTOR)


def read_record(path):
    """The events, in order: dicts, with their bytes as 'data'. Zeros written one after the other are one event."""
    events = []
    with open(path, 'rb') as f:
        while line := f.readline():
            event = json.loads(line)
            event['data'] = f.read(event['len'])
            last = events[-1] if events else None
            if (last and last['op'] == event['op'] == 'write' and last['path'] == event['path'] and
                    last['at'] + last['len'] == event['at'] and
                    not any(last['data']) and not any(event['data'])):
                last['data'] += event['data']
                last['len'] += event['len']
            else:
                events.append(event)
    return events


class File:
    def __init__(self):
        self.sectors = {}   # number: bytes, durable; absent: zero
        self.size = 0
        self.pending = []   # (number, bytes) or (None, size), in order

    def load(self, path):
        with open(path, 'rb') as f:
            data = f.read()
        self.size = len(data)
        for number in range(0, len(data), SECTOR):
            if any(sector := data[number:number + SECTOR]):
                self.sectors[number // SECTOR] = sector.ljust(SECTOR, b'\0')

    def newest(self, number):
        for n, data in reversed(self.pending):
            if n == number:
                return data
        return self.sectors.get(number, NOTHING)

    def write(self, at, data):
        """Adds the sectors that these bytes touch, and the size they end at."""
        end = at + len(data)
        if at >= self.size and not any(data):  # filled ahead: only the size tells
            self.pending.append((None, end))
            return
        while at < end:
            number, offset = divmod(at, SECTOR)
            part = data[:SECTOR - offset]
            data = data[len(part):]
            old = self.newest(number)
            self.pending.append((number, old[:offset] + part + old[offset + len(part):]))
            at += len(part)
        self.pending.append((None, end))

    def settle(self, chosen=None):
        """Applies pending changes: all, or those of the given indexes."""
        for index, (number, value) in enumerate(self.pending):
            if chosen is not None and index not in chosen:
                continue
            if number is None:
                self.size = max(self.size, value)
            elif any(value):
                self.sectors[number] = value
            else:
                self.sectors.pop(number, None)
        self.pending = []

    def copy(self):
        other = File()
        other.sectors, other.size = dict(self.sectors), self.size
        other.pending = list(self.pending)
        return other

    def save(self, path):
        with open(path, 'wb') as f:
            for number, data in self.sectors.items():
                if number * SECTOR < self.size:
                    f.seek(number * SECTOR)
                    f.write(data[:self.size - number * SECTOR])
            f.truncate(self.size)
        os.chmod(path, 0o600)


class Disk:
    """One directory tree under `root`: durable names, names on their way, files."""

    def __init__(self, root):
        self.root = root
        self.files = {}      # inode number: File
        self.names = {}      # durable: path: inode or None for a directory
        self.now = {}        # as the program sees it
        self.changes = []    # (directory, apply) not durable yet, in order
        self.next = 0
        self.lost = set()    # names of files that were being written when the power went

    def load(self):
        """Takes what is there now as durable."""
        for path, _, names in os.walk(self.root):
            self.names[path] = self.now[path] = None
            for name in names:
                if not name.endswith('-lock'):
                    inode = self.create(os.path.join(path, name))
                    self.files[inode].load(os.path.join(path, name))
        self.names = dict(self.now)
        self.changes = []

    def create(self, path):
        self.next += 1
        self.files[self.next] = File()
        self.change(path, self.next)
        return self.next

    def change(self, path, inode, gone=False):
        def apply(names):
            if gone:
                names.pop(path, None)
            else:
                names[path] = inode
        apply(self.now)
        self.changes.append((os.path.dirname(path), apply))

    def take(self, event):
        """The program did this."""
        op, path = event['op'], event['path']
        if op in ('answer', 'said') or not path.startswith(self.root):
            return
        if op == 'create':
            self.create(path)
        elif op == 'mkdir':
            self.change(path, None)
        elif op == 'unlink':
            self.change(path, None, gone=True)
        elif op == 'rename':
            inode = self.now[path]
            self.change(event['data'].decode(), inode)
            self.change(path, None, gone=True)
        elif op == 'sync' and self.now.get(path) is None:
            self.settle_names(lambda directory: directory == path)
        elif op == 'sync':
            self.files[self.now[path]].settle()
        elif op in ('write', 'dsync'):
            self.write(event)
        else:
            raise ValueError(op)

    def write(self, event):
        file = self.files[self.now[event['path']]]
        before = len(file.pending)
        file.write(event['at'], event['data'])
        if event['op'] == 'dsync':
            earlier, file.pending = file.pending[:before], file.pending[before:]
            file.settle()
            file.pending = earlier

    def settle_names(self, which):
        kept = []
        for directory, apply in self.changes:
            if which(directory):
                apply(self.names)
            else:
                kept.append((directory, apply))
        self.changes = kept

    def copy(self):
        other = Disk(self.root)
        other.files = {inode: file.copy() for inode, file in self.files.items()}
        other.names, other.now = dict(self.names), dict(self.now)
        other.changes, other.next = list(self.changes), self.next
        return other

    def pending(self):
        """What is on its way: (inode, index) of sectors and sizes, and how many names."""
        return [(inode, index) for inode, file in self.files.items()
                for index in range(len(file.pending))], len(self.changes)

    def unsure(self, name):
        """Whether there was something on its way to a file of that name, or to that name."""
        return name in self.lost

    def after(self, chosen, names):
        """The disk when, of what was on its way, only this arrived."""
        disk = self.copy()
        disk.lost = {os.path.basename(path) for path, inode in self.now.items()
                     if inode and (self.files[inode].pending or self.names.get(path) != inode)}
        for inode, file in disk.files.items():
            file.settle({index for i, index in chosen if i == inode})
        for _, apply in disk.changes[:names]:
            apply(disk.names)
        disk.changes = []
        return disk

    def save(self, place):
        """Makes it, with `place` for the root."""
        for path in sorted(self.names):
            there = place + path[len(self.root):]
            if os.path.dirname(path) not in self.names and path != self.root:
                continue
            if self.names[path] is None:
                os.makedirs(there, exist_ok=True)
            elif os.path.isdir(os.path.dirname(there)):
                self.files[self.names[path]].save(there)

    def key(self):
        return hash(tuple(sorted((path, inode and self.files[inode].size,
                                  inode and hash(frozenset(self.files[inode].sectors.items())))
                                 for path, inode in self.names.items())))


def choices(pending, names, most):
    """Subsets of what is on its way, at most `most` of them: all, nothing, then some of: without the names, the
    names alone, a prefix, one alone, one left out, any."""
    def prefix():
        return pending[:random.randint(0, len(pending))], names

    def alone():
        return [random.choice(pending)], names

    def without():
        left_out = random.choice(pending)
        return [p for p in pending if p != left_out], random.randint(0, names)

    def some():
        odds = random.random()
        return [p for p in pending if random.random() < odds], random.randint(0, names)

    found = [(pending, names), ([], 0)][:most]
    if names:
        found += [(pending, n) for n in range(names)] + [([], names)]
    while pending and len(found) < most:
        found.append(random.choice([prefix, alone, without, some])())
    return found


def states(disk, events, due, most):
    """Every moment between two events, and what the disk may hold if the power goes then: (what was
    due by then, disk). due[n]: what must hold when n events are over. About `most` for each moment, none twice
    for the same that is due."""
    seen = set()
    for done, event in enumerate(events + [None]):
        # what the event under way writes may have arrived, too
        moment = disk.copy()
        if event and event['op'] == 'dsync' and event['path'] in moment.now:
            moment.take(dict(event, op='write'))
        elif event and event['op'] != 'sync':
            moment.take(event)
        for chosen, names in choices(*moment.pending(), most):
            state = moment.after(chosen, names)
            key = due[done], state.key()
            if key not in seen:
                seen.add(key)
                yield due[done], state
        if event:
            disk.take(event)

#!/usr/bin/python3 -B
# One uid has at most 64 connections: who asks for more is told so, and nobody else suffers.
from lib.ledger import *

need_root('it connects as others')
ledger = Ledger().start()
mine = [ledger.connect(61001) for _ in range(64)]
for client in mine:
    client.call('Checkpoint')
with ledger.connect(61001) as more:
    reply = more.recv()
    ok(reply['error'] == INTERFACE + 'Unavailable' and '64 connections' in reply['parameters']['problem'],
       'the 65th connection of a uid is told why it cannot be', reply)
    ok(more.hung_up(), '... and hung up on')
with ledger.connect(61002) as other:
    ok(other.call('Checkpoint')['vkey'], 'somebody else connects as ever')
is_(len([c.call('Checkpoint') for c in mine]), 64, 'the 64 go on')
mine.pop().close()
deadline = time.monotonic() + PATIENCE
while True:  # until the daemon has seen that one went
    with ledger.connect(61001) as again:
        again.send('Checkpoint')
        reply = again.recv()
    if 'error' not in reply or time.monotonic() > deadline:
        break
ok('error' not in reply, 'where one went there is room for another', reply)
done()

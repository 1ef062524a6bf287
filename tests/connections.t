#!/usr/bin/python3 -B
# One uid has at most 64 connections: who asks for more is told so, and nobody else suffers.
# Connections of one uid share who they are only when their groups are the same.
from lib.ledger import *

need_root('it connects as others')
ledger = Ledger().start()
mine = [ledger.connect(61001) for _ in range(64)]
for client in mine:
    client.call('Checkpoint')
with ledger.connect(61001) as more:
    reply = more.recv()
    ok(reply['error'] == INTERFACE + 'Unavailable'
       and '64 connections' in reply['parameters']['problem'],
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

GROUP = 62001
ledger.connect().call('Open', name='team/north', group=GROUP, allowance=1000, id=new_id())
member = ledger.connect(61004, 61004, [GROUP])
others = [ledger.connect(61004, 61004, groups)
          for groups in ([], [GROUP + 1], [GROUP + 2, GROUP + 1])]
for client in others:
    client.call('Checkpoint')


def may_spend(client):
    try:
        client.call('Spend', budget='team/north', amount=1, currency='EUR', reason='one',
                    id=new_id())
        return True
    except Refused as refused:
        return refused.name


is_([may_spend(client) for client in others], ['NotPermitted'] * 3,
    'a uid without the group is refused, though another connection of it has the group')
is_(may_spend(member), True, '... which spends')
member.close()
is_([may_spend(client) for client in others], ['NotPermitted'] * 3, '... also when that one went')
again = ledger.connect(61004, 61004, [GROUP])
is_(may_spend(again), True, 'who comes back with the group has it again')
done()

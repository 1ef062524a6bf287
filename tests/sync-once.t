#!/usr/bin/python3 -B
# A sync that failed is never tried again: what the disk has is unknown then. The daemon leaves
# without a word, whether the sync had been done or not; the next start finds out, and the same id
# makes one entry.
import errno

from lib.ledger import *

ledger = Ledger()


def failing(nth, how):
    return environment(LD_PRELOAD=program('tests/tools/fail.so'),
                       FAIL='fdatasync:%d:%d:%s' % (nth, errno.EIO, how),
                       FAIL_COUNT=home() + '/count',
                       **sanitizer_options('verify_asan_link_order=0'))


def outcome(client, request):
    """What comes of a spend: an entry, the refusal's name, or 'nothing was said'."""
    try:
        return 'entry %d' % client.call('Spend', request)['entry']['seq']
    except Refused as refused:
        return refused.name
    except ConnectionError:
        return 'nothing was said'


ledger.start()
with ledger.connect() as client:
    client.call('Open', name='mine', id=new_id(), owner=os.geteuid(), allowance=10**6,
                period='month')
ledger.stop()
for how in ('before', 'after'):
    said = []
    for nth in range(1, 9):
        request = spend(nth)
        try:
            ledger.start(env=failing(nth, how))
        except RuntimeError:
            continue  # it failed in the start already, which does not go on then
        with ledger.connect() as client:
            said.append(outcome(client, request))
            left = said[-1] == 'nothing was said' and ledger.daemon.wait(PATIENCE)
        if left is False:
            ledger.stop()
            continue
        is_(left, 1, 'sync %d fails %s: the daemon leaves' % (nth, how + ' it is done'))
        ledger.daemon = None
        ledger.start()
        with ledger.connect() as client:
            again = [client.call('Spend', request) for _ in range(2)]
            made = [e for e in client.audit(kind='spend') if e['id'] == request['id']]
        is_((again[1]['replayed'], len(made)), (True, 1), '... and asked again, it is there once')
        ledger.stop()
    ok('nothing was said' in said, 'a sync of a spend was among those that failed %s' % how, said)
    ok('Unavailable' not in said, 'nobody was told that nothing was recorded', said)
is_(ledger.verify('--all').returncode, 0, 'the ledger verifies')
done()

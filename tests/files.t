#!/usr/bin/python3 -B
# What is no file lies where one of the ledger's belongs: a pipe, a directory, a device, a link.
# Nobody waits for it or goes elsewhere: the daemon does not start, and --verify and --backup end,
# with a sentence that names it; what is derived is made again.
from lib.ledger import *

need_root('it makes a device')

PATIENCE_HERE = 10  # seconds: then it hangs
ledger = Ledger().start()
with ledger.connect() as client:
    client.call('Open', name='pool', group=0, allowance=1000, id=new_id())
    for _ in range(5):
        client.call('Spend', spend(1, budget='pool'))
ledger.stop()
elsewhere = os.path.join(ledger.home, 'elsewhere')

KINDS = {
    'a pipe': os.mkfifo,
    'a directory': os.mkdir,
    'a device': lambda path: os.mknod(path, 0o20600, os.makedev(1, 3)),
    'a link': lambda path: (shutil.copy(os.path.join(ledger.dir, os.path.basename(path)),
                                        elsewhere),
                            os.symlink(elsewhere, path)),
}
LEDGER = ('ledger.mdb', 'ledger.mdb-lock', 'ledger.wal')


def told(*options):
    """What fundd says, and its status; None when it went on for too long."""
    try:
        done = run([program('fundd'), *options, '--dir', copy], timeout=PATIENCE_HERE)
    except subprocess.TimeoutExpired:
        return None, 'it hangs, or serves'
    return done.returncode, done.stdout + done.stderr


def placed(name, make):
    """A copy of the ledger with something else at that name."""
    if os.path.exists(copy):
        shutil.rmtree(copy)
    shutil.copytree(ledger.dir, copy)
    path = os.path.join(copy, name)
    if os.path.exists(path):
        os.unlink(path)
    make(path)


copy = os.path.join(ledger.home, 'copy')
for name in LEDGER:
    for kind, make in KINDS.items():
        placed(name, make)
        wrong = []
        for options in (['--socket', copy + '/sock'], ['--verify'], ['--verify', '--all'],
                        ['--backup', ledger.home + '/backup']):
            status, said = told(*options)
            if status != 1 or 'is not a file' not in said:
                wrong.append('%s: exit %s: %s' % (options, status, said))
        ok(not wrong, '%s is %s: nothing is served, checked or copied' % (name, kind), *wrong)

for name, options in (('keys', ['--socket', copy + '/sock']), ('keys', ['--verify', '--all']),
                      ('signing.key', ['--socket', copy + '/sock']),
                      ('witnesses', ['--socket', copy + '/sock']),
                      ('accept-clock', ['--accept-clock'])):
    placed(name, os.mkfifo)
    status, said = told(*options)
    ok(status in (1, 6) and name in said, '%s is a pipe: fundd %s says so'
       % (name, ' '.join(options)),
       'exit %s' % status, said)

for kind in ('a pipe', 'a directory'):
    for name in ('index.mdb', 'index.mdb-lock'):
        placed(name, KINDS[kind])
        other = Ledger(init=False)
        other.dir = copy
        try:
            other.start()
            answered = other.balances() == {'pool': 995}
            ok(answered, '%s is %s: the daemon does without it, or makes it again' % (name, kind),
               other.log())
            is_(other.stop(), 0, 'and ends well')
        except RuntimeError as error:
            ok(False, '%s is %s: the daemon starts' % (name, kind), error)
        other.strange = False
        Ledger.all.remove(other)
done()

#!/usr/bin/python3 -B
# One system call fails, once: every fdatasync, meta page, pwrite, open and accept of a daemon's
# life in turn, and many of its allocations; "not done", and "done, but reported as failed". The
# daemon may stop, with a sentence; it may refuse; it must not lose or invent anything. After it: a
# loss of power in every other case, a restart, the same ids again, each once, and the ledger
# verifies.
#
# Controls: writes that are dropped while success is reported must be found out, and so must syncs.
# FAULTS_EACH: how many of each call at most.
import os
import random
import shutil

from lib.disk import *
from lib.load import *

need_root('mounting an image')

EACH = int(os.environ.get('FAULTS_EACH', 10))
EIO, EMFILE, ENOMEM, ENOSPC = 5, 24, 12, 28
# it has its own malloc
SANITIZED = b'__asan_init' in open(os.path.join(BUILD, 'fundd'), 'rb').read()
WANTED = 24          # answers, if the daemon gets that far
random.seed(int(os.environ.get('SEED', '1')))

disk = Disk('ext4')
base = Ledger(place=disk.mount_point).start()
names = open_pools(base, 2)
base.stop()
counter = os.path.join(home(), 'count')


def fresh(n):
    """A copy of the base, durable, as a ledger of its own."""
    ledger = Ledger(init=False)
    ledger.dir = os.path.join(disk.mount_point, 'case-%d' % n)
    subprocess.run(['cp', '-a', '--sparse=always', base.dir, ledger.dir], check=True)
    fd = os.open(disk.mount_point, os.O_RDONLY)
    subprocess.run(['sync', '-f', disk.mount_point], check=True)
    os.close(fd)
    return ledger


def failing(rule):
    call, nth, *_ = rule.split(':')
    if call == 'malloc':
        return environment(LD_PRELOAD=program('tests/tools/fail-malloc.so'), FAIL_MALLOC=nth,
                           FAIL_COUNT=counter)
    return environment(LD_PRELOAD=program('tests/tools/fail.so'), FAIL=rule, FAIL_COUNT=counter,
                       **sanitizer_options('verify_asan_link_order=0:handle_abort=0'))


def live_on(ledger, loaders, pauses):
    """Some of the spends, SIGHUP, the rest; in a pause what is in the log is settled, also what was on its way."""
    parts = max(2, pauses + 1)
    for part in range(1, parts + 1):
        answered = sum(len(loader.answers) for loader in loaders)
        if not work(loaders, max(WANTED * part // parts, answered + 4),
                    seconds=20) or ledger.daemon.poll() is not None:
            return
        if part == 1:
            ledger.daemon.send_signal(signal.SIGHUP)
        if part <= pauses:
            time.sleep(1.2)


def live(ledger, rule):
    """A daemon's life with that fault. Its loaders, and its exit status, None while it lives."""
    try:
        ledger.start(env=failing(rule))
        loaders = [Loader(ledger.connect().sock, name) for name in names]
    except (RuntimeError, OSError, Refused) as error:
        ledger.kill()
        return [], int(re.search(r'\(status (-?\d+)\)', str(error) + '(status 1)').group(1))
    live_on(ledger, loaders, 0 if not rule.startswith('meta') else 3
            if rule.endswith('silent') else 1)
    return loaders, ledger.daemon.poll()


def counted():
    try:
        with open(counter) as f:
            return int(f.read().split()[0])  # a child may say so, too
    except (FileNotFoundError, IndexError):  # it died on the way
        return 0


cases = [0]


def case(call, nth, error, how, power):
    """(whether the fault happened, what is wrong)."""
    rule = '%s:%d:%d:%s' % (call, nth, error, how)
    cases[0] += 1
    ledger = fresh(cases[0])
    if os.path.exists(counter):
        os.unlink(counter)
    loaders, status = live(ledger, rule)
    log = ledger.log()
    if power:
        disk.shut_down()
        ledger.kill()
    elif ledger.daemon and status is None:
        ledger.daemon.terminate()
        status = ledger.daemon.wait(PATIENCE)
    ledger.daemon = None
    happened = counted() == nth
    for loader in loaders:
        while loader.drain():
            time.sleep(0.001)
    if power:
        disk.unmount()
        disk.mount()
    wrong = aftermath(ledger, loaders)
    died = call == 'malloc' and status == -signal.SIGABRT  # without memory the process ends at once
    if status not in (None, 0, 1) and not died:
        wrong.append('it ended with %s: %s' % (status, log[-300:]))
    if call == 'meta' and happened and how != 'silent' and not re.search(
            'cannot be moved|could not be folded|is no index|unknown|cannot open', ledger.log()):
        wrong.append('it happened without a word')
    if status == 1 and not log.strip():
        wrong.append('it ended without a word')
    ledger.kill()
    shutil.rmtree(ledger.dir, ignore_errors=True)
    Ledger.all.remove(ledger)
    return happened, ['%s: %s' % (rule, w) for w in wrong]


def aftermath(ledger, loaders):
    try:
        ledger.start()
        return judge(ledger, loaders)
    except (RuntimeError, OSError, Refused) as error:
        return [str(error)]


def numbers(call):
    """Which of the calls: the first EACH, or some of many."""
    if call == 'meta':
        return range(1, 3)  # as many as a short life has
    if call != 'malloc':
        return range(1, EACH + 1)
    tries = set()
    while len(tries) < 2 * EACH:  # more of those at the start, which differ
        tries.add(int(2400 ** random.random()))
    return sorted(tries)


def every(call, error, how):
    """Each of the calls in turn."""
    happened, wrong = 0, []
    for nth in numbers(call):
        done, problems = case(call, nth, error, how, power=nth % 2)
        happened += done
        wrong += problems
        if wrong or not done and call != 'malloc':
            break
    ok(happened and not wrong, '%s fails (%s, %s): nothing is lost or invented'
       % (call, os.strerror(error), how), '%d happened' % happened, *wrong)
    return happened


def first_creation(n, rule):
    """--init with that fault. What is wrong, or None; and whether it happened."""
    dir = os.path.join(disk.mount_point, 'init-%d' % n)
    if os.path.exists(counter):
        os.unlink(counter)
    done = run([program('fundd'), '--init', '--origin', 'test.example/fund', '--dir', dir],
               env=failing(rule))
    left = [name for name in os.listdir(dir)] if os.path.isdir(dir) else []
    happened = counted() == int(rule.split(':')[1])
    if done.returncode == 0:
        verified = run([program('fundd'), '--verify', '--all', '--dir', dir])
        problem = verified.returncode and 'it does not verify: ' + verified.stdout
    elif done.returncode == -signal.SIGABRT and 'malloc' in rule:
        problem = done.stdout and 'it printed a key, then died'
    else:
        problem = done.returncode not in (1, 2) and 'exit %d' % done.returncode or left and \
            'left behind: %s' % left or not done.stderr and 'not a word' or \
            done.stdout and 'a key was printed'
    shutil.rmtree(dir, ignore_errors=True)
    return happened, problem and '%s: %s' % (rule, problem)


def first_creations():
    wrong, happened = [], 0
    for call in ('fdatasync', 'meta', 'pwrite', 'fsync', 'open',
                 *([] if SANITIZED else ['malloc'])):
        for nth in numbers(call):
            did, problem = first_creation(nth, '%s:%d:%d:before' % (call, nth, EIO))
            happened += did
            wrong += [problem] if problem else []
    note('--init: %d faults happened' % happened)
    return wrong


def removed_beneath():
    """The directory is deleted while the daemon runs: nothing is acknowledged that would be lost."""
    ledger = fresh(0).start()
    with ledger.connect() as client:
        client.call('Spend', spend(1, budget=names[0]))
        shutil.rmtree(ledger.dir)
        try:
            got = client.call('Spend', spend(1, budget=names[0]))
        except Refused as refused:
            got = refused.name
        is_(got, 'Unavailable', 'the directory is deleted: a spend is refused')
        ok(client.audit(budgets=[names[0]], limit=1), 'the directory is deleted: reading goes on')
    is_(ledger.stop(), 0, 'the directory is deleted: the daemon ends well')


def read_only_disk():
    """A read-only file system: the daemon says so and does not start; verification works."""
    ledger = fresh(0)
    subprocess.run(['mount', '-o', 'remount,ro', disk.mount_point], check=True)
    try:
        ledger.start()
        ok(False, 'a read-only disk: the daemon does not start')
    except RuntimeError as error:
        ok('ead-only' in str(error), 'a read-only disk: the daemon does not start, and says why',
           error)
    is_(ledger.verify().returncode, 0, 'a read-only disk: the ledger verifies')
    subprocess.run(['mount', '-o', 'remount,rw', disk.mount_point], check=True)
    shutil.rmtree(ledger.dir)


try:
    total = 0
    read_only_disk()
    for call, error, how in (
            ('fdatasync', EIO, 'before'), ('fdatasync', EIO, 'after'),
            ('meta', EIO, 'before'), ('meta', EIO, 'after'), ('meta', ENOSPC, 'before'),
            ('pwrite', EIO, 'before'), ('pwrite', EIO, 'after'), ('pwrite', ENOSPC, 'before'),
            ('pread', EIO, 'before'), ('open', EIO, 'before'),
            ('open', EMFILE, 'after'), ('accept', EMFILE, 'before'), ('accept', ENOMEM, 'before'),
            ('answer', EIO, 'before'), *([] if SANITIZED else [('malloc', ENOMEM, 'before')])):
        total += every(call, error, how)
    note('%d faults happened in %d lives' % (total, cases[0]))

    wrong = first_creations()
    ok(not wrong, '--init fails: nothing is left, or all is well', *wrong)
    removed_beneath()

    def found_out(call, power):
        for nth in range(1, 12):
            _, wrong = case(call, 1 if call == 'meta' else nth, 0, 'silent', power)
            if wrong:
                return wrong
        return []
    for call, power in (('pwrite', False), ('meta', True), ('fdatasync', True)):
        wrong = found_out(call, power)
        ok(wrong, 'control: a %s that does nothing and reports success is found out' % call)
        note('; '.join(wrong)[:160])
finally:
    for ledger in Ledger.all:
        ledger.kill()
    disk.unmount()
done()

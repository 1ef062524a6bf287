"""Where a benchmark happens: the programs, a directory that everybody may enter on the disk of the
checkout, the processes that were started, and that all of it is gone at the end."""
import atexit
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get('BUILD', 'build'))
HERE = os.path.join(ROOT, 'tests', 'bench')
PATIENCE = 120  # seconds that a start or a stop may take
LONGEST = 900   # seconds that any one program may take

PLACE = SOCKETS = None
_running = []


def say(text):
    print(text, file=sys.stderr, flush=True)


def entered_by_all(path):
    """Whether other users can get to the directory."""
    while path != '/':
        if not os.stat(path).st_mode & stat.S_IXOTH:
            return False
        path = os.path.dirname(path)
    return True


def choose():
    """build/bench.d, unless other users (PostgreSQL's) cannot enter it: then a directory in
    /var/tmp, when that is on the same disk."""
    place = os.path.join(BUILD, 'bench.d')
    shutil.rmtree(place, ignore_errors=True)
    if os.geteuid() or entered_by_all(BUILD):
        os.makedirs(place)
        return place
    if os.stat('/var/tmp').st_dev != os.stat(BUILD).st_dev:
        sys.exit('PostgreSQL does not run as root, and another user cannot enter %s.\n'
                 'Please run this from a checkout that all users can enter.' % BUILD)
    return tempfile.mkdtemp(prefix='fund-bench-', dir='/var/tmp')


def tidy():
    for process in _running:
        if process.poll() is None:
            process.kill()
            process.wait()
    for path in (PLACE, SOCKETS):
        shutil.rmtree(path, ignore_errors=True)


def program(name):
    return os.path.join(BUILD, name)


def tool(name):
    return os.path.join(BUILD, 'tests', 'bench', name)


def run(argv, **options):
    """Runs a program to its end; what it prints. A failure ends the benchmark."""
    options.setdefault('timeout', LONGEST)
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **options)
    if done.returncode:
        sys.exit('%s: exit %d\n%s' % (' '.join(map(str, argv)), done.returncode,
                                      done.stderr[-2000:] or done.stdout[-2000:]))
    return done.stdout


def run_json(argv, **options):
    return json.loads(run(argv, **options))


def start(argv, log, ready, **options):
    """Starts a program and waits until `ready` says so; the process, and the seconds it took."""
    began = time.monotonic()
    with open(log, 'a') as out:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   **options)
    _running.append(process)
    while not ready():
        if process.poll() is not None or time.monotonic() - began > PATIENCE:
            with open(log) as text:
                sys.exit('%s did not start:\n%s' % (argv[0], text.read()[-2000:]))
        time.sleep(0.001)
    return process, time.monotonic() - began


def stop(process, number=signal.SIGTERM):
    process.send_signal(number)
    try:
        status = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        status = process.wait()
    _running.remove(process)
    return status


def median_time(count, *command):
    """The median seconds of a whole command."""
    return run_json([tool('spawn'), str(count), *command])['median_us'] / 1e6


def begin():
    """Sets PLACE and SOCKETS, and sees to their end."""
    global PLACE, SOCKETS
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    PLACE = choose()
    SOCKETS = tempfile.mkdtemp(prefix='fb-')  # a socket's path is at most 107 bytes long
    os.chmod(PLACE, 0o755)
    os.chmod(SOCKETS, 0o755)
    atexit.register(tidy)

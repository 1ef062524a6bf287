#!/usr/bin/python3 -B
"""unit_filter.py UNIT COMMAND...: runs the command with the system calls that the unit's SystemCallFilter= lets
through, as this machine's systemd understands it; the others fail with EPERM."""
import ctypes
import os
import subprocess
import sys

ALLOW, EPERM = 0x7fff0000, 0x00050001  # SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EPERM)


def expand(name):
    """The calls that a @set stands for."""
    if not name.startswith('@'):
        return {name}
    listed = subprocess.run(['systemd-analyze', '--no-pager', 'syscall-filter', name], check=True, text=True,
                            env={**os.environ, 'SYSTEMD_COLORS': '0'}, stdout=subprocess.PIPE)
    members = [line.strip() for line in listed.stdout.split('\n')[1:] if line.strip() and not line.strip().startswith('#')]
    return set().union(*(expand(member) for member in members))


def allowed(unit):
    """The first line allows, each further one adds or, with ~, takes away."""
    calls = expand('@default')
    with open(unit) as f:
        values = [line.split('=', 1)[1].strip() for line in f
                  if line.startswith('SystemCallFilter=')]
    for value in values:
        named = set().union(*(expand(name) for name in value.lstrip('~').split()))
        calls = calls - named if value.startswith('~') else calls | named
    return calls


def restrict(calls):
    seccomp = ctypes.CDLL('libseccomp.so.2')
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(EPERM))
    for call in calls:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            seccomp.seccomp_rule_add(rules, ALLOW, number, 0)
    if seccomp.seccomp_load(rules):
        sys.exit('the filter was not taken')


restrict(allowed(sys.argv[1]))
os.execv(sys.argv[2], sys.argv[2:])

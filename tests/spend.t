#!/usr/bin/python3 -B
# What one `fund spend` takes, as little as it can be, and what holds all the same.
import os

from lib.ledger import *

FEW = {'libsodium', 'libc', 'ld-linux-x86-64', 'linux-vdso'}  # and what a sanitizer adds
SANITIZERS = {'libasan', 'libubsan', 'libm', 'libgcc_s', 'libstdc++', 'libpthread', 'libdl', 'librt'}

ledger = Ledger().start()
ledger.fund('open', 'desk', '--group', '0', '--allowance', '100')


def loaded(name):
    """The libraries that a program is linked with."""
    listed = run(['ldd', program(name)]).stdout
    return {os.path.basename(line.split()[0]).split('.so')[0] for line in listed.splitlines()}


is_(loaded('fund') - FEW - SANITIZERS, set(), 'fund loads the libraries of a spend, and no more')

# What few commands need is loaded by them, or missed with a sentence.
fake = os.path.join(home(), 'fake')
os.mkdir(fake)
open(os.path.join(fake, 'libsmartcols.so.1'), 'w').close()
said = ledger.fund('balance', 'desk', LD_LIBRARY_PATH=fake)
ok(said.returncode == 1 and 'libsmartcols.so.1' in said.stderr and 'needs that library' in said.stderr,
   'without the library for tables, a table is missed with a sentence', said.stderr)
said = ledger.fund('spend', '1', '--for', 'lamp', '--budget', 'desk', LD_LIBRARY_PATH=fake)
is_(said.returncode, 0, '... and a spend goes on', said.stderr)

done()

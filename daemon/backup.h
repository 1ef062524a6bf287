/*
 * A copy of the ledger, taken beside a running daemon: all that was answered before it began is in
 * it.
 *
 * It is a directory with ledger.mdb alone, which needs no log beside it. It gets its name when it
 * is whole, was verified, and is on disk; until then it is NAME.new, which the next try clears
 * away.
 */
#ifndef DAEMON_BACKUP_H
#define DAEMON_BACKUP_H

#include "config.h"

/* Copies config's ledger to the directory `name`, which must
 * not be there. How the program ends, after logging why. */
int backup_ledger(const struct config *config, const char *name);

#endif

/*
 * fundd --verify: the whole ledger once more, in a process of its own, beside a running daemon or
 * without one.
 */
#ifndef DAEMON_VERIFY_H
#define DAEMON_VERIFY_H

#include <stdbool.h>

/* Prints the verdict. Returns the exit status: 0, 6 when the ledger does not verify, 1 when it
 * cannot be read. `all`: every head's signature and every memo's commitment too. */
int verify_ledger(const char *dir, bool all);

/* What a start relies on, without a word when all is well: the whole ledger, or of a large one
 * what is not folded into the index; otherwise it logs what is wrong. Also true when it could
 * not be found out: then whoever opens the ledger says why. */
bool verify_apart(const char *dir);

#endif

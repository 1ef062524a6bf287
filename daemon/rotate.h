/*
 * fundd --rotate-key: a new signing key, which a `key` entry brings under a head that the old one
 * signs too.
 */
#ifndef DAEMON_ROTATE_H
#define DAEMON_ROTATE_H

#include "config.h"

#define OVERLAP_DAYS 30
#define OVERLAP_DAYS_MAX 3650

/*
 * With no fundd running on the ledger. `days`: how long the old key signs beside the new one.
 * Prints the new verifier key. Cut short anywhere, it has either happened or not, and the next
 * start or rotation tidies up. Returns the exit status.
 */
int rotate_key(const struct config *config, int64_t days);

#endif

/*
 * A new ledger: directory, seed, keyring, genesis.
 */
#ifndef DAEMON_INIT_H
#define DAEMON_INIT_H

#include "common/checkpoint.h"

struct init_options {
	const char *origin, *currency, *timezone;
	const char *user;		/* who will run fundd; NULL: who runs this */
	const char *after;		/* the file with the last checkpoint of a
					 * ledger that this one goes on from */
	struct checkpoint prior;	/* which is in it: init_ledger reads it */
};

/* EXIT_OK with the verifier key printed to stdout; otherwise
 * how the program ends, after logging, with nothing left. */
int init_ledger(const char *dir, const struct init_options *options);

#endif

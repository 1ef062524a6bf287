/*
 * The ledger's rows, read ahead. What can be seen of a row alone (checksum, shape, leaf, its hash,
 * its words) is seen to by as many threads as there are processors, a chunk of rows at a time.
 * Whoever asks gets the rows in order, and helps while the next ones are not ready.
 */
#ifndef DAEMON_AHEAD_H
#define DAEMON_AHEAD_H

#include "common/hash.h"
#include "keyring.h"
#include "ledger.h"
#include "stored.h"

struct ahead;

struct ahead_row {
	const char *problem;		/* why the row is bad: nothing below is set then */
	const char *words_problem;	/* why its words do not open */
	struct row row;
	struct stored stored;
	uint8_t leaf[HASH_SIZE];	/* the leaf's hash */
};

/* Rows `from` up to, but without, `until`. With a keyring words are opened; `alone`, no other
 * thread helps. NULL: the ledger cannot be read. */
struct ahead *ahead_new(struct ledger *ledger, struct keyring *keyring, uint64_t from,
			uint64_t until, bool alone);
void ahead_free(struct ahead *ahead);

/* The next row, valid until the next call; NULL behind the last. */
const struct ahead_row *ahead_next(struct ahead *ahead);

/* A row that will come in a while, when there is one; only to be looked at now. */
const struct ahead_row *ahead_peek(const struct ahead *ahead);

#endif

/*
 * The whole ledger once more, row by row: for the start of the daemon and for verification, the
 * same checks. What a row alone shows is checked ahead, by all processors; then books and tree take
 * one entry after the other.
 *
 * Of every row: checksum, shape, number; the leaf, canonical; the tree, hash by hash; the back
 * pointers; and that the entry may follow in the books. The last row must be signed, and its
 * signatures hold, and so must those of each head that brings a new key.
 */
#ifndef DAEMON_REPLAY_H
#define DAEMON_REPLAY_H

#include <stdbool.h>

#include "books.h"
#include "common/merkle.h"
#include "keyring.h"
#include "ledger.h"
#include "stored.h"

enum replay_flag {
	REPLAY_HEADS = 1,	/* check the signature of every head, not only the last */
	REPLAY_ALONE = 2,	/* leave the other processors to others */
};

/* Called with each entry that is in the books, its words opened when there is a keyring. */
typedef void replay_each(void *context, const struct stored *stored);

struct replay {
	struct books books;
	struct merkle tree;
	bool key_due;			/* a new key came with an entry: the
					 * head over it is always checked */
	uint8_t root[HASH_SIZE];	/* at the end */
	struct buf checkpoint;		/* the last head as a signed note */
	uint64_t bad;			/* the first bad entry, when there is one */
	uint64_t closed_words;		/* memos that did not open, where that is forgiven */

	struct keyring *keyring;	/* open every memo with it and check
					 * what the leaf commits to; or NULL */
	unsigned flags;
	bool forgive_words;		/* count a damaged memo instead of
					 * stopping (never that of entry 0) */
	replay_each *each;
	void *context;
	struct reader lookup;
};

/* Zeroes it; the books are the caller's to release or to take over. */
void replay_init(struct replay *replay);
void replay_release(struct replay *replay);

/*
 * From where books and tree are (empty at first) to the end of the ledger, or to the first head of
 * at least `size` entries. NULL when all of it holds; otherwise a static sentence about entry
 * replay->bad.
 */
const char *replay_until(struct replay *replay, struct ledger *ledger, uint64_t size);
const char *replay_ledger(struct replay *replay, struct ledger *ledger);

#endif

/*
 * Group commit: entries are taken into the books at once and reach the ledger together, at the end
 * of the loop turn, under one signed head. Nothing that was computed from them may leave before
 * batch_commit() has said COMMIT_DONE: batch_size() is what an answer was computed from,
 * batch_committed() what is durable.
 */
#ifndef DAEMON_BATCH_H
#define DAEMON_BATCH_H

#include <stdbool.h>

#include "books.h"
#include "common/memo.h"
#include "common/merkle.h"
#include "customers.h"
#include "head.h"
#include "keyring.h"
#include "ledger.h"
#include "refusal.h"
#include "stored.h"

#define BATCH_MAX 512			/* entries in one commit */
#define BATCH_BYTES ((size_t)1 << 20)	/* of rows: with so many it is full, too */

struct batch_item;

struct batch {
	struct ledger *ledger;
	struct keyring *keyring;
	struct books *books;
	struct customers *customers;
	const struct signers *signers;
	struct merkle committed;	/* the tree that is durable */
	struct buf checkpoint;		/* its signed note */

	/* private from here */
	struct merkle tree;		/* with the open batch */
	struct batch_item *items;
	unsigned count;
	struct buf rows, words;		/* the items' bytes */
	struct buf sealed, leaf;	/* of the one being added */
	size_t common;			/* bytes of `leaf` before its kind's own fields */
	struct random_pool salts;
	const char *told;		/* what was logged last of why nothing is recorded */
};

/* Takes over where a replay ended: its tree and its last
 * checkpoint (copied). The books' fetch becomes the batch's. */
void batch_init(struct batch *batch, struct ledger *ledger, struct keyring *keyring,
		struct books *books, struct customers *customers, const struct signers *signers,
		const struct merkle *tree, const struct buf *checkpoint);
void batch_release(struct batch *batch);

/* Makes sure that so many entries can be added one after the other: for those that belong together.
 * On a refusal (Unavailable) nothing changed. */
enum err batch_reserve(struct batch *batch, unsigned count, struct refusal *refusal);

/* A request is to be looked for, and an entry with these words to be added: has the processor fetch
 * meanwhile where their id and their customer would stand. */
void batch_expect(const struct batch *batch, int64_t uid, const uint8_t id[16],
		  const struct memo *words);

/*
 * Adds a planned entry: gives it number, time (max(now, last + 1) in microseconds) and memo, takes
 * it into the books. `words` may lack customer_prev, which is filled in. On a refusal (Unavailable)
 * nothing changed.
 */
enum err batch_add(struct batch *batch, struct entry *entry, struct memo *words, int64_t now,
		   struct refusal *refusal);

/* The common fields (entry_format_common) of the entry just added; until the next is. */
struct span batch_common(const struct batch *batch);

uint64_t batch_size(const struct batch *batch);
uint64_t batch_committed(const struct batch *batch);
unsigned batch_open(const struct batch *batch);		/* entries waiting */
bool batch_full(const struct batch *batch);

/*
 * Writes, looks again, signs, commits. COMMIT_DONE; COMMIT_UNDONE: books and tree are as after the
 * last commit; COMMIT_UNKNOWN: answer nobody, and end the process. *problem is set to a sentence
 * unless done.
 */
enum commit batch_commit(struct batch *batch, const char **problem);

/* An entry with its words, durable or still in the open
 * batch. NULL or a static sentence; release it after. */
const char *batch_read(struct batch *batch, int64_t seq, struct stored *ret);

#endif

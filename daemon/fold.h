/*
 * Folding: a thread that replays the ledger behind the daemon's back, in books of its own, and puts
 * what it finds into the index. So the index is made of what is on disk and nothing else, every
 * entry is checked a second time, and the daemon shares nothing with the thread but a few numbers
 * and the customers it has frozen.
 *
 * What always holds: every request id is in the daemon's books or in the index, or in both; the
 * books forget what they froze only when the commit that holds it is done. The thread folds at a
 * low priority, and seldom, for every fold writes much of the index anew: when FOLD_ENTRIES are
 * due, when nothing was recorded for a moment, or FOLD_SECONDS after the last time.
 */
#ifndef DAEMON_FOLD_H
#define DAEMON_FOLD_H

#include <pthread.h>
#include <stdatomic.h>

#include "folder.h"
#include "keyring.h"
#include "ledger.h"
#include "view.h"

#define FOLD_ENTRIES ((uint64_t)1 << 18)
#define FOLD_QUIET_SECONDS 1
#define FOLD_SECONDS 60
#define FOLD_BEHIND_MAX ((uint64_t)1 << 20)	/* entries: then the daemon waits for the thread */

struct fold {
	struct ledger *ledger;
	struct index index;
	bool open;			/* the rest is there only then */
	struct folder folder;		/* the thread's, once there is one */

	pthread_t thread;
	bool running;
	pthread_mutex_t mutex;		/* over what follows */
	pthread_cond_t changed;
	uint64_t wanted, folded;	/* entries; the former once they are settled */
	const struct map *frozen;	/* the daemon's customers in them */
	bool stopping, failed;
	atomic_bool damaged;		/* said by the thread */

	/* the daemon's side */
	struct view daemon_view;
	struct books *books;
	struct customers *daemon_customers;
	uint64_t frozen_to;		/* entries: what is frozen is to be
					 * folded when they are settled */
	int64_t last_time;		/* seconds; of the last fold */
	uint64_t seen;			/* the ledger's size, and since when it has not grown */
	int64_t seen_time;
};

/*
 * Opens the directory's index and makes sure that it is of this ledger: otherwise it is made again.
 * Then folds what is missing, unless it is little. `secret` is that of the hashes, the customers'
 * too. An index that cannot be made is done without: fold->open is false. NULL, or a static
 * sentence about the ledger's entry fold->folder.replay.bad.
 */
const char *fold_open(struct fold *fold, const char *dir, struct ledger *ledger,
		      struct keyring *keyring, const uint8_t secret[16]);

/* Fills empty books and tree as far as it is folded. NULL, or a sentence: the index is damaged. */
const char *fold_load(struct fold *fold, struct books *books, struct merkle *tree);

/* From here on books and customers ask the index, too. */
void fold_connect(struct fold *fold, struct books *books, struct customers *customers);

/* Starts the thread. The books, connected before, stay where they are. */
void fold_start(struct fold *fold, struct books *books);

/* Between two batches: begins a fold when one is due, or ends one that is done. */
void fold_turn(struct fold *fold);

/* The last of the budget's entries before `until` (microseconds), or one behind it in its month; as
 * far as it is known, otherwise `last`, the budget's last of all. NO_ENTRY: there is none. */
uint64_t fold_last(struct fold *fold, uint32_t place, int64_t until, uint64_t last);

/*
 * The totals of some budgets, or with NULL of all together, in a month, as far as it is folded: of
 * the entries below *ret_folded. What is behind the caller counts.
 */
void fold_totals(struct fold *fold, uint32_t month, const uint32_t *places, size_t count,
		 view_each *each, void *context, uint64_t *ret_folded);

/* Something that was read from the index cannot be relied on, so no answer may leave any more. */
bool fold_damaged(const struct fold *fold);

/* How many entries are in the index. */
uint64_t fold_folded(struct fold *fold);

/* Ends the thread and closes the index. */
void fold_close(struct fold *fold);

#endif

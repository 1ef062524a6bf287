/*
 * Checks of what stands in files, without a daemon: receipts, bare proofs, checkpoints,
 * directories of tiles.
 */
#ifndef CLIENT_CHECK_H
#define CLIENT_CHECK_H

#include "fund.h"
#include "tally.h"

struct check {
	struct fund *fund;
	const char
		*vkey; /* the key to check with; NULL: the one that is remembered of the origin */
	const char *witness;		/* whose cosignature a checkpoint needs; NULL: nobody's */
	const char *leaf;		/* the file of a bare proof's leaf */
	struct state state;
	struct keys keys;
};

/* One file or directory: prints what it is, or tells what is wrong with it. */
enum exit_status check_path(struct check *check, const char *path);
void check_release(struct check *check);

/* The keys to check that origin with. NULL, or a static sentence. */
const char *check_keys(struct check *check, const char *origin);

/* The witness's cosignature, if one is asked for. NULL, or a static sentence. */
const char *check_cosigned(const struct check *check, const struct note *note);

/* "123 entries, 4 budgets, 3 of them open; EUR 12.50 in them, EUR 100.00 spent" */
void say_tally(struct buf *out, const struct tally *tally);
void json_tally(struct buf *out, const struct tally *tally);

/* A directory of tiles: all of it, as with the daemon. NULL, or what is wrong; `bad` says where. */
const char *tiles_check(struct check *check, int dir, struct tally *tally, struct checkpoint *head,
			struct buf *bad);

#endif

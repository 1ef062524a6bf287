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
	const char *vkey;		/* the key to check with; NULL: the one
					 * that is remembered of the origin */
	const char *witness;		/* whose cosignature a checkpoint needs; NULL: nobody's */
	const char *leaf;		/* the file of a bare proof's leaf */
	struct state state;
	struct keys keys;
};

/* One file or directory: prints what it is, or tells what is wrong with it. */
enum exit_status check_path(struct check *check, const char *path);
void check_release(struct check *check);

/* "4 budgets, 3 of them open; EUR 12.50 left, EUR 100.00 spent" */
void say_tally(struct buf *out, const struct tally *tally);
void json_tally(struct buf *out, const struct tally *tally);

/* ---- For check*.c alone ---- */

/* A signed checkpoint: by the keys that are given or remembered, which check->keys has then;
 * cosigned, if a witness is asked for; and no other than the one that is remembered. NULL, or a
 * static sentence. */
const char *check_head(struct check *check, const char *note, size_t len, struct checkpoint *ret);

/* Print what is good. */
void check_show_receipt(const struct check *check, const char *path,
			const struct receipt *receipt, const struct entry *entry,
			const struct checkpoint *head);
void check_show_head(const struct check *check, const char *path, const char *kind,
		     const struct checkpoint *head, const struct tally *tally);

/* A directory of tiles: all of it, as with the daemon. NULL, or what is wrong; `bad` says where. */
const char *tiles_check(struct check *check, int dir, struct tally *tally, struct checkpoint *head,
			struct buf *bad);

#endif

/*
 * What is remembered of one ledger, so that it cannot be another tomorrow. In BASE/ORIGIN/, where
 * BASE is $XDG_STATE_HOME/fund (or ~/.local/state/fund), or a witness's own directory:
 *
 *   vkey           the verifier keys (keys.h), pinned when the ledger was first seen
 *   checkpoint     the newest signed checkpoint seen
 *   checkpoint.before   the one that was it before, in case that a loss of power damages it
 *   receipts/SEQ   receipts (receipt.h)
 *   evidence/…/    two signed checkpoints that contradict each other: `remembered` and `received`
 *   lock           held while the others change
 *
 * A checkpoint is only ever replaced by one that was proven to extend it, and only under the
 * lock. It is whole at any time, but not synced, for that would take every command longer than a
 * commit takes: after a loss of power the one that is remembered may be an older one, from which
 * the ledger must go on just as well. A witness syncs it, since it vouches for the newest.
 * The other files are written aside, synced and renamed (receipts are not synced: they can be
 * fetched again).
 */
#ifndef CLIENT_STATE_H
#define CLIENT_STATE_H

#include <stdbool.h>

#include "common/buf.h"
#include "files.h"
#include "keys.h"

struct state {
	int dir;			/* -1: nothing is remembered; `problem` says why */
	int receipts;			/* their directory; -1: not opened */
	int expected;			/* the file of a receipt that will
					 * come; -1: none was opened */
	int lock;			/* -1: not held */
	struct buf path;		/* of the directory, when it is known */
	struct keys keys;		/* none: never seen before */
	struct buf note;		/* the checkpoint as it stands in the file; empty: none */
	struct checkpoint head;		/* taken from it, when it is there */
	bool before;			/* the newest was damaged: `note` is the one before it */
	enum durable durable; /* DURABLE_NEW: synced, as by a witness */
	char problem[128];
};

#define STATE_INIT { .dir = -1, .receipts = -1, .expected = -1, .lock = -1, .durable = DURABLE_NOT }

/*
 * Opens what is remembered of that ledger; base NULL: the caller's own. NULL, also when there is
 * nothing or no place for it (dir is -1 then); otherwise a static sentence: what is there is
 * damaged and must not be replaced.
 *
 * A checkpoint is checked before it is kept, and when it is read again, unless it is byte for byte
 * the `known` one (or NULL) that somebody else holds: nothing can have happened to it then.
 */
const char *state_open(struct state *state, const char *base, const char *origin,
		       const struct buf *known);
void state_close(struct state *state);

/* Reads keys and checkpoint anew. NULL, or what is wrong with them. */
const char *state_load(struct state *state, const struct buf *known);

/* Waits for the lock, a moment at most, makes the directory if need be. false: nothing can be
 * remembered, `problem` says why. */
bool state_lock(struct state *state);
void state_unlock(struct state *state);

/* Under the lock: the keys, if they are others than before, and that checkpoint. false with
 * `problem`. */
bool state_save(struct state *state, const struct keys *keys, const char *note, size_t len,
		const struct checkpoint *head);

/* While its answer is awaited: opens a file for the next receipt, which has no name until it is
 * kept. What is wrong shows then. */
void state_expect_receipt(struct state *state);

/* Keeps a receipt's text, whatever was there. false with `problem`. */
bool state_save_receipt(struct state *state, uint64_t seq, const struct buf *text);

/* Keeps both signed notes, appends the directory they are in to `where`. false: they could not
 * be kept. */
bool state_evidence(struct state *state, const struct buf *remembered, const struct buf *received,
		    struct buf *where);

/* The numbers of the receipts, rising; freed by the caller. */
size_t state_receipts(struct state *state, uint64_t **ret);

/* Appends one receipt's text. */
bool state_receipt(struct state *state, uint64_t seq, struct buf *ret);

#endif

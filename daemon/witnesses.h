/*
 * What outside witnesses cosigned: of each that fund.conf(5) names, the newest checkpoint. What
 * one of them has cosigned cannot be rewritten unnoticed, so these also tell how much could be:
 * the rewrite window.
 *
 * They are kept in the file `witnesses` (fund-ledger(5)), which is written aside, synced and
 * renamed before a cosignature is answered for. Every one of them was checked against the ledger.
 */
#ifndef DAEMON_WITNESSES_H
#define DAEMON_WITNESSES_H

#include "books.h"
#include "common/checkpoint.h"
#include "config.h"
#include "ledger.h"

#define WITNESSES_FILE "witnesses"
#define WITNESSES_SHOWN 64		/* heads remembered that a witness may be about to cosign */

/* How much had moved when the ledger had so many entries. */
struct level {
	uint64_t size;
	unsigned count;
	struct moved *moved;		/* owned */
};

struct witness {
	struct verifier key;
	bool required;
	struct level level;		/* size 0: it has cosigned nothing yet */
	struct buf head;		/* the checkpoint as the ledger signed it */
	uint8_t cosignature[COSIGNATURE_SIZE];
};

struct witnesses {
	struct witness list[CONFIG_WITNESSES_MAX];
	unsigned count;
	struct level shown[WITNESSES_SHOWN];	/* a ring */
	unsigned shown_next;
	bool unwritten;			/* the file lacks something */
};

/* Those that the config names, with what is known of them kept; for the start and for a reload. */
void witnesses_configure(struct witnesses *witnesses, const struct config *config);
void witnesses_release(struct witnesses *witnesses);

/* Reads the file, if there is one. false after logging why the ledger cannot be the one that
 * was cosigned. A file that is damaged is told of and passed over. */
bool witnesses_load(struct witnesses *witnesses, int dir, struct reader *reader,
		    const char *origin);

/* Notes what has moved up to this head, which is shown to somebody who may cosign it. */
void witnesses_show(struct witnesses *witnesses, uint64_t size, const struct books *books);

/* Takes a cosigned checkpoint of the ledger. NULL when it is kept, durably, or known already;
 * otherwise a sentence, with *fault when it is the disk's fault and not the checkpoint's. */
const char *witnesses_take(struct witnesses *witnesses, int dir, struct reader *reader,
			   const char *origin, const char *note, size_t len, bool *fault);

/* Appends the signature lines of those that cosigned the head of this size. */
void witnesses_sign(const struct witnesses *witnesses, uint64_t size, struct buf *note);

/* The checkpoint of what is covered: by all that are required, or, where none is, by any one.
 * NULL: nothing is. */
const struct witness *witnesses_covering(const struct witnesses *witnesses);

/* The cosigned checkpoints as a JSON array of notes, the largest first, one for each head. */
void witnesses_answer(const struct witnesses *witnesses, const char *key, struct buf *out);

#endif

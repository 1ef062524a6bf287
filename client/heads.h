/*
 * The heads that a watch (watch.h) sees: each is held against the newest before, which must be its
 * beginning, or it that one's. The proof is asked for aside; what it shows to be wrong is an alarm.
 */
#ifndef CLIENT_HEADS_H
#define CLIENT_HEADS_H

#include <stdbool.h>
#include <stdint.h>

#include "alarm.h"
#include "common/json.h"
#include "link.h"
#include "state.h"

struct watch {
	struct link *link;		/* the watch is on while it is there */
	const char *socket, *base;	/* base: as for state_open */
	struct state state;
	bool opened;			/* the state, for the origin that the daemon says */
	struct keys keys;		/* the remembered ones, and those
					 * that were followed since */
	struct checkpoint head;		/* the newest head seen, of good
					 * signature; when note is not empty */
	struct buf note;
	bool again;			/* the head was behind, and asked for again */
	unsigned open;			/* proofs not answered yet */
	bool unproven;			/* one got lost, or could not be asked for */
	char before[ORIGIN_MAX + 1];	/* the origin of another ledger that
					 * was here; "" when it is the same */
	bool here;			/* this one is remembered to be here */
	struct buf vkey;		/* not the pinned one: how it took
					 * over must be asked (follow.h) */
	struct buf foreign;		/* the head that the daemon calls its newest */
	uint64_t named;			/* the entry that named vkey, as the daemon says */
	struct alarm alarm;
};

#define WATCH_INIT { .link = NULL, .state = STATE_INIT }

/* Asks for the daemon's newest head, which is looked at when it comes. */
void watch_ask(struct watch *watch);

/* A head of good signature: has it proven to be one of this ledger's, and the newest perhaps. */
void watch_head(struct watch *watch, const char *note, size_t len, const struct checkpoint *head);

/* The same of one that is known to go on from the newest. */
void watch_head_proven(struct watch *watch, const char *note, size_t len,
		       const struct checkpoint *head);

/* ---- For who follows keys and places ---- */

/* Opens what is remembered of that ledger. */
void watch_open(struct watch *watch, const char *origin);

/* The ledger's key of now: if it is the pinned one, or becomes it, the head is checked. */
void watch_key(struct watch *watch, const struct verifier *verifier);

/* Checks the daemon's newest head, whose keys are known. */
void watch_foreign(struct watch *watch);

/* The daemon's answer is none: what it is asked to prove, it does not. An alarm. */
void watch_unanswered(struct watch *watch, const struct reply *reply,
		      const struct problem *problem);

#endif

/*
 * The watch over the ledger. Whenever a program talks to the daemon, its signed head is asked for
 * beside the program's own calls and must extend the one that is remembered (state.h): the same
 * key or one that took over from it, no fewer entries, and the old ones unchanged. Another ledger
 * in its place must say in its genesis that it goes on from it. What does not is an alarm: both
 * signed checkpoints are kept as evidence, nothing remembered is replaced, and the program ends
 * with EXIT_UNVERIFIED.
 *
 * What always holds: nothing is remembered that was not proven, and money is not sent where the
 * head is known to be wrong (watch_ready). What is asked aside is answered at the latest in
 * watch_end.
 */
#ifndef CLIENT_WATCH_H
#define CLIENT_WATCH_H

#include <stdbool.h>

#include "alarm.h"
#include "common/err.h"
#include "common/json.h"
#include "link.h"
#include "state.h"
#include "wanted.h"

struct watch {
	struct link *link;		/* the watch is on while it is there */
	const char *socket, *base;	/* base: as for state_open */
	struct state state;
	bool opened;			/* the state, for the origin that the daemon says */
	struct keys keys; /* the remembered ones, and those that were followed since */
	struct checkpoint
		head; /* the newest head seen, of good signature; when note is not empty */
	struct buf note;
	bool again;			/* the head was behind, and asked for again */
	unsigned open;			/* proofs not answered yet */
	bool unproven;			/* one got lost, or could not be asked for */
	char before[ORIGIN_MAX +
		    1]; /* the origin of another ledger that was here; "" when it is the same */
	bool here;			/* this one is remembered to be here */
	struct buf vkey;		/* not the pinned one: how it took over must be asked */
	struct buf foreign;		/* the head that the daemon calls its newest */
	uint64_t named;			/* the entry that named it, as the daemon says */
	struct alarm alarm;
};

#define WATCH_INIT { .link = NULL, .state = STATE_INIT }

/* Asks for the head, beside what the program will ask. `socket` is what people call the daemon. */
void watch_start(struct watch *watch, struct link *link, const char *socket);

/* Reads what is needed to know the head. false: there is an alarm, which watch_end will tell;
 * send no money. */
bool watch_ready(struct watch *watch);

/* A receipt will come: what can be done for it while it is awaited. */
void watch_expect_receipt(struct watch *watch);

/* Checks that the receipt in a reply holds and is the wanted one, keeps it, and has its head
 * proven. Says so when there is none. */
void watch_receipt(struct watch *watch, const json_t *reply, const struct wanted *wanted);

/* A receipt that holds by itself: has its head proven to be one of this ledger's. */
void watch_head(struct watch *watch, const char *note, size_t len, const struct checkpoint *head);

/* Reads what is still to come. false: there is an alarm, or the proofs did not come. Nothing
 * is remembered yet. */
bool watch_settle(struct watch *watch);

/* Settles and remembers the newest head. false: there is an alarm, or it could not be proven
 * or kept. */
bool watch_remember(struct watch *watch);

/* Settles, remembers the newest head, and tells. Returns how the program ends: `status` when
 * all is well. */
enum exit_status watch_end(struct watch *watch, enum exit_status status);

void watch_release(struct watch *watch);

/* ---- For follow.c ---- */

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

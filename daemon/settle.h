/*
 * The thread that settles rows: that moves a segment of the write-ahead log into ledger.mdb while
 * the next one is written. One segment at a time; nobody waits for it but who needs the segment's
 * room again.
 *
 * A segment that could not be settled stays: nothing is lost, for it is in the log, and its rows
 * are read from memory. After a full disk or map, or without memory, it is tried again; after
 * anything else the daemon leaves when it needs the room, or at once when the store cannot be read
 * any more, and the next start recovers. It is logged once.
 */
#ifndef DAEMON_SETTLE_H
#define DAEMON_SETTLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct settler {
	struct store *store;
	pthread_t thread;
	int told;			/* the error that was logged last; of the thread alone */

	pthread_mutex_t mutex;		/* over what follows */
	pthread_cond_t changed;
	const struct segment *segment;	/* being settled; NULL: none */
	bool fill;			/* the store's file is to be filled ahead */
	uint64_t settled;		/* rows in ledger.mdb */
	int error;			/* of the last attempt */
	bool broken;			/* with it the store became unreadable */
	bool stopping;
};

/* Starts it: the store is from now on written by its thread alone. 0 or an errno. */
int settle_start(struct settler *settler, struct store *store);

/* Ends it when what it was given is done, or cannot be. */
void settle_stop(struct settler *settler);

/* Gives a segment, whose rows stay as they are until the settler is idle again. It must be idle. */
void settle_give(struct settler *settler, const struct segment *segment);

/* Waits until it is idle. 0, or the error that keeps it from being so. */
int settle_wait(struct settler *settler);

/* Tries again what failed for want of room or memory; and fills the store's file ahead. */
void settle_again(struct settler *settler);

/* How it stands at this moment. */
struct settling {
	bool idle;			/* a segment may be given */
	bool broken;			/* the store has become unreadable */
	uint64_t settled;		/* rows in ledger.mdb */
};

struct settling settle_look(struct settler *settler);

#endif

/*
 * The requests whose answers are not known yet: one file each, so that a lost answer is asked for
 * again under the same id, and nothing is spent twice.
 *
 * $XDG_STATE_HOME/fund/pending/ID (or ~/.local/state) is written before the request is sent and
 * taken away once there is a definite answer, a refusal included: renamed to `.free`, blanked, for
 * the next request to be written over it, since making and removing files would take a spend longer
 * than the rest of what it does. Whoever works on a request holds a lock on its file, so that of
 * two `fund` at once only one asks again. A file that somebody else owns is not looked at.
 *
 * It is not synced. It guards against a lost answer: against the death of this program, of the
 * daemon and of what is between them, all of which a written file outlives. A machine that loses
 * power takes the daemon with it, and the file may be gone, damaged or an older one, none of which
 * is sent (`sum`). Whether that last request was recorded, fund audit shows.
 */
#ifndef CLIENT_PENDING_H
#define CLIENT_PENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"

#define PENDING_FRESH_S 3600	/* older ones wait for the person */

struct pending_request {
	const char *method;
	const char *parameters;	/* the text of an object, without the id */
	const char *socket;	/* where it was sent */
	const char *line;	/* what was typed */
	struct json_int at;	/* Unix seconds */
	const char *sum;	/* in the file: over all the above and the
				 * id, so that no flipped bit is sent */
};

struct pending {
	char id[UUID_LEN + 1];
	int fd;			/* the locked file; -1: it could not be kept */
	json_t *root;		/* holds the request's strings when it was loaded */
	bool asked;		/* loaded: it was sent once, and perhaps recorded */
	struct pending_request request;
};

enum pending_state {
	PENDING_LOADED,		/* and locked */
	PENDING_BUSY,		/* loaded; another `fund` is at it */
	PENDING_GONE,		/* no such file (any more), or not the caller's */
	PENDING_DAMAGED,	/* *problem says how; locked */
};

/*
 * Writes and locks the file of p (id and request are set). When it cannot be kept, says on stderr
 * that a lost answer could then not be asked for again, and goes on.
 */
void pending_keep(struct pending *p);

/* Loads and locks. On PENDING_GONE there is nothing to release. */
enum pending_state pending_load(const char *id, struct pending *ret, struct problem *problem);

/* After PENDING_BUSY: waits some seconds for the other `fund` to end. LOADED, GONE (it has its
 * answer; p is released) or still BUSY. */
enum pending_state pending_wait(struct pending *p);

/* There is a definite answer: removes the file, if it is still this one, and releases p. */
void pending_drop(struct pending *p);

/* Lets go of the lock and the memory; the file stays. */
void pending_release(struct pending *p);

/* Young enough to be finished without being asked. */
bool pending_fresh(const struct pending *p);

/* The ids, oldest first; freed with pending_list_free. */
size_t pending_list(char ***ret);
void pending_list_free(char **ids, size_t count);

#endif

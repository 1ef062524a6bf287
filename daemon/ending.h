/*
 * How the last run ended: the file `clean` is there when it ended well, and only then. It is taken
 * away at the start, for good before anything else is written, so a crash, a power loss or a
 * restored backup leaves none.
 *
 * It holds the ledger's head of then: the checkpoint's text and a line with its checksum. Taken
 * away it becomes `last`, which stays. The log is empty after a clean end, so the head is what
 * tells a ledger.mdb that lost its last entries from one that never had them: of LMDB's two meta
 * pages one flipped bit may make the older one count.
 */
#ifndef DAEMON_ENDING_H
#define DAEMON_ENDING_H

#include <stdbool.h>

#include "common/checkpoint.h"

#define ENDING_FILE "clean"
#define ENDING_LAST_FILE "last"

struct ended {
	bool clean;			/* the last run ended well */
	bool known;			/* `head` is that of the last run that did */
	struct checkpoint head;
};

/* What is there, to look at. */
void ending_look(int dir, struct ended *ret);

/* The same, and from now on this run has not ended well. */
void ending_take(int dir, struct ended *ret);

/*
 * This run ends well, with that head, a signed note. Without room for the file the next start
 * checks once more, and that is all.
 */
void ending_note(int dir, const struct buf *head);

#endif

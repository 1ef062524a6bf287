/*
 * The disk: what stands behind daemon/ledger.h and daemon/keyring.h here. It keeps rows and tells
 * the model of each that is durable, when it becomes so.
 */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include <stdbool.h>

/* How a commit ends. */
enum ending {
	END_WELL,
	END_FULL_AT_PUT,	/* no room for a row */
	END_FULL,		/* no room at the commit */
	END_UNKNOWN_WRITTEN,	/* an error, and the rows are there */
	END_UNKNOWN_LOST,	/* an error, and they are not */
	END_CRASH_BEFORE,	/* the daemon dies before the sync */
	END_CRASH_AFTER,	/* the daemon dies after it */
	END_FLIPPED,		/* a bit changes on its way */
	END_COUNT
};

void disk_reset(void);
void disk_daemon_gone(void);
void disk_ends(enum ending ending);	/* the next commit */
void disk_room(unsigned room);		/* of enum room */
void disk_keys(bool none);		/* no new keys can be made */
void disk_unreadable(unsigned times, unsigned after);
bool disk_lacks_keys(void);
bool disk_troubled(void);		/* is there a reason for Unavailable? */
bool disk_failed(void);			/* is there one for the daemon to leave? */
void disk_behaves(void);
void disk_check_readers(void);		/* between turns there are none */

#endif

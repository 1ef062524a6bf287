/*
 * The rollback guard: the ledger's last two heads in a file at another place, so that an older
 * copy of the ledger is not taken for the newest. After each commit, and before its answers, the
 * older of the two is written over.
 *
 *   2 x 1024 bytes, each a signed note and newlines behind it
 *
 * The writes are not synced: after a loss of power the guard may be behind the ledger, which is
 * no harm.
 */
#ifndef DAEMON_GUARD_H
#define DAEMON_GUARD_H

#include <stdbool.h>

#include "books.h"
#include "ledger.h"

#define GUARD_SLOT 1024

struct guard {
	int fd;				/* -1: there is none */
	unsigned next;			/* the slot to write */
	bool failing;			/* told already */
};

/*
 * Opens it, making it when it is missing, and compares the ledger with it. An empty path is no
 * guard. false after logging why the ledger must not be served, and what to do.
 */
bool guard_open(struct guard *guard, const char *path, struct reader *reader,
		const struct books *books);
void guard_close(struct guard *guard);

/* Notes the newest head, its signed note. A failure is told once, and stops nothing. */
void guard_write(struct guard *guard, const struct buf *note);

#endif

/*
 * An entry as it comes out of the ledger: its row checked, its leaf parsed, its words opened when
 * asked for.
 */
#ifndef DAEMON_STORED_H
#define DAEMON_STORED_H

#include "common/entry.h"
#include "common/memo.h"
#include "keyring.h"
#include "ledger.h"
#include "row.h"

struct stored {
	struct entry entry;
	struct memo memo;		/* empty while not opened, and where erased */
};

/* NULL, or a static sentence: the row is damaged. */
const char *stored_read(struct reader *reader, uint64_t seq, struct row *row, struct stored *ret);

/* Opens the words of a row just read. Erased words
 * leave the memo empty; NULL or a static sentence. */
const char *stored_open(const struct row *row, struct keyring *keyring, struct stored *stored);

/* Frees the words. */
void stored_release(struct stored *stored);

#endif

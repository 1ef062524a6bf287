/*
 * The text of the file `witnesses` (fund-ledger(5)): a first line, and for each witness a block:
 * its key, what had moved when it cosigned, and the cosigned checkpoint. Without its last line, a
 * checksum (summed.h).
 */
#ifndef DAEMON_WITNESS_FILE_H
#define DAEMON_WITNESS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "books.h"
#include "common/sign.h"
#include "common/text.h"

struct witness_block {
	struct verifier key;
	struct moved moved[MOVED_MAX];
	unsigned count;
	const char *note;		/* borrowed from the text */
	size_t note_len;
};

/* Appends the first line, then a block each. */
void witness_file_begin(struct buf *out);
void witness_file_add(struct buf *out, const struct verifier *key, const struct moved *moved,
		      unsigned count, const struct buf *note);

/* Takes the first line, then a block each, to lines->end. false: it is damaged. */
bool witness_file_first(struct lines *lines);
bool witness_file_next(struct lines *lines, struct witness_block *ret);

#endif

/*
 * Heads: what a commit signs. The tree up to a row is a checkpoint, and the row holds its
 * signatures, one by each key that books_signers() names and no others; the checkpoint's text is
 * made again from origin, size and root.
 */
#ifndef DAEMON_HEAD_H
#define DAEMON_HEAD_H

#include "books.h"
#include "common/buf.h"
#include "common/merkle.h"
#include "common/sign.h"
#include "row.h"

/* The keys at hand; `secret` is NULL in one that is not there. */
struct signers {
	struct signer current, previous;
};

/* NULL when every key that must sign a head now is at hand; otherwise a static sentence. */
const char *head_signable(const struct books *books, const struct signers *signers);

/* Signs the tree, which head_signable said can be: fills `heads`, and appends the signed note.
 * Returns how many signed. */
unsigned head_sign(const struct books *books, const struct signers *signers,
		   const struct merkle *tree, uint8_t heads[BOOKS_SIGNERS_MAX * ROW_HEAD_SIZE],
		   struct buf *note);

/* Do a row's heads hold for this root, of books->totals.size entries? NULL, or a static
 * sentence. */
const char *head_check(const struct books *books, const uint8_t root[HASH_SIZE],
		       const struct part *heads);

/* Appends the signed note of a head. */
void head_note(struct buf *out, const char *origin, uint64_t size, const uint8_t root[HASH_SIZE],
	       const struct part *heads);

#endif

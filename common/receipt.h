/*
 * What a person keeps: a proof bundle (c2sp.org/tlog-proof@v1), the leaf it is about, and what
 * opens the leaf's commitment. The bundle's text stands verbatim in a receipt's file, so that stock
 * tools take it from there:
 *
 *   the bundle, from its first line to the checkpoint's last signature
 *   (blank line)
 *   fundd receipt v1
 *   leaf <the leaf, as it is>
 *   salt <base64>            (left out, with the memo, when the words are not known)
 *   memo <the memo's JSON, as it is>
 */
#ifndef COMMON_RECEIPT_H
#define COMMON_RECEIPT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "checkpoint.h"
#include "entry.h"
#include "proof.h"

#define RECEIPT_MAX 32768	/* bytes of a receipt's file, and more than any bundle has */

/* A bundle taken apart; borrows from its text. */
struct bundle {
	uint64_t index;
	struct proof proof;
	const char *note;		/* the checkpoint's signed note, note_len bytes */
	size_t note_len;
};

/* Appends a bundle (no `extra`). `note` is a whole signed checkpoint. */
void bundle_format(struct buf *out, uint64_t index, const struct proof *proof, const char *note,
		   size_t note_len);

/* Takes a bundle, with or without an `extra` line. NULL, or a static sentence. */
const char *bundle_parse(const char *text, size_t len, struct bundle *ret);

/* A receipt: parts of the text or of the reply it came in, borrowed. */
struct receipt {
	const char *bundle, *leaf, *memo;	/* memo NULL: not known */
	size_t bundle_len, leaf_len, memo_len;
	const char *salt;			/* base64; NULL with the memo */
	size_t salt_len;
};

void receipt_format(struct buf *out, const struct receipt *receipt);
const char *receipt_parse(const char *text, size_t len, struct receipt *ret);

/*
 * Does it hold? The bundle's checkpoint is signed by one of the keys, the leaf is in its tree at
 * its number, and salt and memo, where they are there, are what the leaf commits to. NULL with the
 * leaf taken apart and the checkpoint it was proven against; otherwise a static sentence that says
 * which of it does not hold.
 */
const char *receipt_check(const struct receipt *receipt, const struct verifier *const *keys,
			  unsigned count, struct entry *ret, struct checkpoint *head);

#endif

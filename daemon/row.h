/*
 * A row: one entry as it is stored, in the log (segment.h) and then in ledger.mdb (store.h).
 *
 *   1 byte    version, 1
 *   1 byte    how many back pointers
 *   2 bytes   big-endian: how long the leaf is
 *   leaf      the entry's canonical JSON
 *   hashes    n x 32: the subtrees this leaf completes, its own hash first; n follows from the number
 *   previous  for each budget the entry touches, in the order budget, from, to without repeats, how far
 *             back the entry stands that touched it last (0: there is none): 7 bits a byte, the low ones
 *             first, the top bit set in all bytes but the last, which is not 0 behind another
 *   memo      the sealed memo, as long as the rest is; see keyring.h
 *   heads     n x 68: 4-byte big-endian key id || Ed25519 signature of the checkpoint of the tree that
 *             ends with this row; none but on the last row of a commit
 *   1 byte    how many heads
 *   8 bytes   checksum of all bytes above, with the sequence number as its seed
 *
 * Nothing is stored that follows from something else: seven rows of a usual length fit into a page
 * of LMDB's. The checksum is there for accidents; see checksum.h. Of what it alone covers, the back
 * pointers are checked by a replay against the books; all else is hashed, signed or sealed.
 */
#ifndef DAEMON_ROW_H
#define DAEMON_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "checksum.h"
#include "common/buf.h"
#include "common/hash.h"
#include "common/sign.h"

#define ROW_VERSION 1
#define ROW_TOUCHED_MAX 3
#define ROW_NO_PREVIOUS UINT64_MAX
#define ROW_HEAD_SIZE (4 + SIGNATURE_SIZE)
#define ROW_HEADS_MAX 4

struct part {
	const uint8_t *bytes;
	size_t len;
};

/* A row taken apart; the parts point into the bytes it was read from. */
struct row {
	struct part leaf, hashes, memo, heads;
	uint64_t previous[ROW_TOUCHED_MAX];	/* sequence numbers, all smaller than
						 * the row's; or ROW_NO_PREVIOUS */
	unsigned previous_count;
};

/* Appends a row without its heads and what follows
 * them: what can be written while the entry is made. */
void row_begin(uint64_t seq, const struct row *row, struct buf *out);

/* The size of a finished row that began with `begun` bytes and gets n heads. */
size_t row_size(size_t begun, unsigned heads);

/*
 * Finishes a row in place, in `size` = row_size() bytes whose first ones are what row_begin wrote:
 * the heads (ROW_HEAD_SIZE each), their count and the checksum.
 */
void row_finish(uint64_t seq, uint8_t *bytes, size_t size, const uint8_t *heads, unsigned count);

/* Takes a row apart and checks the shape of its parts. NULL, or a static sentence. */
const char *row_take(uint64_t seq, const void *bytes, size_t len, struct row *ret);

/* The same, and its checksum first: for every row that comes from the disk. */
const char *row_parse(uint64_t seq, const void *bytes, size_t len, struct row *ret);

#endif

/*
 * A row of ledger.mdb: one entry as it is stored. The key is its sequence number, 8 bytes big-endian.
 *
 *   1 byte    version, 1
 *   5 parts, each a 2-byte big-endian length and that many bytes:
 *     leaf        the entry's canonical JSON
 *     hashes      n x 32: the subtrees this leaf completes, its own hash first
 *     previous    n x 8, big-endian: for each budget the entry touches, in the order budget, from, to without
 *                 repeats, the sequence number of the entry that touched it last (2^64 - 1: none)
 *     memo        24-byte nonce || XChaCha20-Poly1305 of the memo, tag last; see keyring.h
 *     heads       n x 68: 4-byte big-endian key id || Ed25519 signature of the checkpoint of the tree that
 *                 ends with this row; empty but on the last row of a commit
 *   8 bytes   checksum: the first 8 bytes of SHA-256 over the key and all bytes above
 */
#ifndef DAEMON_ROW_H
#define DAEMON_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/hash.h"
#include "common/sign.h"

#define ROW_VERSION 1
#define ROW_CHECKSUM 8
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
	struct part leaf, hashes, previous, memo, heads;
};

/* Appends a row without its heads and checksum: what can be written while the entry is made. */
void row_begin(struct buf *out, const struct row *row);

/* The size of a finished row that began with `begun` bytes and gets n heads. */
size_t row_size(size_t begun, unsigned heads);

/*
 * Finishes a row in place, in `size` = row_size() bytes whose first ones are what row_begin wrote:
 * the heads (ROW_HEAD_SIZE each) and the checksum.
 */
void row_finish(uint64_t seq, uint8_t *bytes, size_t size, const uint8_t *heads, unsigned count);

/* Takes a row apart and checks the shape of its parts. NULL, or a static sentence. */
const char *row_take(uint64_t seq, const void *bytes, size_t len, struct row *ret);

/* The same, and its checksum first: for every row that comes from the disk. */
const char *row_parse(uint64_t seq, const void *bytes, size_t len, struct row *ret);

#endif

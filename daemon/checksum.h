/*
 * A checksum of stored bytes: XXH64, from libxxhash. It tells of accidents (flipped bits, a page in
 * another's place), at a tenth of what SHA-256 costs. Against malice there are the leaf hashes, the
 * tree, its signatures, and the seals of the memos: whoever may write a file writes a checksum that
 * fits, too.
 */
#ifndef DAEMON_CHECKSUM_H
#define DAEMON_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#define CHECKSUM_SIZE 8		/* stored big-endian */

/* `seed` says what else the bytes belong to: a number, or the checksum of what goes before them. */
uint64_t checksum(uint64_t seed, const void *bytes, size_t len);

#endif

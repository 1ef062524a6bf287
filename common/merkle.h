/*
 * The ledger's tree: RFC 6962 with SHA-256. A leaf hashes behind 0x00, an inner node behind 0x01.
 *
 * Only the right edge is kept: what a further leaf and the root need. Row n of the ledger stores
 * the hashes that leaf n completes (its own first), so that node (level l, index i) is row ((i + 1)
 * << l) - 1, hash l.
 */
#ifndef COMMON_MERKLE_H
#define COMMON_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "hash.h"

#define MERKLE_LEVELS 64

struct merkle {
	uint64_t size;				/* leaves */
	uint8_t edge[MERKLE_LEVELS][HASH_SIZE];	/* edge[l] counts where bit l of size is set */
};

void merkle_leaf(const void *leaf, size_t len, uint8_t ret[HASH_SIZE]);
void merkle_node(const uint8_t left[HASH_SIZE], const uint8_t right[HASH_SIZE],
		 uint8_t ret[HASH_SIZE]);

/* How many subtrees leaf number `seq` completes: 1 for an even one, up to 64. */
unsigned merkle_completed(uint64_t seq);

/* Adds a leaf by its hash; `ret` gets the merkle_completed(seq) hashes, lowest level first. */
unsigned merkle_append(struct merkle *tree, const uint8_t leaf[HASH_SIZE],
		       uint8_t ret[MERKLE_LEVELS][HASH_SIZE]);

/* The root; of no leaves, SHA-256 of nothing. */
void merkle_root(const struct merkle *tree, uint8_t ret[HASH_SIZE]);

#endif

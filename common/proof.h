/*
 * Merkle proofs: that a leaf is in the tree, and that a tree is the beginning of a later one. RFC
 * 6962 section 2.1, checked as RFC 9162 sections 2.1.3.2 and 2.1.4.2 do it.
 *
 * Pure: whoever makes a proof says where the tree's nodes come from. Sizes, indexes and levels are
 * those of merkle.h; a proof's first hash is the one nearest to the leaf.
 */
#ifndef COMMON_PROOF_H
#define COMMON_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "hash.h"

#define PROOF_MAX 64		/* hashes: no tree of 2^63 leaves or less needs more */

struct proof {
	unsigned count;
	uint8_t hash[PROOF_MAX][HASH_SIZE];
};

/* Node `index` of that level, which is a whole subtree: (index + 1) << level leaves are there.
 * false: it cannot be had, and the proof fails. */
typedef bool proof_node(void *context, unsigned level, uint64_t index, uint8_t ret[HASH_SIZE]);

/* The root of the first `size` leaves; of none, SHA-256 of nothing. */
bool proof_root(uint64_t size, proof_node *node, void *context, uint8_t ret[HASH_SIZE]);

/* That leaf `index` is in the tree of `size` leaves: index < size. false when a node is missing. */
bool proof_inclusion(uint64_t index, uint64_t size, proof_node *node, void *context,
		     struct proof *ret);

/* That the tree of `old` leaves is the beginning of that
 * of `size`: old <= size. Empty when old is 0 or size. */
bool proof_consistency(uint64_t old, uint64_t size, proof_node *node, void *context,
		       struct proof *ret);

/* NULL when it proves it; otherwise a static sentence. Any count, index and size may be given. */
const char *proof_check_inclusion(const struct proof *proof, uint64_t index, uint64_t size,
				  const uint8_t leaf[HASH_SIZE], const uint8_t root[HASH_SIZE]);
const char *proof_check_consistency(const struct proof *proof, uint64_t old,
				    const uint8_t old_root[HASH_SIZE], uint64_t size,
				    const uint8_t root[HASH_SIZE]);

/* The root of the tree before leaf `index` came: all of that tree is in the proof that the leaf is
 * in a tree of `size` leaves, which has been checked. So the leaf's proof shows, too, that the tree
 * before it is the beginning of that one. */
void proof_root_before(const struct proof *proof, uint64_t index, uint64_t size,
		       uint8_t ret[HASH_SIZE]);

#endif

#include "merkle.h"

#include <string.h>

void merkle_leaf(const void *leaf, size_t len, uint8_t ret[HASH_SIZE])
{
	sha256((struct iovec[]){ PART("\0", 1), PART(leaf, len) }, 2, ret);
}

void merkle_node(const uint8_t left[HASH_SIZE], const uint8_t right[HASH_SIZE],
		 uint8_t ret[HASH_SIZE])
{
	uint8_t bytes[1 + 2 * HASH_SIZE] = { 1 };

	memcpy(bytes + 1, left, HASH_SIZE);
	memcpy(bytes + 1 + HASH_SIZE, right, HASH_SIZE);
	sha256((struct iovec[]){ PART(bytes, sizeof(bytes)) }, 1, ret);
}

unsigned merkle_completed(uint64_t seq)
{
	return seq == UINT64_MAX ? MERKLE_LEVELS : (unsigned)__builtin_ctzll(~seq) + 1;
}

unsigned merkle_append(struct merkle *tree, const uint8_t leaf[HASH_SIZE],
		       uint8_t ret[MERKLE_LEVELS][HASH_SIZE])
{
	unsigned count = merkle_completed(tree->size), level;

	memcpy(ret[0], leaf, HASH_SIZE);
	for (level = 1; level < count; level++)
		merkle_node(tree->edge[level - 1], ret[level - 1], ret[level]);
	memcpy(tree->edge[count - 1], ret[count - 1], HASH_SIZE);
	tree->size++;
	return count;
}

void merkle_root(const struct merkle *tree, uint8_t ret[HASH_SIZE])
{
	uint64_t rest = tree->size;

	if (!rest) {
		sha256(NULL, 0, ret);
		return;
	}
	memcpy(ret, tree->edge[__builtin_ctzll(rest)], HASH_SIZE);
	while (rest &= rest - 1)
		merkle_node(tree->edge[__builtin_ctzll(rest)], ret, ret);
}

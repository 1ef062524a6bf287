/*
 * Proofs: of any shape, never a crash, and none that was not made is taken; made from a tree of the
 * input's own bytes, all of them hold.
 */
#include "common/merkle.h"
#include "common/proof.h"
#include "fuzz.h"

#define LEAVES_MAX 64

static struct {
	uint64_t size;
	uint8_t leaves[LEAVES_MAX];
} tree;

static bool node_of(void *context, unsigned level, uint64_t index, uint8_t ret[HASH_SIZE])
{
	uint8_t left[HASH_SIZE], right[HASH_SIZE];

	(void)context;
	if (!level && index >= tree.size)
		return false;
	if (!level) {
		merkle_leaf(&tree.leaves[index], 1, ret);
		return true;
	}
	if (!node_of(NULL, level - 1, 2 * index, left) ||
	    !node_of(NULL, level - 1, 2 * index + 1, right))
		return false;
	merkle_node(left, right, ret);
	return true;
}

static void made(uint64_t index, uint64_t size)
{
	uint8_t leaf[HASH_SIZE], old[HASH_SIZE], root[HASH_SIZE], before[HASH_SIZE];
	struct proof proof;

	MUST(proof_root(size, node_of, NULL, root) == (size <= tree.size));
	if (size > tree.size || !node_of(NULL, 0, index, leaf))
		return;
	MUST(proof_inclusion(index, size, node_of, NULL, &proof) == (index < size));
	if (index >= size)
		return;
	MUST(!proof_check_inclusion(&proof, index, size, leaf, root));
	proof_root_before(&proof, index, size, before);
	MUST(proof_root(index, node_of, NULL, old) && !memcmp(before, old, HASH_SIZE));
	MUST(proof_consistency(index, size, node_of, NULL, &proof));
	MUST(!proof_check_consistency(&proof, index, old, size, root));
	old[index % HASH_SIZE] ^= 1;
	MUST(proof_check_consistency(&proof, index, old, size, root));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t leaf[HASH_SIZE] = { 1 }, root[HASH_SIZE] = { 2 };
	struct proof proof = { .count = 0 };
	uint64_t a, b;

	if (size < 17)
		return 0;
	memcpy(&a, data, 8);
	memcpy(&b, data + 8, 8);
	proof.count = data[16] % (PROOF_MAX + 1);
	size -= 17;
	memcpy(proof.hash, data + 17, size < sizeof(proof.hash) ? size : sizeof(proof.hash));
	MUST(proof_check_inclusion(&proof, a, b, leaf, root));
	MUST(proof_check_consistency(&proof, a, leaf, b, root));
	tree.size = size < LEAVES_MAX ? size : LEAVES_MAX;
	memcpy(tree.leaves, data + 17, tree.size);
	made(a % (LEAVES_MAX + 2), b % (LEAVES_MAX + 2));
	return 0;
}

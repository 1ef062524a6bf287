#include "proof.h"

#include <string.h>

#include "merkle.h"

/* ---- Making ---- */

struct maker {
	proof_node *node;
	void *context;
	struct proof *proof;
};

/* The largest power of two below `count`, which is over 1: where RFC 6962 splits a tree. */
static uint64_t split(uint64_t count)
{
	return (uint64_t)1 << (63 - __builtin_clzll(count - 1));
}

/* The hash over leaves lo to hi - 1, where lo begins a subtree
 * that has all of them: folded from its right edge. */
static bool range_root(const struct maker *maker, uint64_t lo, uint64_t hi, uint8_t ret[HASH_SIZE])
{
	uint8_t left[HASH_SIZE];
	unsigned level = (unsigned)__builtin_ctzll(hi - lo);

	if (!maker->node(maker->context, level, (hi >> level) - 1, ret))
		return false;
	while (hi -= (uint64_t)1 << level, hi > lo) {
		level = (unsigned)__builtin_ctzll(hi - lo);
		if (!maker->node(maker->context, level, (hi >> level) - 1, left))
			return false;
		merkle_node(left, ret, ret);
	}
	return true;
}

static bool range_add(const struct maker *maker, uint64_t lo, uint64_t hi)
{
	struct proof *proof = maker->proof;

	return proof->count < PROOF_MAX && range_root(maker, lo, hi, proof->hash[proof->count++]);
}

static bool inclusion_add(const struct maker *maker, uint64_t lo, uint64_t hi, uint64_t index)
{
	uint64_t middle;

	if (hi - lo == 1)
		return true;
	middle = lo + split(hi - lo);
	if (index < middle)
		return inclusion_add(maker, lo, middle, index) && range_add(maker, middle, hi);
	return inclusion_add(maker, middle, hi, index) && range_add(maker, lo, middle);
}

static bool consistency_add(const struct maker *maker, uint64_t lo, uint64_t hi, uint64_t old)
{
	uint64_t middle;

	if (old == hi)
		return lo == 0 || range_add(maker, lo, hi);
	middle = lo + split(hi - lo);
	if (old <= middle)
		return consistency_add(maker, lo, middle, old) && range_add(maker, middle, hi);
	return consistency_add(maker, middle, hi, old) && range_add(maker, lo, middle);
}

bool proof_root(uint64_t size, proof_node *node, void *context, uint8_t ret[HASH_SIZE])
{
	struct maker maker = { .node = node, .context = context };

	if (size)
		return range_root(&maker, 0, size, ret);
	sha256(NULL, 0, ret);
	return true;
}

bool proof_inclusion(uint64_t index, uint64_t size, proof_node *node, void *context,
		     struct proof *ret)
{
	struct maker maker = { node, context, ret };

	ret->count = 0;
	return index < size && inclusion_add(&maker, 0, size, index);
}

bool proof_consistency(uint64_t old, uint64_t size, proof_node *node, void *context,
		       struct proof *ret)
{
	struct maker maker = { node, context, ret };

	ret->count = 0;
	if (!old || old == size)
		return true;
	return old < size && consistency_add(&maker, 0, size, old);
}

/* ---- Checking ---- */

/* Where a proof stands in the tree: the node on the way up, and the last node of its level. */
struct climb {
	uint64_t node, last;
};

static void climb_up(struct climb *climb)
{
	climb->node >>= 1;
	climb->last >>= 1;
}

/* Is the next hash the left one of its pair? Then the levels
 * at which the node has none beside it are left behind. */
static bool climb_left(struct climb *climb)
{
	if (!(climb->node & 1) && climb->node != climb->last)
		return false;
	while (!(climb->node & 1) && climb->node)
		climb_up(climb);
	return true;
}

const char *proof_check_inclusion(const struct proof *proof, uint64_t index, uint64_t size,
				  const uint8_t leaf[HASH_SIZE], const uint8_t root[HASH_SIZE])
{
	struct climb climb = { index, size - 1 };
	uint8_t hash[HASH_SIZE];

	if (index >= size)
		return "the index is beyond the tree";
	memcpy(hash, leaf, HASH_SIZE);
	for (unsigned i = 0; i < proof->count; i++) {
		if (!climb.last)
			return "the proof has more hashes than the tree is high";
		if (climb_left(&climb))
			merkle_node(proof->hash[i], hash, hash);
		else
			merkle_node(hash, proof->hash[i], hash);
		climb_up(&climb);
	}
	if (climb.last)
		return "the proof has fewer hashes than the tree is high";
	return memcmp(hash, root, HASH_SIZE) ? "the proof does not lead to the signed root" : NULL;
}

void proof_root_before(const struct proof *proof, uint64_t index, uint64_t size,
		       uint8_t ret[HASH_SIZE])
{
	struct climb climb = { index, size - 1 };
	bool first = true;

	sha256(NULL, 0, ret);
	for (unsigned i = 0; i < proof->count; i++, climb_up(&climb)) {
		if (!climb_left(&climb))
			continue;
		if (first)
			memcpy(ret, proof->hash[i], HASH_SIZE);
		else
			merkle_node(proof->hash[i], ret, ret);
		first = false;
	}
}

static const char *consistency_trivial(const struct proof *proof, uint64_t old,
				       const uint8_t old_root[HASH_SIZE],
				       const uint8_t root[HASH_SIZE])
{
	uint8_t nothing[HASH_SIZE];

	if (proof->count)
		return "the proof has hashes although none are needed";
	sha256(NULL, 0, nothing);
	return memcmp(old_root, old ? root : nothing, HASH_SIZE)
		       ? "two heads of one size have different roots" : NULL;
}

const char *proof_check_consistency(const struct proof *proof, uint64_t old,
				    const uint8_t old_root[HASH_SIZE], uint64_t size,
				    const uint8_t root[HASH_SIZE])
{
	struct climb climb = { old - 1, size - 1 };
	uint8_t before[HASH_SIZE], after[HASH_SIZE];
	unsigned i = 0;

	if (old > size)
		return "the old tree is larger than the new one";
	if (!old || old == size)
		return consistency_trivial(proof, old, old_root, root);
	while (climb.node & 1)
		climb_up(&climb);
	if (climb.node && !proof->count)
		return "the proof has fewer hashes than the tree is high";
	/* the whole of an old tree that is one subtree is known: it is its root */
	memcpy(before, climb.node ? proof->hash[i++] : old_root, HASH_SIZE);
	memcpy(after, before, HASH_SIZE);
	for (; i < proof->count; i++) {
		if (!climb.last)
			return "the proof has more hashes than the tree is high";
		if (climb_left(&climb)) {
			merkle_node(proof->hash[i], before, before);
			merkle_node(proof->hash[i], after, after);
		} else {
			merkle_node(after, proof->hash[i], after);
		}
		climb_up(&climb);
	}
	if (climb.last)
		return "the proof has fewer hashes than the tree is high";
	if (memcmp(before, old_root, HASH_SIZE))
		return "the old tree is not the beginning of the new one";
	return memcmp(after, root, HASH_SIZE) ? "the proof does not lead to the signed root" : NULL;
}

#include "common/merkle.h"
#include "common/proof.h"
#include "hex.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define LEAVES 130
#define LEVELS 9

/* ---- A tree of its own: every whole subtree, level by level ---- */

static uint8_t nodes[LEVELS][LEAVES + 1][HASH_SIZE];
static uint8_t roots[LEAVES + 2][HASH_SIZE];

static bool node_of(void *context, unsigned level, uint64_t index, uint8_t ret[HASH_SIZE])
{
	const uint64_t *size = context;

	if (level >= LEVELS || (index + 1) << level > *size)
		return false;
	memcpy(ret, nodes[level][index], HASH_SIZE);
	return true;
}

static void tree_grow(size_t count, void (*leaf)(size_t i, uint8_t ret[HASH_SIZE]))
{
	struct merkle tree = { .size = 0 };
	uint8_t hashes[MERKLE_LEVELS][HASH_SIZE];

	merkle_root(&tree, roots[0]);
	for (size_t i = 0; i < count; i++) {
		unsigned completed;

		leaf(i, hashes[0]);
		completed = merkle_append(&tree, hashes[0], hashes);
		for (unsigned level = 0; level < completed; level++)
			memcpy(nodes[level][((i + 1) >> level) - 1], hashes[level], HASH_SIZE);
		merkle_root(&tree, roots[i + 1]);
	}
}

/* ---- Known answers: the trees that Certificate Transparency's own tests use ---- */

static const char *const known_leaves[] = {
	"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
	"606162636465666768696a6b6c6d6e6f",
};

#define L0 "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
#define L1 "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define R2 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
#define N1 "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define H4 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define L4 "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define N3 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define M2 "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
#define H8 "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"

static const struct {
	bool inclusion;
	uint64_t a, size;	/* a: the index, or the old size */
	const char *hashes[3];
} known[] = {
	{ true, 0, 1, { NULL } },
	{ true, 0, 8, { L1, N1, H8 } },
	{ true, 5, 8, { L4, N3, H4 } },
	{ true, 2, 3, { R2, NULL } },
	{ true, 1, 5, { L0, N1, L4 } },
	{ false, 1, 1, { NULL } },
	{ false, 1, 8, { L1, N1, H8 } },
	{ false, 6, 8, { M2, N3, H4 } },
	{ false, 2, 5, { N1, L4, NULL } },
};

static void known_leaf(size_t i, uint8_t ret[HASH_SIZE])
{
	uint8_t bytes[16];

	merkle_leaf(bytes, from_hex(known_leaves[i], bytes), ret);
}

static void test_known_answers(void)
{
	tree_grow(SIZE(known_leaves), known_leaf);
	for (size_t i = 0; i < SIZE(known); i++) {
		struct proof proof;
		uint64_t size = known[i].size;
		unsigned count = 0;

		ok(known[i].inclusion ? proof_inclusion(known[i].a, size, node_of, &size, &proof)
				      : proof_consistency(known[i].a, size, node_of, &size, &proof),
		   "%s %llu of %llu is made", known[i].inclusion ? "inclusion" : "consistency",
		   (unsigned long long)known[i].a, (unsigned long long)size);
		while (count < 3 && known[i].hashes[count])
			count++;
		is_int(proof.count, count, "it has as many hashes as the known answer");
		for (unsigned j = 0; j < count; j++)
			is_hex(proof.hash[j], HASH_SIZE, known[i].hashes[j], "the known hash");
	}
}

/* ---- All of them, whole and mutated ---- */

static void numbered_leaf(size_t i, uint8_t ret[HASH_SIZE])
{
	uint8_t byte = (uint8_t)i;

	merkle_leaf(&byte, 1, ret);
}

/* What a proof claims. */
struct claim {
	bool inclusion;
	uint64_t a, size;
	struct proof proof;
	uint8_t first[HASH_SIZE];	/* the leaf, or the old root */
	uint8_t root[HASH_SIZE];
};

static bool holds(const struct claim *claim)
{
	const char *problem = claim->inclusion
				      ? proof_check_inclusion(&claim->proof, claim->a, claim->size,
							      claim->first, claim->root)
				      : proof_check_consistency(&claim->proof, claim->a,
								claim->first, claim->size,
								claim->root);

	return !problem;
}

static unsigned mutants, accepted;

static void must_fail(const struct claim *mutant, const char *what)
{
	mutants++;
	if (!holds(mutant))
		return;
	accepted++;
	printf("# accepted: %s of %s %llu of %llu\n", what,
	       mutant->inclusion ? "inclusion" : "consistency", (unsigned long long)mutant->a,
	       (unsigned long long)mutant->size);
}

static void mutate_bits(const struct claim *claim)
{
	for (unsigned i = 0; i < claim->proof.count; i++) {
		struct claim mutant = *claim;

		mutant.proof.hash[i][(claim->a + i) % HASH_SIZE] ^= (uint8_t)(1 << claim->size % 8);
		must_fail(&mutant, "a bit");
	}
	for (unsigned i = 0; i < HASH_SIZE; i += 5) {
		struct claim mutant = *claim;

		mutant.first[i] ^= 1;
		must_fail(&mutant, "a bit of what is proven");
		mutant = *claim;
		mutant.root[i] ^= 0x80;
		must_fail(&mutant, "a bit of the root");
	}
}

static void mutate_order(const struct claim *claim)
{
	for (unsigned i = 1; i < claim->proof.count; i++) {
		struct claim mutant = *claim;

		memcpy(mutant.proof.hash[i - 1], claim->proof.hash[i], HASH_SIZE);
		memcpy(mutant.proof.hash[i], claim->proof.hash[i - 1], HASH_SIZE);
		must_fail(&mutant, "the order");
	}
}

static void mutate_length(const struct claim *claim)
{
	struct claim mutant = *claim;

	if (claim->proof.count) {
		mutant.proof.count--;
		must_fail(&mutant, "the last hash left out");
		memmove(mutant.proof.hash[0], mutant.proof.hash[1],
			mutant.proof.count * (size_t)HASH_SIZE);
		must_fail(&mutant, "the first hash left out");
		mutant = *claim;
	}
	memcpy(mutant.proof.hash[mutant.proof.count++], claim->root, HASH_SIZE);
	must_fail(&mutant, "one hash more");
	mutant.proof.count = PROOF_MAX;
	must_fail(&mutant, "as many hashes as there can be");
}

/* Another index or size, with the right hashes of that
 * one: the sizes are signed together with the roots. */
static void mutate_numbers(const struct claim *claim)
{
	static const int64_t steps[] = { -2, -1, 1, 2 };

	for (size_t i = 0; i < SIZE(steps); i++) {
		struct claim mutant = *claim;
		uint64_t size = claim->size + (uint64_t)steps[i];

		mutant.a += (uint64_t)steps[i];
		must_fail(&mutant, "the number");
		if (size > LEAVES || size < claim->a)
			continue;
		mutant = *claim;
		mutant.size = size;
		memcpy(mutant.root, roots[size], HASH_SIZE);
		must_fail(&mutant, "the size");
		mutant.size = claim->size;
		must_fail(&mutant, "the root of another size");
	}
}

/* Made, held, and each mutant of it refused: counts what went wrong. */
static unsigned claim_test(struct claim *claim)
{
	unsigned before = accepted;
	bool made = claim->inclusion
		? proof_inclusion(claim->a, claim->size, node_of, &claim->size, &claim->proof)
		: proof_consistency(claim->a, claim->size, node_of, &claim->size, &claim->proof);

	memcpy(claim->root, roots[claim->size], HASH_SIZE);
	if (!made || !holds(claim))
		return 1;
	mutate_bits(claim);
	mutate_order(claim);
	mutate_length(claim);
	mutate_numbers(claim);
	return accepted - before;
}

static void test_all(void)
{
	tree_grow(LEAVES, numbered_leaf);
	for (uint64_t size = 1; size <= LEAVES; size++) {
		unsigned wrong = 0;

		for (uint64_t a = 0; a < size; a++) {
			struct claim claim = { .inclusion = true, .a = a, .size = size };

			memcpy(claim.first, nodes[0][a], HASH_SIZE);
			wrong += claim_test(&claim);
		}
		for (uint64_t a = 1; a <= size; a++) {
			struct claim claim = { .inclusion = false, .a = a, .size = size };

			memcpy(claim.first, roots[a], HASH_SIZE);
			wrong += claim_test(&claim);
		}
		is_int(wrong, 0, "all proofs in a tree of that size hold, and no mutant does");
	}
	ok(mutants > 500000, "%u mutants were tried", mutants);
}

/* Every leaf's proof has the tree before the leaf in it. */
static void test_before(void)
{
	for (uint64_t size = 1; size <= LEAVES; size++) {
		unsigned wrong = 0;

		for (uint64_t a = 0; a < size; a++) {
			struct proof proof;
			uint8_t root[HASH_SIZE];

			proof_inclusion(a, size, node_of, &size, &proof);
			proof_root_before(&proof, a, size, root);
			wrong += memcmp(root, roots[a], HASH_SIZE) != 0;
		}
		is_int(wrong, 0, "the trees before each leaf, from the proofs in a tree of that "
				 "size");
	}
}

/* ---- What cannot be proven ---- */

static void is_problem(const char *problem, const char *want)
{
	is_str(problem ? problem : "(it holds)", want, "refused with its own sentence");
}

static void test_limits(void)
{
	uint64_t size = LEAVES;
	struct proof proof;
	uint8_t root[HASH_SIZE];

	for (uint64_t n = 0; n <= LEAVES; n++)
		if (!proof_root(n, node_of, &size, root) || memcmp(root, roots[n], HASH_SIZE))
			break;
		else if (n == LEAVES)
			ok(true, "the root of every size is the tree's");
	ok(!proof_inclusion(size, size, node_of, &size, &proof), "no leaf is beyond the tree");
	ok(!proof_consistency(size + 1, size, node_of, &size, &proof), "no tree grows smaller");
	ok(proof_consistency(0, size, node_of, &size, &proof) && !proof.count &&
		   !proof_check_consistency(&proof, 0, roots[0], size, roots[size]),
	   "every tree extends none");
	ok(!proof_inclusion(3, LEAVES + 30, node_of, &size, &proof), "a missing node is told");
	ok(!proof_root(LEAVES + 30, node_of, &size, root), "a root's too");
	proof.count = 0;
	is_problem(proof_check_inclusion(&proof, 0, 0, root, root), "the index is beyond the tree");
	is_problem(proof_check_inclusion(&proof, UINT64_MAX, UINT64_MAX, root, root),
		   "the index is beyond the tree");
	is_problem(proof_check_inclusion(&proof, 0, UINT64_MAX, root, root),
		   "the proof has fewer hashes than the tree is high");
	is_problem(proof_check_consistency(&proof, 2, root, 1, root),
		   "the old tree is larger than the new one");
	is_problem(proof_check_consistency(&proof, 7, roots[7], 7, roots[8]),
		   "two heads of one size have different roots");
	is_problem(proof_check_consistency(&proof, 7, roots[7], 9, roots[9]),
		   "the proof has fewer hashes than the tree is high");
	proof_consistency(7, 9, node_of, &size, &proof);
	is_problem(proof_check_consistency(&proof, 7, roots[6], 9, roots[9]),
		   "the old tree is not the beginning of the new one");
	is_problem(proof_check_consistency(&proof, 7, roots[7], 9, roots[10]),
		   "the proof does not lead to the signed root");
	is_problem(proof_check_consistency(&proof, 0, roots[0], 9, roots[9]),
		   "the proof has hashes although none are needed");
}

int main(void)
{
	test_known_answers();
	test_all();
	test_before();
	test_limits();
	return done_testing();
}

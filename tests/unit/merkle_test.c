#include "common/merkle.h"
#include "hex.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define LEAVES 130

/* The leaves that Certificate Transparency's own tests use, and the root of the tree up to each. */
static const struct {
	const char *leaf, *root;
} known[] = {
	{ "", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
	{ "00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
	{ "10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
	{ "2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
	{ "3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
	{ "40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
	{ "5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
	{ "606162636465666768696a6b6c6d6e6f",
	  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
};

static void test_known_answers(void)
{
	struct merkle tree = { .size = 0 };
	uint8_t leaf[HASH_SIZE], root[HASH_SIZE], hashes[MERKLE_LEVELS][HASH_SIZE], bytes[16];

	merkle_root(&tree, root);
	is_hex(root, HASH_SIZE, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	       "the root of no leaves");
	for (size_t i = 0; i < SIZE(known); i++) {
		merkle_leaf(bytes, from_hex(known[i].leaf, bytes), leaf);
		merkle_append(&tree, leaf, hashes);
		merkle_root(&tree, root);
		is_hex(root, HASH_SIZE, known[i].root, "the root with one leaf more");
	}
	is_int((int64_t)tree.size, SIZE(known), "leaves are counted");
}

static uint8_t leaves[LEAVES][HASH_SIZE];

/* RFC 6962, section 2.1, word for word: the tree of leaves lo to hi - 1. */
static void naive_root(size_t lo, size_t hi, uint8_t ret[HASH_SIZE])
{
	uint8_t left[HASH_SIZE], right[HASH_SIZE];
	size_t split = 1;

	if (hi == lo) {
		sha256(NULL, 0, ret);
		return;
	}
	if (hi - lo == 1) {
		memcpy(ret, leaves[lo], HASH_SIZE);
		return;
	}
	while (2 * split < hi - lo)
		split *= 2;
	naive_root(lo, lo + split, left);
	naive_root(lo + split, hi, right);
	merkle_node(left, right, ret);
}

/* Row n holds, lowest level first, the roots of the full subtrees that end with leaf n. */
static bool completed_right(size_t n, const uint8_t hashes[MERKLE_LEVELS][HASH_SIZE],
			    unsigned count)
{
	uint8_t want[HASH_SIZE];
	bool right = true;

	for (unsigned level = 0; level < count; level++) {
		naive_root(n + 1 - ((size_t)1 << level), n + 1, want);
		right = right && !memcmp(hashes[level], want, HASH_SIZE);
	}
	return right && ((n + 1) >> count) << count != n + 1 &&
	       (n + 1) % ((size_t)1 << (count - 1)) == 0;
}

static void test_naive(void)
{
	struct merkle tree = { .size = 0 };
	uint8_t want[HASH_SIZE], root[HASH_SIZE], hashes[MERKLE_LEVELS][HASH_SIZE];
	bool roots = true, completed = true;

	for (size_t n = 0; n < LEAVES; n++) {
		unsigned count;

		merkle_leaf(&n, sizeof(n), leaves[n]);
		count = merkle_append(&tree, leaves[n], hashes);
		roots = roots && count == merkle_completed(n);
		completed = completed && completed_right(n, hashes, count);
		naive_root(0, n + 1, want);
		merkle_root(&tree, root);
		roots = roots && !memcmp(root, want, HASH_SIZE);
	}
	ok(roots, "up to %d leaves the root is what the definition makes it", LEAVES);
	ok(completed, "and each leaf completes the subtrees that end with it");
}

static void test_completed(void)
{
	is_int(merkle_completed(0), 1, "the first leaf completes itself");
	is_int(merkle_completed(1), 2, "the second a pair");
	is_int(merkle_completed(2), 1, "the third itself");
	is_int(merkle_completed(7), 4, "the eighth a tree of eight");
	is_int(merkle_completed(((uint64_t)1 << 40) - 1), 41, "2^40 of them 41 subtrees");
	is_int(merkle_completed(UINT64_MAX - 1), 1, "the last but one itself");
	is_int(merkle_completed(UINT64_MAX), 64, "the last that can be counted");
}

/* A leaf never hashes like a node of the same bytes. */
static void test_prefixes(void)
{
	uint8_t pair[2 * HASH_SIZE] = { 1 }, leaf[HASH_SIZE], node[HASH_SIZE], plain[HASH_SIZE];

	merkle_leaf(pair, sizeof(pair), leaf);
	merkle_node(pair, pair + HASH_SIZE, node);
	sha256((struct iovec[]){ PART(pair, sizeof(pair)) }, 1, plain);
	ok(memcmp(leaf, node, HASH_SIZE) && memcmp(leaf, plain, HASH_SIZE) &&
	   memcmp(node, plain, HASH_SIZE), "leaf, node and plain hash differ");
}

int main(void)
{
	test_known_answers();
	test_naive();
	test_completed();
	test_prefixes();
	return done_testing();
}

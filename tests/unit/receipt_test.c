#include "common/memo.h"
#include "common/merkle.h"
#include "common/receipt.h"
#include "hex.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define HASH "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

/* ---- Bundles ---- */

#define FIRST "c2sp.org/tlog-proof@v1\n"
#define NOINDEX "the index is not a decimal number without leading zeros"
#define NOHASH "a hash of the proof is not the base64 of 32 bytes"
#define NOEND "the proof has no blank line and checkpoint behind its hashes"
#define NOEXTRA "what stands behind `extra` is not base64"

static const struct {
	const char *text, *problem;
} bundles[] = {
	{ FIRST "index 7\n" HASH HASH "\nnote\n", NULL },
	{ FIRST "index 0\n\nnote\n", NULL },
	{ FIRST "extra AAEC\nindex 7\n" HASH "\nnote\n", NULL },
	{ FIRST "extra AA==\nindex 7\n" HASH "\nnote\n", NULL },
	{ "", "it does not begin with c2sp.org/tlog-proof@v1" },
	{ "c2sp.org/tlog-proof@v2\nindex 7\n\nnote\n", "it does not begin with c2sp.org/tlog-proof@v1" },
	{ " " FIRST "index 7\n\nnote\n", "it does not begin with c2sp.org/tlog-proof@v1" },
	{ FIRST, "it ends before the index" },
	{ FIRST "index 7", "it ends before the index" },
	{ FIRST "index\n\nnote\n", NOINDEX },
	{ FIRST "index \n\nnote\n", NOINDEX },
	{ FIRST "index 07\n\nnote\n", NOINDEX },
	{ FIRST "index -7\n\nnote\n", NOINDEX },
	{ FIRST "index  7\n\nnote\n", NOINDEX },
	{ FIRST "index 18446744073709551616\n\nnote\n", NOINDEX },
	{ FIRST HASH "index 7\n\nnote\n", NOINDEX },
	{ FIRST "index 7\nindex 7\n\nnote\n", NOHASH },
	{ FIRST "index 7\nextra AAEC\n\nnote\n", NOHASH },
	{ FIRST "extra AAE C\nindex 7\n\nnote\n", NOEXTRA },
	{ FIRST "extra A\nindex 7\n\nnote\n", NOEXTRA },
	{ FIRST "extra AAEC\n", NOEXTRA },
	{ FIRST "index 7\n" HASH, NOEND },
	{ FIRST "index 7\n" HASH "\r\nnote\n", NOHASH },
	{ FIRST "index 7\n " HASH "\nnote\n", NOHASH },
	{ FIRST "index 7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n\nnote\n", NOHASH },
	{ FIRST "index 7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\n\nnote\n", NOHASH },
};

static void test_bundles(void)
{
	struct buf many = BUF_INIT;
	struct bundle bundle;

	for (size_t i = 0; i < SIZE(bundles); i++)
		is_str(bundle_parse(bundles[i].text, strlen(bundles[i].text), &bundle),
		       bundles[i].problem, "a bundle");
	bundle_parse(bundles[0].text, strlen(bundles[0].text), &bundle);
	ok(bundle.index == 7 && bundle.proof.count == 2 && bundle.note_len == 5 &&
	   !memcmp(bundle.note, "note\n", 5), "index, hashes and checkpoint of the first");
	bundle_format(&many, bundle.index, &bundle.proof, bundle.note, bundle.note_len);
	is_str(many.data, bundles[0].text, "and written again it is the same");
	buf_clear(&many);
	buf_str(&many, FIRST "index 7\n");
	for (int i = 0; i < PROOF_MAX; i++)
		buf_str(&many, HASH);
	buf_str(&many, HASH "\nnote\n");
	is_str(bundle_parse(many.data, many.len, &bundle), "the proof has more hashes than any "
							   "tree needs",
	       "65 hashes are refused");
	buf_room(&many, RECEIPT_MAX);
	is_str(bundle_parse(many.data, many.len, &bundle), "it is too long for a proof",
	       "and 32 KiB are");
	buf_release(&many);
}

/* ---- Receipts of a ledger of ten entries ---- */

#define ENTRIES 10
#define MEMO "{\"reason\":\"parcel came late\"}"

static struct signer signer;
static struct buf leaves[ENTRIES];
static uint8_t hashes[ENTRIES][HASH_SIZE], salt[MEMO_SALT_SIZE];

static void ledger_make(void)
{
	uint8_t seed[SEED_SIZE] = { 9 }, memo[MEMO_SALT_SIZE + sizeof(MEMO) - 1];

	signer_open(&signer, "fund.example.com", KEY_ED25519, seed);
	memset(salt, 5, sizeof(salt));
	memcpy(memo, salt, sizeof(salt));
	memcpy(memo + sizeof(salt), MEMO, sizeof(MEMO) - 1);
	for (int i = 0; i < ENTRIES; i++) {
		struct entry entry;

		entry_clear(&entry);
		entry.seq = i;
		entry.at = 1790000000000000 + i;
		entry.kind = KIND_BOOT;
		memcpy(entry.kind_name, "boot", sizeof("boot"));
		entry.uid = 1001;
		memo_commit(memo, sizeof(memo), entry.memo);
		entry_format(&entry, &leaves[i]);
		merkle_leaf(leaves[i].data, leaves[i].len, hashes[i]);
	}
}

/* From the leaves alone: slow, and another way than the ledger's. */
static bool node_of(void *context, unsigned level, uint64_t index, uint8_t ret[HASH_SIZE])
{
	uint8_t left[HASH_SIZE], right[HASH_SIZE];

	(void)context;
	if (!level)
		return memcpy(ret, hashes[index], HASH_SIZE);
	node_of(NULL, level - 1, 2 * index, left);
	node_of(NULL, level - 1, 2 * index + 1, right);
	merkle_node(left, right, ret);
	return true;
}

static void receipt_make(uint64_t index, struct buf *out)
{
	uint8_t root[HASH_SIZE], signature[SIGNATURE_SIZE];
	struct buf note = BUF_INIT, bundle = BUF_INIT, salt64 = BUF_INIT;
	struct receipt receipt;
	struct proof proof;

	proof_inclusion(index, ENTRIES, node_of, NULL, &proof);
	proof_root(ENTRIES, node_of, NULL, root);
	checkpoint_text(&note, "fund.example.com", ENTRIES, root);
	signer_sign(&signer, note.data, note.len, signature);
	buf_char(&note, '\n');
	note_sign(&note, signer.verifier.name, signer.verifier.id, signature, sizeof(signature));
	bundle_format(&bundle, index, &proof, note.data, note.len);
	base64_encode(&salt64, salt, sizeof(salt));
	receipt = (struct receipt){ .bundle = bundle.data, .bundle_len = bundle.len,
				    .leaf = leaves[index].data, .leaf_len = leaves[index].len,
				    .salt = salt64.data, .salt_len = salt64.len,
				    .memo = MEMO, .memo_len = sizeof(MEMO) - 1 };
	receipt_format(out, &receipt);
	buf_release(&note);
	buf_release(&bundle);
	buf_release(&salt64);
}

static const char *checked(const char *text, size_t len, struct entry *entry)
{
	const struct verifier *keys[] = { &signer.verifier };
	struct checkpoint head;
	struct receipt receipt;
	const char *problem = receipt_parse(text, len, &receipt);

	return problem ? problem : receipt_check(&receipt, keys, 1, entry, &head);
}

static void test_receipts(void)
{
	struct buf text = BUF_INIT;
	struct entry entry;

	for (uint64_t i = 0; i < ENTRIES; i++) {
		buf_clear(&text);
		receipt_make(i, &text);
		is_str(checked(text.data, text.len, &entry), NULL, "a receipt holds");
		is_int(entry.seq, (int64_t)i, "and says which entry it is of");
	}
	buf_release(&text);
}

/* Whatever bit of a receipt is flipped, it no longer holds. */
static void test_bits(void)
{
	struct buf text = BUF_INIT;
	struct entry entry;
	unsigned held = 0;

	receipt_make(6, &text);
	for (size_t i = 0; i < text.len * 8; i++) {
		text.data[i / 8] ^= (char)(1 << i % 8);
		if (!checked(text.data, text.len, &entry)) {
			held++;
			printf("# still holds with bit %zu of byte %zu flipped\n", i % 8, i / 8);
		}
		text.data[i / 8] ^= (char)(1 << i % 8);
	}
	is_int(held, 0, "no receipt with a flipped bit holds");
	for (size_t len = held = 0; len < text.len; len++)
		held += !checked(text.data, len, &entry);
	is_int(held, 1, "nor one that is cut, but where exactly its words are cut off");
	buf_release(&text);
}

/* One part of a receipt put in the place of another's. */
static void is_swapped(const char *part, const char *with, const char *problem)
{
	struct buf text = BUF_INIT, out = BUF_INIT;
	struct entry entry;
	char *at;

	receipt_make(6, &text);
	buf_char(&text, '\0');
	at = strstr(text.data, part);
	if (ok(at, "the receipt has that part")) {
		buf_add(&out, text.data, (size_t)(at - text.data));
		buf_str(&out, with);
		buf_str(&out, at + strlen(part));
		is_str(checked(out.data, out.len, &entry), problem, "refused, and said why");
	}
	buf_release(&text);
	buf_release(&out);
}

static void test_swapped(void)
{
	struct entry entry;

	is_swapped("index 6", "index 7", "the proof does not lead to the signed root");
	is_swapped("index 6", "index 10", "the index is beyond the tree");
	is_swapped("\"seq\":6", "\"seq\":7", "the proof does not lead to the signed root");
	is_swapped("parcel", "pencil", "the memo is not the one the leaf commits to");
	is_swapped("salt BQUF", "salt BQUG", "the memo is not the one the leaf commits to");
	is_swapped("salt BQUF", "salt BQU", "the salt is not the base64 of 32 bytes");
	is_swapped("com\n10\n", "com\n11\n", "the signature by a known key does not hold");
	is_swapped("com\n10\n", "org\n10\n", "the signature by a known key does not hold");
	is_swapped("fundd receipt v1", "fundd receipt v2",
		   "it has no line `fundd receipt v1` behind its proof");
	is_swapped("\nleaf ", "\nleaves ", "the receipt has no leaf");
	is_swapped("\nsalt ", "\npepper ",
		   "behind the leaf stand its salt and its memo, and nothing else");
	is_swapped("late\"}\n", "late\"}\nmore\n",
		   "behind the leaf stand its salt and its memo, and nothing else");
	is_swapped("late\"}\n", "late\"}",
		   "behind the leaf stand its salt and its memo, and nothing else");
	is_str(checked("", 0, &entry), "it has no line `fundd receipt v1` behind its proof",
	       "nothing is no receipt");
}

/* Where the words are erased or not told, the rest still holds. */
static void test_without_words(void)
{
	struct buf text = BUF_INIT;
	struct receipt receipt;
	struct entry entry;

	receipt_make(3, &text);
	receipt_parse(text.data, text.len, &receipt);
	text.len = (size_t)(receipt.leaf + receipt.leaf_len + 1 - text.data);
	is_str(checked(text.data, text.len, &entry), NULL, "a receipt without its words holds");
	receipt_parse(text.data, text.len, &receipt);
	ok(!receipt.memo && !receipt.salt, "and has none");
	buf_release(&text);
}

int main(void)
{
	ok(sign_start(), "started");
	ledger_make();
	test_bundles();
	test_receipts();
	test_bits();
	test_swapped();
	test_without_words();
	signer_close(&signer);
	for (int i = 0; i < ENTRIES; i++)
		buf_release(&leaves[i]);
	return done_testing();
}

#include "common/checkpoint.h"
#include "hex.h"

static struct signer signer;

/* A whole signed note, byte for byte. */
static void is_note(uint64_t size, const uint8_t root[HASH_SIZE], const char *text,
		    const char *note, const char *name)
{
	uint8_t signature[SIGNATURE_SIZE];
	struct buf out = BUF_INIT;

	checkpoint_text(&out, signer.verifier.name, size, root);
	is_str(out.data, text, name);
	signer_sign(&signer, out.data, out.len, signature);
	buf_char(&out, '\n');
	note_sign(&out, signer.verifier.name, signer.verifier.id, signature, SIGNATURE_SIZE);
	is_str(out.data, note, "and as a signed note");
	buf_release(&out);
}

#define EMPTY "fund.example.com\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
#define LARGE \
	"fund.example.com\n18446744073709551615\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

static void test_checkpoint(void)
{
	uint8_t seed[SEED_SIZE], root[HASH_SIZE];

	for (uint8_t i = 0; i < SEED_SIZE; i++)
		seed[i] = i;
	signer_open(&signer, "fund.example.com", KEY_ED25519, seed);
	sha256(NULL, 0, root);
	is_note(0, root, EMPTY,
		EMPTY "\n\u2014 fund.example.com 4k9SwQ6j8XAkzNvUw1CDmd/SgX0V+zkGG7sP1uWphBKkwaze8J"
		"iLVuPmJKu8AAaUXCi+YG6VVAKfIjzRvdm2sMjk9Ag=\n", "of an empty tree");
	memcpy(root, seed, sizeof(root));
	is_note(UINT64_MAX, root, LARGE,
		LARGE "\n\u2014 fund.example.com 4k9SwWtCBvRwQnq8XZ17KMClXsSNDgS5Es3O5QROZYLJ5KFY/c"
		"DdeT6L5imEJkYPusNrcRuCHDhiijZPveH3LC1gEwg=\n", "of the largest tree");
	signer_close(&signer);
}

/* The example that golang.org/x/mod/sumdb/note gives. */
static void test_note(void)
{
	static const char text[] = "If you think cryptography is the answer to your problem,\n"
				   "then you don't know what your problem is.\n";
	uint8_t seed[SEED_SIZE], signature[SIGNATURE_SIZE];
	struct buf out = BUF_INIT;

	from_hex("810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173", seed);
	signer_open(&signer, "PeterNeumann", KEY_ED25519, seed);
	signer_sign(&signer, text, sizeof(text) - 1, signature);
	buf_str(&out, "before\n");
	note_sign(&out, signer.verifier.name, signer.verifier.id, signature, SIGNATURE_SIZE);
	is_str(out.data,
	       "before\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuG"
	       "UgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
	       "a signature line");
	buf_release(&out);
	signer_close(&signer);
}

int main(void)
{
	ok(sign_start(), "started");
	test_checkpoint();
	test_note();
	return done_testing();
}

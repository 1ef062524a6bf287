#include "daemon/seal.h"
#include "tap.h"

#include <sodium.h>

#define LONGEST 1300

static uint8_t text[LONGEST], data[SEAL_DATA_MAX + 1], nonce[SEAL_NONCE], key[SEAL_KEY];

static bool same(size_t len, size_t data_len)
{
	uint8_t ours[LONGEST + SEAL_TAG], theirs[LONGEST + SEAL_TAG];

	memset(ours, 0, sizeof(ours));
	memset(theirs, 0, sizeof(theirs));
	seal(ours, text, len, data, data_len, nonce, key);
	crypto_aead_xchacha20poly1305_ietf_encrypt(theirs, NULL, text, len, data, data_len, NULL,
						   nonce, key);
	return !memcmp(ours, theirs, sizeof(ours));
}

static void test_lengths(void)
{
	size_t wrong = 0;

	for (size_t len = 0; len <= LONGEST; len++) {
		randombytes_buf(text, sizeof(text));
		randombytes_buf(data, sizeof(data));
		randombytes_buf(nonce, sizeof(nonce));
		randombytes_buf(key, sizeof(key));
		wrong += !same(len, 40);
		wrong += !same(len, len % (sizeof(data) + 1));
	}
	is_int((int64_t)wrong, 0, "of any length it is what libsodium makes, and nothing is written behind it");
}

/* draft-irtf-cfrg-xchacha-03, A.3.1 */
static void test_vector(void)
{
	static const char plain[] =
		"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
		"the future, sunscreen would be it.";
	static const uint8_t extra[] = { 0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5,
					 0xc6, 0xc7 };
	static const uint8_t tag[] = { 0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79, 0x47, 0xde,
				       0xaf, 0xd8, 0x78, 0x0a, 0xcf, 0x49 };
	uint8_t ret[sizeof(plain) - 1 + SEAL_TAG];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(0x80 + i);
	for (size_t i = 0; i < sizeof(nonce); i++)
		nonce[i] = (uint8_t)(0x40 + i);
	seal(ret, plain, sizeof(plain) - 1, extra, sizeof(extra), nonce, key);
	ok(!memcmp(ret + sizeof(plain) - 1, tag, sizeof(tag)), "the published example has its tag");
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	test_lengths();
	test_vector();
	return done_testing();
}

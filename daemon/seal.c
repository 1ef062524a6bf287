#include "seal.h"

#include <endian.h>
#include <sodium.h>
#include <string.h>

#define BLOCK 64		/* of the stream: the first is the tag's */
#define STEP 256		/* bytes that the stream is quickly made in */
#define STREAM_MAX 1024
#define TEXT_MAX (STREAM_MAX - BLOCK)
#define ROUND_UP(n, to) (((n) + (to) - 1) / (to) * (to))

/* RFC 8439, 2.8: what the tag is made over, in one piece. */
static void tag_make(const uint8_t *sealed, size_t len, const void *data, size_t data_len,
		     const uint8_t *key, uint8_t ret[SEAL_TAG])
{
	uint8_t all[ROUND_UP(SEAL_DATA_MAX, 16) + ROUND_UP(TEXT_MAX, 16) + 16];
	size_t data_room = ROUND_UP(data_len, 16), room = ROUND_UP(len, 16);
	uint64_t lengths[] = { htole64(data_len), htole64(len) };

	memset(all, 0, data_room + room);
	memcpy(all, data, data_len);
	memcpy(all + data_room, sealed, len);
	memcpy(all + data_room + room, lengths, sizeof(lengths));
	crypto_onetimeauth_poly1305(ret, all, data_room + room + sizeof(lengths), key);
}

static void seal_short(uint8_t *ret, const uint8_t *text, size_t len, const void *data,
		       size_t data_len, const uint8_t nonce[SEAL_NONCE],
		       const uint8_t key[SEAL_KEY])
{
	size_t used = ROUND_UP(BLOCK + len, STEP);
	uint8_t subkey[SEAL_KEY], rest[12] = { 0 }, stream[STREAM_MAX];

	crypto_core_hchacha20(subkey, nonce, key, NULL);
	memcpy(rest + 4, nonce + 16, 8);
	crypto_stream_chacha20_ietf(stream, used, rest, subkey);
	for (size_t i = 0; i < len; i++)
		ret[i] = text[i] ^ stream[BLOCK + i];
	tag_make(ret, len, data, data_len, stream, ret + len);
	sodium_memzero(subkey, sizeof(subkey));
	sodium_memzero(stream, used);
}

void seal(uint8_t *ret, const void *text, size_t len, const void *data, size_t data_len,
	  const uint8_t nonce[SEAL_NONCE], const uint8_t key[SEAL_KEY])
{
	if (len <= TEXT_MAX && data_len <= SEAL_DATA_MAX)
		seal_short(ret, text, len, data, data_len, nonce, key);
	else
		crypto_aead_xchacha20poly1305_ietf_encrypt(ret, NULL, text, len, data, data_len,
							   NULL, nonce, key);
}

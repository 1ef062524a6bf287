/*
 * SHA-256 for programs that are over quickly: libsodium's, which they link already and which loads
 * fast.
 */
#include <sodium.h>

#include "common/hash.h"

void sha256(const struct iovec *parts, size_t count, uint8_t ret[HASH_SIZE])
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	for (size_t i = 0; i < count; i++)
		crypto_hash_sha256_update(&state, parts[i].iov_base, parts[i].iov_len);
	crypto_hash_sha256_final(&state, ret);
}

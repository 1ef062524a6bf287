/*
 * SHA-256 for programs that hash every entry, or several times: libcrypto's, several times faster
 * than libsodium's. The Init/Update/Final functions are deprecated for new designs but are the
 * quick ones for short input.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/sha.h>

#include "common/hash.h"

void sha256(const struct iovec *parts, size_t count, uint8_t ret[HASH_SIZE])
{
	SHA256_CTX state;

	SHA256_Init(&state);
	for (size_t i = 0; i < count; i++)
		SHA256_Update(&state, parts[i].iov_base, parts[i].iov_len);
	SHA256_Final(ret, &state);
}

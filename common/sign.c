#include "sign.h"

#include <sodium.h>
#include <sodium/randombytes_internal_random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "hash.h"

bool sign_start(void)
{
	return sodium_init() >= 0;
}

const char *origin_problem(const char *origin)
{
	size_t len = strlen(origin);

	if (len < 1 || len > ORIGIN_MAX)
		return "an origin has 1 to 64 characters, such as example.com/fund";
	if (strspn(origin, ORIGIN_LETTERS) != len)
		return "an origin is made of letters, digits and . _ / -, such as example.com/fund";
	for (const char *part = origin; part; part = (part = strchr(part, '/')) ? part + 1 : NULL)
		if (!*part || *part == '/' || *part == '.')
			return "an origin's parts between slashes begin with no dot and are not "
			       "empty, such as example.com/fund";
	return NULL;
}

static void key_id_set(struct verifier *verifier)
{
	uint8_t hash[HASH_SIZE];

	sha256((struct iovec[]){ PART(verifier->name, strlen(verifier->name)), PART("\n", 1),
				 PART(&verifier->type, 1), PART(verifier->key, PUBLIC_SIZE) },
	       4, hash);
	verifier->id = get_be32(hash);
}

void signer_open(struct signer *signer, const char *name, uint8_t type,
		 const uint8_t seed[SEED_SIZE])
{
	struct verifier *verifier = &signer->verifier;

	signer->secret = sodium_malloc(crypto_sign_SECRETKEYBYTES);
	if (!signer->secret)
		abort();
	snprintf(verifier->name, sizeof(verifier->name), "%s", name);
	verifier->type = type;
	crypto_sign_seed_keypair(verifier->key, signer->secret, seed);
	key_id_set(verifier);
	/* sodium_malloc tries this too, but does not tell; again is no harm */
	signer->locked = sodium_mlock(signer->secret, crypto_sign_SECRETKEYBYTES) == 0;
	sodium_mprotect_readonly(signer->secret);
}

void signer_close(struct signer *signer)
{
	sodium_free(signer->secret);
	signer->secret = NULL;
}

void signer_sign(const struct signer *signer, const void *text, size_t len,
		 uint8_t ret[SIGNATURE_SIZE])
{
	crypto_sign_detached(ret, NULL, text, len, signer->secret);
}

bool verifier_check(const struct verifier *verifier, const void *text, size_t len,
		    const uint8_t signature[SIGNATURE_SIZE])
{
	return crypto_sign_verify_detached(signature, text, len, verifier->key) == 0;
}

void vkey_format(const struct verifier *verifier, char ret[VKEY_MAX + 1])
{
	uint8_t typed[1 + PUBLIC_SIZE] = { verifier->type };
	struct buf text = BUF_INIT;

	memcpy(typed + 1, verifier->key, PUBLIC_SIZE);
	base64_encode(&text, typed, sizeof(typed));
	snprintf(ret, VKEY_MAX + 1, "%s+%08x+%s", verifier->name, verifier->id, text.data);
	buf_release(&text);
}

bool vkey_parse(const char *text, struct verifier *ret)
{
	struct verifier v = { .name = "" };
	uint8_t typed[1 + PUBLIC_SIZE];
	char again[VKEY_MAX + 1];
	const char *plus = strchr(text, '+');
	size_t len = strlen(text);

	if (!plus || (size_t)(plus - text) > ORIGIN_MAX || len > VKEY_MAX)
		return false;
	memcpy(v.name, text, (size_t)(plus - text));
	if (origin_problem(v.name) || len != strlen(v.name) + 10 + 44)
		return false;
	if (!base64_decode(text + len - 44, 44, typed, sizeof(typed)) ||
	    (typed[0] != KEY_ED25519 && typed[0] != KEY_COSIGNER))
		return false;
	v.type = typed[0];
	memcpy(v.key, typed + 1, PUBLIC_SIZE);
	key_id_set(&v);
	vkey_format(&v, again);
	if (strcmp(again, text))
		return false;
	*ret = v;
	return true;
}

void random_bytes(void *ret, size_t len)
{
	randombytes_buf(ret, len);
}

void random_take(struct random_pool *pool, void *ret, size_t len)
{
	if (pool->left < len) {
		randombytes_internal_implementation.buf(pool->bytes, sizeof(pool->bytes));
		pool->left = sizeof(pool->bytes);
	}
	pool->left -= len;
	memcpy(ret, pool->bytes + pool->left, len);
	sodium_memzero(pool->bytes + pool->left, len);
}

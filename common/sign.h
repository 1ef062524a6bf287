/*
 * Ed25519 keys, made from 32-byte seeds: a ledger's, which signs checkpoints and nothing else, and
 * a witness's, which cosigns them. Key ids and verifier keys are those of C2SP's signed-note.
 */
#ifndef COMMON_SIGN_H
#define COMMON_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

#define SEED_SIZE 32
#define PUBLIC_SIZE 32
#define SIGNATURE_SIZE 64
#define ORIGIN_MAX 64			/* bytes of an origin, which is also the key's name */
#define ORIGIN_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-"
#define VKEY_MAX (ORIGIN_MAX + 1 + 8 + 1 + 44)

/* What a key signs: one key has one of these roles. */
#define KEY_ED25519 0x01	/* notes: a ledger's checkpoints */
#define KEY_COSIGNER 0x04	/* timestamped cosignatures of checkpoints: a witness's */

struct verifier {
	char name[ORIGIN_MAX + 1];
	uint8_t type;
	uint32_t id;
	uint8_t key[PUBLIC_SIZE];
};

struct signer {
	struct verifier verifier;
	uint8_t *secret;	/* libsodium's 64 bytes in guarded memory, left out of core dumps */
	bool locked;		/* in memory: it cannot be swapped out */
};

/* Once a process, before anything else here. false: the machine gives no randomness. */
bool sign_start(void);

/* NULL when `origin` may name a ledger or a witness: 1 to 64 of [A-Za-z0-9._/-], fit to be a path
 * below a directory: no part between slashes is empty or begins with a dot. Otherwise a
 * sentence. */
const char *origin_problem(const char *origin);

/* The signer takes a copy of the seed; wiping the caller's is the caller's. */
void signer_open(struct signer *signer, const char *name, uint8_t type,
		 const uint8_t seed[SEED_SIZE]);
void signer_close(struct signer *signer);
void signer_sign(const struct signer *signer, const void *text, size_t len,
		 uint8_t ret[SIGNATURE_SIZE]);

bool verifier_check(const struct verifier *verifier, const void *text, size_t len,
		    const uint8_t signature[SIGNATURE_SIZE]);

/* name+%08x+base64(type || key), NUL-ended, and back; strict, the id is recomputed. Whoever parses
 * one looks at its type before using it. */
void vkey_format(const struct verifier *verifier, char ret[VKEY_MAX + 1]);
bool vkey_parse(const char *text, struct verifier *ret);

void random_bytes(void *ret, size_t len);

/* Random bytes drawn ahead, for who needs few and often, from libsodium's own generator, which the
 * kernel's seeds. All zero is an empty one. Not to be used on both sides of a fork. What was given
 * out is wiped. */
struct random_pool {
	uint8_t bytes[1024];
	size_t left;
};

/* len is at most the pool's size. */
void random_take(struct random_pool *pool, void *ret, size_t len);

#endif

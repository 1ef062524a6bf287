/*
 * The keyring, file `keys`: one random 32-byte key per sequence number, under which that entry's
 * memo is sealed. Zeroing a slot erases the memo everywhere, in backups of the ledger too; no hash
 * changes.
 *
 *   512-byte header: "fundd keys v1\n", the origin, "\n", zero bytes
 *   slot n at 512 + 32 n
 *
 * A memo is sealed with XChaCha20-Poly1305-IETF; the nonce, which is not stored, is the first 24
 * bytes of the commitment; the additional data is the sequence number (8 bytes big-endian) || the
 * commitment.
 *
 * The commitment is a hash over 32 fresh random bytes and the memo, so that nonce is as good as a
 * random one, also when a batch was undone and its numbers and keys seal other memos. Only the very
 * same salt and words have the same nonce again, and then the same ciphertext, which tells nothing
 * new.
 *
 * Slots are made ahead in blocks and synced before the first is used, so using one costs no I/O.
 * Behind them the file system keeps room for more, beyond the file's end: on a full disk what may
 * use the reserve has its keys.
 */
#ifndef DAEMON_KEYRING_H
#define DAEMON_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/hash.h"
#include "common/sign.h"

#define KEYRING_FILE "keys"
#define KEYRING_HEADER 512
#define KEYRING_SLOT 32
#define KEYRING_BLOCK 4096		/* slots made at a time */
#define KEYRING_AHEAD 32768		/* slots there is to be room for: more than
					 * the ledger's reserve has entries */
#define SEAL_OVERHEAD 16

struct keyring {
	int fd;
	uint64_t slots;			/* on disk, synced */
	uint64_t kept;			/* up to this slot the file system keeps room */
	uint64_t block_first;		/* the block in memory: the one that is being used up */
	uint64_t block_count;
	uint8_t *block;			/* KEYRING_BLOCK slots */
	struct random_pool random;	/* for slots */
};

enum unseal { UNSEAL_OK, UNSEAL_ERASED, UNSEAL_DAMAGED };

/* All return NULL or a static sentence (errno says more where the sentence is about the system). */
const char *keyring_create(int dir, const char *origin);
const char *keyring_open(struct keyring *ring, int dir, const char *origin, bool writable);
void keyring_close(struct keyring *ring);

/* Where sealing goes on: the ledger's size at start, once, before the first reserve. */
void keyring_seek(struct keyring *ring, uint64_t size);

/* Makes sure that slots for sequence numbers below `size` exist, durably. Slots made ahead earlier
 * are used up, never made anew: a ledger that was rolled back by mistake must not cost the lost
 * entries' words. */
const char *keyring_reserve(struct keyring *ring, uint64_t size);

/* How many more entries have room for their keys, whatever
 * becomes of the disk; asks for more when they are few. */
uint64_t keyring_left(struct keyring *ring);

/* Appends ciphertext || tag. The slot must exist: reserve comes first. */
const char *keyring_seal(struct keyring *ring, uint64_t seq, const uint8_t commitment[HASH_SIZE],
			 const void *memo, size_t len, struct buf *out);

/* Appends the memo to `out`; on anything but UNSEAL_OK nothing is appended. */
enum unseal keyring_unseal(struct keyring *ring, uint64_t seq, const uint8_t commitment[HASH_SIZE],
			   const void *sealed, size_t len, struct buf *out);

/* 16 bytes that only this keyring's holder can compute,
 * from slot 0 and `text`: the id of an audit entry. */
const char *keyring_tag(struct keyring *ring, const void *text, size_t len, uint8_t ret[16]);

#endif

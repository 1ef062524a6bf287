/*
 * daemon/keyring.h without keys: a memo is sealed by standing behind its number and commitment, so
 * that it opens only where it belongs, and the model can look at it.
 */
#include "daemon/keyring.h"

#include <string.h>

#include "common/bytes.h"
#include "disk.h"
#include "world.h"

#define SLOTS_AT_ONCE 64	/* made at a time: often, so that it fails often */

static struct {
	bool none;		/* no new ones can be made */
	uint64_t slots;
} keys;

void disk_keys(bool none)
{
	keys.none = none;
}

bool disk_lacks_keys(void)
{
	return keys.none;
}

const char *keyring_create(int dir, const char *origin)
{
	(void)dir;
	(void)origin;
	keys.slots = 0;
	return NULL;
}

const char *keyring_open(struct keyring *ring, int dir, const char *origin, bool writable)
{
	(void)dir;
	(void)origin;
	(void)writable;
	*ring = (struct keyring){ .fd = -1, .slots = keys.slots };
	return NULL;
}

void keyring_close(struct keyring *ring)
{
	(void)ring;
}

void keyring_seek(struct keyring *ring, uint64_t size)
{
	(void)ring;
	(void)size;
}

const char *keyring_reserve(struct keyring *ring, uint64_t size)
{
	(void)ring;
	crash_point();
	if (size <= keys.slots)
		return NULL;
	if (keys.none)
		return "cannot make new keys in the keyring";
	keys.slots += SLOTS_AT_ONCE;
	return NULL;
}

static void label_write(uint8_t label[SEAL_OVERHEAD], uint64_t seq,
			const uint8_t commitment[HASH_SIZE])
{
	put_be64(label, seq);
	memcpy(label + 8, commitment, SEAL_OVERHEAD - 8);
}

/* The disk is full by its own account (ledger_room). */
uint64_t keyring_left(struct keyring *ring)
{
	(void)ring;
	return KEYRING_AHEAD;
}

const char *keyring_seal(struct keyring *ring, uint64_t seq, const uint8_t commitment[HASH_SIZE],
			 const void *memo, size_t len, struct buf *out)
{
	uint8_t label[SEAL_OVERHEAD];

	(void)ring;
	label_write(label, seq, commitment);
	buf_add(out, label, sizeof(label));
	buf_add(out, memo, len);
	return seq < keys.slots ? NULL : "the keyring has no key for this entry";
}

enum unseal keyring_unseal(struct keyring *ring, uint64_t seq, const uint8_t commitment[HASH_SIZE],
			   const void *sealed, size_t len, struct buf *out)
{
	uint8_t label[SEAL_OVERHEAD];

	(void)ring;
	label_write(label, seq, commitment);
	if (len < sizeof(label) || memcmp(label, sealed, sizeof(label)))
		return UNSEAL_DAMAGED;
	buf_add(out, (const char *)sealed + sizeof(label), len - sizeof(label));
	return UNSEAL_OK;
}

const char *keyring_tag(struct keyring *ring, const void *text, size_t len, uint8_t ret[16])
{
	uint64_t hash[2] = { 14695981039346656037u, 1099511628211u };

	(void)ring;
	for (size_t i = 0; i < len; i++)
		hash[i & 1] = (hash[i & 1] ^ ((const uint8_t *)text)[i]) * 1099511628211u;
	memcpy(ret, hash, 16);
	return NULL;
}

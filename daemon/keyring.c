#include "keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/sign.h"
#include "file.h"

_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES <= HASH_SIZE,
	       "a commitment is a nonce and more");

#define KEYRING_MAGIC "fundd keys v1\n"

static void header_format(const char *origin, char ret[KEYRING_HEADER])
{
	memset(ret, 0, KEYRING_HEADER);
	snprintf(ret, KEYRING_HEADER, KEYRING_MAGIC "%s\n", origin);
}

static off_t slot_offset(uint64_t seq)
{
	return (off_t)(KEYRING_HEADER + seq * KEYRING_SLOT);
}

const char *keyring_create(int dir, const char *origin)
{
	char header[KEYRING_HEADER];
	int fd = openat(dir, KEYRING_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool written;

	if (fd < 0)
		return "cannot create the keyring";
	header_format(origin, header);
	written = !file_write(fd, header, sizeof(header), 0) && fsync(fd) == 0;
	close(fd);
	return written ? NULL : "cannot write the keyring";
}

const char *keyring_open(struct keyring *ring, int dir, const char *origin, bool writable)
{
	char want[KEYRING_HEADER], got[KEYRING_HEADER];
	struct stat st;
	int fd = openat(dir, KEYRING_FILE, (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return "the keyring `keys` is missing or cannot be opened; restore it from its "
		       "backup";
	header_format(origin, want);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return "the keyring `keys` is not a file; restore it from its backup";
	}
	if (file_read(fd, got, sizeof(got), 0) != sizeof(got)) {
		close(fd);
		return "the keyring `keys` is cut short; restore it from its backup";
	}
	if (memcmp(want, got, sizeof(want))) {
		close(fd);
		return "the keyring `keys` belongs to another ledger; restore the right one";
	}
	*ring = (struct keyring){ .fd = fd };
	ring->slots = ((uint64_t)st.st_size - KEYRING_HEADER) / KEYRING_SLOT;
	ring->block = sodium_malloc(KEYRING_BLOCK * KEYRING_SLOT);
	if (!ring->block)
		abort();
	return NULL;
}

void keyring_close(struct keyring *ring)
{
	if (ring->block)
		close(ring->fd);
	sodium_free(ring->block);
	ring->block = NULL;
}

void keyring_seek(struct keyring *ring, uint64_t size)
{
	ring->block_first = size;
	ring->block_count = 0;
}

/* In the same time, whatever is in it. */
static bool slot_empty(const uint8_t slot[KEYRING_SLOT])
{
	uint64_t words[KEYRING_SLOT / 8];

	memcpy(words, slot, sizeof(words));
	return !(words[0] | words[1] | words[2] | words[3]);
}

/* Fills the slots of the block that are zero: not made yet, or torn by a crash while they were. */
static bool block_fill(struct keyring *ring, size_t size)
{
	bool filled = false;

	for (size_t at = 0; at < size; at += KEYRING_SLOT) {
		uint8_t *slot = ring->block + at;

		if (!slot_empty(slot))
			continue;
		random_take(&ring->random, slot, KEYRING_SLOT);
		filled = true;
	}
	return filled;
}

/* Brings the block of slots from `first` on into memory, making those that are missing. */
static const char *block_make(struct keyring *ring, uint64_t first)
{
	size_t size = KEYRING_BLOCK * KEYRING_SLOT, there;
	uint64_t slots = ring->slots > first ? ring->slots - first : 0;

	there = (slots > KEYRING_BLOCK ? KEYRING_BLOCK : slots) * KEYRING_SLOT;
	keyring_seek(ring, first);
	memset(ring->block, 0, size);
	if (file_read(ring->fd, ring->block, there, slot_offset(first)) != (ssize_t)there)
		return "cannot read the keyring";
	if (there)
		size = there;		/* those that are there first */
	if (block_fill(ring, size) && file_write(ring->fd, ring->block, size, slot_offset(first)))
		return "cannot make new keys in the keyring";
	if (fdatasync(ring->fd) < 0)
		return "cannot sync the keyring";
	ring->block_count = size / KEYRING_SLOT;
	if (ring->slots < first + ring->block_count)
		ring->slots = first + ring->block_count;
	return NULL;
}

uint64_t keyring_left(struct keyring *ring)
{
	uint64_t end = ring->block_first + ring->block_count;

	if (ring->kept >= end + KEYRING_AHEAD)
		return ring->kept - end;
	if (!fallocate(ring->fd, FALLOC_FL_KEEP_SIZE, slot_offset(end),
		       2 * KEYRING_AHEAD * KEYRING_SLOT))
		ring->kept = end + 2 * KEYRING_AHEAD;
	else if (errno == EOPNOTSUPP)
		ring->kept = UINT64_MAX;	/* only trying tells */
	return ring->kept > end ? ring->kept - end : 0;
}

const char *keyring_reserve(struct keyring *ring, uint64_t size)
{
	const char *problem = NULL;

	while (!problem && ring->block_first + ring->block_count < size)
		problem = block_make(ring, ring->block_first + ring->block_count);
	return problem;
}

static bool slot_read(struct keyring *ring, uint64_t seq, uint8_t ret[KEYRING_SLOT])
{
	if (seq - ring->block_first < ring->block_count) {
		memcpy(ret, ring->block + (seq - ring->block_first) * KEYRING_SLOT, KEYRING_SLOT);
		return true;
	}
	return seq < ring->slots &&
	       file_read(ring->fd, ret, KEYRING_SLOT, slot_offset(seq)) == KEYRING_SLOT;
}

static void seal_data(uint64_t seq, const uint8_t commitment[HASH_SIZE],
		      uint8_t ret[8 + HASH_SIZE])
{
	put_be64(ret, seq);
	memcpy(ret + 8, commitment, HASH_SIZE);
}

const char *keyring_seal(struct keyring *ring, uint64_t seq, const uint8_t commitment[HASH_SIZE],
			 const void *memo, size_t len, struct buf *out)
{
	uint8_t key[KEYRING_SLOT], data[8 + HASH_SIZE], *room;

	if (!slot_read(ring, seq, key) || slot_empty(key))
		return "the keyring has no key for this entry";
	seal_data(seq, commitment, data);
	room = (uint8_t *)buf_room(out, len + SEAL_OVERHEAD);
	crypto_aead_xchacha20poly1305_ietf_encrypt(room, NULL, memo, len, data, sizeof(data), NULL,
						   commitment, key);
	sodium_memzero(key, sizeof(key));
	return NULL;
}

enum unseal keyring_unseal(struct keyring *ring, uint64_t seq, const uint8_t commitment[HASH_SIZE],
			   const void *sealed, size_t len, struct buf *out)
{
	uint8_t key[KEYRING_SLOT], data[8 + HASH_SIZE];
	size_t before = out->len;
	int failed;

	if (len < SEAL_OVERHEAD || !slot_read(ring, seq, key))
		return UNSEAL_DAMAGED;
	if (slot_empty(key))
		return UNSEAL_ERASED;
	seal_data(seq, commitment, data);
	failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
		(uint8_t *)buf_room(out, len - SEAL_OVERHEAD), NULL, NULL, sealed, len, data,
		sizeof(data), commitment, key);
	sodium_memzero(key, sizeof(key));
	if (!failed)
		return UNSEAL_OK;
	out->len = before;
	return UNSEAL_DAMAGED;
}

const char *keyring_tag(struct keyring *ring, const void *text, size_t len, uint8_t ret[16])
{
	uint8_t key[KEYRING_SLOT];

	if (!slot_read(ring, 0, key))
		return "the keyring has no first key";
	crypto_generichash(ret, 16, text, len, key, sizeof(key));
	sodium_memzero(key, sizeof(key));
	return NULL;
}

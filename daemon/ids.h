/*
 * Which entry a request id made: a set of (uid, id) pairs, each with its entry's number, of which only a keyed
 * 64-bit hash is kept, 16 bytes a slot. Two pairs may share a hash, so whoever finds one looks at the entry itself.
 * It serves names, too, with the number of what is named.
 */
#ifndef DAEMON_IDS_H
#define DAEMON_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_slot {
	uint64_t hash;
	uint64_t entry;			/* its number plus one; 0: the slot is free */
};

struct ids {
	struct id_slot *slots;
	size_t room, count;		/* room is a power of two */
	uint8_t key[16];		/* so that nobody chooses ids that collide */
};

void ids_init(struct ids *ids);
void ids_release(struct ids *ids);

uint64_t ids_hash(const struct ids *ids, int64_t uid, const uint8_t id[16]);
uint64_t ids_name_hash(const struct ids *ids, const char *name);
void ids_add(struct ids *ids, uint64_t hash, uint64_t seq);
void ids_remove(struct ids *ids, uint64_t hash, uint64_t seq);

/* Has the processor fetch where this hash stands, or would stand. */
void ids_expect(const struct ids *ids, uint64_t hash);

/* Goes through the entries of this hash: begin with *at = 0; false when there are no more. */
bool ids_next(const struct ids *ids, uint64_t hash, size_t *at, uint64_t *ret_seq);

#endif

/*
 * Which entry a request id made: a set of (uid, id) pairs, each with its entry's number, of which
 * only 32 bits of a keyed hash are kept: 8 bytes a slot. Two pairs may share them, so whoever finds
 * one looks at the entry itself. It serves names and owners, too, with the number of what is
 * theirs.
 *
 * What always holds: all numbers lie within 2^32 - 1 of the first that came when the set was empty.
 */
#ifndef DAEMON_IDS_H
#define DAEMON_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_slot {
	uint32_t hash;
	uint32_t above;			/* the number less `base`, plus one; 0: the slot is free */
};

struct ids {
	struct id_slot *slots;
	size_t room, count;		/* room is a power of two */
	uint64_t base;			/* the first number */
	uint8_t key[16];		/* so that nobody chooses ids that collide */
};

void ids_init(struct ids *ids);
void ids_release(struct ids *ids);

uint32_t ids_hash(const struct ids *ids, int64_t uid, const uint8_t id[16]);
uint32_t ids_name_hash(const struct ids *ids, const char *name);
uint32_t ids_owner_hash(const struct ids *ids, int64_t uid);
void ids_add(struct ids *ids, uint32_t hash, uint64_t number);
void ids_remove(struct ids *ids, uint32_t hash, uint64_t number);	/* which is there */

/* Has the processor fetch where this hash stands, or would stand. */
void ids_expect(const struct ids *ids, uint32_t hash);

/* Goes through the numbers of this hash: begin with *at = 0; false when there are no more. */
bool ids_next(const struct ids *ids, uint32_t hash, size_t *at, uint64_t *ret_number);

#endif

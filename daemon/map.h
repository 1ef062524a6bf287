/*
 * Numbers by keys of 16 bytes, 24 bytes a slot, in one piece of memory: freed at once, however many
 * there are.
 */
#ifndef DAEMON_MAP_H
#define DAEMON_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAP_KEY 16

struct map_slot {
	uint8_t key[MAP_KEY];
	uint64_t value;			/* plus one; 0: the slot is free */
};

struct map {
	struct map_slot *slots;
	size_t room, count;		/* room is a power of two */
	uint8_t secret[16];		/* so that nobody chooses keys that collide */
	bool hashed;			/* keys are hashes under another
					 * secret: they serve as they are */
};

void map_init(struct map *map, bool hashed);
void map_release(struct map *map);	/* empty afterwards, and fit for use */

bool map_get(const struct map *map, const uint8_t key[MAP_KEY], int64_t *ret);
void map_set(struct map *map, const uint8_t key[MAP_KEY], int64_t value);	/* 0 or more */
void map_remove(struct map *map, const uint8_t key[MAP_KEY]);			/* or nothing */

/* Has the processor fetch where this key stands, or would stand. */
void map_expect(const struct map *map, const uint8_t key[MAP_KEY]);

/* A number as a key, and back. */
void map_number_key(int64_t number, uint8_t ret[MAP_KEY]);
int64_t map_key_number(const uint8_t key[MAP_KEY]);

/* Goes through all of it, in no order: begin with *at = 0; NULL at the end. */
const struct map_slot *map_next(const struct map *map, size_t *at);

#endif

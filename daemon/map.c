#include "map.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64

void map_init(struct map *map, bool hashed)
{
	*map = (struct map){ .hashed = hashed };
	randombytes_buf(map->secret, sizeof(map->secret));
}

void map_release(struct map *map)
{
	free(map->slots);
	map->slots = NULL;
	map->room = map->count = 0;
}

static size_t home(const struct map *map, const uint8_t key[MAP_KEY])
{
	uint64_t hash;

	if (map->hashed)
		memcpy(&hash, key, sizeof(hash));
	else
		crypto_shorthash((uint8_t *)&hash, key, MAP_KEY, map->secret);
	return hash & (map->room - 1);
}

/* Where the key stands, or else the free slot where it would. */
static struct map_slot *slot_find(const struct map *map, const uint8_t key[MAP_KEY])
{
	size_t at = home(map, key);

	while (map->slots[at].value && memcmp(map->slots[at].key, key, MAP_KEY))
		at = (at + 1) & (map->room - 1);
	return &map->slots[at];
}

static void grow(struct map *map)
{
	struct map_slot *old = map->slots;
	size_t room = map->room;

	map->room = room ? 2 * room : ROOM_FIRST;
	map->slots = calloc(map->room, sizeof(*map->slots));
	if (!map->slots)
		abort();
	for (size_t i = 0; i < room; i++)
		if (old[i].value)
			*slot_find(map, old[i].key) = old[i];
	free(old);
}

bool map_get(const struct map *map, const uint8_t key[MAP_KEY], int64_t *ret)
{
	const struct map_slot *slot = map->room ? slot_find(map, key) : NULL;

	if (!slot || !slot->value)
		return false;
	*ret = (int64_t)(slot->value - 1);
	return true;
}

void map_set(struct map *map, const uint8_t key[MAP_KEY], int64_t value)
{
	struct map_slot *slot;

	if (map->count >= map->room / 4 * 3)
		grow(map);
	slot = slot_find(map, key);
	map->count += !slot->value;
	memcpy(slot->key, key, MAP_KEY);
	slot->value = (uint64_t)value + 1;
}

/* What probed past the slot that becomes free moves into it. */
void map_remove(struct map *map, const uint8_t key[MAP_KEY])
{
	size_t mask = map->room - 1, gap, at;

	if (!map->room || !slot_find(map, key)->value)
		return;
	gap = at = (size_t)(slot_find(map, key) - map->slots);
	while (map->slots[at = (at + 1) & mask].value) {
		if (((at - home(map, map->slots[at].key)) & mask) < ((at - gap) & mask))
			continue;
		map->slots[gap] = map->slots[at];
		gap = at;
	}
	map->slots[gap].value = 0;
	map->count--;
}

void map_expect(const struct map *map, const uint8_t key[MAP_KEY])
{
	if (map->room)
		__builtin_prefetch(&map->slots[home(map, key)]);
}

const struct map_slot *map_next(const struct map *map, size_t *at)
{
	while (*at < map->room) {
		const struct map_slot *slot = &map->slots[(*at)++];

		if (slot->value)
			return slot;
	}
	return NULL;
}

void map_number_key(int64_t number, uint8_t ret[MAP_KEY])
{
	memset(ret, 0, MAP_KEY);
	memcpy(ret, &number, sizeof(number));
}

int64_t map_key_number(const uint8_t key[MAP_KEY])
{
	int64_t number;

	memcpy(&number, key, sizeof(number));
	return number;
}

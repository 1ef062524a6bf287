#include "ids.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64

void ids_init(struct ids *ids)
{
	*ids = (struct ids){ .slots = NULL };
	randombytes_buf(ids->key, sizeof(ids->key));
}

void ids_release(struct ids *ids)
{
	free(ids->slots);
	ids->slots = NULL;
	ids->room = ids->count = 0;
}

static uint32_t keyed_hash(const struct ids *ids, const void *bytes, size_t len)
{
	uint64_t hash;

	crypto_shorthash((uint8_t *)&hash, bytes, len, ids->key);
	return (uint32_t)hash;
}

uint32_t ids_hash(const struct ids *ids, int64_t uid, const uint8_t id[16])
{
	uint8_t pair[24];

	memcpy(pair, id, 16);
	memcpy(pair + 16, &uid, sizeof(uid));
	return keyed_hash(ids, pair, sizeof(pair));
}

uint32_t ids_name_hash(const struct ids *ids, const char *name)
{
	return keyed_hash(ids, name, strlen(name));
}

uint32_t ids_owner_hash(const struct ids *ids, int64_t uid)
{
	return keyed_hash(ids, &uid, sizeof(uid));
}

static void slot_take(struct ids *ids, struct id_slot slot)
{
	size_t at = slot.hash & (ids->room - 1);

	while (ids->slots[at].above)
		at = (at + 1) & (ids->room - 1);
	ids->slots[at] = slot;
}

static void grow(struct ids *ids)
{
	struct id_slot *old = ids->slots;
	size_t room = ids->room;

	ids->room = room ? 2 * room : ROOM_FIRST;
	ids->slots = calloc(ids->room, sizeof(*ids->slots));
	if (!ids->slots)
		abort();
	for (size_t i = 0; i < room; i++)
		if (old[i].above)
			slot_take(ids, old[i]);
	free(old);
}

void ids_add(struct ids *ids, uint32_t hash, uint64_t number)
{
	if (!ids->count)
		ids->base = number;
	if (number < ids->base || number - ids->base >= UINT32_MAX)
		abort();
	if (ids->count >= ids->room / 4 * 3)
		grow(ids);
	slot_take(ids, (struct id_slot){ hash, (uint32_t)(number - ids->base + 1) });
	ids->count++;
}

/* Closes the gap: what probed past it moves into it. */
static void gap_close(struct ids *ids, size_t gap)
{
	size_t mask = ids->room - 1, at = gap;

	while (ids->slots[at = (at + 1) & mask].above) {
		size_t home = ids->slots[at].hash & mask;

		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		ids->slots[gap] = ids->slots[at];
		gap = at;
	}
	ids->slots[gap] = (struct id_slot){ 0, 0 };
}

void ids_remove(struct ids *ids, uint32_t hash, uint64_t number)
{
	size_t at = hash & (ids->room - 1);

	while (ids->slots[at].above != number - ids->base + 1)
		at = (at + 1) & (ids->room - 1);
	gap_close(ids, at);
	ids->count--;
}

bool ids_next(const struct ids *ids, uint32_t hash, size_t *at, uint64_t *ret_number)
{
	while (ids->room) {
		const struct id_slot *slot = &ids->slots[(hash + *at) & (ids->room - 1)];

		if (!slot->above)
			return false;
		(*at)++;
		if (slot->hash != hash)
			continue;
		*ret_number = ids->base + slot->above - 1;
		return true;
	}
	return false;
}

void ids_expect(const struct ids *ids, uint32_t hash)
{
	if (ids->room)
		__builtin_prefetch(&ids->slots[hash & (ids->room - 1)]);
}

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

uint64_t ids_hash(const struct ids *ids, int64_t uid, const uint8_t id[16])
{
	uint8_t pair[24];
	uint64_t hash;

	memcpy(pair, id, 16);
	memcpy(pair + 16, &uid, sizeof(uid));
	crypto_shorthash((uint8_t *)&hash, pair, sizeof(pair), ids->key);
	return hash;
}

uint64_t ids_name_hash(const struct ids *ids, const char *name)
{
	uint64_t hash;

	crypto_shorthash((uint8_t *)&hash, (const uint8_t *)name, strlen(name), ids->key);
	return hash;
}

static void slot_take(struct ids *ids, struct id_slot slot)
{
	size_t at = slot.hash & (ids->room - 1);

	while (ids->slots[at].entry)
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
		if (old[i].entry)
			slot_take(ids, old[i]);
	free(old);
}

void ids_add(struct ids *ids, uint64_t hash, uint64_t seq)
{
	if (ids->count >= ids->room / 4 * 3)
		grow(ids);
	slot_take(ids, (struct id_slot){ hash, seq + 1 });
	ids->count++;
}

/* Closes the gap: what probed past it moves into it. */
static void gap_close(struct ids *ids, size_t gap)
{
	size_t mask = ids->room - 1, at = gap;

	while (ids->slots[at = (at + 1) & mask].entry) {
		size_t home = ids->slots[at].hash & mask;

		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		ids->slots[gap] = ids->slots[at];
		gap = at;
	}
	ids->slots[gap] = (struct id_slot){ 0, 0 };
}

void ids_remove(struct ids *ids, uint64_t hash, uint64_t seq)
{
	size_t at = hash & (ids->room - 1);

	while (ids->slots[at].entry != seq + 1)
		at = (at + 1) & (ids->room - 1);
	gap_close(ids, at);
	ids->count--;
}

bool ids_next(const struct ids *ids, uint64_t hash, size_t *at, uint64_t *ret_seq)
{
	while (ids->room) {
		const struct id_slot *slot = &ids->slots[(hash + *at) & (ids->room - 1)];

		if (!slot->entry)
			return false;
		(*at)++;
		if (slot->hash != hash)
			continue;
		*ret_seq = slot->entry - 1;
		return true;
	}
	return false;
}

void ids_expect(const struct ids *ids, uint64_t hash)
{
	if (ids->room)
		__builtin_prefetch(&ids->slots[hash & (ids->room - 1)]);
}

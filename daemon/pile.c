#include "pile.h"

#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"

#define ROOM_FIRST 1024
#define RUN 16			/* records that are sorted by insertion */

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void pile_add(struct pile *pile, const uint8_t *key, const uint8_t *value)
{
	size_t size = shelf_record(pile->shelf);
	uint8_t *record;

	if (pile->count == pile->room) {
		pile->room = pile->room ? 2 * pile->room : ROOM_FIRST;
		pile->records = checked(realloc(pile->records, pile->room * size));
	}
	record = pile->records + pile->count++ * size;
	memcpy(record, key, pile->shelf->key_len);
	memcpy(record + pile->shelf->key_len, value, pile->shelf->value_len);
}

void pile_release(struct pile *pile)
{
	free(pile->records);
	free(pile->slots);
	*pile = (struct pile){ .shelf = pile->shelf };
}

/* ---- Meeting ---- */

/* Where the key stands, or else the free slot where it would. */
static uint32_t *slot_find(const struct pile *pile, const uint8_t *key)
{
	size_t size = shelf_record(pile->shelf), mask = pile->slot_count - 1, at;
	uint64_t hash = 0;

	for (size_t i = 0; i < pile->shelf->key_len; i += 8)
		hash = (hash ^ get_be64(key + i)) * UINT64_C(0x9e3779b97f4a7c15);
	for (at = hash >> 32 & mask; pile->slots[at]; at = (at + 1) & mask)
		if (!memcmp(pile->records + (pile->slots[at] - 1) * size, key,
			    pile->shelf->key_len))
			break;
	return &pile->slots[at];
}

static void slots_grow(struct pile *pile)
{
	size_t size = shelf_record(pile->shelf);

	pile->slot_count = pile->slot_count ? 2 * pile->slot_count : ROOM_FIRST;
	free(pile->slots);
	pile->slots = checked(calloc(pile->slot_count, sizeof(*pile->slots)));
	for (size_t i = 0; i < pile->count; i++)
		*slot_find(pile, pile->records + i * size) = (uint32_t)i + 1;
}

void pile_meet(struct pile *pile, const uint8_t *key, const uint8_t *value)
{
	size_t size = shelf_record(pile->shelf);
	uint32_t *slot;

	if (pile->count >= pile->slot_count / 2)
		slots_grow(pile);
	slot = slot_find(pile, key);
	if (*slot) {
		shelf_combine(pile->shelf, pile->records + (*slot - 1) * size, value);
		return;
	}
	pile_add(pile, key, value);
	*slot = (uint32_t)pile->count;
}

/* ---- Sorting ---- */

static bool above(const struct shelf *shelf, const uint8_t *a, const uint8_t *b)
{
	if (shelf->key_len >= 8 && memcmp(a, b, 8))
		return get_be64(a) > get_be64(b);
	return memcmp(a, b, shelf->key_len) > 0;
}

static void run_sort(const struct shelf *shelf, uint8_t *records, size_t count)
{
	size_t size = shelf_record(shelf);
	uint8_t moving[SHELF_RECORD_MAX];

	for (size_t i = 1; i < count; i++) {
		uint8_t *at = records + i * size;

		if (!above(shelf, at - size, at))
			continue;
		memcpy(moving, at, size);
		for (; at > records && above(shelf, at - size, moving); at -= size)
			memcpy(at, at - size, size);
		memcpy(at, moving, size);
	}
}

/* Two sorted runs, one behind the other, become one; which
 * they mostly are, when records came nearly sorted. */
static void runs_merge(const struct shelf *shelf, uint8_t *records, size_t left, size_t right,
		       uint8_t *spare)
{
	size_t size = shelf_record(shelf);
	const uint8_t *a = spare, *a_end = spare + left * size;
	const uint8_t *b = records + left * size, *b_end = b + right * size;

	if (!above(shelf, b - size, b))
		return;
	memcpy(spare, records, left * size);
	for (; a < a_end && b < b_end; records += size) {
		bool second = above(shelf, a, b);

		memcpy(records, second ? b : a, size);
		*(second ? &b : &a) += size;
	}
	memcpy(records, a, (size_t)(a_end - a));
}

void pile_sort(struct pile *pile)
{
	size_t size = shelf_record(pile->shelf), count = pile->count;
	uint8_t *spare;

	for (size_t at = 0; at < count; at += RUN)
		run_sort(pile->shelf, pile->records + at * size,
			 count - at < RUN ? count - at : RUN);
	if (count <= RUN)
		return;
	spare = checked(malloc(count * size));
	for (size_t run = RUN; run < count; run *= 2)
		for (size_t at = 0; count - at > run; at += 2 * run) {
			size_t right = count - at - run;

			runs_merge(pile->shelf, pile->records + at * size, run,
				   right < run ? right : run, spare);
			if (right <= run)
				break;
		}
	free(spare);
}

#include "common/bytes.h"
#include "daemon/pile.h"
#include "tap.h"

#include <stdlib.h>

#define MANY 3000

static void add_up(uint8_t *old, const uint8_t *newer)
{
	put_be64(old, get_be64(old) + get_be64(newer));
}

static const struct shelf numbers = { 1, 8, 8, NULL, false }, sums = { 2, 8, 8, add_up, false },
	small = { 3, 3, 8, NULL, false };

static uint64_t state = 88172645463325252;

static uint64_t chance(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static void add(struct pile *pile, uint64_t key, uint64_t value)
{
	uint8_t k[8], v[8];

	put_be64(k, key);
	put_be64(v, value);
	pile_add(pile, k + 8 - pile->shelf->key_len, v);
}

static uint64_t key_at(const struct pile *pile, size_t i)
{
	const uint8_t *record = pile->records + i * shelf_record(pile->shelf);
	uint64_t key = 0;

	for (size_t j = 0; j < pile->shelf->key_len; j++)
		key = key << 8 | record[j];
	return key;
}

static uint64_t value_at(const struct pile *pile, size_t i)
{
	return get_be64(pile->records + i * shelf_record(pile->shelf) + pile->shelf->key_len);
}

/* Values say in which order the records came; keys
 * are about the same number plus up to `disorder`. */
static void is_sorted(const struct shelf *shelf, size_t count, uint64_t disorder, const char *name)
{
	struct pile pile = { .shelf = shelf };
	uint64_t before = 0, after = 0;
	size_t wrong = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t key = i / 2 + chance(disorder);

		before += key * (i + 1);
		add(&pile, key, i + 1);
	}
	pile_sort(&pile);
	for (size_t i = 0; i < count; i++) {
		after += key_at(&pile, i) * value_at(&pile, i);
		if (i && key_at(&pile, i - 1) == key_at(&pile, i))
			wrong += value_at(&pile, i - 1) >= value_at(&pile, i);
		else if (i)
			wrong += key_at(&pile, i - 1) > key_at(&pile, i);
	}
	ok(!wrong && before == after && pile.count == count, "%zu records, %s", count, name);
	pile_release(&pile);
}

static void test_sort(void)
{
	static const size_t counts[] = { 0, 1, 2, 15, 16, 17, 31, 32, 33, 48, 49, 100, MANY };

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		is_sorted(&numbers, counts[i], 1, "in order");
		is_sorted(&numbers, counts[i], 40, "nearly in order");
		is_sorted(&numbers, counts[i], MANY, "in disorder");
		is_sorted(&small, counts[i], MANY, "with short keys");
	}
}

static void meet(struct pile *pile, uint64_t key, uint64_t value)
{
	uint8_t k[8], v[8];

	put_be64(k, key);
	put_be64(v, value);
	pile_meet(pile, k, v);
}

static void test_meet(void)
{
	struct pile last = { .shelf = &numbers }, all = { .shelf = &sums };
	size_t wrong = 0;

	for (uint64_t i = 0; i < 10 * MANY; i++) {
		meet(&last, i % MANY << 32, i);
		meet(&all, i % MANY << 32, 1);
	}
	for (size_t i = 0; i < last.count; i++)
		wrong += value_at(&last, i) != 9 * MANY + (key_at(&last, i) >> 32);
	for (size_t i = 0; i < all.count; i++)
		wrong += value_at(&all, i) != 10;
	is_int((int64_t)last.count, MANY, "each key once");
	is_int((int64_t)all.count, MANY, "whatever becomes of its values");
	is_int((int64_t)wrong, 0, "the newest of them, or their sum");
	pile_release(&last);
	meet(&last, 1, 7);
	is_int((int64_t)last.count, 1, "released, it begins anew");
	pile_release(&last);
	pile_release(&all);
}

int main(void)
{
	test_sort();
	test_meet();
	return done_testing();
}

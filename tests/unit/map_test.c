/* map: what was set is got, what was removed is not, through growth and in any order. */
#include "daemon/map.h"

#include <string.h>

#include "tap.h"

#define MANY 20000

static const uint8_t *key(int64_t n)
{
	static uint8_t bytes[MAP_KEY];

	memcpy(bytes + 5, &n, sizeof(n));
	return bytes;
}

static void test_one(void)
{
	struct map map;
	int64_t value = 17;
	size_t at = 0;

	map_init(&map, false);
	ok(!map_get(&map, key(1), &value) && value == 17, "nothing is in an empty map");
	map_remove(&map, key(1));
	ok(!map_next(&map, &at), "nor found by going through it");
	map_set(&map, key(1), 0);
	ok(map_get(&map, key(1), &value) && value == 0, "zero is a value");
	map_set(&map, key(1), INT64_MAX);
	ok(map_get(&map, key(1), &value) && value == INT64_MAX, "set again, it is another");
	is_int((int64_t)map.count, 1, "and still one");
	ok(!map_get(&map, key(2), &value), "another key is not there");
	map_remove(&map, key(2));
	map_remove(&map, key(1));
	ok(!map_get(&map, key(1), &value) && !map.count, "removed, it is gone");
	map_set(&map, key(3), 3);
	map_release(&map);
	ok(!map_get(&map, key(3), &value), "released, it is empty");
	map_set(&map, key(4), 4);
	ok(map_get(&map, key(4), &value) && value == 4, "and can be used again");
	map_release(&map);
}

static int64_t right(const struct map *map, bool removed)
{
	int64_t value, n = 0;

	for (int64_t i = 0; i < MANY; i++)
		n += map_get(map, key(i), &value) ? value == 3 * i : removed && i % 2;
	return n;
}

static void test_many(void)
{
	const struct map_slot *slot;
	int64_t sum = 0;
	struct map map;
	size_t at = 0;

	map_init(&map, false);
	for (int64_t i = 0; i < MANY; i++)
		map_set(&map, key(i), 3 * i);
	is_int(right(&map, false), MANY, "all are there");
	for (int64_t i = 1; i < MANY; i += 2)
		map_remove(&map, key(i * 7919 % MANY));
	is_int(right(&map, true), MANY, "half of them removed, the others stay");
	while ((slot = map_next(&map, &at)))
		sum += (int64_t)slot->value - 1;
	is_int(sum, 3 * (MANY / 2) * (MANY / 2 - 1), "going through it meets each once");
	map_release(&map);
}

int main(void)
{
	test_one();
	test_many();
	return done_testing();
}

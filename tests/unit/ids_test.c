/* ids: what was added is found, what was removed is not, through growth and in any order. */
#include "daemon/ids.h"

#include <string.h>

#include "tap.h"

#define MANY 20000

static uint32_t hashes[MANY];

static bool there(const struct ids *ids, uint32_t hash, uint64_t seq)
{
	size_t at = 0;
	uint64_t found;

	while (ids_next(ids, hash, &at, &found))
		if (found == seq)
			return true;
	return false;
}

/* How many of the first `count` are as `removed` says. */
static int64_t right(const struct ids *ids, const bool *removed, uint64_t base, uint64_t count)
{
	int64_t n = 0;

	for (uint64_t i = 0; i < count; i++)
		n += there(ids, hashes[i], base + i) == !removed[i];
	return n;
}

static void test_hash(void)
{
	uint8_t id[16] = { 1, 2, 3 }, other[16] = { 1, 2, 4 };
	struct ids ids, second;

	ids_init(&ids);
	ids_init(&second);
	ok(ids_hash(&ids, 7, id) == ids_hash(&ids, 7, id), "the same pair, the same hash");
	ok(ids_hash(&ids, 7, id) != ids_hash(&ids, 8, id), "another uid, another hash");
	ok(ids_hash(&ids, 7, id) != ids_hash(&ids, 7, other), "another id, another hash");
	ok(ids_hash(&ids, 7, id) != ids_hash(&second, 7, id), "another set, another key");
	ok(!there(&ids, ids_hash(&ids, 7, id), 0), "nothing is in an empty set");
	ids_release(&ids);
	ids_release(&second);
}

/* `spread`: how many different hashes there are; with few of them, they crowd and wrap around. */
static void test_many(uint64_t spread, uint64_t base, const char *name)
{
	static bool removed[MANY];
	struct ids ids;
	uint64_t count = spread < MANY ? 1000 : MANY;

	memset(removed, 0, sizeof(removed));
	ids_init(&ids);
	for (uint64_t i = 0; i < count; i++) {
		hashes[i] = (uint32_t)(UINT32_MAX - i * 2654435761u % spread);
		ids_add(&ids, hashes[i], base + i);
	}
	is_int(right(&ids, removed, base, count), (int64_t)count, name);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t n = i * 7919 % count;

		if (n % 3)
			continue;
		removed[n] = true;
		ids_remove(&ids, hashes[n], base + n);
	}
	is_int(right(&ids, removed, base, count), (int64_t)count, name);
	for (uint64_t i = count; i--;)
		if (!removed[i])
			ids_remove(&ids, hashes[i], base + i);
	is_int((int64_t)ids.count, 0, name);
	ids_release(&ids);
}

/* A set that is empty again begins anew, below or above. */
static void test_base(void)
{
	struct ids ids;

	ids_init(&ids);
	ids_add(&ids, 1, 1000);
	ids_remove(&ids, 1, 1000);
	ids_add(&ids, 1, 10);
	ok(there(&ids, 1, 10) && !there(&ids, 1, 1000), "an emptied set takes lower numbers");
	ids_add(&ids, 1, 10 + (uint64_t)UINT32_MAX - 1);
	ok(there(&ids, 1, 10 + (uint64_t)UINT32_MAX - 1), "and the highest from there");
	is_int(sizeof(struct id_slot), 8, "bytes a slot");
	ids_release(&ids);
}

int main(void)
{
	test_hash();
	test_many(UINT32_MAX, 0, "scattered");
	test_many(UINT32_MAX, (uint64_t)5 << 32, "scattered, with numbers beyond 32 bits");
	test_many(3, 0, "three hashes for all");
	test_many(1, 7, "one hash for all");
	test_base();
	return done_testing();
}

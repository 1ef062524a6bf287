/* shelves: what was put is found, what was not is certainly not there, and damage is neither. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"
#include "daemon/pile.h"
#include "tap.h"

#define MANY 30000

static char dir[] = "/tmp/shelf-test-XXXXXX", path[64];
static MDB_env *env;
static MDB_dbi dbi;

static void add_values(uint8_t *old, const uint8_t *newer)
{
	put_be64(old, get_be64(old) + get_be64(newer));
}

static const struct shelf numbers = { 5, 8, 8, NULL, false }, sums = { 6, 8, 8, add_values, false },
			  ones = { 7, 8, 8, NULL, true };

static MDB_txn *begin(unsigned flags)
{
	MDB_txn *txn;

	if (mdb_txn_begin(env, NULL, flags, &txn))
		exit(1);
	return txn;
}

static void open_all(void)
{
	MDB_txn *txn;

	if (!mkdtemp(dir) || mdb_env_create(&env) || mdb_env_set_mapsize(env, 256 << 20))
		exit(1);
	snprintf(path, sizeof(path), "%s/x", dir);
	if (mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOLOCK, 0600))
		exit(1);
	txn = begin(0);
	if (mdb_dbi_open(txn, NULL, 0, &dbi) || shelf_create(&numbers, txn, dbi) ||
	    shelf_create(&sums, txn, dbi) || shelf_create(&ones, txn, dbi) || mdb_txn_commit(txn))
		exit(1);
}

static void pile(struct pile *pile, uint64_t key, uint64_t value)
{
	uint8_t k[8], v[8];

	put_be64(k, key);
	put_be64(v, value);
	pile_add(pile, k, v);
}

static int put(struct pile *pile)
{
	MDB_txn *txn = begin(0);
	int error = shelf_put(pile, txn, dbi);

	if (error)
		mdb_txn_abort(txn);
	else
		error = mdb_txn_commit(txn);
	return error;
}

static int64_t get(const struct shelf *shelf, uint64_t key)
{
	MDB_txn *txn = begin(MDB_RDONLY);
	uint8_t k[8], v[8];
	enum found found;

	put_be64(k, key);
	found = shelf_get(shelf, txn, dbi, k, v);
	mdb_txn_abort(txn);
	return found == FOUND ? (int64_t)get_be64(v) : found == FOUND_NOT ? -1 : -2;
}

static void test_empty(void)
{
	MDB_txn *txn = begin(MDB_RDONLY);
	uint8_t key[8];

	is_int(get(&numbers, 0), -1, "nothing is on an empty shelf");
	is_int(get(&numbers, UINT64_MAX - 1), -1, "nowhere");
	ok(shelf_last(&numbers, txn, dbi, key) == FOUND_NOT, "it has no last");
	mdb_txn_abort(txn);
}

/* Keys 7, 14, 21 … in another order, in several piles. */
static void test_many(void)
{
	struct pile some = { .shelf = &numbers };
	int64_t right = 0, absent = 0;
	MDB_txn *txn;
	uint8_t key[8];

	for (uint64_t i = 0; i < MANY; i++) {
		uint64_t n = i * 7919 % MANY + 1;

		pile(&some, 7 * n, n);
		if (i % 4999 == 0 || i == MANY - 1)
			right += put(&some);
	}
	is_int(right, 0, "all piles are put");
	for (uint64_t n = 1; n <= MANY; n++) {
		right += get(&numbers, 7 * n) == (int64_t)n;
		absent += get(&numbers, 7 * n + 1 + n % 6) == -1;
	}
	is_int(right, MANY, "all are found");
	is_int(absent, MANY, "and what is between them is not");
	pile(&some, 70, 1);
	pile(&some, 70, 12345);
	put(&some);
	is_int(get(&numbers, 70), 12345, "the newer value stands");
	txn = begin(MDB_RDONLY);
	ok(shelf_last(&numbers, txn, dbi, key) == FOUND && get_be64(key) == 7 * MANY,
	   "the last is known");
	mdb_txn_abort(txn);
	pile_release(&some);
}

static bool sum_keys(void *context, const uint8_t *key, const uint8_t *value)
{
	uint64_t *sums_of = context;

	(void)value;
	sums_of[1] += get_be64(key) <= sums_of[2];
	sums_of[2] = get_be64(key);
	return ++sums_of[0] < 20000;
}

static int64_t range(uint64_t low, uint64_t high, uint64_t *disorder)
{
	MDB_txn *txn = begin(MDB_RDONLY);
	uint64_t seen[3] = { 0, 0, 0 };
	uint8_t a[8], b[8];
	enum found found;

	put_be64(a, low);
	put_be64(b, high);
	found = shelf_range(&numbers, txn, dbi, a, high ? b : NULL, sum_keys, seen);
	mdb_txn_abort(txn);
	*disorder = seen[1];
	return found == FOUND ? (int64_t)seen[0] : -1;
}

static void test_range(void)
{
	uint64_t disorder;

	is_int(range(70, 7 * 110, &disorder), 100, "a range begins with its low and ends before "
						   "its high");
	is_int(range(7 * MANY - 6, 0, &disorder), 1, "to the end");
	is_int(range(7 * MANY + 1, 0, &disorder), 0, "and behind it");
	is_int(range(0, 0, &disorder), 20000, "until each says so");
	is_int((int64_t)disorder, 0, "in order");
}

static void test_rules(void)
{
	struct pile some = { .shelf = &sums }, once = { .shelf = &ones };

	pile(&some, 1, 10);
	pile(&some, 1, 5);
	pile(&some, 2, 1);
	put(&some);
	pile(&some, 1, 100);
	put(&some);
	is_int(get(&sums, 1), 115, "values are combined, in a pile and with what is there");
	is_int(get(&sums, 2), 1, "each with its own");
	pile(&once, 1, 1);
	is_int(put(&once), 0, "a key that may come once");
	pile(&once, 1, 2);
	is_int(put(&once), MDB_KEYEXIST, "may not come twice");
	is_int(get(&ones, 1), 1, "and nothing changed");
	pile_release(&some);
	pile_release(&once);
}

static bool go_on(void *context, const uint8_t *key, const uint8_t *value)
{
	(void)context;
	(void)key;
	(void)value;
	return true;
}

/* Takes each block away, or changes a byte of it: who looks there must be told. */
static void test_damage(void)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	int64_t wrong = 0, told = 0, blocks = 0;
	MDB_txn *txn = begin(MDB_RDONLY), *edit;
	static uint8_t keys[2000][9];

	mdb_cursor_open(txn, dbi, &cursor);
	while (!mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
		if (*(uint8_t *)key.mv_data == numbers.number && blocks < 2000)
			memcpy(keys[blocks++], key.mv_data, 9);
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	for (int64_t i = 0; i < blocks; i++) {
		uint8_t bytes[2048], low[8], v[8];
		uint64_t inside = get_be64(keys[i] + 1) + 1;

		edit = begin(0);
		key = (MDB_val){ 9, keys[i] };
		mdb_get(edit, dbi, &key, &value);
		memcpy(bytes, value.mv_data, value.mv_size);
		value.mv_data = bytes;
		bytes[(size_t)i * 31 % value.mv_size] ^= 1 << i % 8;
		if (i % 2)
			mdb_put(edit, dbi, &key, &value, 0);
		else
			mdb_del(edit, dbi, &key, NULL);
		put_be64(low, inside);
		told += shelf_get(&numbers, edit, dbi, low, v) == FOUND_DAMAGE;
		put_be64(low, 0);
		if (i % 16 == 0 || i == blocks - 1)
			wrong += shelf_range(&numbers, edit, dbi, low, NULL, go_on, NULL) == FOUND;
		mdb_txn_abort(edit);
	}
	ok(blocks > 200, "there are many blocks");
	is_int(told, blocks, "a block that is lost or changed is told of, never taken for an "
			     "absence");
	is_int(wrong, 0, "by who goes through all, too");
}

int main(void)
{
	open_all();
	test_empty();
	test_many();
	test_range();
	test_rules();
	test_damage();
	mdb_env_close(env);
	unlink(path);
	rmdir(dir);
	return done_testing();
}

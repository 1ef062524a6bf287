#include "shelf.h"

#include <lmdb.h>
#include <string.h>

#include "checksum.h"
#include "common/bytes.h"
#include "pile.h"

#define BLOCK_MAX 1984		/* two blocks and their keys fill a page */
#define STORED_KEY (1 + SHELF_KEY_MAX)

/* Above all keys: where the last block ends. */
static const uint8_t shelf_end[SHELF_KEY_MAX] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff,
};

/* A block as it is stored: what it points at is LMDB's, and lasts as long as nothing is put. */
struct block {
	const uint8_t *low, *next, *records;
	size_t count;
};

static size_t block_capacity(const struct shelf *shelf)
{
	return (BLOCK_MAX - CHECKSUM_SIZE - shelf->key_len) / shelf_record(shelf);
}

static uint64_t block_sum(const MDB_val *key, const uint8_t *bytes, size_t len)
{
	return checksum(checksum(0, key->mv_data, key->mv_size), bytes, len);
}

static MDB_val stored_key(const struct shelf *shelf, const uint8_t *low, uint8_t room[STORED_KEY])
{
	room[0] = shelf->number;
	memcpy(room + 1, low, shelf->key_len);
	return (MDB_val){ .mv_size = 1 + (size_t)shelf->key_len, .mv_data = room };
}

/* ---- Finding ---- */

static bool on_shelf(const struct shelf *shelf, const MDB_val *key)
{
	return key->mv_size && *(const uint8_t *)key->mv_data == shelf->number;
}

static const uint8_t *low_of(const MDB_val *key)
{
	return (const uint8_t *)key->mv_data + 1;
}

static bool below(const struct shelf *shelf, const uint8_t *key, const uint8_t *other)
{
	return memcmp(key, other, shelf->key_len) < 0;
}

static bool block_read(const struct shelf *shelf, const MDB_val *key, const MDB_val *value,
		       struct block *ret)
{
	const uint8_t *bytes = value->mv_data;
	size_t head = CHECKSUM_SIZE + (size_t)shelf->key_len;

	if (key->mv_size != 1 + (size_t)shelf->key_len || value->mv_size < head ||
	    (value->mv_size - head) % shelf_record(shelf))
		return false;
	if (get_be64(bytes) !=
	    block_sum(key, bytes + CHECKSUM_SIZE, value->mv_size - CHECKSUM_SIZE))
		return false;
	ret->low = low_of(key);
	ret->next = bytes + CHECKSUM_SIZE;
	ret->records = bytes + head;
	ret->count = (value->mv_size - head) / shelf_record(shelf);
	return true;
}

/* The block in which `low` is, or would be. false: damage. */
static bool block_find(const struct shelf *shelf, MDB_cursor *cursor, const uint8_t *low,
		       struct block *ret)
{
	uint8_t room[STORED_KEY];
	MDB_val key = stored_key(shelf, low, room), value;
	int error = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

	if (error == MDB_NOTFOUND)
		error = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
	else if (!error && (!on_shelf(shelf, &key) || below(shelf, low, low_of(&key))))
		error = mdb_cursor_get(cursor, &key, &value, MDB_PREV);
	return !error && on_shelf(shelf, &key) && block_read(shelf, &key, &value, ret) &&
	       !below(shelf, low, ret->low) && below(shelf, low, ret->next);
}

/* The first record of the block that is not below the key. */
static size_t record_find(const struct shelf *shelf, const struct block *block, const uint8_t *key)
{
	size_t low = 0, high = block->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (below(shelf, block->records + middle * shelf_record(shelf), key))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum found shelf_get(const struct shelf *shelf, MDB_txn *txn, unsigned dbi, const uint8_t *key,
		     uint8_t *ret_value)
{
	const uint8_t *record;
	MDB_cursor *cursor;
	struct block block;
	size_t at;
	bool good;

	if (mdb_cursor_open(txn, dbi, &cursor))
		return FOUND_DAMAGE;
	good = block_find(shelf, cursor, key, &block);
	mdb_cursor_close(cursor);
	if (!good)
		return FOUND_DAMAGE;
	at = record_find(shelf, &block, key);
	record = block.records + at * shelf_record(shelf);
	if (at == block.count || memcmp(record, key, shelf->key_len))
		return FOUND_NOT;
	memcpy(ret_value, record + shelf->key_len, shelf->value_len);
	return FOUND;
}

/* The block behind, which begins where the one before ended. FOUND_NOT: there is none. */
static enum found block_next(const struct shelf *shelf, MDB_cursor *cursor, struct block *block)
{
	uint8_t end[SHELF_KEY_MAX];
	MDB_val key, value;
	int error;

	memcpy(end, block->next, shelf->key_len);
	error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	if (error && error != MDB_NOTFOUND)
		return FOUND_DAMAGE;
	if (error || !on_shelf(shelf, &key))
		return memcmp(end, shelf_end, shelf->key_len) ? FOUND_DAMAGE : FOUND_NOT;
	return block_read(shelf, &key, &value, block) &&
			       !memcmp(block->low, end, shelf->key_len)
		       ? FOUND
		       : FOUND_DAMAGE;
}

enum found shelf_range(const struct shelf *shelf, MDB_txn *txn, unsigned dbi, const uint8_t *low,
		       const uint8_t *high, shelf_each *each, void *context)
{
	MDB_cursor *cursor;
	struct block block;
	enum found found;
	bool more = true;

	if (mdb_cursor_open(txn, dbi, &cursor))
		return FOUND_DAMAGE;
	for (found = block_find(shelf, cursor, low, &block) ? FOUND : FOUND_DAMAGE;
	     found == FOUND && more;
	     found = more ? block_next(shelf, cursor, &block) : FOUND)
		for (size_t i = record_find(shelf, &block, low); more && i < block.count; i++) {
			const uint8_t *key = block.records + i * shelf_record(shelf);

			more = (!high || below(shelf, key, high)) &&
			       each(context, key, key + shelf->key_len);
		}
	mdb_cursor_close(cursor);
	return found == FOUND_DAMAGE ? found : FOUND;
}

enum found shelf_last(const struct shelf *shelf, MDB_txn *txn, unsigned dbi, uint8_t *ret_key)
{
	uint8_t behind = (uint8_t)(shelf->number + 1);
	MDB_val key = { 1, &behind }, value;
	MDB_cursor *cursor;
	struct block block;
	int error = mdb_cursor_open(txn, dbi, &cursor);
	bool good;

	if (error)
		return FOUND_DAMAGE;
	error = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
	error = mdb_cursor_get(cursor, &key, &value, error ? MDB_LAST : MDB_PREV);
	good = !error && on_shelf(shelf, &key) && block_read(shelf, &key, &value, &block) &&
	       !memcmp(block.next, shelf_end, shelf->key_len);
	if (good && block.count)
		memcpy(ret_key, block.records + (block.count - 1) * shelf_record(shelf),
		       shelf->key_len);
	mdb_cursor_close(cursor);
	return !good ? FOUND_DAMAGE : block.count ? FOUND : FOUND_NOT;
}

/* ---- Putting ---- */

/* One more record at the end of a sorted run. false: its key came twice and must not. */
static bool run_add(struct pile *run, const uint8_t *record)
{
	const struct shelf *shelf = run->shelf;
	uint8_t *last = run->count ? run->records + (run->count - 1) * shelf_record(shelf) : NULL;

	if (!last || memcmp(last, record, shelf->key_len)) {
		pile_add(run, record, record + shelf->key_len);
		return true;
	}
	shelf_combine(shelf, last, record + shelf->key_len);
	return !shelf->unique;
}

/* A block and the piled records [first, end) that belong to it, in one sorted run. */
static bool run_merge(const struct pile *pile, const struct block *block, size_t first, size_t end,
		      struct pile *run)
{
	size_t size = shelf_record(pile->shelf), i = 0;
	bool good = true;

	while (good && (i < block->count || first < end)) {
		const uint8_t *old = block->records + i * size;
		const uint8_t *fresh = pile->records + first * size;

		if (i < block->count &&
		    (first == end || memcmp(old, fresh, pile->shelf->key_len) <= 0)) {
			good = run_add(run, old);
			i++;
		} else {
			good = run_add(run, fresh);
			first++;
		}
	}
	return good;
}

static int block_put(const struct shelf *shelf, MDB_txn *txn, unsigned dbi, const uint8_t *low,
		     const uint8_t *next, const uint8_t *records, size_t count)
{
	uint8_t room[STORED_KEY], bytes[BLOCK_MAX];
	size_t head = CHECKSUM_SIZE + (size_t)shelf->key_len,
	       size = head + count * shelf_record(shelf);
	MDB_val key = stored_key(shelf, low, room), value = { size, bytes };

	memcpy(bytes + CHECKSUM_SIZE, next, shelf->key_len);
	if (count)
		memcpy(bytes + head, records, size - head);
	put_be64(bytes, block_sum(&key, bytes + CHECKSUM_SIZE, size - CHECKSUM_SIZE));
	return mdb_put(txn, dbi, &key, &value, 0);
}

/*
 * Writes a run as one block or several, from `low` to `next`. Records that were added at the
 * shelf's end fill their blocks; elsewhere blocks are filled evenly, for more to come.
 */
static int run_put(const struct pile *run, MDB_txn *txn, unsigned dbi, const uint8_t *low,
		   const uint8_t *next, bool at_end)
{
	size_t size = shelf_record(run->shelf), full = block_capacity(run->shelf), done = 0;
	size_t blocks = (run->count + full - 1) / full;
	size_t each = at_end ? full : (run->count + blocks - 1) / blocks;
	int error = 0;

	while (!error && done < run->count) {
		size_t count = run->count - done < each ? run->count - done : each;
		const uint8_t *records = run->records + done * size;

		done += count;
		error = block_put(run->shelf, txn, dbi, low,
				  done < run->count ? run->records + done * size : next, records,
				  count);
		low = run->records + done * size;
	}
	return error;
}

/* The records from `first` on that belong to one block. *end: the first that does not. */
static int block_merge(const struct pile *pile, MDB_txn *txn, unsigned dbi, MDB_cursor *cursor,
		       size_t first, size_t *end, struct pile *run)
{
	uint8_t low[SHELF_KEY_MAX], next[SHELF_KEY_MAX];
	const struct shelf *shelf = pile->shelf;
	size_t size = shelf_record(shelf);
	struct block block;

	if (!block_find(shelf, cursor, pile->records + first * size, &block))
		return SHELF_DAMAGED;
	memcpy(low, block.low, shelf->key_len);
	memcpy(next, block.next, shelf->key_len);
	for (*end = first; *end < pile->count && below(shelf, pile->records + *end * size, next);)
		++*end;
	run->count = 0;
	if (!run_merge(pile, &block, first, *end, run))
		return MDB_KEYEXIST;
	return run_put(run, txn, dbi, low, next, !memcmp(next, shelf_end, shelf->key_len));
}

int shelf_create(const struct shelf *shelf, MDB_txn *txn, unsigned dbi)
{
	static const uint8_t begin[SHELF_KEY_MAX];

	return block_put(shelf, txn, dbi, begin, shelf_end, NULL, 0);
}

int shelf_put(struct pile *pile, MDB_txn *txn, unsigned dbi)
{
	struct pile run = { .shelf = pile->shelf };
	MDB_cursor *cursor;
	size_t done = 0;
	int error = mdb_cursor_open(txn, dbi, &cursor);

	if (error)
		return error;
	pile_sort(pile);
	while (!error && done < pile->count)
		error = block_merge(pile, txn, dbi, cursor, done, &done, &run);
	mdb_cursor_close(cursor);
	pile_release(&run);
	pile_release(pile);
	return error;
}

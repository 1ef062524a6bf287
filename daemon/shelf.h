/*
 * A shelf: sorted records of one size, in blocks, in an LMDB database that several shelves share. A
 * block is stored under the shelf's number and the lowest key that may be in it:
 *
 *   8 bytes   checksum of all that follows, with that of the LMDB key as its seed; see checksum.h
 *   key       the lowest key of the block behind it; behind the last all 0xff, which is no record's key
 *   records   key and value each, sorted
 *
 * What always holds: there is a block; the first begins at the key of zeros, and each ends where
 * the next begins. So that a record is not there is shown by a block, as well as that it is: a bit
 * that flips anywhere, a block that is lost or stale in the tree's order, or a page that is not
 * what it was, makes a search say so, and never "absent".
 */
#ifndef DAEMON_SHELF_H
#define DAEMON_SHELF_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SHELF_KEY_MAX 32
#define SHELF_RECORD_MAX 128	/* bytes of key and value */

typedef struct MDB_txn MDB_txn;

struct shelf {
	uint8_t number;			/* first byte of its keys in the database */
	uint16_t key_len, value_len;
	/* Makes the value of a record that was put twice:
	 * `old` becomes it. NULL: the newer stands. */
	void (*combine)(uint8_t *old, const uint8_t *newer);
	bool unique;			/* no key may come twice, and none does */
};

static inline size_t shelf_record(const struct shelf *shelf)
{
	return (size_t)shelf->key_len + shelf->value_len;
}

/* `newer` is a value that was put later than the record. */
static inline void shelf_combine(const struct shelf *shelf, uint8_t *record, const uint8_t *newer)
{
	if (shelf->combine)
		shelf->combine(record + shelf->key_len, newer);
	else
		memcpy(record + shelf->key_len, newer, shelf->value_len);
}

#define SHELF_DAMAGED EBADMSG		/* among the errors */

/* An empty shelf. 0, or an error of errno or LMDB. */
int shelf_create(const struct shelf *shelf, MDB_txn *txn, unsigned dbi);

enum found { FOUND, FOUND_NOT, FOUND_DAMAGE };

enum found shelf_get(const struct shelf *shelf, MDB_txn *txn, unsigned dbi, const uint8_t *key,
		     uint8_t *ret_value);

/*
 * The records from `low` up to, but without, `high`, or with NULL to the end; until `each` says
 * false. FOUND, or FOUND_DAMAGE.
 */
typedef bool shelf_each(void *context, const uint8_t *key, const uint8_t *value);
enum found shelf_range(const struct shelf *shelf, MDB_txn *txn, unsigned dbi, const uint8_t *low,
		       const uint8_t *high, shelf_each *each, void *context);

/* The highest key. */
enum found shelf_last(const struct shelf *shelf, MDB_txn *txn, unsigned dbi, uint8_t *ret_key);

struct pile;

/* Sorts the pile, puts it on its shelf and releases it. 0, or an
 * error of errno or LMDB; the transaction is no good then. */
int shelf_put(struct pile *pile, MDB_txn *txn, unsigned dbi);

#endif

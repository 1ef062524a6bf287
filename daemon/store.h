/*
 * ledger.mdb: the append-only LMDB database of rows, key = sequence number, 8 bytes big-endian.
 *
 * What always holds: rows 0 to size - 1 are there and durable; rows are only ever added at the end.
 * LMDB's default sync stays on. Of the ledger, nothing outside this file knows LMDB.
 *
 * Functions return 0 or an error of errno or LMDB; store_error() turns it into words.
 */
#ifndef DAEMON_STORE_H
#define DAEMON_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "segment.h"

#define LEDGER_FILE "ledger.mdb"
#define LEDGER_MAP_DEFAULT ((uint64_t)1 << 40)
#define LEDGER_MAP_MIN ((uint64_t)4 << 20)

typedef struct MDB_env MDB_env;
typedef struct MDB_txn MDB_txn;
typedef struct MDB_cursor MDB_cursor;

struct store {
	MDB_env *env;
	unsigned dbi;
	uint64_t size;			/* rows when it was opened */
	uint8_t prior[CHECKSUM_SIZE];	/* the last one's checksum then; zeros: there was none */
	uint64_t pages;			/* that LMDB had taken after the last transaction of ours */
	uint64_t map_size;		/* bytes */
	uint64_t reserve;		/* bytes kept zero-filled ahead */
};

const char *store_error(int error);

/* Is it for want of room, with nothing written? */
bool store_full(int error);

/* Is it for that, or for want of memory, so that trying again makes sense? */
bool store_passes(int error);

/* Opens the environment in the directory, creating its files with `create` (and only then). */
int store_open(struct store *store, const char *dir, uint64_t map_size, bool create);

/* Makes one in the directory that nobody else opens
 * meanwhile: it takes no lock, and has no file for it. */
int store_open_alone(struct store *store, const char *dir, uint64_t map_size);

/* Opens it for reading beside a running daemon. */
int store_open_reader(struct store *store, const char *dir);
void store_close(struct store *store);

/* Drops the places of readers that died. */
void store_tidy(struct store *store);

/* ---- Room ---- */

/* Bytes of the file that so many bytes of rows take at most, pages filled as badly as it may be. */
#define STORE_TAKES(bytes) ((bytes) + (bytes) / 2)

/* Bytes that may still be written: in the map, and in the file
 * as far as it is filled. false: the file was removed. */
bool store_left(const struct store *store, uint64_t *ret);

/* Fills the file ahead with zeros, so that a full disk shows
 * before it is in the way. Not while something is appended. */
void store_fill(struct store *store);

/* Adds the segment's rows from number *size on, in one
 * synced transaction; *size is then what there are. */
int store_append(struct store *store, const struct segment *segment, uint64_t *size);

/* Can it be read still, after an error? After some LMDB takes part in nothing more. */
bool store_readable(const struct store *store);

/* ---- Reading ---- */

/* The rows as they were when it began. A pinned view keeps LMDB from using old pages again. */
struct store_view {
	MDB_txn *txn;
	MDB_cursor *cursor;
	uint64_t at;			/* where the cursor stands; UINT64_MAX: nowhere */
	uint64_t size;			/* one more than the last row's number */
	uint64_t rows;			/* there are: fewer when some are missing */
};

int store_view_begin(const struct store *store, struct store_view *ret);
void store_view_end(struct store_view *view);
int store_view_renew(struct store_view *view);	/* of the same size, pinning less */

/* The row's bytes, valid until the view ends or is renewed.
 * Quick when rows are asked for one after the other. */
int store_view_row(struct store_view *view, uint64_t seq, const void **bytes, size_t *size);

/* Many rows behind this one will be read: has the disk
 * begin. Worth it every few thousand rows of a scan. */
void store_expect(const void *row);

#endif

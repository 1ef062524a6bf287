/*
 * ledger.mdb: the append-only LMDB database of rows, key = sequence number, 8 bytes big-endian. It is the
 * only truth; everything else is derived from it.
 *
 * What always holds: rows 0 to size - 1 are there and durable; rows are only ever added at the end. LMDB's
 * default sync stays on. Nothing outside this file knows LMDB.
 *
 * Functions return 0 or an error of errno or LMDB; ledger_error() turns it into words. A write transaction
 * remembers its first error, so a sequence of puts is checked once, at the commit.
 */
#ifndef DAEMON_LEDGER_H
#define DAEMON_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_FILE "ledger.mdb"
#define LEDGER_MAP_DEFAULT ((uint64_t)1 << 40)
#define LEDGER_MAP_MIN ((uint64_t)4 << 20)

typedef struct MDB_env MDB_env;
typedef struct MDB_txn MDB_txn;
typedef struct MDB_cursor MDB_cursor;

struct ledger {
	MDB_env *env;
	unsigned dbi;
	uint64_t size;			/* entries committed */
	uint64_t map_size;		/* bytes */
	uint64_t reserve;		/* bytes kept zero-filled ahead */
	bool disk_full;			/* the last attempt to fill ahead failed */
	MDB_txn *write;
	int error;			/* the write transaction's first */
};

enum room {
	ROOM_PLENTY,	/* for everything */
	ROOM_RESERVE,	/* for audit, boot and close; no money */
	ROOM_NONE,	/* read only */
	ROOM_GONE,	/* the file was removed: what is written goes with the process; read only */
};

enum commit {
	COMMIT_DONE,
	COMMIT_UNDONE,	/* nothing was written, and that is certain */
	COMMIT_UNKNOWN,	/* only a restart can tell */
};

const char *ledger_error(int error);

/* Opens the environment in the directory, creating its files with `create` (and only then). */
int ledger_open(struct ledger *ledger, const char *dir, uint64_t map_size, bool create);

/* Opens it for reading beside a running daemon. */
int ledger_open_reader(struct ledger *ledger, const char *dir);
void ledger_close(struct ledger *ledger);

/* Drops the places of readers that died. */
void ledger_tidy(struct ledger *ledger);

/* How much may still be written. Fills the file ahead where that is due. */
enum room ledger_room(struct ledger *ledger);

/* Appending: begin, put rows in order (the bytes are copied, or room for them is given), look at them again, commit. */
void ledger_begin(struct ledger *ledger);
void *ledger_put(struct ledger *ledger, uint64_t seq, size_t size);
const void *ledger_written(struct ledger *ledger, uint64_t seq, size_t *size);
enum commit ledger_commit(struct ledger *ledger, uint64_t size);
void ledger_abort(struct ledger *ledger);

/*
 * A reader sees the ledger as it was when it began. It must end before the loop turn does: a pinned reader
 * keeps LMDB from using old pages again.
 */
struct reader {
	MDB_txn *txn;
	MDB_cursor *cursor;
	uint64_t at;			/* where the cursor stands; UINT64_MAX: nowhere */
	uint64_t size;			/* entries in this view */
	uint64_t rows;			/* there are: fewer when some are missing */
};

int reader_begin(struct ledger *ledger, struct reader *ret);
void reader_end(struct reader *reader);

/* A newer view for the same reader. */
int reader_renew(struct reader *reader);

/* The row's bytes, valid until the reader ends or is renewed. Quick when rows are asked for one after the other. */
int reader_row(struct reader *reader, uint64_t seq, const void **bytes, size_t *size);

/* Many rows behind this one will be read: has the disk begin. Worth it every few thousand rows of a scan. */
void reader_expect(const void *row);

#endif

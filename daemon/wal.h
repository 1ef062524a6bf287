/*
 * ledger.wal: the write-ahead log. A commit is durable when its rows stand here, after one write of
 * consecutive bytes and one sync; in bulk they then go on to ledger.mdb (ledger.h), whose own
 * commits write scattered pages and wait for the disk twice.
 *
 * The file is two segments (segment.h), filled with zeros ahead. A segment is written from its
 * beginning and, once its rows are in ledger.mdb, over again. What it holds of use is kept in
 * memory, too: rows are read there until they are in ledger.mdb.
 */
#ifndef DAEMON_WAL_H
#define DAEMON_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "segment.h"

#define WAL_FILE "ledger.wal"
#define WAL_SEGMENTS 2

struct wal {
	int fd;
	struct segment segments[WAL_SEGMENTS];
	size_t stained[WAL_SEGMENTS];	/* so many bytes of each may be something
					 * else than zero in the file */
	struct segment *current;	/* which is written */
	uint8_t prior[CHECKSUM_SIZE];	/* of the last row written, or of ledger.mdb's last one */
};

enum wal_end {
	WAL_DONE,
	WAL_UNDONE,	/* the record is not there, and that is certain */
	WAL_UNKNOWN,	/* only a restart can tell */
};

/*
 * Opens the file in the directory; *ret_missing says that there is none, or one that is cut short,
 * and what it lacks counts as empty. With `writable` it is made then, or filled up to its size. 0
 * or an errno.
 */
int wal_open(struct wal *wal, const char *dir, bool writable, bool *ret_missing);
void wal_close(struct wal *wal);

/*
 * Looks for what a crash has left: the rows from number `next` on, `prior` being the checksum of
 * the row before (zeros: there is none). false: the log has rows above, but does not go on there:
 * it is damaged, or another ledger.mdb's.
 */
bool wal_recover(struct wal *wal, uint64_t next, const uint8_t prior[CHECKSUM_SIZE]);

/* The number after the last row that the log has; 0: it has none. */
uint64_t wal_last(const struct wal *wal);

/* false: the file was removed, so what is written goes with the process. */
bool wal_there(const struct wal *wal);

/* All rows are in ledger.mdb: goes on with empty segments. */
void wal_restart(struct wal *wal);

/* All rows are in ledger.mdb, and none will come: leaves none
 * behind. It matters to nobody whether it gets to the disk. */
void wal_clear(struct wal *wal);

/* ---- Writing ---- */

/* Does a record of `count` rows of `bytes` in all fit into what is left of the current segment? */
bool wal_fits(const struct wal *wal, size_t bytes, unsigned count);

/* Goes on in the other segment, whose rows are needed no more. Returns the one before. */
struct segment *wal_switch(struct wal *wal);

/* The current segment's open record: durable with WAL_DONE;
 * otherwise *error is an errno, and the record is aborted. */
enum wal_end wal_write(struct wal *wal, int *error);

/* ---- Reading ---- */

/* The segment that has a row, or NULL. */
const struct segment *wal_segment(const struct wal *wal, uint64_t seq);

/* A row, or NULL; its bytes stay where they are until their segment is gone over again. */
const uint8_t *wal_row(const struct wal *wal, uint64_t seq, size_t *size);

#endif

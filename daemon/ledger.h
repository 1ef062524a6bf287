/*
 * The ledger: rows that are only ever added at the end, in ledger.mdb (store.h), the last of them
 * still in the write-ahead log alone (wal.h). It is the only truth; everything else is derived from
 * it.
 *
 * What always holds: rows 0 to size - 1 are there and durable. A commit is one write and one sync
 * of the log; a thread settles rows (settle.h): it moves them to ledger.mdb a segment at a time,
 * when one is full and every second. Then, and only then, their segment is used again. Nobody sees
 * where a row stands.
 *
 * Functions return 0 or an error of errno, LMDB or below; ledger_error() turns it into words. A
 * commit remembers its first error, so a sequence of puts is checked once, at its end.
 */
#ifndef DAEMON_LEDGER_H
#define DAEMON_LEDGER_H

#include "settle.h"
#include "store.h"
#include "wal.h"

/* The log has rows that do not go on from ledger.mdb's last one. */
#define LEDGER_LOG_STRAY (-1)

/* Something else lies at the name of a file. */
#define LEDGER_NO_FILE (-2)

/* What is in the log cannot be moved when it is opened, or a file not be made. */
#define LEDGER_DISK_FULL (-3)
#define LEDGER_MAP_FULL (-4)

struct ledger {
	struct store store;
	struct wal *wal;		/* NULL: only what is settled is looked at */
	struct settler *settler;	/* NULL: not started, it is only read */
	uint64_t size;			/* entries committed */
	bool log_missing;		/* there was no log, or one that is cut short */
	uint64_t recovered;		/* entries that were only in the log when it was opened */
	int error;			/* the open commit's first */
};

enum room {
	ROOM_PLENTY,	/* for everything */
	ROOM_RESERVE,	/* for audit, boot and close; no money */
	ROOM_NONE,	/* read only */
	ROOM_UNKNOWN,	/* there is little, and settling fails, so it cannot be told; read only */
	ROOM_GONE,	/* a file was removed: what is written goes with the process; read only */
};

enum commit {
	COMMIT_DONE,
	COMMIT_UNDONE,	/* nothing was written, and that is certain */
	COMMIT_UNKNOWN,	/* only a restart can tell */
};

const char *ledger_error(int error);

/* Is the log in that directory, in its whole size? It is where there ever was a daemon. */
bool ledger_log_whole(int dir);

/* Opens the ledger in the directory, creating its files with
 * `create` (and only then), and settles what is in the log. */
int ledger_open(struct ledger *ledger, const char *dir, uint64_t map_size, bool create);

/* Starts the thread that settles: before anything is
 * appended, or the room looked at. 0 or an errno. */
int ledger_start(struct ledger *ledger);

/* Opens it for reading beside a running daemon, or after one that died. */
int ledger_open_reader(struct ledger *ledger, const char *dir);

/* Settles all there is. What cannot be settled, for an error
 * that is returned, stays in the log for the next start. */
int ledger_close(struct ledger *ledger);

/* The same ledger for another thread, as far as it is settled; nothing of it is to be closed. */
struct ledger ledger_settled_only(const struct ledger *ledger);

/* To be called every second: settles what is new. */
void ledger_second(struct ledger *ledger);

/* Drops the places of readers that died. */
void ledger_tidy(struct ledger *ledger);

/* How many entries are settled. */
uint64_t ledger_settled(const struct ledger *ledger);

/* Nothing can be read any more, after an error in settling.
 * What was committed is in the log: the next start has it. */
bool ledger_lost(const struct ledger *ledger);

/* How much may still be written. */
enum room ledger_room(struct ledger *ledger);

/* Appending: begin with the rows' bytes and number, get
 * room for each row in order, look at them, commit. */
void ledger_begin(struct ledger *ledger, size_t bytes, unsigned count);
void *ledger_put(struct ledger *ledger, uint64_t seq, size_t size);
const void *ledger_written(const struct ledger *ledger, uint64_t seq, size_t *size);
enum commit ledger_commit(struct ledger *ledger);
void ledger_abort(struct ledger *ledger);

/*
 * A reader sees the ledger as it was when it began. It must end before the loop turn does: a pinned
 * reader keeps LMDB from using old pages again, and rows in the log stay where they are no longer.
 */
struct reader {
	const struct ledger *ledger;
	struct store_view view;
	uint64_t size;			/* entries in this view */
	uint64_t rows;			/* there are: fewer when some are missing */
};

int reader_begin(struct ledger *ledger, struct reader *ret);
void reader_end(struct reader *reader);

/* A newer view for the same reader, which goes on seeing what it saw. */
int reader_renew(struct reader *reader);

/* The row's bytes, valid until the reader ends or is renewed.
 * Quick when rows are asked for one after the other. */
int reader_row(struct reader *reader, uint64_t seq, const void **bytes, size_t *size);

/* Many rows behind this one will be read: has the disk
 * begin. Worth it every few thousand rows of a scan. */
void reader_expect(const void *row);

#endif

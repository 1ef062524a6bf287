/*
 * daemon/ledger.h without files: rows in memory, which outlive the daemon but not the episode.
 */
#include "daemon/ledger.h"

#include <errno.h>

#include "disk.h"
#include "memory.h"
#include "model.h"
#include "sim.h"
#include "world.h"

#define FULL ENOSPC

struct stored_row {
	uint8_t *bytes;
	size_t size;
};

static struct {
	struct stored_row *rows;
	size_t count;			/* in the list, those of the open transaction too */
	size_t seen;			/* committed, as far as the daemon can see */
	size_t told;			/* the model was told of */
	size_t durable;
	size_t begun_bytes;		/* of the open commit, not put yet */
	unsigned begun_rows;
	enum ending ending;
	bool failed;			/* a commit ended so that only a restart can tell */
	enum room room;
	unsigned readers;
	unsigned unreadable, readable;	/* times that it cannot be read,
					 * after so many that it can */
} disk;

static void rows_cut(size_t count)
{
	while (disk.count > count)
		own_free(disk.rows[--disk.count].bytes);
}

void disk_reset(void)
{
	rows_cut(0);
	disk.seen = disk.told = disk.durable = disk.readers = 0;
	disk_behaves();
}

void disk_daemon_gone(void)
{
	rows_cut(disk.durable);
	disk.seen = disk.told = disk.durable;
	disk.readers = 0;
	disk.failed = false;
}

void disk_ends(enum ending ending)
{
	disk.ending = ending;
}

void disk_room(unsigned room)
{
	disk.room = (enum room)room;
}

void disk_unreadable(unsigned times, unsigned after)
{
	disk.unreadable = times;
	disk.readable = times ? after : 0;
}

void disk_behaves(void)
{
	disk.ending = END_WELL;
	disk.room = ROOM_PLENTY;
	disk_unreadable(0, 0);
	disk_keys(false);
}

void disk_check_readers(void)
{
	if (disk.readers)
		found("%u readers are open between two turns", disk.readers);
}

/* ---- Opening ---- */

const char *ledger_error(int error)
{
	return error == FULL ? "the disk is full" : "the disk failed";
}

int ledger_open(struct ledger *ledger, const char *dir, uint64_t map_size, bool create)
{
	(void)dir;
	if (!create && !disk.seen)
		return ENOENT;
	(void)map_size;
	*ledger = (struct ledger){ .size = disk.seen };
	return 0;
}

int ledger_start(struct ledger *ledger)
{
	(void)ledger;
	return 0;
}

int ledger_open_reader(struct ledger *ledger, const char *dir)
{
	return ledger_open(ledger, dir, 0, false);
}

int ledger_close(struct ledger *ledger)
{
	(void)ledger;
	return 0;
}

struct ledger ledger_settled_only(const struct ledger *ledger)
{
	return *ledger;
}

void ledger_second(struct ledger *ledger)
{
	(void)ledger;
}

uint64_t ledger_settled(const struct ledger *ledger)
{
	(void)ledger;
	return disk.seen;
}

bool ledger_log_whole(int dir)
{
	(void)dir;
	return true;
}

void ledger_tidy(struct ledger *ledger)
{
	(void)ledger;
	crash_point();
}

bool ledger_lost(const struct ledger *ledger)
{
	(void)ledger;
	return false;
}

enum room ledger_room(struct ledger *ledger)
{
	(void)ledger;
	crash_point();
	return disk.room;
}

/* ---- Appending ---- */

void ledger_begin(struct ledger *ledger, size_t bytes, unsigned count)
{
	disk.durable = disk.seen;
	disk.begun_bytes = bytes;
	disk.begun_rows = count;
	ledger->error = 0;
}

void *ledger_put(struct ledger *ledger, uint64_t seq, size_t size)
{
	struct stored_row *row;

	crash_point();
	if (!ledger->error && disk.ending == END_FULL_AT_PUT)
		ledger->error = FULL;
	if (ledger->error)
		return NULL;
	if (seq != disk.count)
		found("row %llu is put where row %zu belongs", (unsigned long long)seq, disk.count);
	if (size > disk.begun_bytes || !disk.begun_rows--)
		found("row %llu is put in less room than was asked for", (unsigned long long)seq);
	disk.begun_bytes -= size;
	disk.rows = own_room(disk.rows, disk.count, sizeof(*disk.rows));
	row = &disk.rows[disk.count++];
	*row = (struct stored_row){ own_alloc(size), size };
	return row->bytes;
}

const void *ledger_written(const struct ledger *ledger, uint64_t seq, size_t *size)
{
	if (ledger->error || seq >= disk.count)
		return NULL;
	*size = disk.rows[seq].size;
	if (disk.ending == END_FLIPPED)
		disk.rows[seq].bytes[*size / 2] ^= 4;
	return disk.rows[seq].bytes;
}

void ledger_abort(struct ledger *ledger)
{
	(void)ledger;
	rows_cut(disk.seen);
	disk.failed |= disk.ending == END_FLIPPED;
	disk.ending = END_WELL;
}

static void rows_written(void)
{
	disk.seen = disk.count;
	for (; disk.told < disk.seen; disk.told++)
		model_commit(disk.told, disk.rows[disk.told].bytes, disk.rows[disk.told].size,
			     disk.told == disk.seen - 1);
	if (control != CONTROL_NOSYNC)
		disk.durable = disk.seen;
}

enum commit ledger_commit(struct ledger *ledger)
{
	enum ending ending = disk.ending;

	disk.ending = END_WELL;
	disk.failed = ending == END_UNKNOWN_LOST || ending == END_UNKNOWN_WRITTEN;
	crash_point();
	if (ending == END_CRASH_BEFORE)
		daemon_dies();
	if (ending == END_FULL_AT_PUT || ending == END_FULL || ending == END_UNKNOWN_LOST ||
	    ending == END_FLIPPED) {
		ledger_abort(ledger);
		ledger->error = ending == END_UNKNOWN_LOST ? EIO : FULL;
		return ending == END_UNKNOWN_LOST ? COMMIT_UNKNOWN : COMMIT_UNDONE;
	}
	if (disk.begun_rows || disk.begun_bytes)
		found("a commit of %u rows fewer than it began with", disk.begun_rows);
	rows_written();
	if (ending == END_CRASH_AFTER)
		daemon_dies();
	ledger->error = ending == END_UNKNOWN_WRITTEN ? EIO : 0;
	if (ledger->error)
		return COMMIT_UNKNOWN;
	ledger->size = disk.count;
	return COMMIT_DONE;
}

/* ---- Reading ---- */

int reader_begin(struct ledger *ledger, struct reader *ret)
{
	(void)ledger;
	crash_point();
	if (disk.readable) {
		disk.readable--;
	} else if (disk.unreadable) {
		disk.unreadable--;
		return EAGAIN;
	}
	*ret = (struct reader){ .size = disk.seen };
	disk.readers++;
	return 0;
}

void reader_end(struct reader *reader)
{
	(void)reader;
	disk.readers--;
}

int reader_renew(struct reader *reader)
{
	(void)reader;
	return 0;
}

int reader_row(struct reader *reader, uint64_t seq, const void **bytes, size_t *size)
{
	if (seq >= disk.seen)
		return ENOENT;
	(void)reader;
	*bytes = disk.rows[seq].bytes;
	*size = disk.rows[seq].size;
	return 0;
}

bool disk_failed(void)
{
	return disk.failed;
}

bool disk_troubled(void)
{
	return disk.room != ROOM_PLENTY || disk.ending != END_WELL || disk.unreadable ||
	       disk_lacks_keys();
}

void reader_expect(const void *row)
{
	(void)row;
}

#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define OPEN_TRIES 100		/* beside a daemon that settles faster than we read */

const char *ledger_error(int error)
{
	switch (error) {
	case LEDGER_LOG_STRAY:
		return "ledger.wal does not go on where ledger.mdb ends: it is damaged, or "
		       "ledger.mdb is older than it. Restore the newest ledger.mdb; if there is "
		       "none newer, move ledger.wal away, and what only it holds is lost";
	case LEDGER_NO_FILE:
		return "ledger.mdb, ledger.mdb-lock or ledger.wal is not a file there, but a link, "
		       "a directory, a pipe or a device. Put the file back in its place";
	case LEDGER_DISK_FULL:
		return "the disk is full. Nothing that was answered is lost: what is not in "
		       "ledger.mdb yet stays in ledger.wal. Make room, 32 MiB or more, and start "
		       "it again";
	case LEDGER_MAP_FULL:
		return "map_size is too small for what is in ledger.wal. Nothing that was answered "
		       "is lost: make it larger in fund.conf, and start it again";
	default:
		return store_error(error);
	}
}

/* ---- Opening ---- */

static void *allocate(size_t size)
{
	void *bytes = calloc(1, size);

	if (!bytes)
		abort();
	return bytes;
}

/* Else opening one might wait for ever, or go elsewhere. */
static int files_look(const char *dir)
{
	static const char *const names[] = { LEDGER_FILE, LEDGER_FILE "-lock", WAL_FILE };
	char path[4096];
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, names[i]) >= sizeof(path))
			return ENAMETOOLONG;
		if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
			return LEDGER_NO_FILE;
	}
	return 0;
}

static void log_close(struct ledger *ledger)
{
	if (ledger->wal)
		wal_close(ledger->wal);
	free(ledger->wal);
	ledger->wal = NULL;
}

static int log_open(struct ledger *ledger, const char *dir, bool writable)
{
	int error;

	ledger->wal = allocate(sizeof(*ledger->wal));
	error = wal_open(ledger->wal, dir, writable, &ledger->log_missing);
	if (!error && !wal_recover(ledger->wal, ledger->store.size, ledger->store.prior))
		error = LEDGER_LOG_STRAY;
	if (!error && wal_last(ledger->wal) > ledger->size)
		ledger->size = wal_last(ledger->wal);
	if (error)
		log_close(ledger);
	return error;
}

/* What only the log has goes to the store, from the older segment first. */
static int recover(struct ledger *ledger)
{
	uint64_t settled = ledger->store.size;
	int error = 0;

	ledger->recovered = ledger->size - settled;
	store_fill(&ledger->store);
	while (!error && settled < ledger->size) {
		const struct segment *segment = wal_segment(ledger->wal, settled);

		error = store_append(&ledger->store, segment, &settled);
	}
	ledger->store.size = ledger->size;
	wal_restart(ledger->wal);
	return error;
}

static int writer_open(struct ledger *ledger, const char *dir, uint64_t map_size, bool create)
{
	int error = files_look(dir);

	*ledger = (struct ledger){ .wal = NULL };
	if (!error)
		error = store_open(&ledger->store, dir, map_size, create);
	if (error)
		return error;
	ledger->size = ledger->store.size;
	error = log_open(ledger, dir, true);
	if (!error)
		error = recover(ledger);
	if (error)
		ledger_close(ledger);
	return error;
}

int ledger_open(struct ledger *ledger, const char *dir, uint64_t map_size, bool create)
{
	int error = writer_open(ledger, dir, map_size, create);

	if (!store_full(error))
		return error;
	return error == ENOSPC || error == EDQUOT ? LEDGER_DISK_FULL : LEDGER_MAP_FULL;
}

int ledger_start(struct ledger *ledger)
{
	int error;

	ledger->settler = allocate(sizeof(*ledger->settler));
	error = settle_start(ledger->settler, &ledger->store);
	if (error) {
		free(ledger->settler);
		ledger->settler = NULL;
	}
	return error;
}

/* A running daemon may use the log over again between our look at the store and that at the log. */
int ledger_open_reader(struct ledger *ledger, const char *dir)
{
	int error = LEDGER_LOG_STRAY;

	for (int i = 0; error == LEDGER_LOG_STRAY && i < OPEN_TRIES; i++) {
		*ledger = (struct ledger){ .wal = NULL };
		error = files_look(dir);
		if (!error)
			error = store_open_reader(&ledger->store, dir);
		if (error)
			return error;
		ledger->size = ledger->store.size;
		error = log_open(ledger, dir, false);
		if (error)
			store_close(&ledger->store);
	}
	return error;
}

bool ledger_log_whole(int dir)
{
	struct stat st;

	if (fstatat(dir, WAL_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno != ENOENT;
	return !S_ISREG(st.st_mode) || (uint64_t)st.st_size >= WAL_SEGMENTS * SEGMENT_SIZE;
}

static bool log_idle(const struct ledger *ledger)
{
	return !ledger->wal->current->count;
}

/* Gives the current segment to the settler, and goes
 * on in the other. 0, or why it does not take it. */
static int segment_hand_on(struct ledger *ledger)
{
	int error = settle_wait(ledger->settler);

	if (!error && !log_idle(ledger))
		settle_give(ledger->settler, wal_switch(ledger->wal));
	return error;
}

/* Is ledger.mdb, which has it all now, going to be there,
 * and nothing in the log that only a restart can tell of? */
static bool log_needless(const struct ledger *ledger)
{
	uint64_t left;

	return !ledger->error && store_left(&ledger->store, &left);
}

int ledger_close(struct ledger *ledger)
{
	int error = 0;

	if (ledger->settler) {
		error = segment_hand_on(ledger);
		if (!error)
			error = settle_wait(ledger->settler);
		settle_stop(ledger->settler);
		if (!error && log_needless(ledger))
			wal_clear(ledger->wal);
	}
	free(ledger->settler);
	ledger->settler = NULL;
	log_close(ledger);
	store_close(&ledger->store);
	return error;
}

struct ledger ledger_settled_only(const struct ledger *ledger)
{
	return (struct ledger){ .store = ledger->store };
}

/* ---- Settling ---- */

void ledger_second(struct ledger *ledger)
{
	settle_again(ledger->settler);
	if (settle_look(ledger->settler).idle)
		segment_hand_on(ledger);
}

void ledger_tidy(struct ledger *ledger)
{
	store_tidy(&ledger->store);
}

uint64_t ledger_settled(const struct ledger *ledger)
{
	return settle_look(ledger->settler).settled;
}

bool ledger_lost(const struct ledger *ledger)
{
	return settle_look(ledger->settler).broken;
}

/* ---- Room ---- */

/* What the rows that are not settled yet will take at most. */
static uint64_t unsettled(const struct ledger *ledger)
{
	uint64_t bytes = ledger->wal->current->used;

	if (!settle_look(ledger->settler).idle)
		bytes += SEGMENT_SIZE;
	return STORE_TAKES(bytes);
}

static int settle_all(struct ledger *ledger)
{
	int error;

	settle_again(ledger->settler);
	error = segment_hand_on(ledger);
	return error ? error : settle_wait(ledger->settler);
}

static enum room room_of(const struct ledger *ledger, uint64_t left)
{
	uint64_t reserve = ledger->store.reserve;

	if (left >= reserve)
		return ROOM_PLENTY;
	return left >= reserve / 8 ? ROOM_RESERVE : ROOM_NONE;
}

/* Where it depends on what is not settled yet, all is settled, and then known exactly. */
enum room ledger_room(struct ledger *ledger)
{
	uint64_t due = unsettled(ledger), left;
	int error;

	if (!store_left(&ledger->store, &left) || !wal_there(ledger->wal))
		return ROOM_GONE;
	if (room_of(ledger, left) == room_of(ledger, left > due ? left - due : 0))
		return room_of(ledger, left);
	error = settle_all(ledger);
	if (error)
		return store_full(error) ? ROOM_NONE : ROOM_UNKNOWN;
	return store_left(&ledger->store, &left) ? room_of(ledger, left) : ROOM_GONE;
}

/* ---- Appending ---- */

void ledger_begin(struct ledger *ledger, size_t bytes, unsigned count)
{
	ledger->error = 0;
	if (!wal_fits(ledger->wal, bytes, count))
		ledger->error = segment_hand_on(ledger);
	if (!ledger->error && !wal_fits(ledger->wal, bytes, count))
		ledger->error = EFBIG;
}

void *ledger_put(struct ledger *ledger, uint64_t seq, size_t size)
{
	return ledger->error ? NULL : segment_put(ledger->wal->current, seq, size);
}

const void *ledger_written(const struct ledger *ledger, uint64_t seq, size_t *size)
{
	return ledger->error ? NULL : segment_row(ledger->wal->current, seq, size);
}

void ledger_abort(struct ledger *ledger)
{
	segment_abort(ledger->wal->current);
}

enum commit ledger_commit(struct ledger *ledger)
{
	enum wal_end end;

	if (ledger->error)
		return store_passes(ledger->error) ? COMMIT_UNDONE : COMMIT_UNKNOWN;
	end = wal_write(ledger->wal, &ledger->error);
	if (end != WAL_DONE)
		return end == WAL_UNDONE ? COMMIT_UNDONE : COMMIT_UNKNOWN;
	ledger->size = wal_last(ledger->wal);
	return COMMIT_DONE;
}

/* ---- Reading ---- */

/* In the log there may be more than the store had when
 * the view began; between them nothing is missing. */
int reader_begin(struct ledger *ledger, struct reader *ret)
{
	int error = store_view_begin(&ledger->store, &ret->view);

	if (error)
		return error;
	ret->ledger = ledger;
	ret->size = ret->view.size;
	if (ledger->wal && ledger->size > ret->size)
		ret->size = ledger->size;
	ret->rows = ret->view.rows + (ret->size - ret->view.size);
	return 0;
}

void reader_end(struct reader *reader)
{
	store_view_end(&reader->view);
}

int reader_renew(struct reader *reader)
{
	return store_view_renew(&reader->view);
}

int reader_row(struct reader *reader, uint64_t seq, const void **bytes, size_t *size)
{
	if (seq < reader->view.size || !reader->ledger->wal)
		return store_view_row(&reader->view, seq, bytes, size);
	*bytes = wal_row(reader->ledger->wal, seq, size);
	return *bytes ? 0 : ENOENT;
}

void reader_expect(const void *row)
{
	store_expect(row);
}

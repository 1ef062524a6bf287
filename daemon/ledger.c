#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"

#define FILL_STEP ((uint64_t)1 << 20)
#define RESERVE_MAX ((uint64_t)8 << 20)
#define READERS_MAX 126
#define PAGE 4096
#define CACHE_LINE 64
#define EXPECTED_BYTES ((size_t)8 << 20)
#define EXPECTED_STEP ((size_t)128 << 10)	/* what the kernel reads ahead of one call */

const char *ledger_error(int error)
{
	return mdb_strerror(error);
}

/* ---- Opening ---- */

/* One more than the last row's number. That all before it are there, the replay sees. */
static int size_read(MDB_txn *txn, MDB_dbi dbi, uint64_t *ret, uint64_t *ret_rows)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	MDB_stat stat;
	int error = mdb_stat(txn, dbi, &stat);

	if (error || !stat.ms_entries) {
		*ret = *ret_rows = 0;
		return error;
	}
	*ret_rows = stat.ms_entries;
	error = mdb_cursor_open(txn, dbi, &cursor);
	if (error)
		return error;
	error = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
	if (!error && key.mv_size != 8)
		error = MDB_CORRUPTED;
	if (!error)
		*ret = get_be64(key.mv_data) + 1;
	mdb_cursor_close(cursor);
	return error;
}

static int database_open(struct ledger *ledger, unsigned flags)
{
	uint64_t rows;
	MDB_txn *txn;
	int error = mdb_txn_begin(ledger->env, NULL, flags, &txn);

	if (error)
		return error;
	error = mdb_dbi_open(txn, NULL, 0, &ledger->dbi);
	if (!error)
		error = size_read(txn, ledger->dbi, &ledger->size, &rows);
	if (error) {
		mdb_txn_abort(txn);
		return error;
	}
	return mdb_txn_commit(txn);
}

static int environment_open(struct ledger *ledger, const char *dir, uint64_t map_size,
			    unsigned flags)
{
	char path[4096];
	int error;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, LEDGER_FILE) >= sizeof(path))
		return ENAMETOOLONG;
	error = mdb_env_create(&ledger->env);
	if (error)
		return error;
	error = mdb_env_set_maxreaders(ledger->env, READERS_MAX);
	if (!error && map_size)
		error = mdb_env_set_mapsize(ledger->env, map_size);
	if (!error)
		error = mdb_env_open(ledger->env, path,
				     flags | MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD, 0600);
	if (!error)
		error = database_open(ledger, flags & MDB_RDONLY);
	if (error)
		mdb_env_close(ledger->env);
	return error;
}

int ledger_open(struct ledger *ledger, const char *dir, uint64_t map_size, bool create)
{
	char path[4096];
	struct stat st;
	int error;

	snprintf(path, sizeof(path), "%s/%s", dir, LEDGER_FILE);
	if (!create && stat(path, &st) < 0)
		return errno;
	*ledger = (struct ledger){ .map_size = map_size };
	ledger->reserve = map_size / 8 < RESERVE_MAX ? map_size / 8 : RESERVE_MAX;
	error = environment_open(ledger, dir, map_size, 0);
	if (!error)
		ledger_tidy(ledger);
	return error;
}

int ledger_open_reader(struct ledger *ledger, const char *dir)
{
	*ledger = (struct ledger){ 0 };
	return environment_open(ledger, dir, 0, MDB_RDONLY);
}

void ledger_close(struct ledger *ledger)
{
	if (ledger->env)
		mdb_env_close(ledger->env);
	ledger->env = NULL;
}

void ledger_tidy(struct ledger *ledger)
{
	int dead;

	mdb_reader_check(ledger->env, &dead);
}

/* ---- Room ---- */

static uint64_t bytes_used(struct ledger *ledger)
{
	MDB_envinfo info;
	MDB_stat stat;

	mdb_env_info(ledger->env, &info);
	mdb_env_stat(ledger->env, &stat);
	return (info.me_last_pgno + 1) * stat.ms_psize;
}

/* Writes zeros behind the file's end up to `until`: a full disk shows here, not in a commit. */
static void fill_ahead(struct ledger *ledger, int fd, uint64_t from, uint64_t until)
{
	static const char zeros[1 << 16];

	ledger->disk_full = false;
	while (from < until) {
		size_t len = until - from < sizeof(zeros) ? until - from : sizeof(zeros);
		ssize_t n = pwrite(fd, zeros, len, (off_t)from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			ledger->disk_full = true;
			return;
		}
		from += (uint64_t)n;
	}
}

enum room ledger_room(struct ledger *ledger)
{
	uint64_t used = bytes_used(ledger), ahead, left;
	struct stat st;
	int fd;

	if (used >= ledger->map_size || mdb_env_get_fd(ledger->env, &fd) || fstat(fd, &st) < 0)
		return ROOM_NONE;
	if (!st.st_nlink)
		return ROOM_GONE;
	ahead = used + ledger->reserve;
	if ((uint64_t)st.st_size < ahead) {
		fill_ahead(ledger, fd, (uint64_t)st.st_size, ahead + FILL_STEP);
		if (fstat(fd, &st) < 0)
			return ROOM_NONE;
	}
	left = (uint64_t)st.st_size > used ? (uint64_t)st.st_size - used : 0;
	if (ledger->map_size - used < left)
		left = ledger->map_size - used;
	if (left >= ledger->reserve)
		return ROOM_PLENTY;
	return left >= ledger->reserve / 8 ? ROOM_RESERVE : ROOM_NONE;
}

/* ---- Appending ---- */

static MDB_val key_make(uint64_t seq, uint8_t bytes[8])
{
	put_be64(bytes, seq);
	return (MDB_val){ .mv_size = 8, .mv_data = bytes };
}

void ledger_begin(struct ledger *ledger)
{
	ledger->error = mdb_txn_begin(ledger->env, NULL, 0, &ledger->write);
	if (ledger->error)
		ledger->write = NULL;
}

void *ledger_put(struct ledger *ledger, uint64_t seq, size_t size)
{
	uint8_t bytes[8];
	MDB_val key = key_make(seq, bytes), value = { .mv_size = size };

	if (ledger->error)
		return NULL;
	ledger->error = mdb_put(ledger->write, ledger->dbi, &key, &value,
				MDB_APPEND | MDB_NOOVERWRITE | MDB_RESERVE);
	return ledger->error ? NULL : value.mv_data;
}

const void *ledger_written(struct ledger *ledger, uint64_t seq, size_t *size)
{
	uint8_t bytes[8];
	MDB_val key = key_make(seq, bytes), value;

	if (ledger->error)
		return NULL;
	ledger->error = mdb_get(ledger->write, ledger->dbi, &key, &value);
	if (ledger->error)
		return NULL;
	*size = value.mv_size;
	return value.mv_data;
}

void ledger_abort(struct ledger *ledger)
{
	if (ledger->write)
		mdb_txn_abort(ledger->write);
	ledger->write = NULL;
}

/* Only a full disk or map is certain to have left nothing behind, and only if LMDB takes a new transaction. */
static enum commit commit_failed(struct ledger *ledger)
{
	MDB_txn *txn;

	if (ledger->error != ENOSPC && ledger->error != MDB_MAP_FULL)
		return COMMIT_UNKNOWN;
	if (mdb_txn_begin(ledger->env, NULL, 0, &txn))
		return COMMIT_UNKNOWN;
	mdb_txn_abort(txn);
	return COMMIT_UNDONE;
}

enum commit ledger_commit(struct ledger *ledger, uint64_t size)
{
	if (ledger->error) {
		ledger_abort(ledger);
		return commit_failed(ledger);
	}
	ledger->error = mdb_txn_commit(ledger->write);
	ledger->write = NULL;
	if (ledger->error)
		return commit_failed(ledger);
	ledger->size = size;
	return COMMIT_DONE;
}

/* ---- Reading ---- */

int reader_begin(struct ledger *ledger, struct reader *ret)
{
	int error = mdb_txn_begin(ledger->env, NULL, MDB_RDONLY, &ret->txn);

	if (error)
		return error;
	ret->at = UINT64_MAX;
	error = size_read(ret->txn, ledger->dbi, &ret->size, &ret->rows);
	if (!error)
		error = mdb_cursor_open(ret->txn, ledger->dbi, &ret->cursor);
	if (error)
		mdb_txn_abort(ret->txn);
	return error;
}

void reader_end(struct reader *reader)
{
	mdb_cursor_close(reader->cursor);
	mdb_txn_abort(reader->txn);
}

int reader_renew(struct reader *reader)
{
	int error;

	mdb_txn_reset(reader->txn);
	error = mdb_txn_renew(reader->txn);
	if (error)
		return error;
	reader->at = UINT64_MAX;
	return mdb_cursor_renew(reader->txn, reader->cursor);
}

/*
 * Has the processor fetch what most likely is the next row: one as long just below this one, or at the end of the next page.
 * LMDB fills a page from its end, so the processor does not foresee it, and a scan would wait for memory half of its time.
 */
static void next_expect(const uint8_t *row, size_t size)
{
	const uint8_t *page = (const uint8_t *)((uintptr_t)row & ~(uintptr_t)(PAGE - 1)), *end = row;

	if (size > PAGE)
		return;
	if ((size_t)(row - page) < size) {
		end = page + 2 * PAGE;
		__builtin_prefetch(page + PAGE);
	}
	for (size_t at = CACHE_LINE; at < size + CACHE_LINE; at += CACHE_LINE)
		__builtin_prefetch(end - at);
}

int reader_row(struct reader *reader, uint64_t seq, const void **bytes, size_t *size)
{
	uint8_t want[8];
	MDB_val key = key_make(seq, want), value;
	MDB_cursor_op op = reader->at == UINT64_MAX ? MDB_SET_KEY
			   : seq == reader->at + 1  ? MDB_NEXT
			   : seq == reader->at - 1  ? MDB_PREV
						    : MDB_SET_KEY;
	int error = mdb_cursor_get(reader->cursor, &key, &value, op);

	reader->at = UINT64_MAX;
	if (error)
		return error;
	if (key.mv_size != 8 || get_be64(key.mv_data) != seq)
		return MDB_CORRUPTED;
	reader->at = seq;
	*bytes = value.mv_data;
	*size = value.mv_size;
	next_expect(value.mv_data, value.mv_size);
	return 0;
}

/* Rows were appended, so what follows in the file follows in the map. Behind the map's end nothing happens. */
void reader_expect(const void *row)
{
	uintptr_t page = (uintptr_t)row & ~(uintptr_t)(PAGE - 1);

	for (size_t at = 0; at < EXPECTED_BYTES; at += EXPECTED_STEP)
		madvise((void *)(page + at), EXPECTED_STEP, MADV_WILLNEED);
}

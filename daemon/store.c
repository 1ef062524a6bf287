#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/bytes.h"
#include "wal.h"

#define FILL_STEP ((uint64_t)1 << 20)
#define FILL_UNSETTLED STORE_TAKES(WAL_SEGMENTS * SEGMENT_SIZE)
#define FULL ((uint64_t)1 << 20)	/* bytes: with fewer left the disk is full */
#define RESERVE_MAX ((uint64_t)8 << 20)
#define READERS_MAX 126
#define PAGE 4096
#define CACHE_LINE 64
#define EXPECTED_BYTES ((size_t)8 << 20)
#define EXPECTED_STEP ((size_t)128 << 10)	/* what the kernel reads ahead of one call */

const char *store_error(int error)
{
	return mdb_strerror(error);
}

/* ---- Pages ---- */

/*
 * How many pages LMDB has taken from the file stands in a page that has no checksum. One flipped
 * bit, and it would be so many that the disk was filled with zeros, or so few that pages with rows
 * in them were taken again.
 */
static uint64_t pages_taken(const struct store *store)
{
	MDB_envinfo info;

	mdb_env_info(store->env, &info);
	return info.me_last_pgno + 1;
}

static uint64_t page_size(const struct store *store)
{
	MDB_stat stat;

	mdb_env_stat(store->env, &stat);
	return stat.ms_psize;
}

static uint64_t tree_pages(MDB_txn *txn, MDB_dbi dbi)
{
	MDB_stat stat;

	return mdb_stat(txn, dbi, &stat)
		       ? 0
		       : stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
}

/* Those that may be taken again: LMDB lists them in a database, number 0. */
static uint64_t free_pages(MDB_txn *txn)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t count = 0;
	size_t listed;

	if (mdb_cursor_open(txn, 0, &cursor))
		return 0;
	while (!mdb_cursor_get(cursor, &key, &value, MDB_NEXT) && value.mv_size >= sizeof(listed)) {
		memcpy(&listed, value.mv_data, sizeof(listed));
		count += listed;
	}
	mdb_cursor_close(cursor);
	return count;
}

/* Are as many taken as there must be, and no more than the file may have? */
static int pages_check(struct store *store, MDB_txn *txn)
{
	const uint64_t needed = 2 + tree_pages(txn, 0) + tree_pages(txn, store->dbi) +
				free_pages(txn);
	uint64_t size = page_size(store), most;
	struct stat st;
	int fd;

	store->pages = pages_taken(store);
	if (mdb_env_get_fd(store->env, &fd) || fstat(fd, &st) < 0)
		return 0;
	most = ((uint64_t)st.st_size + RESERVE_MAX + FILL_UNSETTLED) / size;
	return needed <= store->pages && store->pages <= most ? 0 : MDB_CORRUPTED;
}

static bool pages_right(const struct store *store)
{
	return pages_taken(store) == store->pages;
}

/* ---- Opening ---- */

/* What the database ends with. That all rows before the last are there, the replay sees. */
struct last {
	uint64_t size;			/* one more than its number */
	uint64_t rows;
	uint8_t checksum[CHECKSUM_SIZE];	/* zeros: it has none */
};

static int last_read(MDB_txn *txn, MDB_dbi dbi, struct last *ret)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	MDB_stat stat;
	int error = mdb_stat(txn, dbi, &stat);

	*ret = (struct last){ .rows = 0 };
	if (error || !stat.ms_entries)
		return error;
	ret->rows = stat.ms_entries;
	error = mdb_cursor_open(txn, dbi, &cursor);
	if (error)
		return error;
	error = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
	if (!error && key.mv_size != 8)
		error = MDB_CORRUPTED;
	if (!error)
		ret->size = get_be64(key.mv_data) + 1;
	if (!error && value.mv_size >= CHECKSUM_SIZE)
		memcpy(ret->checksum, (uint8_t *)value.mv_data + value.mv_size - CHECKSUM_SIZE,
		       CHECKSUM_SIZE);
	mdb_cursor_close(cursor);
	return error;
}

static int database_open(struct store *store, unsigned flags)
{
	struct last last;
	MDB_txn *txn;
	int error = mdb_txn_begin(store->env, NULL, flags, &txn);

	if (error)
		return error;
	error = mdb_dbi_open(txn, NULL, 0, &store->dbi);
	if (!error)
		error = last_read(txn, store->dbi, &last);
	if (!error)
		error = pages_check(store, txn);
	if (error) {
		mdb_txn_abort(txn);
		return error;
	}
	store->size = last.size;
	memcpy(store->prior, last.checksum, CHECKSUM_SIZE);
	return mdb_txn_commit(txn);
}

static int environment_open(struct store *store, const char *dir, uint64_t map_size,
			    unsigned flags)
{
	char path[4096];
	int error;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, LEDGER_FILE) >= sizeof(path))
		return ENAMETOOLONG;
	error = mdb_env_create(&store->env);
	if (error)
		return error;
	error = mdb_env_set_maxreaders(store->env, READERS_MAX);
	if (!error && map_size)
		error = mdb_env_set_mapsize(store->env, map_size);
	if (!error)
		error = mdb_env_open(store->env, path,
				     flags | MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD, 0600);
	if (!error)
		error = database_open(store, flags & MDB_RDONLY);
	if (error)
		mdb_env_close(store->env);
	return error;
}

int store_open(struct store *store, const char *dir, uint64_t map_size, bool create)
{
	char path[4096];
	struct stat st;
	int error;

	snprintf(path, sizeof(path), "%s/%s", dir, LEDGER_FILE);
	if (!create && stat(path, &st) < 0)
		return errno;
	*store = (struct store){ .map_size = map_size };
	store->reserve = map_size / 8 < RESERVE_MAX ? map_size / 8 : RESERVE_MAX;
	error = environment_open(store, dir, map_size, 0);
	if (!error)
		store_tidy(store);
	return error;
}

int store_open_alone(struct store *store, const char *dir, uint64_t map_size)
{
	*store = (struct store){ .map_size = map_size };
	return environment_open(store, dir, map_size, MDB_NOLOCK);
}

int store_open_reader(struct store *store, const char *dir)
{
	*store = (struct store){ 0 };
	return environment_open(store, dir, 0, MDB_RDONLY);
}

void store_close(struct store *store)
{
	if (store->env)
		mdb_env_close(store->env);
	store->env = NULL;
}

void store_tidy(struct store *store)
{
	int dead;

	mdb_reader_check(store->env, &dead);
}

/* ---- Room ---- */

static uint64_t bytes_used(const struct store *store)
{
	return pages_taken(store) * page_size(store);
}

bool store_left(const struct store *store, uint64_t *ret)
{
	uint64_t used = bytes_used(store), end;
	struct stat st;
	int fd;

	*ret = 0;
	if (mdb_env_get_fd(store->env, &fd) || fstat(fd, &st) < 0)
		return true;
	end = (uint64_t)st.st_size < store->map_size ? (uint64_t)st.st_size : store->map_size;
	*ret = end > used ? end - used : 0;
	return st.st_nlink > 0;
}

void store_fill(struct store *store)
{
	static const char zeros[FILL_STEP];
	uint64_t ahead = bytes_used(store) + store->reserve + FILL_UNSETTLED, from;
	struct stat st;
	int fd;

	if (!pages_right(store) || mdb_env_get_fd(store->env, &fd) || fstat(fd, &st) < 0 ||
	    (uint64_t)st.st_size >= ahead)
		return;
	for (from = (uint64_t)st.st_size; from < ahead + FILL_STEP;) {
		ssize_t n = pwrite(fd, zeros, sizeof(zeros), (off_t)from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		from += (uint64_t)n;
	}
}

/* ---- Appending ---- */

static MDB_val key_make(uint64_t seq, uint8_t bytes[8])
{
	put_be64(bytes, seq);
	return (MDB_val){ .mv_size = 8, .mv_data = bytes };
}

bool store_full(int error)
{
	return error == ENOSPC || error == EDQUOT || error == MDB_MAP_FULL;
}

bool store_passes(int error)
{
	return store_full(error) || error == ENOMEM;
}

static int rows_put(const struct store *store, MDB_txn *txn, const struct segment *segment,
		    uint64_t from)
{
	const uint64_t end = segment->first + segment->count;
	int error = from < segment->first || from > end ? EINVAL : 0;

	for (uint64_t seq = from; !error && seq < end; seq++) {
		uint8_t bytes[8];
		MDB_val key = key_make(seq, bytes), value;

		value.mv_data = (void *)segment_row(segment, seq, &value.mv_size);
		error = mdb_put(txn, store->dbi, &key, &value, MDB_APPEND | MDB_NOOVERWRITE);
	}
	return error;
}

/* A write of which only a part had room LMDB takes for a failing disk. */
static int error_of_disk(const struct store *store, int error)
{
	struct statvfs disk;
	int fd;

	if (error != EIO || mdb_env_get_fd(store->env, &fd) || fstatvfs(fd, &disk))
		return error;
	return disk.f_bavail < FULL / disk.f_frsize ? ENOSPC : error;
}

int store_append(struct store *store, const struct segment *segment, uint64_t *size)
{
	struct last last;
	MDB_txn *txn;
	int error = pages_right(store) ? mdb_txn_begin(store->env, NULL, 0, &txn) : MDB_CORRUPTED;

	if (error)
		return error;
	error = last_read(txn, store->dbi, &last);
	if (!error && last.size != *size)
		error = MDB_CORRUPTED;		/* somebody else wrote it, or a write was not one */
	if (!error)
		error = rows_put(store, txn, segment, *size);
	if (error)
		mdb_txn_abort(txn);
	else
		error = mdb_txn_commit(txn);
	if (error)
		return error_of_disk(store, error);
	store->pages = pages_taken(store);
	*size = segment->first + segment->count;
	return 0;
}

bool store_readable(const struct store *store)
{
	struct store_view view;

	int error = store_view_begin(store, &view);

	if (!error)
		store_view_end(&view);
	return error != MDB_PANIC;
}

/* ---- Reading ---- */

int store_view_begin(const struct store *store, struct store_view *ret)
{
	struct last last;
	int error = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &ret->txn);

	if (error)
		return error;
	error = last_read(ret->txn, store->dbi, &last);
	ret->at = UINT64_MAX;
	ret->size = last.size;
	ret->rows = last.rows;
	if (!error)
		error = mdb_cursor_open(ret->txn, store->dbi, &ret->cursor);
	if (error)
		mdb_txn_abort(ret->txn);
	return error;
}

void store_view_end(struct store_view *view)
{
	mdb_cursor_close(view->cursor);
	mdb_txn_abort(view->txn);
}

int store_view_renew(struct store_view *view)
{
	int error;

	mdb_txn_reset(view->txn);
	error = mdb_txn_renew(view->txn);
	if (!error)
		error = mdb_cursor_renew(view->txn, view->cursor);
	view->at = UINT64_MAX;
	return error;
}

/*
 * Has the processor fetch what most likely is the next row: one as long just below this one, or at
 * the end of the next page. LMDB fills a page from its end, so the processor does not foresee it,
 * and a scan would wait for memory half of its time.
 */
static void next_expect(const uint8_t *row, size_t size)
{
	const uint8_t *page = (const uint8_t *)((uintptr_t)row & ~(uintptr_t)(PAGE - 1)),
		      *end = row;

	if (size > PAGE)
		return;
	if ((size_t)(row - page) < size) {
		end = page + 2 * PAGE;
		__builtin_prefetch(page + PAGE);
	}
	for (size_t at = CACHE_LINE; at < size + CACHE_LINE; at += CACHE_LINE)
		__builtin_prefetch(end - at);
}

int store_view_row(struct store_view *view, uint64_t seq, const void **bytes, size_t *size)
{
	uint8_t want[8];
	MDB_val key = key_make(seq, want), value;
	MDB_cursor_op op = view->at == UINT64_MAX ? MDB_SET_KEY
			   : seq == view->at + 1  ? MDB_NEXT
			   : seq == view->at - 1  ? MDB_PREV
						  : MDB_SET_KEY;
	int error = mdb_cursor_get(view->cursor, &key, &value, op);

	view->at = UINT64_MAX;
	if (error)
		return error;
	if (key.mv_size != 8 || get_be64(key.mv_data) != seq)
		return MDB_CORRUPTED;
	view->at = seq;
	*bytes = value.mv_data;
	*size = value.mv_size;
	next_expect(value.mv_data, value.mv_size);
	return 0;
}

/* Rows were appended, so what follows in the file follows
 * in the map. Behind the map's end nothing happens. */
void store_expect(const void *row)
{
	uintptr_t page = (uintptr_t)row & ~(uintptr_t)(PAGE - 1);

	for (size_t at = 0; at < EXPECTED_BYTES; at += EXPECTED_STEP)
		madvise((void *)(page + at), EXPECTED_STEP, MADV_WILLNEED);
}

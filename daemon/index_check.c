/*
 * The check of an index at start, in a process of its own: what is damaged may kill who reads it.
 */
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apart.h"
#include "records.h"

#define EXPECT_STEP (128 << 10)		/* bytes: what the kernel reads ahead of one call */

enum verdict { VERDICT_GOOD, VERDICT_DAMAGED, VERDICT_UNSYNCED };

static bool record_count(void *context, const uint8_t *key, const uint8_t *value)
{
	(void)key;
	(void)value;
	++*(uint64_t *)context;
	return true;
}

/* One of LMDB's lists of free pages, which it writes to without a look: a count, and pages
 * downwards. */
static bool free_list_good(const MDB_val *value, size_t last_page)
{
	size_t count = 0, page, before = last_page + 1;
	const uint8_t *bytes = value->mv_data;

	if (value->mv_size >= sizeof(count))
		memcpy(&count, bytes, sizeof(count));
	if (value->mv_size / sizeof(page) < 1 || count > value->mv_size / sizeof(page) - 1)
		return false;
	for (size_t i = 1; i <= count; i++, before = page) {
		memcpy(&page, bytes + i * sizeof(page), sizeof(page));
		if (page < 2 || page >= before)
			return false;
	}
	return true;
}

/* LMDB's own database 0. */
static bool free_pages_good(const struct index *index, MDB_txn *txn)
{
	MDB_cursor *cursor;
	MDB_envinfo info;
	MDB_val key, value;
	bool good = true;
	int error;

	if (mdb_env_info(index->env, &info) || mdb_cursor_open(txn, 0, &cursor))
		return false;
	while (good && !(error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)))
		good = free_list_good(&value, info.me_last_pgno);
	mdb_cursor_close(cursor);
	return good && error == MDB_NOTFOUND;
}

static enum verdict whole_check(struct index *index, MDB_txn *txn)
{
	static const uint8_t begin[SHELF_KEY_MAX];
	uint64_t counts[SHELF_COUNT] = { 0 };
	char boot[BOOT_SIZE];
	struct meta meta;

	if (!meta_get(txn, index->dbi, &meta))
		return VERDICT_DAMAGED;
	boot_read(boot);
	if (!meta.closed && (!boot[0] || memcmp(boot, meta.boot, sizeof(boot))))
		return VERDICT_UNSYNCED;
	for (size_t i = 0; i < SHELF_COUNT; i++)
		if (shelf_range(&shelves[i], txn, index->dbi, begin, NULL, record_count,
				&counts[i]) != FOUND)
			return VERDICT_DAMAGED;
	return counts[SHELF_BUDGETS] == meta.budgets && counts[SHELF_NAMES] == meta.budgets &&
			       free_pages_good(index, txn)
		       ? VERDICT_GOOD
		       : VERDICT_DAMAGED;
}

/* All of the file will be read, but in another order than it has on the disk. */
static void file_expect(const struct index *index)
{
	struct stat st;
	int fd;

	if (mdb_env_get_fd(index->env, &fd) || fstat(fd, &st) < 0)
		return;
	for (off_t at = 0; at < st.st_size; at += EXPECT_STEP)
		posix_fadvise(fd, at, EXPECT_STEP, POSIX_FADV_WILLNEED);
}

static int check(void *context)
{
	const char *dir = context;
	enum verdict verdict = VERDICT_DAMAGED;
	struct index index;
	MDB_txn *txn;

	if (index_open_reader(&index, dir))
		return verdict;
	file_expect(&index);
	if (!mdb_txn_begin(index.env, NULL, MDB_RDONLY, &txn)) {
		verdict = whole_check(&index, txn);
		mdb_txn_abort(txn);
	}
	mdb_env_close(index.env);
	return verdict;
}

const char *index_check(const char *dir)
{
	char path[4096];
	int status;

	snprintf(path, sizeof(path), "%s/%s", dir, INDEX_FILE);
	if (access(path, F_OK) < 0)
		return NULL;
	status = apart(check, (void *)dir, STDOUT_FILENO);
	if (status == -1)
		return "it could not be checked";
	if (!WIFEXITED(status) || WEXITSTATUS(status) == VERDICT_DAMAGED)
		return "it is damaged";
	return WEXITSTATUS(status) == VERDICT_GOOD
		       ? NULL
		       : "the machine stopped before it was written out";
}

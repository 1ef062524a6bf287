#include "index.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply.h"
#include "common/bytes.h"
#include "ledger.h"
#include "records.h"

/* ---- Opening and closing ---- */

static int environment_open(struct index *index, const char *dir, unsigned flags)
{
	char path[4096];
	MDB_txn *txn;
	struct stat st;
	int error;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, INDEX_FILE) >= sizeof(path))
		return ENAMETOOLONG;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return MDB_INVALID;	/* opening it might wait for ever */
	error = mdb_env_create(&index->env);
	if (error)
		return error;
	error = mdb_env_set_mapsize(index->env, LEDGER_MAP_DEFAULT);
	if (!error)
		error = mdb_env_open(index->env, path,
				     flags | MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD | MDB_NOSYNC,
				     0600);
	if (!error)
		error = mdb_txn_begin(index->env, NULL, flags & MDB_RDONLY, &txn);
	if (!error) {
		error = mdb_dbi_open(txn, NULL, 0, &index->dbi);
		error = error ? (mdb_txn_abort(txn), error) : mdb_txn_commit(txn);
	}
	if (error)
		mdb_env_close(index->env);
	return error;
}

/* Marks it as being written to; a new one gets its shelves. */
static int open_mark(struct index *index, MDB_txn *txn)
{
	struct meta meta;
	int error = 0;

	if (!meta_get(txn, index->dbi, &meta)) {
		meta = (struct meta){ .last_at = ABSENT };
		for (size_t i = 0; i < SHELF_COUNT && !error; i++)
			error = shelf_create(&shelves[i], txn, index->dbi);
	}
	meta.closed = false;
	return error ? error : meta_put(index, txn, &meta);
}

int index_open(struct index *index, const char *dir, const uint8_t secret[16])
{
	MDB_txn *txn;
	int dead, error = environment_open(index, dir, 0);

	memcpy(index->secret, secret, sizeof(index->secret));
	boot_read(index->boot);
	if (error)
		return error;
	mdb_reader_check(index->env, &dead);
	error = mdb_txn_begin(index->env, NULL, 0, &txn);
	if (!error) {
		error = open_mark(index, txn);
		error = error ? (mdb_txn_abort(txn), error) : mdb_txn_commit(txn);
	}
	if (!error)	/* before anything is written that is not */
		error = mdb_env_sync(index->env, 1);
	if (error)
		mdb_env_close(index->env);
	return error;
}

int index_open_reader(struct index *index, const char *dir)
{
	return environment_open(index, dir, MDB_RDONLY);
}

static int closed_mark(struct index *index)
{
	struct meta meta;
	MDB_txn *txn;
	int error = mdb_txn_begin(index->env, NULL, 0, &txn);

	if (error)
		return error;
	error = meta_get(txn, index->dbi, &meta) ? 0 : MDB_CORRUPTED;
	meta.closed = true;
	if (!error)
		error = meta_put(index, txn, &meta);
	return error ? (mdb_txn_abort(txn), error) : mdb_txn_commit(txn);
}

/* Twice: what is marked as synced is, before the mark. */
void index_close(struct index *index, bool good)
{
	if (good && !mdb_env_sync(index->env, 1) && !closed_mark(index))
		mdb_env_sync(index->env, 1);
	mdb_env_close(index->env);
}

void index_remove(const char *dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, INDEX_FILE);
	unlink(path);
	snprintf(path, sizeof(path), "%s/%s-lock", dir, INDEX_FILE);
	unlink(path);
}

/* ---- Loading ---- */

typedef char budget_name[NAME_MAX_LEN + 1];

struct budgets_loading {
	struct books *books;
	budget_name *names;
	uint64_t count, names_count;
};

static bool name_load(void *context, const uint8_t *key, const uint8_t *value)
{
	struct budgets_loading *loading = context;

	if (loading->names_count == loading->count || get_be32(key) != loading->names_count ||
	    value[NAME_MAX_LEN])
		return false;
	memcpy(loading->names[loading->names_count++], value, sizeof(budget_name));
	return true;
}

static bool budget_load(void *context, const uint8_t *key, const uint8_t *value)
{
	struct budgets_loading *loading = context;
	struct books *books = loading->books;
	struct budget budget;

	if (books->budgets.count == loading->count || get_be32(key) != books->budgets.count)
		return false;
	memcpy((uint8_t *)&budget + BUDGET_BEGIN, value, BUDGET_SIZE);
	budget.name = loading->names[books->budgets.count];
	if (budget.pool != NO_POOL && budget.pool >= loading->count)
		return false;
	books_restore(books, &budget);
	return true;
}

/* As many as there should be; false: they are damaged. */
static bool budgets_load(struct index *index, MDB_txn *txn, struct books *books, uint64_t count)
{
	static const uint8_t begin[SHELF_KEY_MAX];
	struct budgets_loading loading = { .books = books, .count = count };
	bool good;

	loading.names = calloc(count + 1, sizeof(*loading.names));
	if (!loading.names)
		abort();
	good = shelf_range(&shelves[SHELF_NAMES], txn, index->dbi, begin, NULL, name_load,
			   &loading) == FOUND && loading.names_count == count &&
	       shelf_range(&shelves[SHELF_BUDGETS], txn, index->dbi, begin, NULL, budget_load,
			   &loading) == FOUND && books->budgets.count == count;
	free(loading.names);
	return good;
}

static const char *books_load(struct index *index, MDB_txn *txn, struct books *books,
			      struct merkle *tree)
{
	struct meta meta;

	if (!meta_get(txn, index->dbi, &meta))
		return "the record about the whole is damaged";
	if (!budgets_load(index, txn, books, meta.budgets))
		return "the budgets are damaged";
	tree->size = meta.folded;
	memcpy(tree->edge, meta.edge, sizeof(meta.edge));
	books->totals = (struct totals){ .size = meta.folded, .last_at = meta.last_at,
					 .balances = meta.balances, .spent = meta.spent };
	memcpy(books->origin, meta.origin, sizeof(meta.origin));
	memcpy(books->moved, meta.moved, sizeof(meta.moved));
	books->moved_count = meta.moved_count;
	books->keys = meta.keys;
	memcpy(books->zone, meta.zone, sizeof(meta.zone));
	memcpy(books->currency, meta.currency, sizeof(meta.currency));
	books->exp = meta.exp;
	books_keep(books);
	return NULL;
}

const char *index_load(struct index *index, struct books *books, struct merkle *tree)
{
	const char *problem;
	MDB_txn *txn;

	if (mdb_txn_begin(index->env, NULL, MDB_RDONLY, &txn))
		return "it cannot be read";
	problem = books_load(index, txn, books, tree);
	mdb_txn_abort(txn);
	return problem;
}

/* ---- Totals ---- */

bool index_total(const struct entry *entry, struct total *ret)
{
	bool spent = !strcmp(entry->to, ACCOUNT_SPENT);

	if (!spent && strcmp(entry->from, ACCOUNT_SPENT))
		return false;
	*ret = (struct total){ .kind = spent ? TOTAL_SPENT : TOTAL_REFUNDED,
			       .exp = (uint8_t)entry->exp, .count = 1, .amount = entry->amount };
	memcpy(ret->currency, entry->currency, sizeof(ret->currency));
	memcpy(ret->category, entry->category, sizeof(ret->category));
	return true;
}

uint32_t index_month(const char *label)
{
	return (uint32_t)(atoi(label) * 12 + atoi(label + 5) - 1);
}

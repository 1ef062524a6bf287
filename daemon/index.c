#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/bytes.h"
#include "ledger.h"

#define LAYOUT 4			/* of what is stored: another one is made again */
#define BOOT_SIZE 37
#define LEVELS_MAX 40			/* of the tree's edge that is kept */
#define ID_TIME 6			/* of a UUIDv7 the milliseconds: new ids come at the shelf's end */
#define ID_KEY (ID_TIME + 8)
#define SEQ_SIZE 5
#define LABEL_HASH 8
#define EXPECT_STEP (128 << 10)		/* bytes: what the kernel reads ahead of one call */
#define LABEL_SIZE_MAX (2 + CURRENCY_LEN + 1 + TAG_MAX_LEN + 1)

static void total_combine(uint8_t *old, const uint8_t *newer);

/* Of a budget all but its name, as it lies in memory. */
#define BUDGET_BEGIN offsetof(struct budget, balance)
#define BUDGET_SIZE (sizeof(struct budget) - BUDGET_BEGIN)

static const struct shelf
	budgets_shelf = { 1, 4, BUDGET_SIZE, NULL, false },
	ids_shelf = { 2, ID_KEY, SEQ_SIZE, NULL, true },
	refunds_shelf = { 3, 8, 8, NULL, false },
	customers_shelf = { 4, CUSTOMER_HASH, 8, NULL, false },
	lasts_shelf = { 5, 8, 8, NULL, false },
	totals_shelf = { 6, 8 + LABEL_HASH, 12, total_combine, false },
	labels_shelf = { 7, LABEL_HASH, LABEL_SIZE_MAX, NULL, false },
	names_shelf = { 8, 4, NAME_MAX_LEN + 1, NULL, true };

static const struct shelf *const shelves[] = {
	&budgets_shelf, &names_shelf, &ids_shelf, &refunds_shelf, &customers_shelf, &lasts_shelf,
	&totals_shelf, &labels_shelf,
};

#define SHELF_COUNT (sizeof(shelves) / sizeof(*shelves))

/* The record about the whole, as it lies in memory: it is read by the program that wrote it, or made again. */
struct meta {
	uint8_t sum[HASH_SIZE];		/* SHA-256 of all that follows */
	uint32_t layout, size;
	char boot[BOOT_SIZE];
	bool closed;			/* in order, and synced */
	uint64_t folded, budgets;
	int64_t last_at, balances, spent, exp;
	char origin[ORIGIN_MAX + 1], zone[ZONE_MAX + 1], currency[CURRENCY_LEN + 1];
	struct keys keys;
	struct moved moved[MOVED_MAX];
	unsigned moved_count;
	uint8_t edge[LEVELS_MAX][HASH_SIZE];
};

static uint8_t meta_key[1];

/* ---- Meta ---- */

/* Of this boot of the machine: what was written in it and not synced is still there. */
static void boot_read(char ret[BOOT_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, BOOT_SIZE - 1);

	memset(ret + (n < 0 ? 0 : n), 0, BOOT_SIZE - (size_t)(n < 0 ? 0 : n));
	if (fd >= 0)
		close(fd);
}

static void meta_sum(const struct meta *meta, uint8_t ret[HASH_SIZE])
{
	sha256((struct iovec[]){ PART((const uint8_t *)meta + HASH_SIZE,
				      sizeof(*meta) - HASH_SIZE) }, 1, ret);
}

static int meta_put(MDB_txn *txn, unsigned dbi, struct meta *meta)
{
	MDB_val key = { sizeof(meta_key), meta_key }, value = { sizeof(*meta), meta };

	meta->layout = LAYOUT;
	meta->size = sizeof(*meta);
	boot_read(meta->boot);
	meta_sum(meta, meta->sum);
	return mdb_put(txn, dbi, &key, &value, 0);
}

static bool meta_get(MDB_txn *txn, unsigned dbi, struct meta *ret)
{
	MDB_val key = { sizeof(meta_key), meta_key }, value;
	uint8_t sum[HASH_SIZE];

	if (mdb_get(txn, dbi, &key, &value) || value.mv_size != sizeof(*ret))
		return false;
	memcpy(ret, value.mv_data, sizeof(*ret));
	meta_sum(ret, sum);
	return !memcmp(sum, ret->sum, sizeof(sum)) && ret->layout == LAYOUT &&
	       ret->size == sizeof(*ret);
}

static void meta_fill(struct meta *meta, const struct books *books, const struct merkle *tree)
{
	*meta = (struct meta){ .folded = tree->size, .budgets = books->count,
			       .last_at = books->totals.last_at,
			       .balances = books->totals.balances, .spent = books->totals.spent,
			       .exp = books->exp, .keys = books->keys,
			       .moved_count = books->moved_count };
	memcpy(meta->origin, books->origin, sizeof(meta->origin));
	memcpy(meta->moved, books->moved, sizeof(meta->moved));
	memcpy(meta->zone, books->zone, sizeof(meta->zone));
	memcpy(meta->currency, books->currency, sizeof(meta->currency));
	memcpy(meta->edge, tree->edge, sizeof(meta->edge));
}

/* ---- The environment ---- */

static int environment_open(struct index *index, const char *dir, unsigned flags)
{
	char path[4096];
	MDB_txn *txn;
	int error;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, INDEX_FILE) >= sizeof(path))
		return ENAMETOOLONG;
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
			error = shelf_create(shelves[i], txn, index->dbi);
	}
	meta.closed = false;
	return error ? error : meta_put(txn, index->dbi, &meta);
}

int index_open(struct index *index, const char *dir, const uint8_t secret[16])
{
	MDB_txn *txn;
	int dead, error = environment_open(index, dir, 0);

	memcpy(index->secret, secret, sizeof(index->secret));
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
		error = meta_put(txn, index->dbi, &meta);
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

/* ---- The check at start ---- */

enum verdict { VERDICT_GOOD, VERDICT_DAMAGED, VERDICT_UNSYNCED };

static bool record_count(void *context, const uint8_t *key, const uint8_t *value)
{
	(void)key;
	(void)value;
	++*(uint64_t *)context;
	return true;
}

/* One of LMDB's lists of free pages, which it writes to without a look: a count, and pages downwards. */
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
		if (shelf_range(shelves[i], txn, index->dbi, begin, NULL, record_count,
				&counts[i]) != FOUND)
			return VERDICT_DAMAGED;
	return counts[0] == meta.budgets && counts[1] == meta.budgets &&
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

static enum verdict check(const char *dir)
{
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
	pid_t child;

	snprintf(path, sizeof(path), "%s/%s", dir, INDEX_FILE);
	if (access(path, F_OK) < 0)
		return NULL;
	child = fork();
	if (!child) {
		close_range(3, ~0U, 0);	/* the lock, too, which must not outlive the daemon */
		_exit(check(dir));
	}
	if (child < 0)
		return "it could not be checked";
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return "it could not be checked";
	if (!WIFEXITED(status) || WEXITSTATUS(status) == VERDICT_DAMAGED)
		return "it is damaged";
	return WEXITSTATUS(status) == VERDICT_GOOD
		       ? NULL
		       : "the machine stopped before it was written out";
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

	if (books->count == loading->count || get_be32(key) != books->count)
		return false;
	memcpy((uint8_t *)&budget + BUDGET_BEGIN, value, BUDGET_SIZE);
	budget.name = loading->names[books->count];
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
	good = shelf_range(&names_shelf, txn, index->dbi, begin, NULL, name_load, &loading) == FOUND &&
	       loading.names_count == count &&
	       shelf_range(&budgets_shelf, txn, index->dbi, begin, NULL, budget_load, &loading) == FOUND &&
	       books->count == count;
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

/* ---- Keys ---- */

static void id_key(const struct index *index, int64_t uid, const uint8_t id[16],
		   uint8_t ret[ID_KEY])
{
	uint8_t pair[24];

	memcpy(pair, id, 16);
	put_be64(pair + 16, (uint64_t)uid);
	memcpy(ret, id, ID_TIME);
	crypto_shorthash(ret + ID_TIME, pair, sizeof(pair), index->secret);
}

static void seq_put(uint8_t *p, uint64_t seq)
{
	uint8_t bytes[8];

	put_be64(bytes, seq);
	memcpy(p, bytes + 8 - SEQ_SIZE, SEQ_SIZE);
}

static uint64_t seq_get(const uint8_t *p)
{
	uint8_t bytes[8] = { 0 };

	memcpy(bytes + 8 - SEQ_SIZE, p, SEQ_SIZE);
	return get_be64(bytes);
}

static void month_key(uint32_t month, uint32_t place, uint8_t ret[8])
{
	put_be32(ret, month);
	put_be32(ret + 4, place);
}

/* ---- Views ---- */

int view_open(struct view *view, struct index *index)
{
	int error;

	*view = (struct view){ .index = index };
	error = mdb_txn_begin(index->env, NULL, MDB_RDONLY, &view->txn);
	if (error)
		return error;
	mdb_txn_reset(view->txn);
	view_refresh(view);
	return 0;
}

void view_close(struct view *view)
{
	if (view->txn)
		mdb_txn_abort(view->txn);
	view->txn = NULL;
}

static bool view_begin(struct view *view)
{
	if (!view->damaged && mdb_txn_renew(view->txn))
		view->damaged = true;
	return !view->damaged;
}

static bool view_get(struct view *view, const struct shelf *shelf, const uint8_t *key, uint8_t *ret)
{
	enum found found = FOUND_DAMAGE;

	if (view_begin(view)) {
		found = shelf_get(shelf, view->txn, view->index->dbi, key, ret);
		mdb_txn_reset(view->txn);
	}
	view->damaged |= found == FOUND_DAMAGE;
	return found == FOUND;
}

void view_refresh(struct view *view)
{
	if (!view_begin(view))
		return;
	view->damaged |= shelf_last(&ids_shelf, view->txn, view->index->dbi, view->highest) ==
			 FOUND_DAMAGE;
	mdb_txn_reset(view->txn);
}

int64_t view_request(struct view *view, int64_t uid, const uint8_t id[16])
{
	uint8_t key[ID_KEY], value[SEQ_SIZE];

	id_key(view->index, uid, id, key);
	if (memcmp(key, view->highest, sizeof(key)) > 0 ||
	    !view_get(view, &ids_shelf, key, value))
		return ABSENT;
	return (int64_t)seq_get(value);
}

int64_t view_refunded(struct view *view, int64_t seq)
{
	uint8_t key[8], value[8];

	put_be64(key, (uint64_t)seq);
	return view_get(view, &refunds_shelf, key, value) ? (int64_t)get_be64(value) : 0;
}

int64_t view_customer(struct view *view, const uint8_t hash[CUSTOMER_HASH])
{
	uint8_t value[8];

	return view_get(view, &customers_shelf, hash, value) ? (int64_t)get_be64(value)
							     : CUSTOMER_NONE;
}

static bool month_take(void *context, const uint8_t *key, const uint8_t *value)
{
	(void)value;
	*(uint32_t *)context = get_be32(key);
	return false;
}

/* The months of the first and the last entry that are folded. false: there is none. */
static bool months_find(struct view *view, uint32_t *first, uint32_t *last)
{
	static const uint8_t begin[SHELF_KEY_MAX];
	enum found found = FOUND_DAMAGE;
	uint8_t key[8];

	if (view_begin(view)) {
		found = shelf_last(&lasts_shelf, view->txn, view->index->dbi, key);
		if (found == FOUND)
			found = shelf_range(&lasts_shelf, view->txn, view->index->dbi, begin, NULL,
					    month_take, first);
		mdb_txn_reset(view->txn);
	}
	view->damaged |= found == FOUND_DAMAGE;
	*last = found == FOUND ? get_be32(key) : 0;
	return found == FOUND;
}

uint64_t view_last(struct view *view, uint32_t month, uint32_t place)
{
	uint8_t key[8], value[8];
	uint32_t first, last;

	if (!months_find(view, &first, &last))
		return NO_ENTRY;
	for (month = month < last ? month : last; month >= first && !view->damaged; month--) {
		month_key(month, place, key);
		if (view_get(view, &lasts_shelf, key, value))
			return get_be64(value);
	}
	return NO_ENTRY;
}

struct totals_walk {
	struct view *view;
	view_each *each;
	void *context;
};

static bool total_found(void *context, const uint8_t *key, const uint8_t *value)
{
	const struct totals_walk *walk = context;
	uint8_t label[LABEL_SIZE_MAX];
	struct total total;

	if (shelf_get(&labels_shelf, walk->view->txn, walk->view->index->dbi, key + 8, label) !=
	    FOUND) {
		walk->view->damaged = true;
		return false;
	}
	total.kind = label[0];
	total.exp = label[1];
	memcpy(total.currency, label + 2, sizeof(total.currency));
	memcpy(total.category, label + 2 + sizeof(total.currency), sizeof(total.category));
	total.amount = (int64_t)get_be64(value);
	total.count = get_be32(value + 8);
	walk->each(walk->context, &total);
	return true;
}

static bool totals_read(struct view *view, uint32_t month, const uint32_t *places, size_t count,
			struct totals_walk *walk)
{
	uint8_t low[8 + LABEL_HASH] = { 0 }, high[8 + LABEL_HASH];

	memset(high, 0xff, sizeof(high));
	for (size_t i = 0; i < count; i++) {
		month_key(month, places[i], low);
		month_key(month, places[i], high);
		if (shelf_range(&totals_shelf, view->txn, view->index->dbi, low, high, total_found,
				walk) != FOUND)
			return false;
	}
	return true;
}

void view_totals(struct view *view, uint32_t month, const uint32_t *places, size_t count,
		 view_each *each, void *context, uint64_t *ret_folded)
{
	struct totals_walk walk = { view, each, context };
	struct meta meta = { .folded = 0 };

	if (!view_begin(view))
		return;
	view->damaged |= !meta_get(view->txn, view->index->dbi, &meta) ||
			 !totals_read(view, month, places, count, &walk);
	mdb_txn_reset(view->txn);
	*ret_folded = meta.folded;
}

int64_t view_time(struct view *view)
{
	struct meta meta = { .last_at = ABSENT };

	if (!view_begin(view))
		return ABSENT;
	view->damaged |= !meta_get(view->txn, view->index->dbi, &meta);
	mdb_txn_reset(view->txn);
	return meta.folded ? meta.last_at : ABSENT;
}

/* ---- Folding ---- */

static void total_combine(uint8_t *old, const uint8_t *newer)
{
	put_be64(old, get_be64(old) + get_be64(newer));
	put_be32(old + 8, get_be32(old + 8) + get_be32(newer + 8));
}

void folding_init(struct folding *folding, const struct index *index)
{
	*folding = (struct folding){
		.index = index,
		.budgets.shelf = &budgets_shelf, .ids.shelf = &ids_shelf,
		.refunds.shelf = &refunds_shelf, .customers.shelf = &customers_shelf,
		.lasts.shelf = &lasts_shelf, .totals.shelf = &totals_shelf,
		.labels.shelf = &labels_shelf, .names.shelf = &names_shelf,
	};
}

static struct pile *folding_pile(struct folding *folding, size_t i)
{
	return (struct pile *[]){ &folding->budgets, &folding->names, &folding->ids, &folding->refunds,
				  &folding->customers, &folding->lasts, &folding->totals,
				  &folding->labels }[i];
}

void folding_release(struct folding *folding)
{
	for (size_t i = 0; i < SHELF_COUNT; i++)
		pile_release(folding_pile(folding, i));
}

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

static void total_add(struct folding *folding, const struct total *total, uint32_t month,
		      uint32_t place)
{
	uint8_t label[LABEL_SIZE_MAX], hash[LABEL_HASH];
	uint8_t key[8 + LABEL_HASH], value[12];

	label[0] = (uint8_t)total->kind;
	label[1] = total->exp;
	memcpy(label + 2, total->currency, sizeof(total->currency));
	memcpy(label + 2 + sizeof(total->currency), total->category, sizeof(total->category));
	crypto_shorthash(hash, label, sizeof(label), folding->index->secret);
	put_be64(value, (uint64_t)total->amount);
	put_be32(value + 8, 1);
	memcpy(key + 8, hash, LABEL_HASH);
	month_key(month, place, key);
	pile_add(&folding->totals, key, value);
	month_key(month, INDEX_ALL, key);
	pile_add(&folding->totals, key, value);
	pile_add(&folding->labels, hash, label);
}

void folding_entry(struct folding *folding, const struct entry *entry, uint32_t month,
		   struct budget *const *touched, unsigned count)
{
	uint8_t key[ID_KEY], value[8];
	struct total total;

	if (entry->kind == KIND_OPEN) {
		put_be32(key, touched[0]->place);
		pile_add(&folding->names, key, (const uint8_t *)entry->budget);
	}
	if (entry_has_id(entry)) {
		id_key(folding->index, entry->uid, entry->id, key);
		seq_put(value, (uint64_t)entry->seq);
		pile_add(&folding->ids, key, value);
	}
	put_be64(value, (uint64_t)entry->seq);
	for (unsigned i = 0; i < count; i++) {
		month_key(month, touched[i]->place, key);
		pile_add(&folding->lasts, key, value);
	}
	if (count && index_total(entry, &total))
		total_add(folding, &total, month, touched[0]->place);
}

void folding_budget(struct folding *folding, const struct budget *budget)
{
	uint8_t key[4];

	put_be32(key, budget->place);
	pile_add(&folding->budgets, key, (const uint8_t *)budget + BUDGET_BEGIN);
}

void folding_refunds(struct folding *folding, const struct map *refunds)
{
	const struct map_slot *slot;
	uint8_t key[8], value[8];
	size_t at = 0;
	int64_t seq;

	while ((slot = map_next(refunds, &at))) {
		memcpy(&seq, slot->key, sizeof(seq));
		put_be64(key, (uint64_t)seq);
		put_be64(value, slot->value - 1);
		pile_add(&folding->refunds, key, value);
	}
}

void folding_customers(struct folding *folding, const struct map *customers)
{
	const struct map_slot *slot;
	uint8_t value[8];
	size_t at = 0;

	while ((slot = map_next(customers, &at))) {
		put_be64(value, slot->value - 1);
		pile_add(&folding->customers, slot->key, value);
	}
}

int index_fold(struct index *index, struct folding *folding, const struct books *books,
	       const struct merkle *tree)
{
	struct meta meta;
	MDB_txn *txn;
	int error = mdb_txn_begin(index->env, NULL, 0, &txn);

	if (error)
		return error;
	for (size_t i = 0; i < SHELF_COUNT && !error; i++)
		error = pile_put(folding_pile(folding, i), txn, index->dbi);
	meta_fill(&meta, books, tree);
	if (!error)
		error = meta_put(txn, index->dbi, &meta);
	if (error) {
		mdb_txn_abort(txn);
		return error;
	}
	return mdb_txn_commit(txn);
}

/*
 * index.mdb: what would otherwise be found by replaying the whole ledger, folded from it up to
 * some entry. It is derived, and safe to delete: the ledger alone is the truth.
 *
 * One LMDB database, of one record about the whole and eight shelves (shelf.h):
 *
 *   meta       how many entries are folded, the tree's edge there, the sums, the genesis's words
 *   budgets    place in the books -> the budget as it stands there, without its name
 *   names      the same -> its name, which never changes
 *   ids        first 6 bytes of the request id || keyed hash of id and uid -> the entry it made
 *   refunds    entry -> what was refunded of it
 *   customers  keyed hash of the reference -> the last entry that spoke of the customer
 *   lasts      month || budget -> the last entry that touched it in that month of the ledger's zone
 *   totals     month || budget || label -> what was spent or came back, and how many times;
 *              budget 2^32 - 1: of all
 *   labels     keyed hash -> kind, currency, exponent and category
 *
 * What always holds: everything in one commit is of the same `folded`. Commits are not synced,
 * for nothing waits for them and nothing is lost with them: meta says in which boot of the
 * machine they were made, and an index of an earlier boot counts only when it was closed in
 * order. What a bit flip or a lost page does to it is seen where it is read (shelf.h), and at
 * start by index_check in a process of its own; then it is made again.
 *
 * The shelves are written by one thread (folding.h), and read by it and by the main thread, each
 * with a view of its own (view.h).
 */
#ifndef DAEMON_INDEX_H
#define DAEMON_INDEX_H

#include "books.h"
#include "common/merkle.h"
#include "customers.h"

#define INDEX_FILE "index.mdb"
#define INDEX_ALL UINT32_MAX		/* in totals: of all budgets together */
#define BOOT_SIZE 37			/* with its NUL */

enum {
	SHELF_BUDGETS, SHELF_NAMES, SHELF_IDS, SHELF_REFUNDS, SHELF_CUSTOMERS, SHELF_LASTS,
	SHELF_TOTALS, SHELF_LABELS,
	SHELF_COUNT
};

typedef struct MDB_env MDB_env;
typedef struct MDB_txn MDB_txn;

struct index {
	MDB_env *env;
	unsigned dbi;
	uint8_t secret[16];		/* of the hashes in it: the same in every run */
	char boot[BOOT_SIZE];		/* the machine's, read before the sandbox is in the way */
};

/* NULL: there is none, or it can be used; otherwise why it cannot. It starts a process, so
 * LMDB is not to be in use. */
const char *index_check(const char *dir);

/* Takes the files away. */
void index_remove(const char *dir);

/* Opens it, or makes an empty one. 0, or an error of errno or LMDB. */
int index_open(struct index *index, const char *dir, const uint8_t secret[16]);

int index_open_reader(struct index *index, const char *dir);	/* one that is there */

/* In order: synced and marked so, unless something was wrong with it. */
void index_close(struct index *index, bool good);

/* Fills empty books and an empty tree with what is folded. NULL, or why it is damaged. */
const char *index_load(struct index *index, struct books *books, struct merkle *tree);

/* A month, such as 2026-11, by its number in the index. */
uint32_t index_month(const char *label);

/* What is added up of each month, budget and category. */
enum total_kind { TOTAL_SPENT, TOTAL_REFUNDED };

struct total {
	enum total_kind kind;
	char currency[CURRENCY_LEN + 1], category[TAG_MAX_LEN + 1];
	uint8_t exp;
	uint64_t count;
	int64_t amount;
};

/* Which total an entry counts in. false: in none. */
bool index_total(const struct entry *entry, struct total *ret);

#endif

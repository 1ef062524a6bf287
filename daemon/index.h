/*
 * index.mdb: what would otherwise be found by replaying the whole ledger, folded from it up to some entry. It is
 * derived, and safe to delete: the ledger alone is the truth.
 *
 * One LMDB database, of one record about the whole and eight shelves (shelf.h):
 *
 *   meta       how many entries are folded, the tree's edge and root there, the sums, the genesis's words
 *   budgets    place in the books -> the budget as it stands there, without its name
 *   names      the same -> its name, which never changes
 *   ids        first 6 bytes of the request id || keyed hash of id and uid -> the entry it made
 *   refunds    entry -> what was refunded of it
 *   customers  keyed hash of the reference -> the last entry that spoke of the customer
 *   lasts      month || budget -> the last entry that touched it in that month of the ledger's zone
 *   totals     month || budget || label -> what was spent or came back, and how many times; budget 2^32 - 1: all
 *   labels     keyed hash -> kind, currency, exponent and category
 *
 * What always holds: everything in one commit is of the same `folded`. Commits are not synced, for nothing waits for
 * them and nothing is lost with them: meta says in which boot of the machine they were made, and an index of an
 * earlier boot counts only when it was closed in order. What a bit flip or a lost page does to it is seen where it
 * is read (shelf.h), and at start by index_check in a process of its own; then it is made again.
 *
 * The shelves are written by one thread (fold.h), and read by it and by the main thread, each with a view of its own.
 */
#ifndef DAEMON_INDEX_H
#define DAEMON_INDEX_H

#include "books.h"
#include "common/merkle.h"
#include "customers.h"
#include "shelf.h"

#define INDEX_FILE "index.mdb"
#define INDEX_ALL UINT32_MAX		/* in totals: of all budgets together */

typedef struct MDB_env MDB_env;

struct index {
	MDB_env *env;
	unsigned dbi;
	uint8_t secret[16];		/* of the hashes in it: the same in every run, and nobody else's */
};

/* NULL: there is none, or it can be used; otherwise why it cannot. It starts a process, so LMDB is not to be in use. */
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

/* ---- Reading: a thread's own view; it holds no transaction between calls ---- */

struct view {
	struct index *index;
	MDB_txn *txn;
	uint8_t highest[14];		/* key of all ids: most new ones are above it */
	bool damaged;			/* sticky: nothing that was asked since may be relied on */
};

int view_open(struct view *view, struct index *index);
void view_close(struct view *view);

/* To be called when a fold is done: takes notice of the ids that came with it. */
void view_refresh(struct view *view);

/* The entry that was most likely made by this id, and no other; or ABSENT. */
int64_t view_request(struct view *view, int64_t uid, const uint8_t id[16]);
int64_t view_refunded(struct view *view, int64_t seq);
int64_t view_customer(struct view *view, const uint8_t hash[CUSTOMER_HASH]);	/* or CUSTOMER_NONE */

/* The budget's last entry in that month or, with none in it, in a month before: never beyond it. NO_ENTRY: none. */
uint64_t view_last(struct view *view, uint32_t month, uint32_t place);

enum total_kind { TOTAL_SPENT, TOTAL_REFUNDED };

struct total {
	enum total_kind kind;
	char currency[CURRENCY_LEN + 1], category[TAG_MAX_LEN + 1];
	uint8_t exp;
	uint64_t count;
	int64_t amount;
};

/* Each total of the budgets (INDEX_ALL: of all together) in a month, and how many entries are folded into them. */
typedef void view_each(void *context, const struct total *total);
void view_totals(struct view *view, uint32_t month, const uint32_t *places, size_t count,
		 view_each *each, void *context, uint64_t *ret_folded);

/* The time of the last entry that is folded: nothing behind it is earlier. ABSENT when there is none. */
int64_t view_time(struct view *view);

/* ---- Writing ---- */

/* Which total an entry counts in. false: in none. */
bool index_total(const struct entry *entry, struct total *ret);

/* What is to be folded next. Adding is only to memory. */
struct folding {
	const struct index *index;
	struct pile budgets, ids, refunds, customers, lasts, totals, labels, names;
};

void folding_init(struct folding *folding, const struct index *index);
void folding_release(struct folding *folding);
void folding_entry(struct folding *folding, const struct entry *entry, uint32_t month,
		   struct budget *const *touched, unsigned count);
void folding_budget(struct folding *folding, const struct budget *budget);
void folding_refunds(struct folding *folding, const struct map *refunds);
void folding_customers(struct folding *folding, const struct map *customers);

/* Puts it all on the shelves, with books and tree as they are then, in one commit. 0 or an error. */
int index_fold(struct index *index, struct folding *folding, const struct books *books,
	       const struct merkle *tree);

#endif

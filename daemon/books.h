/*
 * The books: every budget, balance, period and request id, as the entries so far make them. Pure:
 * no I/O, no clock, no tzdata, no globals. The same code keeps them for live requests, for the
 * replay at start and for verification.
 *
 * Amounts are int64 minor units. No balance is ever below zero; every balance, the sum of all
 * balances and the sum of all spends fit in int64.
 *
 * Here is what they hold, and how they are asked. Entries are taken into them by apply.h alone.
 */
#ifndef DAEMON_BOOKS_H
#define DAEMON_BOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "budgets.h"
#include "common/entry.h"
#include "ids.h"
#include "map.h"

#define TOUCHED_MAX 3

/* Reads an earlier entry for the books: what a refund refers to. false when there is none. */
typedef bool books_fetch(void *context, int64_t seq, struct entry *ret);

/* What one whole set of books is, besides its tables. */
struct totals {
	uint64_t size;			/* entries applied */
	int64_t last_at;		/* of the last entry, microseconds */
	int64_t balances, spent;	/* sums over all budgets, and over all time */
	struct budget *granting;	/* its lapse was posted, its
					 * allowance must follow at once */
};

/* What the index knows of the entries folded into it,
 * whose ids and refunds the books have forgotten. */
struct books_past {
	/* The only entry that may have been made by this id, or ABSENT. */
	int64_t (*request)(void *context, int64_t uid, const uint8_t id[16]);
	int64_t (*refunded)(void *context, int64_t seq);
};

/* Ids, and by an entry's number all that was refunded of it. */
struct unfolded {
	struct ids ids;
	struct map refunds;
};

/* Whose signatures a head needs. A `key` entry brings
 * a new key; up to a time the one before signs too. */
struct keys {
	char vkey[VKEY_MAX + 1];
	int64_t entry;			/* that named vkey; 0: the genesis */
	char previous[VKEY_MAX + 1];	/* "": there was none */
	int64_t until;			/* microseconds: for `previous` */
};

#define BOOKS_SIGNERS_MAX 2

/* All that ever moved in a currency: so that it is known
 * of any two heads how much moved between them. */
struct moved {
	char currency[CURRENCY_LEN + 1];
	int64_t exp, amount;		/* never wraps: it stays at INT64_MAX */
};

#define MOVED_MAX 200			/* more than ISO 4217 has currencies */

/* The budgets an entry names; NULL for what it does not
 * name, for built-in accounts and for names never opened. */
struct parties {
	struct budget *about, *from, *to;
};

/* The budgets an entry touches, in the order budget, from, to, without repeats, and the entries
 * that had touched them before: the row's back pointers. NO_ENTRY: it opens the budget. */
struct touched {
	struct budget *budgets[TOUCHED_MAX];
	uint64_t previous[TOUCHED_MAX];
	unsigned count;
};

struct change;

struct books {
	struct totals totals;
	struct touched touched;		/* by the last entry applied */
	char origin[ORIGIN_MAX + 1], zone[ZONE_MAX + 1];
	struct keys keys;
	struct moved moved[MOVED_MAX], kept_moved[MOVED_MAX];	/* the latter as of the
								 * last books_keep */
	unsigned moved_count, kept_moved_count;
	char currency[CURRENCY_LEN + 1];
	int64_t exp;

	struct budgets budgets;

	/* private from here */
	struct unfolded recent, frozen;
	const struct books_past *past;	/* NULL: everything is here */
	void *past_context;
	struct change *changes;		/* since the last books_keep, as the next */
	size_t change_count, change_room;
	struct totals kept;
	struct keys kept_keys;
	books_fetch *fetch;
	void *fetch_context;
};

void books_init(struct books *books, books_fetch *fetch, void *context);
void books_release(struct books *books);

/* No reset stands half posted: true at the end of every commit. */
bool books_whole(const struct books *books);

/* The verifier keys that must sign a head that ends
 * with the last entry, and no others; how many. */
unsigned books_signers(const struct books *books, const char *ret[BOOKS_SIGNERS_MAX]);

/*
 * Ids and refunds are needed for ever, but not here: what is frozen while nothing is to be undone
 * can be folded into the index, which is then asked as the past, and forgotten. One part is frozen
 * at a time.
 */
void books_freeze(struct books *books);
void books_forget(struct books *books);

/* Takes over a budget (name and all, copied) as it was in other books, at its place in their list;
 * the totals are the caller's to set, and that all pools are there. */
void books_restore(struct books *books, const struct budget *budget);

/* ---- Asking ---- */

/* This entry will soon be applied: has the processor
 * fetch what it is about, and changes nothing. */
void books_expect(const struct books *books, const struct entry *entry);

void books_expect_request(const struct books *books, int64_t uid, const uint8_t id[16]);

struct budget *books_budget(const struct books *books, const char *name);
struct budget *books_owned(const struct books *books, int64_t uid);	/* the uid's open budget */

/* The entry that this uid's request id made; ABSENT when there is none. */
int64_t books_request(const struct books *books, int64_t uid, const uint8_t id[16]);

/* How much of an entry was refunded. */
int64_t books_refunded(const struct books *books, int64_t seq);

/* An earlier entry. */
bool books_entry(const struct books *books, int64_t seq, struct entry *ret);

/* The pool its terms name, which may be closed by now. NULL: none. */
struct budget *books_pool(const struct books *books, const struct budget *budget);

/* What it was opened or adjusted to. */
void books_terms(const struct books *books, const struct budget *budget, struct terms *ret);

/* A draw is a top-up that a budget's owner makes from the pool its terms name. */
bool books_is_draw(const struct books *books, const struct budget *budget,
		   const struct entry *topup);

/* The budgets an entry touches, whenever it was or will be applied;
 * how many. One that it is yet to open counts, as NULL. */
unsigned books_touched(const struct books *books, const struct entry *entry,
		       struct budget *ret[TOUCHED_MAX]);

/* The same of an entry whose parties are known. */
unsigned parties_touched(const struct entry *entry, const struct parties *parties,
			 struct budget *ret[TOUCHED_MAX]);

struct parties books_parties(const struct books *books, const struct entry *entry);

/* The budget that an account is, `about` if that has this name;
 * NULL for built-in accounts and for what was never opened. */
struct budget *books_party(const struct books *books, const char *account, struct budget *about);

#endif

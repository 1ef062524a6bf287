/*
 * Entries about a small shop, made to follow in its books: in EUR, all of November 2026. The shop
 * is the test's only one.
 */
#ifndef TESTS_UNIT_ENTRIES_H
#define TESTS_UNIT_ENTRIES_H

#include "shop.h"

static struct shop *shop;

/* Money moves in the entry; the balances after are what the accounts make them, wrapped around
 * where that is more than they hold. */
static inline void moves(struct entry *e, const char *from, const char *to, int64_t amount)
{
	int64_t giver = shop_balance(shop, from), taker = shop_balance(shop, to);

	snprintf(e->from, sizeof(e->from), "%s", from);
	snprintf(e->to, sizeof(e->to), "%s", to);
	e->amount = amount;
	snprintf(e->currency, sizeof(e->currency), "EUR");
	e->exp = 2;
	e->from_after = giver == ABSENT ? ABSENT : giver - amount;
	e->to_after = taker == ABSENT ? ABSENT : (int64_t)((uint64_t)taker + (uint64_t)amount);
}

/* About a budget that is there, in its current period. */
static inline struct entry about(enum kind kind, int64_t uid, const char *name)
{
	struct entry e = shop_entry(shop, kind, uid, name);
	const struct budget *budget = books_budget(&shop->books, name);

	if (budget && !budget->closed)
		memcpy(e.period, budget->current, sizeof(e.period));
	return e;
}

static inline struct entry spend(int64_t uid, const char *name, int64_t amount)
{
	struct entry e = about(KIND_SPEND, uid, name);

	moves(&e, name, ACCOUNT_SPENT, amount);
	return e;
}

static inline struct entry topup(int64_t uid, const char *name, const char *from, int64_t amount)
{
	struct entry e = about(KIND_TOPUP, uid, name);

	moves(&e, from, name, amount);
	return e;
}

static inline struct entry refund(int64_t uid, int64_t ref, int64_t amount)
{
	const struct entry *original = &shop->history[ref];
	const struct budget *source = books_budget(&shop->books, original->from);
	struct entry e = about(KIND_REFUND, uid, original->budget);

	e.ref = ref;
	memcpy(e.category, original->category, sizeof(e.category));
	moves(&e, original->to, source && source->closed ? ACCOUNT_COMPANY : original->from,
	      amount);
	return e;
}

/* A month's terms; the entry grants the allowance. */
static inline struct entry opening(const char *name, int64_t owner, int64_t group,
				   int64_t allowance)
{
	struct entry e = shop_entry(shop, KIND_OPEN, 0, name);

	e.terms.owner = owner;
	e.terms.group = group;
	e.terms.allowance = allowance;
	e.terms.every = PERIOD_MONTH;
	e.terms.carry = CARRY_NONE;
	snprintf(e.currency, sizeof(e.currency), "EUR");
	e.exp = 2;
	memcpy(e.terms.currency, e.currency, sizeof(e.currency));
	e.terms.exp = e.exp;
	snprintf(e.period, sizeof(e.period), "2026-11");
	if (allowance) {
		moves(&e, ACCOUNT_COMPANY, name, allowance);
		e.to_after = allowance;
	}
	return e;
}

static inline struct entry opening_rep(void)
{
	return opening("carol", CAROL, ABSENT, 100);
}

static inline struct entry opening_drawer(void)
{
	struct entry e = opening_rep();

	snprintf(e.terms.pool, sizeof(e.terms.pool), "team/north");
	e.terms.self_topup = 300;
	return e;
}

static inline struct entry adjusting(const char *name)
{
	struct entry e = about(KIND_ADJUST, 0, name);

	books_terms(&shop->books, books_budget(&shop->books, name), &e.terms);
	memcpy(e.currency, e.terms.currency, sizeof(e.currency));
	e.exp = e.terms.exp;
	return e;
}

static inline struct entry closing(const char *name)
{
	struct entry e = about(KIND_CLOSE, 0, name);

	if (shop_balance(shop, name))
		moves(&e, name, ACCOUNT_COMPANY, shop_balance(shop, name));
	return e;
}

static inline struct entry reset(const char *name, const char *label, int64_t lapse, int64_t grant)
{
	struct entry e = shop_entry(shop, KIND_RESET, 0, name);

	snprintf(e.period, sizeof(e.period), "%s", label);
	if (lapse)
		moves(&e, name, ACCOUNT_COMPANY, lapse);
	if (grant)
		moves(&e, ACCOUNT_COMPANY, name, grant);
	return e;
}

static inline struct entry later_kind(void)
{
	struct entry e = about(KIND_OTHER, ALICE, "alice");

	snprintf(e.kind_name, sizeof(e.kind_name), "thank");
	return e;
}

/* ---- Applying ---- */

static inline int64_t taken(struct entry e, const char *name)
{
	is_str(shop_apply(shop, &e), NULL, name);
	return e.seq;
}

static inline void post(struct entry e)
{
	const char *problem = shop_apply(shop, &e);

	if (problem) {
		printf("Bail out! %s entry %lld: %s\n", e.kind_name, (long long)e.seq, problem);
		exit(1);
	}
}

/* The entry cannot follow, for this reason, and the books are as before. */
static inline void refused(struct entry e, const char *sentence)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	const char *problem;

	shop_describe(shop, &before);
	problem = books_apply(&shop->books, &e);
	shop_describe(shop, &after);
	is_str(problem, sentence, sentence);
	if (strcmp(before.data, after.data))
		ok(false, "nothing changed when refused: %s", sentence);
	buf_release(&before);
	buf_release(&after);
}

/* The good entry `made`, spoilt by `change`, is refused with the sentence. */
#define WRONG(made, change, sentence) do { \
	struct entry e = (made); \
	change; \
	refused(e, sentence); \
} while (0)

/* And what was spoilt was good. */
#define RIGHT(made) do { \
	struct entry e_ = (made); \
	books_keep(&shop->books); \
	post(e_); \
	books_undo(&shop->books); \
} while (0)

static inline void say(char *field, const char *text)
{
	strcpy(field, text);
}

/* alice draws from team/north, team/south is another pool, yen one in JPY, gone is closed. */
static inline void shop_begin(void)
{
	struct entry e;

	shop = shop_new();
	post(shop_genesis(shop));
	post(opening("team/north", ABSENT, NORTH, 50000));
	post(opening("team/south", ABSENT, SOUTH, 10000));
	e = opening("alice", ALICE, ABSENT, 20000);
	say(e.terms.pool, "team/north");
	e.terms.self_topup = 30000;
	post(e);
	e = opening("yen", ABSENT, SOUTH, 0);
	say(e.currency, "JPY");
	say(e.terms.currency, "JPY");
	e.exp = e.terms.exp = 0;
	post(e);
	post(opening("gone", BOB, ABSENT, 500));
	post(closing("gone"));
	books_keep(&shop->books);
}

#endif

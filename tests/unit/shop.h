/*
 * A shop to test books and plans with: books, the entries they were made from, and entries to be
 * applied next. Everything in EUR of a ledger whose days are in November 2026.
 */
#ifndef TESTS_UNIT_SHOP_H
#define TESTS_UNIT_SHOP_H

#include <stdlib.h>

#include "common/sign.h"
#include "daemon/apply.h"
#include "tap.h"

#define SHOP_ENTRIES 512
#define SHOP_ORIGIN "test.example/fund"

enum { ALICE = 1001, BOB = 1002, CAROL = 1003, NORTH = 5001, SOUTH = 5002 };

struct shop {
	struct books books;
	struct entry history[SHOP_ENTRIES];
	uint64_t ids;			/* given out */
};

static inline bool shop_fetch(void *context, int64_t seq, struct entry *ret)
{
	*ret = ((struct shop *)context)->history[seq];
	return true;
}

/* An entry that may come next: its number, time and id are right. */
static inline struct entry shop_entry(struct shop *shop, enum kind kind, int64_t uid,
				      const char *budget)
{
	struct entry entry;

	entry_clear(&entry);
	entry.seq = (int64_t)shop->books.totals.size;
	entry.at = shop->books.totals.last_at + 1;
	entry.kind = kind;
	snprintf(entry.kind_name, sizeof(entry.kind_name), "%s", kind_word(kind));
	entry.uid = uid;
	snprintf(entry.budget, sizeof(entry.budget), "%s", budget);
	if (kind != KIND_GENESIS && kind != KIND_BOOT && kind != KIND_RESET) {
		shop->ids++;
		memcpy(entry.id, &shop->ids, sizeof(shop->ids));
		entry.id[15] = 1;
	}
	return entry;
}

/* Applies it and keeps it for later, or says why not. */
static inline const char *shop_apply(struct shop *shop, const struct entry *entry)
{
	const char *problem = books_apply(&shop->books, entry);

	if (!problem)
		shop->history[entry->seq] = *entry;
	return problem;
}

static inline struct entry shop_genesis(struct shop *shop)
{
	static const uint8_t seed[SEED_SIZE] = { 1 };
	struct entry entry = shop_entry(shop, KIND_GENESIS, 0, "");
	struct signer signer;

	signer_open(&signer, SHOP_ORIGIN, KEY_ED25519, seed);
	vkey_format(&signer.verifier, entry.vkey);
	signer_close(&signer);
	entry.at = INT64_C(1795600000000000);
	snprintf(entry.origin, sizeof(entry.origin), "%s", SHOP_ORIGIN);
	snprintf(entry.zone, sizeof(entry.zone), "UTC");
	snprintf(entry.currency, sizeof(entry.currency), "EUR");
	entry.exp = 2;
	return entry;
}

/* A shop with nothing in its books. */
static inline struct shop *shop_new(void)
{
	struct shop *shop = calloc(1, sizeof(*shop));

	if (!shop || !sign_start())
		abort();
	books_init(&shop->books, shop_fetch, shop);
	return shop;
}

static inline void shop_free(struct shop *shop)
{
	books_release(&shop->books);
	free(shop);
}

static inline int64_t shop_balance(const struct shop *shop, const char *name)
{
	const struct budget *budget = books_budget(&shop->books, name);

	return budget ? budget->balance : ABSENT;
}

/* Everything that can be asked of the books, in words: equal descriptions are equal books. */
static inline void shop_describe(const struct shop *shop, struct buf *out)
{
	const struct books *books = &shop->books;
	const struct totals *t = &books->totals;

	buf_clear(out);
	buf_printf(out, "%s %s %s %s %lld\n", books->origin, books->keys.vkey, books->zone,
		   books->currency, (long long)books->exp);
	buf_printf(out, "%s %lld\n", books->keys.previous, (long long)books->keys.until);
	for (unsigned i = 0; i < books->moved_count; i++)
		buf_printf(out, "%s %lld %lld\n", books->moved[i].currency,
			   (long long)books->moved[i].exp, (long long)books->moved[i].amount);
	buf_printf(out, "%llu %lld %lld %lld %s\n", (unsigned long long)t->size,
		   (long long)t->last_at, (long long)t->balances, (long long)t->spent,
		   t->granting ? t->granting->name : "-");
	for (size_t i = 0; i < books->budgets.count; i++) {
		const struct budget *b = books->budgets.list[i];
		struct terms terms;

		books_terms(books, b, &terms);
		buf_printf(out, "%s %d %lld %lld %lld '%s' %lld:", b->name, b->closed,
			   (long long)b->balance, (long long)b->spent, (long long)b->drawn,
			   b->current, (long long)b->last);
		buf_printf(out, " %lld %lld %s %lld %lld %lld %lld %lld '%s' %lld %lld",
			   (long long)terms.owner, (long long)terms.group, terms.currency,
			   (long long)terms.exp, (long long)terms.allowance,
			   (long long)terms.every, (long long)terms.carry,
			   (long long)terms.cap, terms.pool, (long long)terms.self_topup,
			   (long long)terms.guideline);
		buf_printf(out, " %d %d\n", books_budget(books, b->name) == b,
			   books_owned(books, terms.owner) == b);
	}
	for (size_t i = 0; i < books->budgets.pool_count; i++)
		buf_printf(out, "pool %s\n", books->budgets.pools[i]->name);
	for (uint64_t seq = 0; seq < t->size; seq++) {
		const struct entry *entry = &shop->history[seq];

		buf_printf(out, "%lld %lld\n", (long long)books_refunded(books, (int64_t)seq),
			   (long long)books_request(books, entry->uid, entry->id));
	}
}

#endif

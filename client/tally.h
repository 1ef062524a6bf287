/*
 * The books of a ledger from its leaves alone, kept by who trusts nobody else's: the tree, and
 * every balance. It shares no code with the daemon's books, so that the two check each other.
 *
 * Of every leaf: its one form, its number, a later time, money that moves between two accounts
 * there are, the balances after it, and for each kind which way money goes. Memory is bounded by
 * the budgets: what would need more (ids used twice, how much of a spend was refunded) is fundd
 * --verify's.
 */
#ifndef CLIENT_TALLY_H
#define CLIENT_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "common/entry.h"
#include "common/merkle.h"
#include "keys.h"

#define TALLY_CURRENCIES 64

struct tally_budget;

struct tally_total {
	char currency[CURRENCY_LEN + 1];
	int64_t exp;
	int64_t held, spent;	/* in all budgets; spends less refunds */
};

struct tally {
	struct merkle tree;
	int64_t last_at;
	char origin[ORIGIN_MAX + 1];
	struct keys keys;	/* the genesis's, and those that took over: as the leaves say */
	struct tally_budget *budgets;
	size_t count, open;	/* budgets */
	struct tally_total total[TALLY_CURRENCIES];
	unsigned totals;
};

/* All zero is an empty tally. The next leaf, with its hash in `hash`: NULL, or what is wrong
 * with it; then the tally is of no use any more. */
const char *tally_leaf(struct tally *tally, const char *leaf, size_t len, uint8_t hash[HASH_SIZE]);

void tally_release(struct tally *tally);

#endif

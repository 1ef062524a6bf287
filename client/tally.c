#include "tally.h"

#include <string.h>

#include "common/hashed.h"

struct tally_budget {
	char name[NAME_MAX_LEN + 1];
	char currency[CURRENCY_LEN + 1];
	int64_t exp, balance;
	bool closed, pool;
	UT_hash_handle hh;
};

static struct tally_budget *budget_find(const struct tally *tally, const char *name)
{
	struct tally_budget *budget;

	HASH_FIND(hh, tally->budgets, name, strlen(name), budget);
	return budget;
}

/* ---- Which way money goes ---- */

#define SELF "="	/* the budget that the entry is about */
#define OTHER "*"	/* any account */

static const struct way {
	enum kind kind;
	const char *from, *to;	/* NULL: nothing moves */
	bool always;		/* something moves in every one */
} ways[] = {
	{KIND_GENESIS, NULL, NULL, false},
	{KIND_BOOT, NULL, NULL, false},
	{KIND_KEY, NULL, NULL, false},
	{KIND_ADJUST, NULL, NULL, false},
	{KIND_AUDIT, NULL, NULL, false},
	{KIND_OPEN, ACCOUNT_COMPANY, SELF, false},
	{KIND_CLOSE, SELF, ACCOUNT_COMPANY, false},
	{KIND_RESET, ACCOUNT_COMPANY, SELF, false},
	{KIND_RESET, SELF, ACCOUNT_COMPANY, false},
	{KIND_TOPUP, OTHER, SELF, true},
	{KIND_SPEND, SELF, ACCOUNT_SPENT, true},
	{KIND_REFUND, ACCOUNT_SPENT, OTHER, true},
	{KIND_REFUND, SELF, OTHER, true},
};

static bool side_fits(const char *side, const char *account, const struct entry *entry)
{
	if (!strcmp(side, SELF))
		side = entry->budget;
	return !strcmp(side, OTHER) ? strcmp(account, ACCOUNT_SPENT) != 0 : !strcmp(side, account);
}

static bool way_fits(const struct way *way, const struct entry *entry)
{
	if (entry->amount == ABSENT)
		return !way->always;
	return way->from && side_fits(way->from, entry->from, entry) &&
	       side_fits(way->to, entry->to, entry);
}

static const char *way_problem(const struct entry *entry)
{
	if (entry->kind == KIND_OTHER)
		return NULL;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (ways[i].kind == entry->kind && way_fits(&ways[i], entry))
			return NULL;
	return entry->amount == ABSENT ? "no money moves in it"
				       : "money does not go that way in an entry of its kind";
}

/* ---- Money ---- */

static struct tally_total *total_find(struct tally *tally, const struct entry *entry)
{
	for (unsigned i = 0; i < tally->totals; i++)
		if (!strcmp(tally->total[i].currency, entry->currency) &&
		    tally->total[i].exp == entry->exp)
			return &tally->total[i];
	if (tally->totals == TALLY_CURRENCIES)
		return NULL;
	tally->total[tally->totals].exp = entry->exp;
	memcpy(tally->total[tally->totals].currency, entry->currency, sizeof(entry->currency));
	return &tally->total[tally->totals++];
}

/* One side of a movement; sign -1 takes, 1 gives. */
static const char *side_move(struct tally *tally, struct tally_total *total,
			     const struct entry *entry, const char *account, int64_t after,
			     int64_t sign)
{
	int64_t amount = sign * entry->amount;
	struct tally_budget *budget;

	if (!strcmp(account, ACCOUNT_SPENT))
		return !money_add(total->spent, amount, &total->spent) || total->spent < 0 ||
				       after != ABSENT
			       ? "what was spent in all does not come out"
			       : NULL;
	if (!strcmp(account, ACCOUNT_COMPANY))
		return after == ABSENT ? NULL : "the company has no balance";
	budget = budget_find(tally, account);
	if (!budget || budget->closed)
		return budget ? "money moves from or to a closed budget"
			      : "money moves from or to a budget that was never opened";
	if (strcmp(budget->currency, entry->currency) || budget->exp != entry->exp)
		return "the currency is not the budget's";
	if (!money_add(budget->balance, amount, &budget->balance) || budget->balance < 0)
		return "a balance falls below zero, or grows too large";
	if (!money_add(total->held, amount, &total->held))
		return "a sum grows too large";
	return budget->balance == after ? NULL : "the balance after it is wrong";
}

static const char *money_move(struct tally *tally, const struct entry *entry)
{
	struct tally_total *total;
	const char *problem;

	if (entry->amount == ABSENT)
		return *entry->from || *entry->to || entry->from_after != ABSENT ||
				       entry->to_after != ABSENT
			       ? "accounts are named although nothing moves"
			       : NULL;
	if (!entry->amount || !strcmp(entry->from, entry->to) || !*entry->currency ||
	    entry->exp == ABSENT)
		return "an amount above zero, in a currency, moves between two accounts";
	total = total_find(tally, entry);
	if (!total)
		return "there are more currencies than are taken";
	problem = side_move(tally, total, entry, entry->from, entry->from_after, -1);
	return problem ? problem : side_move(tally, total, entry, entry->to, entry->to_after, 1);
}

/* ---- Kinds ---- */

static const char *genesis_take(struct tally *tally, const struct entry *entry)
{
	struct verifier verifier;
	const char *problem = ledger_key_parse(entry->vkey, &verifier);

	if (!problem && strcmp(verifier.name, entry->origin))
		problem = "the genesis has a key of another name";
	if (!problem)
		problem = keys_add(&tally->keys, 0, &verifier);
	memcpy(tally->origin, entry->origin, sizeof(tally->origin));
	return problem;
}

static const char *open_take(struct tally *tally, const struct entry *entry)
{
	struct tally_budget *budget;

	if (budget_find(tally, entry->budget))
		return "the name was used before";
	if (name_problem(entry->budget) || !*entry->currency || entry->exp == ABSENT)
		return "it opens no budget";
	if ((entry->amount == ABSENT ? 0 : entry->amount) != entry->terms.allowance)
		return "opening grants exactly the allowance";
	budget = calloc(1, sizeof(*budget));
	if (!budget)
		abort();
	memcpy(budget->name, entry->budget, sizeof(budget->name));
	memcpy(budget->currency, entry->currency, sizeof(budget->currency));
	budget->exp = entry->exp;
	budget->pool = entry->terms.group != ABSENT;
	HASH_ADD_STR(tally->budgets, name, budget);
	tally->count++;
	tally->open++;
	return NULL;
}

static const char *topup_problem(const struct tally *tally, const struct entry *entry)
{
	const struct tally_budget *source = budget_find(tally, entry->from);

	return source && !source->pool ? "a top-up comes from the company or from a pool" : NULL;
}

static const char *before_move(struct tally *tally, const struct entry *entry)
{
	if ((entry->kind == KIND_GENESIS) != !tally->tree.size)
		return "a ledger begins with its genesis, and has one";
	if (entry->kind == KIND_GENESIS)
		return genesis_take(tally, entry);
	if (entry->kind == KIND_OPEN)
		return open_take(tally, entry);
	if (*entry->budget && entry->kind != KIND_OTHER && !budget_find(tally, entry->budget))
		return "it is about a budget that was never opened";
	if (entry->kind == KIND_REFUND && (entry->ref == ABSENT || entry->ref >= entry->seq))
		return "it refunds an entry that is not there";
	return entry->kind == KIND_TOPUP ? topup_problem(tally, entry) : NULL;
}

static const char *key_take(struct tally *tally, const struct entry *entry)
{
	struct verifier verifier;
	const char *problem = ledger_key_parse(entry->vkey, &verifier);

	return problem ? problem : keys_add(&tally->keys, (uint64_t)entry->seq, &verifier);
}

static const char *after_move(struct tally *tally, const struct entry *entry)
{
	struct tally_budget *budget;

	if (entry->kind == KIND_KEY)
		return key_take(tally, entry);
	if (entry->kind != KIND_CLOSE)
		return NULL;
	budget = budget_find(tally, entry->budget);
	if (!budget || budget->closed || budget->balance)
		return "closing leaves nothing in an open budget";
	budget->closed = true;
	tally->open--;
	return NULL;
}

const char *tally_leaf(struct tally *tally, const char *leaf, size_t len, uint8_t hash[HASH_SIZE])
{
	uint8_t completed[MERKLE_LEVELS][HASH_SIZE];
	struct entry entry;
	const char *problem = entry_parse(leaf, len, &entry);

	if (!problem && (uint64_t)entry.seq != tally->tree.size)
		problem = "its number is not the next";
	if (!problem && tally->tree.size && entry.at <= tally->last_at)
		problem = "its time is not after the entry before";
	if (!problem)
		problem = before_move(tally, &entry);
	if (!problem)
		problem = way_problem(&entry);
	if (!problem)
		problem = money_move(tally, &entry);
	if (!problem)
		problem = after_move(tally, &entry);
	if (problem)
		return problem;
	tally->last_at = entry.at;
	merkle_leaf(leaf, len, hash);
	merkle_append(&tally->tree, hash, completed);
	return NULL;
}

void tally_release(struct tally *tally)
{
	struct tally_budget *budget, *next;

	HASH_ITER(hh, tally->budgets, budget, next) {
		HASH_DEL(tally->budgets, budget);
		free(budget);
	}
	keys_release(&tally->keys);
	*tally = (struct tally){ .count = 0 };
}

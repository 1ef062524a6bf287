#include "rules.h"

#include <string.h>

#define NUMBER_MAX ((int64_t)UINT32_MAX - 1)	/* of a uid or a gid */

const char *rules_terms_problem(const struct books *books, const struct terms *terms,
				const struct budget *self, const char **field)
{
	const struct budget *pool = books_budget(books, terms->pool), *owned;

	*field = "owner";
	if ((terms->owner == ABSENT) == (terms->group == ABSENT))
		return "a budget has either an owner or a group";
	if (terms->owner < ABSENT || terms->owner > NUMBER_MAX)
		return "an owner is a uid, below 4294967295";
	owned = books_owned(books, terms->owner);
	if (terms->owner != ABSENT && owned && owned != self)
		return "this owner has an open budget already";
	*field = "group";
	if (terms->group < ABSENT || terms->group > NUMBER_MAX)
		return "a group is a gid, below 4294967295";
	*field = "allowance";
	if (terms->allowance < 0)
		return "an allowance is zero or more";
	*field = "carry";
	if (terms->every == ABSENT || terms->carry == ABSENT)
		return "terms name a period and a carry";
	if (terms->every == PERIOD_NONE && terms->carry != CARRY_NONE)
		return "without a period nothing lapses, so there is nothing to carry over";
	*field = "cap";
	if ((terms->carry == CARRY_CAP) != (terms->cap != ABSENT))
		return "a cap goes with carry cap, and only with it";
	*field = "pool";
	if ((terms->pool[0] != '\0') != (terms->self_topup != ABSENT))
		return "a pool and what may be drawn from it in a period (self_topup) go together";
	if (terms->pool[0] && terms->owner == ABSENT)
		return "only a budget with an owner draws from a pool";
	if (terms->pool[0] && pool && pool->closed)
		return "this pool is closed; name another, or take it away with --clear pool";
	if (terms->pool[0] && (!pool || !pool->grouped))
		return "no open pool has this name";
	if (terms->pool[0] && strcmp(pool->currency, terms->currency))
		return "the pool holds another currency";
	*field = "self_topup";
	if (terms->self_topup == 0)
		return "self_topup is more than zero";
	*field = "guideline";
	if (terms->guideline == 0)
		return "a guideline is more than zero";
	return NULL;
}

/* One side of a movement: the account exists, holds this
 * currency, and is after it what the entry says. */
static const char *side_check(const struct entry *entry, const char *account,
			      const struct budget *budget, int64_t after, bool giving)
{
	int64_t balance;

	if (account_built_in(account))
		return after == ABSENT ? NULL : "a built-in account has no balance after";
	if (!budget)
		return "money moves from or to a budget that was never opened";
	if (budget->closed)
		return "money moves from or to a closed budget";
	if (strcmp(budget->currency, entry->currency) || budget->exp != entry->exp)
		return "the currency is not the budget's";
	if (giving ? !money_sub(budget->balance, entry->amount, &balance)
		   : !money_add(budget->balance, entry->amount, &balance))
		return "a balance would leave int64";
	if (balance < 0)
		return "a balance would fall below zero";
	return balance == after ? NULL : "the balance after is not what the movement makes it";
}

bool rules_totals(const struct books *books, const struct entry *entry, struct totals *ret)
{
	bool from_within = !account_built_in(entry->from), to_within = !account_built_in(entry->to);
	struct totals totals = books->totals;
	bool fits = true;

	if (!from_within && to_within)
		fits &= money_add(totals.balances, entry->amount, &totals.balances);
	if (from_within && !to_within)
		fits &= money_sub(totals.balances, entry->amount, &totals.balances);
	if (!to_within && !strcmp(entry->to, ACCOUNT_SPENT))
		fits &= money_add(totals.spent, entry->amount, &totals.spent);
	if (!from_within && !strcmp(entry->from, ACCOUNT_SPENT))
		fits &= money_sub(totals.spent, entry->amount, &totals.spent);
	*ret = totals;
	return fits && totals.spent >= 0;
}

enum movement rules_move(const struct books *books, struct budget *about, struct entry *entry,
			 const char *from, const char *to, int64_t amount)
{
	const struct budget *giver = books_party(books, from, about);
	const struct budget *taker = books_party(books, to, about);
	struct totals totals;

	text_copy(entry->from, sizeof(entry->from), from);
	text_copy(entry->to, sizeof(entry->to), to);
	entry->amount = amount;
	if (giver && giver->balance < amount)
		return MOVEMENT_SHORT;
	if (giver)
		entry->from_after = giver->balance - amount;
	if (taker && !money_add(taker->balance, amount, &entry->to_after))
		return MOVEMENT_OVERFLOW;
	return rules_totals(books, entry, &totals) ? MOVEMENT_FITS : MOVEMENT_TOTALS_OVERFLOW;
}

/* The generic money rule: true of every kind, of later ones too. */
static const char *money_check(const struct books *books, const struct entry *entry,
			       const struct parties *parties)
{
	struct totals totals;
	const char *problem;

	if (entry->amount == ABSENT) {
		if (entry->from[0] || entry->to[0] || entry->from_after != ABSENT ||
		    entry->to_after != ABSENT)
			return "accounts are named although nothing moves";
		return NULL;
	}
	if (entry->amount <= 0)
		return "the amount is not above zero";
	if (!entry->from[0] || !entry->to[0] || !strcmp(entry->from, entry->to))
		return "money moves between two accounts";
	if (!entry->currency[0] || entry->exp < 0 || entry->exp > MONEY_EXP_MAX)
		return "an amount has a currency and its exponent";
	problem = side_check(entry, entry->from, parties->from, entry->from_after, true);
	if (!problem)
		problem = side_check(entry, entry->to, parties->to, entry->to_after, false);
	if (!problem && !rules_totals(books, entry, &totals))
		problem = "a sum would leave int64";
	return problem;
}

/* What all entries must fulfil, and what a kind needs besides. */
enum need {
	NEED_MONEY = 1,		/* something moves */
	NEED_ID = 2,
	NEED_OPEN = 4,		/* the entry is about an open budget */
	NEED_CURRENT = 8,	/* its period is the budget's current one */
	NEED_REF = 16,
};

static const char *genesis_check(const struct books *books, const struct entry *entry,
				 struct budget *budget)
{
	struct verifier verifier;
	uint8_t root[HASH_SIZE];

	(void)books;
	(void)budget;
	if (!entry->currency[0] || entry->exp < 0 || entry->exp > MONEY_EXP_MAX || !entry->zone[0])
		return "the genesis lacks a currency or a time zone";
	if (origin_problem(entry->origin) || !vkey_parse(entry->vkey, &verifier) ||
	    verifier.type != KEY_ED25519 || strcmp(verifier.name, entry->origin))
		return "the genesis has no origin, or a verifier key that is not the origin's";
	if (!entry->prior_origin[0] && entry->prior_size == ABSENT && !entry->prior_root[0])
		return NULL;
	if (origin_problem(entry->prior_origin) || !strcmp(entry->prior_origin, entry->origin) ||
	    entry->prior_size <= 0 ||
	    !base64_decode(entry->prior_root, strlen(entry->prior_root), root, sizeof(root)))
		return "the genesis does not name another ledger's head as its prior one";
	return NULL;
}

static const char *key_check(const struct books *books, const struct entry *entry,
			     struct budget *budget)
{
	struct verifier verifier;

	(void)budget;
	if (!vkey_parse(entry->vkey, &verifier) || verifier.type != KEY_ED25519 ||
	    strcmp(verifier.name, books->origin))
		return "the new verifier key is none of this origin";
	if (!strcmp(entry->vkey, books->keys.vkey))
		return "the new key is the one that signs already";
	if (entry->ref != books->keys.entry)
		return "it does not refer to the entry that named the key before";
	return entry->until < entry->at ? "the old key must sign the head that brings the new one"
					: NULL;
}

/* The label fits the terms' period. */
static bool label_fits(const struct entry *entry)
{
	return entry->terms.every == PERIOD_NONE
		       ? !entry->period[0]
		       : label_kind(entry->period) == (enum period)entry->terms.every;
}

static const char *open_check(const struct books *books, const struct entry *entry,
			      struct budget *budget)
{
	const char *field, *problem = rules_terms_problem(books, &entry->terms, NULL, &field);

	if (problem)
		return problem;
	if (budget)
		return "the name was used before";
	if (name_problem(entry->budget))
		return "this is no name for a budget";
	if (!entry->currency[0] || entry->exp < 0 || entry->exp > MONEY_EXP_MAX)
		return "a budget has a currency and its exponent";
	if (!label_fits(entry))
		return "the period does not fit the terms";
	if (entry->terms.allowance != (entry->amount == ABSENT ? 0 : entry->amount))
		return "opening grants exactly the allowance";
	return NULL;
}

static const char *adjust_check(const struct books *books, const struct entry *entry,
				struct budget *budget)
{
	const char *field, *problem = rules_terms_problem(books, &entry->terms, budget, &field);
	char begins[LABEL_SIZE], ends[LABEL_SIZE];

	if (problem)
		return problem;
	if (strcmp(entry->currency, budget->currency) || entry->exp != budget->exp)
		return "a budget keeps its currency";
	if ((entry->terms.owner == ABSENT) != budget->grouped)
		return "a pool stays a pool, and an owner's budget an owner's";
	if (!label_fits(entry))
		return "the period does not fit the terms";
	if (entry->terms.every == budget->every && strcmp(entry->period, budget->current))
		return "the period is not the budget's current one";
	if (!label_first_day(budget->current, begins) || !label_last_day(entry->period, ends))
		return NULL;
	return strcmp(ends, begins) < 0 ? "the period was over before the current one began" : NULL;
}

static const char *close_check(const struct books *books, const struct entry *entry,
			       struct budget *budget)
{
	(void)books;
	if (entry->amount == ABSENT)
		return budget->balance ? "closing sweeps what is left" : NULL;
	if (strcmp(entry->from, entry->budget) || strcmp(entry->to, ACCOUNT_COMPANY) ||
	    entry->from_after != 0)
		return "closing sweeps what is left to the company";
	return NULL;
}

static const char *topup_check(const struct books *books, const struct entry *entry,
			       struct budget *budget)
{
	const struct budget *pool = books_budget(books, entry->from);

	if (strcmp(entry->to, entry->budget))
		return "a top-up goes to the budget it is about";
	if (strcmp(entry->from, ACCOUNT_COMPANY) && (!pool || !pool->grouped))
		return "a top-up comes from the company or from a pool";
	if (books_is_draw(books, budget, entry) && entry->amount > budget_draw_left(budget))
		return "more was drawn from the pool than the terms allow in a period";
	return NULL;
}

static const char *spend_check(const struct books *books, const struct entry *entry,
			       struct budget *budget)
{
	int64_t spent;

	(void)books;
	if (strcmp(entry->from, entry->budget) || strcmp(entry->to, ACCOUNT_SPENT))
		return "a spend takes from the budget it is about";
	if (!money_add(budget->spent, entry->amount, &spent))
		return "what is spent in the period would leave int64";
	return NULL;
}

/* What the budget keeps at a reset. */
static int64_t carried(const struct budget *budget)
{
	switch (budget->carry) {
	case CARRY_ALL:
		return budget->balance;
	case CARRY_CAP:
		return budget->balance < budget->cap ? budget->balance : budget->cap;
	default:
		return 0;
	}
}

static const char *grant_check(const struct entry *entry, const struct budget *budget)
{
	if (entry->amount != budget->allowance)
		return "a reset grants exactly the allowance";
	if (strcmp(entry->from, ACCOUNT_COMPANY) || strcmp(entry->to, entry->budget))
		return "the allowance comes from the company";
	return NULL;
}

/* First what lapses, then the allowance: two adjacent
 * entries, or one where only one moves, or neither. */
static const char *reset_check(const struct books *books, const struct entry *entry,
			       struct budget *budget)
{
	char next[LABEL_SIZE];
	int64_t lapse = budget->balance - carried(budget);

	if (books->totals.granting)
		return strcmp(entry->period, budget->current) ? "the allowance is of another period"
							      : grant_check(entry, budget);
	if (!label_next(budget->current, next) || strcmp(entry->period, next))
		return "the period is not the one after the last that was posted";
	if (!lapse && budget->allowance)
		return entry->amount == ABSENT ? "the allowance was not granted"
					       : grant_check(entry, budget);
	if (!lapse)
		return entry->amount == ABSENT ? NULL : "there is nothing to lapse or to grant";
	if (entry->amount != lapse || strcmp(entry->from, entry->budget) ||
	    strcmp(entry->to, ACCOUNT_COMPANY))
		return "what the terms do not carry over goes to the company, exactly";
	return NULL;
}

static const char *refund_check(const struct books *books, const struct entry *entry,
				struct budget *budget)
{
	struct entry original;
	const struct budget *source;
	const char *from, *to;
	int64_t refunded;

	if (!books_entry(books, entry->ref, &original))
		return "it refunds an entry that is not there";
	if (original.kind != KIND_SPEND && original.kind != KIND_TOPUP)
		return "only a spend or a top-up is refunded";
	if (strcmp(original.budget, entry->budget) || strcmp(original.category, entry->category))
		return "it is not about the budget and category of what it refunds";
	if (!money_add(books_refunded(books, entry->ref), entry->amount, &refunded) ||
	    refunded > original.amount)
		return "more is refunded than was paid";
	source = books_budget(books, original.from);
	from = original.to;
	to = source && source->closed ? ACCOUNT_COMPANY : original.from;
	if (strcmp(entry->from, from) || strcmp(entry->to, to))
		return "the money does not go back where it came from";
	if (strcmp(entry->period, budget->closed ? "" : budget->current))
		return "the period is not the budget's current one";
	return NULL;
}

static const char *audit_check(const struct books *books, const struct entry *entry,
			       struct budget *budget)
{
	(void)books;
	(void)budget;
	return label_kind(entry->period) == PERIOD_DAY ? NULL : "an audit has its day as period";
}

static const struct rule {
	unsigned needs;
	bool money;	/* may move money at all */
	const char *(*check)(const struct books *, const struct entry *, struct budget *);
} rules[KIND_COUNT] = {
	[KIND_OTHER] = { 0, true, NULL },
	[KIND_GENESIS] = { 0, false, genesis_check },
	[KIND_BOOT] = { 0, false, NULL },
	[KIND_OPEN] = { NEED_ID, true, open_check },
	[KIND_ADJUST] = { NEED_ID | NEED_OPEN, false, adjust_check },
	[KIND_CLOSE] = { NEED_ID | NEED_OPEN | NEED_CURRENT, true, close_check },
	[KIND_TOPUP] = { NEED_ID | NEED_OPEN | NEED_CURRENT | NEED_MONEY, true, topup_check },
	[KIND_RESET] = { NEED_OPEN, true, reset_check },
	[KIND_SPEND] = { NEED_ID | NEED_OPEN | NEED_CURRENT | NEED_MONEY, true, spend_check },
	[KIND_REFUND] = { NEED_ID | NEED_REF | NEED_MONEY, true, refund_check },
	[KIND_AUDIT] = { NEED_ID, false, audit_check },
	[KIND_KEY] = { 0, false, key_check },
};

static const char *needs_check(const struct rule *rule, const struct entry *entry,
			       const struct budget *budget)
{
	if ((rule->needs & NEED_ID) && !entry_has_id(entry))
		return "the request's id is missing";
	if ((rule->needs & NEED_MONEY) && entry->amount == ABSENT)
		return "the amount is missing";
	if (!rule->money && entry->amount != ABSENT)
		return "money moves in an entry that moves none";
	if ((rule->needs & NEED_REF) && (entry->ref == ABSENT || !budget))
		return "the entry it refers to is missing";
	if ((rule->needs & NEED_OPEN) && (!budget || budget->closed))
		return "it is about a budget that is not open";
	if ((rule->needs & NEED_CURRENT) && strcmp(entry->period, budget->current))
		return "the period is not the budget's current one";
	return NULL;
}

/* Opening grants to a budget that is not there yet: as if it were, and empty. */
static const char *opening_money_check(const struct books *books, const struct entry *entry,
				       const struct parties *parties)
{
	struct totals totals;

	if (entry->amount == ABSENT)
		return money_check(books, entry, parties);
	if (strcmp(entry->from, ACCOUNT_COMPANY) || strcmp(entry->to, entry->budget) ||
	    entry->from_after != ABSENT || entry->to_after != entry->amount || entry->amount <= 0)
		return "opening grants the allowance from the company";
	return rules_totals(books, entry, &totals) ? NULL : "a sum would leave int64";
}

const char *rules_check(const struct books *books, const struct entry *entry,
			const struct parties *parties)
{
	const struct rule *rule = &rules[entry->kind];
	struct budget *budget = parties->about;
	const char *problem;

	if ((uint64_t)entry->seq != books->totals.size)
		return "the sequence number is not the next";
	if (!books->totals.size != (entry->kind == KIND_GENESIS))
		return "a ledger begins with its genesis";
	if (entry->at <= books->totals.last_at)
		return "the time is not after the entry before";
	if (books->totals.granting &&
	    (entry->kind != KIND_RESET || budget != books->totals.granting))
		return "a reset's allowance does not follow what lapsed";
	if (entry_has_id(entry) && books_request(books, entry->uid, entry->id) != ABSENT)
		return "the request's id was used before";
	if (entry->budget[0] && !budget && entry->kind != KIND_OPEN)
		return "it is about a budget that was never opened";
	problem = needs_check(rule, entry, budget);
	if (!problem)
		problem = entry->kind == KIND_OPEN ? opening_money_check(books, entry, parties)
						   : money_check(books, entry, parties);
	if (!problem && rule->check)
		problem = rule->check(books, entry, budget);
	return problem;
}

/*
 * Spend, top up, refund.
 */
#include "plan.h"

#include <string.h>

#include "rules.h"

static bool in_group(const struct actor *actor, int64_t gid)
{
	for (size_t i = 0; i < actor->group_count; i++)
		if ((int64_t)actor->groups[i] == gid)
			return true;
	return false;
}

bool actor_may_spend(const struct actor *actor, const struct budget *budget)
{
	return budget->grouped ? in_group(actor, budget->number) : budget->number == actor->uid;
}

bool actor_may_read(const struct actor *actor, const struct budget *budget)
{
	return (actor->roles & (ROLE_MANAGER | ROLE_AUDITOR)) || actor_may_spend(actor, budget);
}

void budget_next_reset(const struct budget *budget, char ret[LABEL_SIZE])
{
	char next[LABEL_SIZE];

	ret[0] = '\0';
	if (!budget->closed && budget->current[0] && label_next(budget->current, next))
		label_first_day(next, ret);
}

/* An entry about a budget, in its currency and its current period. */
static void entry_about(struct entry *entry, enum kind kind, const struct actor *actor,
			const struct budget *budget)
{
	entry_clear(entry);
	entry->kind = kind;
	text_copy(entry->kind_name, sizeof(entry->kind_name), kind_word(kind));
	entry->uid = actor->uid;
	strcpy(entry->budget, budget->name);
	memcpy(entry->currency, budget->currency, sizeof(entry->currency));
	entry->exp = budget->exp;
	memcpy(entry->period, budget->current, sizeof(entry->period));
}

static enum err check_currency(const struct budget *budget, const char *currency,
			       const struct json_int *exp, struct refusal *refusal)
{
	if (!strcmp(currency, budget->currency) &&
	    (!exp->set || exp->value == budget->exp))
		return ERR_NONE;
	refuse_budget(refusal, ERR_CURRENCY_MISMATCH, budget->name);
	memcpy(refusal->currency, budget->currency, sizeof(refusal->currency));
	refusal->exp = budget->exp;
	return refusal->code;
}

/* What `budget` has, when more comes, and what the actor could draw from its pool right now. */
static enum err refuse_short(const struct books *books, const struct actor *actor,
			     const struct budget *budget, struct refusal *refusal)
{
	const struct budget *pool = books_pool(books, budget);
	int64_t left = budget_draw_left(budget);

	refuse_budget(refusal, ERR_INSUFFICIENT_FUNDS, budget->name);
	refusal->available = budget->balance;
	memcpy(refusal->currency, budget->currency, sizeof(refusal->currency));
	refusal->exp = budget->exp;
	budget_next_reset(budget, refusal->next_reset);
	if (pool && !pool->closed && budget_owner(budget) == actor->uid) {
		strcpy(refusal->pool, pool->name);
		refusal->pool_usable = left < pool->balance ? left : pool->balance;
	}
	return refusal->code;
}

static enum err refuse_limit(const struct budget *budget, int64_t limit, int64_t left,
			     struct refusal *refusal)
{
	refuse_budget(refusal, ERR_LIMIT_REACHED, budget->name);
	refusal->limit = limit;
	refusal->left = left;
	memcpy(refusal->currency, budget->currency, sizeof(refusal->currency));
	refusal->exp = budget->exp;
	return refusal->code;
}

/* Moves the money in the entry, or says whose money is short. */
static enum err move(const struct books *books, const struct actor *actor, struct budget *about,
		     struct entry *entry, const char *from, const char *to, int64_t amount,
		     struct refusal *refusal)
{
	switch (rules_move(books, about, entry, from, to, amount)) {
	case MOVEMENT_FITS:
		return ERR_NONE;
	case MOVEMENT_SHORT:
		return refuse_short(books, actor, books_party(books, from, about), refusal);
	case MOVEMENT_OVERFLOW:
		return refuse_budget(refusal, ERR_OVERFLOW, to);
	default:
		return refuse(refusal, ERR_OVERFLOW);
	}
}

/* ---- Spend ---- */

/* The only pool the actor is in; with several, or none, the names there are. */
static enum err only_pool(const struct books *books, const struct actor *actor,
			  struct budget **ret, struct refusal *refusal)
{
	struct budget *found = NULL;

	refuse(refusal, ERR_BUDGET_NEEDED);
	for (size_t i = 0; i < books->budgets.pool_count; i++) {
		struct budget *pool = books->budgets.pools[i];

		if (pool->closed || !in_group(actor, pool->number))
			continue;
		found = pool;
		if (refusal->budget_count < REFUSAL_BUDGETS_MAX)
			strcpy(refusal->budgets[refusal->budget_count++], pool->name);
	}
	if (refusal->budget_count != 1)
		return refusal->code;
	*ret = found;
	return ERR_NONE;
}

static enum err spend_budget(const struct books *books, const struct actor *actor,
			     const char *name, struct budget **ret, struct refusal *refusal)
{
	struct budget *budget = name ? books_budget(books, name) : books_owned(books, actor->uid);

	if (!name && !budget)
		return only_pool(books, actor, ret, refusal);
	if (!budget)
		return refuse_budget(refusal, ERR_UNKNOWN_BUDGET, name);
	if (!actor_may_spend(actor, budget))
		return refuse_words(refusal, ERR_NOT_PERMITTED, "",
				    "%s is not yours to spend from: %s", budget->name,
				    budget->grouped ? "you are not in its group"
						    : "only its owner does");
	if (budget->closed)
		return refuse_budget(refusal, ERR_BUDGET_CLOSED, budget->name);
	*ret = budget;
	return ERR_NONE;
}

enum err plan_spend(const struct books *books, const struct actor *actor,
		    const struct spend_request *request, struct entry *ret,
		    struct refusal *refusal)
{
	struct budget *budget = NULL;
	int64_t spent;
	enum err err = spend_budget(books, actor, request->budget, &budget, refusal);

	if (!err)
		err = check_currency(budget, request->currency, &request->exp, refusal);
	if (err)
		return err;
	entry_about(ret, KIND_SPEND, actor, budget);
	if (request->category)
		text_copy(ret->category, sizeof(ret->category), request->category);
	err = move(books, actor, budget, ret, budget->name, ACCOUNT_SPENT, request->amount.value,
		   refusal);
	if (!err && !money_add(budget->spent, request->amount.value, &spent))
		return refuse_budget(refusal, ERR_OVERFLOW, budget->name);
	return err;
}

/* ---- Top up ---- */

/* Whether the actor must not act as manager here: that is for another manager. */
static bool own_rule(const struct actor *actor, const struct budget *budget)
{
	return !actor->unrestricted && budget_owner(budget) == actor->uid;
}

static enum err topup_budget(const struct books *books, const struct actor *actor,
			     const char *name, struct budget **ret, struct refusal *refusal)
{
	*ret = name ? books_budget(books, name) : books_owned(books, actor->uid);
	if (!*ret && !name)
		return refuse(refusal, ERR_BUDGET_NEEDED);
	if (!*ret)
		return refuse_budget(refusal, ERR_UNKNOWN_BUDGET, name);
	if (!(actor->roles & ROLE_MANAGER) && budget_owner(*ret) != actor->uid)
		return refuse_words(refusal, ERR_NOT_PERMITTED, "",
				    "%s is not your own budget: a manager tops it up", name);
	if ((*ret)->closed)
		return refuse_budget(refusal, ERR_BUDGET_CLOSED, (*ret)->name);
	return ERR_NONE;
}

/* Where the money comes from: a manager's from the company unless said otherwise, one's own from
 * its pool; "": it has none. */
static const char *topup_source(const struct books *books, const struct actor *actor,
				const struct topup_request *request, const struct budget *budget)
{
	const struct budget *pool = books_pool(books, budget);

	if (request->from)
		return request->from;
	if (request->budget && (actor->roles & ROLE_MANAGER) && !own_rule(actor, budget))
		return ACCOUNT_COMPANY;
	return pool ? pool->name : "";
}

/* The owner's own draw: from the pool the terms name, within what they allow in a period. */
static enum err draw_check(const struct books *books, const struct budget *budget,
			   const char *from, int64_t amount, struct refusal *refusal)
{
	const struct budget *pool = books_pool(books, budget);

	if (!pool)
		return refuse_words(refusal, ERR_NOT_PERMITTED, "",
				    "%s has no pool to draw from: a manager tops it up",
				    budget->name);
	if (!strcmp(from, ACCOUNT_COMPANY))
		return refuse_words(refusal, ERR_NOT_PERMITTED, "",
				    "%s is your own budget: from the company another manager tops "
				    "it up", budget->name);
	if (strcmp(from, pool->name))
		return refuse_words(refusal, ERR_NOT_PERMITTED, "",
				    "%s draws from %s, not from %s", budget->name,
				    pool->name, from);
	if (amount > budget_draw_left(budget))
		return refuse_limit(budget, budget->self_topup, budget_draw_left(budget),
				    refusal);
	return ERR_NONE;
}

static enum err source_check(const struct books *books, const struct budget *budget,
			     const char *from, struct refusal *refusal)
{
	const struct budget *pool = books_budget(books, from);

	if (!strcmp(from, ACCOUNT_COMPANY))
		return ERR_NONE;
	if (!pool)
		return refuse_budget(refusal, ERR_UNKNOWN_BUDGET, from);
	if (!pool->grouped || pool == budget)
		return refuse_words(refusal, ERR_MALFORMED, "from",
				    "money comes from the company or from another pool, a budget "
				    "with a group");
	if (pool->closed)
		return refuse_budget(refusal, ERR_BUDGET_CLOSED, pool->name);
	return check_currency(pool, budget->currency, &(struct json_int){ 0 }, refusal);
}

enum err plan_topup(const struct books *books, const struct actor *actor,
		    const struct topup_request *request, struct entry *ret,
		    struct refusal *refusal)
{
	int64_t amount = request->amount.value;
	struct budget *budget = NULL;
	const struct budget *pool;
	const char *from;
	bool own;
	enum err err = topup_budget(books, actor, request->budget, &budget, refusal);

	if (!err)
		err = check_currency(budget, request->currency, &request->exp, refusal);
	if (err)
		return err;
	from = topup_source(books, actor, request, budget);
	pool = books_pool(books, budget);
	own = !(actor->roles & ROLE_MANAGER) || own_rule(actor, budget) ||
	      (pool && budget_owner(budget) == actor->uid && !strcmp(from, pool->name));
	if (own)
		err = draw_check(books, budget, from, amount, refusal);
	if (!err)
		err = source_check(books, budget, from, refusal);
	if (err)
		return err;
	entry_about(ret, KIND_TOPUP, actor, budget);
	return move(books, actor, budget, ret, from, budget->name, amount, refusal);
}

/* ---- Refund ---- */

static enum err refund_original(const struct books *books, const struct actor *actor, int64_t ref,
				struct entry *ret, struct refusal *refusal)
{
	bool manager = actor->roles & ROLE_MANAGER;

	if ((uint64_t)ref < books->totals.size && !books_entry(books, ref, ret))
		return refuse_words(refusal, ERR_UNAVAILABLE, "",
				    "entry %lld cannot be read just now", (long long)ref);
	if ((uint64_t)ref >= books->totals.size) {
		refuse(refusal, ERR_UNKNOWN_ENTRY);
		refusal->seq = ref;
		return refusal->code;
	}
	if (ret->uid != actor->uid && !(manager && ret->kind != KIND_TOPUP))
		return refuse_words(refusal, ERR_NOT_PERMITTED, "",
				    "entry %lld was not made by you: a spend is refunded by its "
				    "spender or a manager, a top-up by who made it",
				    (long long)ref);
	if (ret->kind == KIND_REFUND)
		return refuse_words(refusal, ERR_MALFORMED, "ref",
				    "entry %lld is a refund itself, of entry %lld; a refund is "
				    "corrected by spending again", (long long)ref,
				    (long long)ret->ref);
	if (ret->kind != KIND_SPEND && ret->kind != KIND_TOPUP)
		return refuse_words(refusal, ERR_MALFORMED, "ref",
				    "entry %lld is no spend and no top-up; only those are refunded",
				    (long long)ref);
	return ERR_NONE;
}

/* Without an amount, all that is left of it; of a top-up, only what is still there. */
static int64_t refund_amount(const struct refund_request *request, const struct entry *original,
			     const struct budget *budget, int64_t left)
{
	if (request->amount.set)
		return request->amount.value;
	if (original->kind == KIND_TOPUP && budget->balance < left && budget->balance > 0)
		return budget->balance;
	return left;
}

enum err plan_refund(const struct books *books, const struct actor *actor,
		     const struct refund_request *request, struct entry *ret,
		     struct refusal *refusal)
{
	int64_t left, amount, ref = request->ref.value;
	const struct budget *source;
	struct budget *budget;
	struct entry original;
	enum err err = refund_original(books, actor, ref, &original, refusal);

	if (err)
		return err;
	budget = books_budget(books, original.budget);
	if (budget->closed && original.kind == KIND_TOPUP)
		return refuse_budget(refusal, ERR_BUDGET_CLOSED, budget->name);
	left = original.amount - books_refunded(books, ref);
	amount = refund_amount(request, &original, budget, left);
	if (amount > left || !left)
		return refuse_limit(budget, original.amount, left, refusal);
	entry_about(ret, KIND_REFUND, actor, budget);
	ret->ref = ref;
	memcpy(ret->category, original.category, sizeof(ret->category));
	if (budget->closed)
		ret->period[0] = '\0';
	source = books_budget(books, original.from);
	return move(books, actor, budget, ret, original.to,
		    source && source->closed ? ACCOUNT_COMPANY : original.from, amount, refusal);
}

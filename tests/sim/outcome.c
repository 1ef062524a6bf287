/*
 * What a request comes to in a ledger of some size: the rules of the fund, from the words of the
 * design alone.
 */
#include <string.h>

#include "model.h"
#include "people.h"
#include "world.h"

static bool is(const struct record *record, const char *kind)
{
	return !strcmp(record->kind, kind);
}

/* The person's open budget; NOBODY. */
static int owned_by(int64_t uid, size_t size)
{
	for (int i = 0; i < BUDGETS; i++) {
		struct model_budget budget = model_decided(i, size);

		if (budget.there && !budget.closed && budget.terms.owner == uid)
			return i;
	}
	return NOBODY;
}

static __int128 balances(size_t size)
{
	__int128 sum = 0;

	for (int i = 0; i < BUDGETS; i++)
		sum += model_budget(i, size).balance;
	return sum;
}

static __int128 all_spent(size_t size)
{
	__int128 sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += model_record(i)->to == SPENT     ? model_record(i)->amount
		       : model_record(i)->from == SPENT ? -model_record(i)->amount
							: 0;
	return sum;
}

/* ---- What a request comes to ---- */

static struct outcome refused(const char *error)
{
	return (struct outcome){ .error = error };
}

static bool too_much(__int128 sum)
{
	return sum > INT64_MAX;
}

/* Moves the amount: not below zero, and no sum above what an int64 holds. */
static struct outcome moved(int about, int from, int to, int64_t amount, size_t size)
{
	struct outcome ret = { .budget = about, .from = from, .to = to, .amount = amount };

	if (from >= 0 && model_budget(from, size).balance < amount) {
		ret.error = "InsufficientFunds";
		ret.budget = from;
		ret.available = model_budget(from, size).balance;
		return ret;
	}
	if (to >= 0 && too_much((__int128)model_budget(to, size).balance + amount))
		return refused("Overflow");
	if (from < 0 && to >= 0 && too_much(balances(size) + amount))
		return refused("Overflow");
	if (to == SPENT && too_much(all_spent(size) + amount))
		return refused("Overflow");
	strcpy(ret.period, model_budget(about, size).current);
	return ret;
}

static struct outcome spend_outcome(const struct content *content, const struct person *person,
				    size_t size)
{
	int budget = content->budget, pools = 0;
	struct model_budget state;
	struct outcome ret;

	if (budget == NOBODY)
		budget = owned_by(person->uid, size);
	for (int i = 0; i < BUDGETS && (budget == NOBODY || pools); i++) {
		state = model_decided(i, size);
		if (!state.there || state.closed || state.terms.owner != NOT ||
		    !model_in_group(person, state.terms.group))
			continue;
		budget = i;
		pools++;
	}
	if (budget == NOBODY || pools > 1)
		return refused("BudgetNeeded");
	state = model_budget(budget, size);
	if (!state.there)
		return refused("UnknownBudget");
	if (!model_may_spend(person, &state))
		return refused("NotPermitted");
	if (state.closed)
		return refused("BudgetClosed");
	if (state.terms.currency != content->currency)
		return refused("CurrencyMismatch");
	ret = moved(budget, budget, SPENT, content->amount, size);
	if (!ret.error && too_much((__int128)state.spent + content->amount))
		return refused("Overflow");
	return ret;
}

/* May one draw that much into one's own budget? */
static const char *draw_error(const struct model_budget *budget, int from, int64_t amount)
{
	if (budget->terms.pool == NOBODY || from != budget->terms.pool)
		return "NotPermitted";
	return amount > model_draw_left(budget) ? "LimitReached" : NULL;
}

static const char *source_error(int from, int to, int currency, size_t size)
{
	struct model_budget pool = model_budget(from, size);

	if (from == COMPANY)
		return NULL;
	if (!pool.there)
		return "UnknownBudget";
	if (pool.terms.group == NOT || from == to)
		return "Malformed";
	if (pool.closed)
		return "BudgetClosed";
	return pool.terms.currency == currency ? NULL : "CurrencyMismatch";
}

static struct outcome topup_outcome(const struct content *content, const struct person *person,
				    unsigned roles, size_t size)
{
	int to = content->budget == NOBODY ? owned_by(person->uid, size) : content->budget, from;
	struct model_budget state = model_budget(to, size);
	bool own = !(roles & MANAGER) || state.terms.owner == person->uid;
	const char *error = NULL;

	if (to == NOBODY)
		return refused("BudgetNeeded");
	if (!state.there)
		return refused("UnknownBudget");
	if (own && state.terms.owner != person->uid)
		return refused("NotPermitted");
	if (state.closed)
		return refused("BudgetClosed");
	if (state.terms.currency != content->currency)
		return refused("CurrencyMismatch");
	from = content->from != NOBODY ? content->from : own ? state.terms.pool : COMPANY;
	if (own)
		error = draw_error(&state, from, content->amount);
	if (!error)
		error = source_error(from, to, state.terms.currency, size);
	return error ? refused(error) : moved(to, from, to, content->amount, size);
}


static struct outcome refund_outcome(const struct content *content, const struct person *person,
				     unsigned roles, size_t size)
{
	const struct record *paid;
	struct model_budget state;
	int64_t left, amount;
	struct outcome ret;

	if (content->ref >= (int64_t)size)
		return refused("UnknownEntry");
	paid = model_record((size_t)content->ref);
	if (paid->uid != person->uid && !(roles & MANAGER && !is(paid, "topup")))
		return refused("NotPermitted");
	if (!is(paid, "spend") && !is(paid, "topup"))
		return refused("Malformed");
	state = model_budget(paid->budget, size);
	if (state.closed && is(paid, "topup"))
		return refused("BudgetClosed");
	left = paid->amount - model_refunded(content->ref, size);
	amount = content->amount ? content->amount : left;
	if (!content->amount && is(paid, "topup") && state.balance && state.balance < left)
		amount = state.balance;
	if (!left || amount > left)
		return refused("LimitReached");
	ret = moved(paid->budget, paid->to,
		    paid->from >= 0 && model_budget(paid->from, size).closed ? COMPANY : paid->from,
		    amount, size);
	if (state.closed)
		ret.period[0] = '\0';
	return ret;
}

static const char *terms_error(const struct model_terms *terms, int self, size_t size)
{
	int other = terms->owner == NOT ? NOBODY : owned_by(terms->owner, size);
	struct model_budget pool = model_budget(terms->pool, size);

	if (other != NOBODY && other != self)
		return "BudgetExists";
	if ((terms->owner == NOT) == (terms->group == NOT) ||
	    (terms->every == EVERY_NONE && terms->keep != KEEP_NONE) ||
	    (terms->keep == KEEP_CAP) != (terms->cap != NOT) ||
	    (terms->pool != NOBODY) != (terms->self_topup != NOT))
		return "Malformed";
	if (terms->pool != NOBODY &&
	    (terms->owner == NOT || !pool.there || pool.closed || pool.terms.group == NOT ||
	     pool.terms.currency != terms->currency))
		return "Malformed";
	return NULL;
}

/* What is given replaces what is there. */
static void terms_given(struct model_terms *terms, const struct model_terms *given)
{
	if (given->keep != NOT) {
		terms->keep = given->keep;
		terms->cap = NOT;
	}
	if (given->every != NOT)
		terms->every = given->every;
	if (given->pool != NOBODY)
		terms->pool = given->pool;
	if (given->owner != NOT)
		terms->owner = given->owner;
	if (given->group != NOT)
		terms->group = given->group;
	if (given->allowance != NOT)
		terms->allowance = given->allowance;
	if (given->cap != NOT)
		terms->cap = given->cap;
	if (given->self_topup != NOT)
		terms->self_topup = given->self_topup;
}

static struct outcome open_outcome(const struct content *content, const struct person *person,
				   unsigned roles, size_t size)
{
	struct model_terms terms = { .owner = NOT, .group = NOT, .cap = NOT, .self_topup = NOT,
				     .pool = NOBODY, .currency = content->currency };
	struct outcome ret;
	const char *error;

	if (!(roles & MANAGER))
		return refused("NotPermitted");
	if (model_budget(content->budget, size).there)
		return refused(model_budget(content->budget, size).closed ? "BudgetClosed"
									  : "BudgetExists");
	terms.every = content->terms.allowance > 0 ? EVERY_MONTH : EVERY_NONE;
	terms_given(&terms, &content->terms);
	if (terms.owner == person->uid)
		return refused("NotPermitted");
	error = terms_error(&terms, NOBODY, size);
	if (error)
		return refused(error);
	ret = moved(content->budget, terms.allowance ? COMPANY : NOBODY,
		    terms.allowance ? content->budget : NOBODY, terms.allowance, size);
	ret.terms = terms;
	label_at(clock_told(), terms.every, ret.period);
	return ret;
}

/* The period that goes on when a budget changes to another length. */
static void period_changes(const struct model_budget *budget, int every, char ret[LABEL])
{
	char today[LABEL], first[LABEL], last[LABEL];

	label_at(clock_told(), EVERY_DAY, today);
	label_at(clock_told(), every, ret);
	if (!budget->current[0] || every == EVERY_NONE)
		return;
	label_ends(budget->current, last);
	label_starts(budget->current, first);
	if (strcmp(last, today) < 0)
		label_like(last, every, ret);
	if (strcmp(first, today) > 0)
		label_like(first, every, ret);
}

static struct outcome adjust_outcome(const struct content *content, const struct person *person,
				     unsigned roles, size_t size)
{
	struct model_budget state = model_budget(content->budget, size);
	struct outcome ret = { .budget = content->budget, .from = NOBODY, .to = NOBODY };
	struct model_terms terms = state.terms;
	const char *error;

	if (!(roles & MANAGER))
		return refused("NotPermitted");
	if (!state.there)
		return refused("UnknownBudget");
	if (state.closed)
		return refused("BudgetClosed");
	if (state.terms.owner == person->uid)
		return refused("NotPermitted");
	if (content->clear_pool) {
		terms.pool = NOBODY;
		terms.self_topup = NOT;
	}
	terms_given(&terms, &content->terms);
	if ((terms.owner == NOT) != (state.terms.owner == NOT) ||
	    (terms.group == NOT) != (state.terms.group == NOT))
		return refused("Malformed");
	if (terms.owner == person->uid)
		return refused("NotPermitted");
	error = terms_error(&terms, content->budget, size);
	if (error)
		return refused(error);
	ret.terms = terms;
	strcpy(ret.period, state.current);
	if (terms.every != state.terms.every)
		period_changes(&state, terms.every, ret.period);
	return ret;
}

static struct outcome close_outcome(const struct content *content, const struct person *person,
				    unsigned roles, size_t size)
{
	struct model_budget state = model_budget(content->budget, size);

	if (!(roles & MANAGER))
		return refused("NotPermitted");
	if (!state.there)
		return refused("UnknownBudget");
	if (state.closed)
		return refused("BudgetClosed");
	if (state.terms.owner == person->uid)
		return refused("NotPermitted");
	return moved(content->budget, state.balance ? content->budget : NOBODY,
		     state.balance ? COMPANY : NOBODY, state.balance, size);
}

struct outcome model_outcome(const struct content *content, const struct person *person,
			     unsigned roles, size_t size)
{
	switch (content->kind) {
	case ACT_SPEND:
		return spend_outcome(content, person, size);
	case ACT_TOPUP:
		return topup_outcome(content, person, roles, size);
	case ACT_REFUND:
		return refund_outcome(content, person, roles, size);
	case ACT_OPEN:
		return open_outcome(content, person, roles, size);
	case ACT_ADJUST:
		return adjust_outcome(content, person, roles, size);
	default:
		return close_outcome(content, person, roles, size);
	}
}

/*
 * Reset: one budget's next period begins. What the terms do not carry over lapses, then the
 * allowance is granted.
 */
#include "plan.h"

#include <string.h>

#include "rules.h"

bool reset_due(const struct budget *budget, const struct calendar *now, const char *until)
{
	enum period every = (enum period)budget->every;
	const char *last = calendar_label(now, every);

	if (budget->closed || every == PERIOD_NONE || (*until && label_kind(until) != every))
		return false;
	if (*until && strcmp(until, last) < 0)
		last = until;
	return strcmp(budget->current, last) < 0;
}

static int64_t lapsing(const struct budget *budget)
{
	if (budget->carry == CARRY_ALL)
		return 0;
	if (budget->carry == CARRY_CAP)
		return budget->balance > budget->cap ? budget->balance - budget->cap : 0;
	return budget->balance;
}

static void reset_entry(const struct actor *actor, const struct budget *budget, const char *label,
			struct entry *ret)
{
	entry_clear(ret);
	ret->kind = KIND_RESET;
	memcpy(ret->kind_name, kind_word(KIND_RESET), sizeof("reset"));
	ret->uid = actor->uid;
	strcpy(ret->budget, budget->name);
	memcpy(ret->currency, budget->currency, sizeof(ret->currency));
	ret->exp = budget->exp;
	memcpy(ret->period, label, sizeof(ret->period));
}

/* The allowance comes on top of what was carried over;
 * both that and all balances together must fit. */
enum err reset_ahead(struct budget *copy, int64_t *total, struct refusal *refusal)
{
	int64_t lapse = lapsing(copy), balance, sum;
	char label[LABEL_SIZE];

	if (!label_next(copy->current, label) ||
	    !money_add(copy->balance - lapse, copy->allowance, &balance))
		return refuse_budget(refusal, ERR_OVERFLOW, copy->name);
	if (!money_add(*total - lapse, copy->allowance, &sum))
		return refuse(refusal, ERR_OVERFLOW);
	*total = sum;
	copy->balance = balance;
	memcpy(copy->current, label, sizeof(label));
	return ERR_NONE;
}

enum err plan_reset(const struct books *books, const struct actor *actor, struct budget *budget,
		    struct entry ret[2], unsigned *count, struct refusal *refusal)
{
	int64_t lapse = lapsing(budget), allowance = budget->allowance,
		total = books->totals.balances;
	struct budget ahead = *budget;
	const char *label = ahead.current;
	enum err err = reset_ahead(&ahead, &total, refusal);

	if (err)
		return err;
	*count = 0;
	if (lapse) {
		reset_entry(actor, budget, label, &ret[*count]);
		rules_move(books, budget, &ret[(*count)++], budget->name, ACCOUNT_COMPANY, lapse);
	}
	if (allowance) {
		reset_entry(actor, budget, label, &ret[*count]);
		rules_move(books, budget, &ret[*count], ACCOUNT_COMPANY, budget->name, allowance);
		ret[(*count)++].to_after = ahead.balance;
	}
	if (!*count)
		reset_entry(actor, budget, label, &ret[(*count)++]);
	return ERR_NONE;
}

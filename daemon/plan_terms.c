/*
 * Open, adjust, close: what managers decide about a budget.
 */
#include "plan.h"

#include <string.h>

#include "rules.h"

static void entry_begin(struct entry *entry, enum kind kind, const struct actor *actor,
			const char *budget)
{
	entry_clear(entry);
	entry->kind = kind;
	text_copy(entry->kind_name, sizeof(entry->kind_name), kind_word(kind));
	entry->uid = actor->uid;
	text_copy(entry->budget, sizeof(entry->budget), budget);
}

/* Nobody decides about their own budget: not even a manager. */
static enum err own_check(const struct actor *actor, int64_t owner, struct refusal *refusal)
{
	if (actor->unrestricted || owner != actor->uid)
		return ERR_NONE;
	return refuse_words(refusal, ERR_NOT_PERMITTED, "",
			    "a budget of one's own is opened, adjusted and closed by another "
			    "manager");
}

static void take_int(int64_t *term, const struct json_int *given)
{
	if (given->set)
		*term = given->value;
}

static enum err take_words(struct terms *terms, const struct terms_request *request,
			   struct refusal *refusal)
{
	int word;

	if (request->period) {
		word = period_from_word(request->period);
		if (word < 0)
			return refuse_words(refusal, ERR_MALFORMED, "period",
					    "is month, week, day or none");
		terms->every = word;
	}
	if (request->carry) {
		word = carry_from_word(request->carry);
		if (word < 0)
			return refuse_words(refusal, ERR_MALFORMED, "carry",
					    "is none, all or cap");
		terms->carry = word;
		terms->cap = ABSENT;
	}
	if (request->pool)
		text_copy(terms->pool, sizeof(terms->pool), request->pool);
	return ERR_NONE;
}

/* What the request gives replaces what the terms have. */
static enum err terms_take(struct terms *terms, const struct terms_request *request,
			   struct refusal *refusal)
{
	enum err err = take_words(terms, request, refusal);

	take_int(&terms->owner, &request->owner);
	take_int(&terms->group, &request->group);
	take_int(&terms->allowance, &request->allowance);
	take_int(&terms->cap, &request->cap);
	take_int(&terms->self_topup, &request->self_topup);
	take_int(&terms->guideline, &request->guideline);
	return err;
}

static enum err terms_check(const struct books *books, const struct terms *terms,
			    const struct budget *self, struct refusal *refusal)
{
	const struct budget *owned = books_owned(books, terms->owner);
	const char *field, *problem;

	if (terms->owner != ABSENT && owned && owned != self)
		return refuse_budget(refusal, ERR_BUDGET_EXISTS, owned->name);
	problem = rules_terms_problem(books, terms, self, &field);
	return problem ? refuse_words(refusal, ERR_MALFORMED, field, "%s", problem) : ERR_NONE;
}

/* ---- Open ---- */

static enum err terms_default(const struct books *books, const struct terms_request *request,
			      struct terms *ret, struct refusal *refusal)
{
	struct entry nothing;
	const char *currency = request->currency ? request->currency : books->currency;

	entry_clear(&nothing);
	*ret = nothing.terms;
	ret->allowance = 0;
	ret->carry = CARRY_NONE;
	ret->every = request->allowance.set && request->allowance.value
		       ? PERIOD_MONTH
		       : PERIOD_NONE;
	ret->exp = strcmp(currency, books->currency) ? currency_exp(currency) : books->exp;
	if (ret->exp < 0)
		return refuse_words(refusal, ERR_MALFORMED, "currency",
				    "is a currency of ISO 4217, such as EUR");
	text_copy(ret->currency, sizeof(ret->currency), currency);
	return ERR_NONE;
}

static enum err name_check(const struct books *books, const char *name, struct refusal *refusal)
{
	const char *problem = name_problem(name);
	const struct budget *named;

	if (problem)
		return refuse_words(refusal, ERR_MALFORMED, "name", "%s", problem);
	named = books_budget(books, name);
	if (named)
		return refuse_budget(refusal, named->closed ? ERR_BUDGET_CLOSED : ERR_BUDGET_EXISTS,
				     name);
	return ERR_NONE;
}

enum err plan_open(const struct books *books, const struct actor *actor,
		   const struct calendar *now, const struct terms_request *request,
		   struct entry *ret, struct refusal *refusal)
{
	struct terms terms;
	enum err err = name_check(books, request->name, refusal);

	if (!err)
		err = terms_default(books, request, &terms, refusal);
	if (!err)
		err = terms_take(&terms, request, refusal);
	if (!err)
		err = own_check(actor, terms.owner, refusal);
	if (!err)
		err = terms_check(books, &terms, NULL, refusal);
	if (err)
		return err;
	entry_begin(ret, KIND_OPEN, actor, request->name);
	ret->terms = terms;
	memcpy(ret->currency, terms.currency, sizeof(ret->currency));
	ret->exp = terms.exp;
	text_copy(ret->period, sizeof(ret->period),
		 calendar_label(now, (enum period)terms.every));
	if (!terms.allowance)
		return ERR_NONE;
	ret->to_after = terms.allowance;
	if (rules_move(books, NULL, ret, ACCOUNT_COMPANY, request->name, terms.allowance) !=
	    MOVEMENT_FITS)
		return refuse(refusal, ERR_OVERFLOW);
	return ERR_NONE;
}

/* ---- Adjust ---- */

static const struct clearable {
	const char *name;
	size_t offset;
} clearables[] = {
	{ "self_topup", offsetof(struct terms, self_topup) },
	{ "guideline", offsetof(struct terms, guideline) },
};

static bool term_clear(struct terms *terms, const char *name)
{
	const int64_t absent = ABSENT;

	if (!strcmp(name, "pool")) {	/* and with it what may be drawn from it */
		terms->pool[0] = '\0';
		terms->self_topup = ABSENT;
		return true;
	}
	for (size_t i = 0; i < sizeof(clearables) / sizeof(*clearables); i++) {
		if (strcmp(name, clearables[i].name))
			continue;
		memcpy((char *)terms + clearables[i].offset, &absent, sizeof(absent));
		return true;
	}
	return false;
}

static enum err terms_clear(struct terms *terms, const struct json_strings *names,
			    struct refusal *refusal)
{
	for (size_t i = 0; i < names->count; i++)
		if (!term_clear(terms, names->item[i]))
			return refuse_words(refusal, ERR_MALFORMED, "clear",
					    "names what goes: pool, self_topup or guideline");
	return ERR_NONE;
}

/* The period that goes on under another length: the one with today in it; when resets are overdue,
 * the one with the last day that was posted, so that none is passed over; when the clock went back,
 * the one with the first day that was posted, so that none is begun again. */
static void period_convert(const struct budget *budget, const struct calendar *now,
			   enum period every, char ret[LABEL_SIZE])
{
	char day[LABEL_SIZE];

	if (label_last_day(budget->current, day) && strcmp(day, now->day) < 0 &&
	    label_containing(every, day, ret))
		return;
	if (label_first_day(budget->current, day) && strcmp(day, now->day) > 0 &&
	    label_containing(every, day, ret))
		return;
	text_copy(ret, LABEL_SIZE, calendar_label(now, every));
}

/* The open budget a manager decides about. */
static enum err decided_budget(const struct books *books, const struct actor *actor,
			       const char *name, struct budget **ret, struct refusal *refusal)
{
	*ret = books_budget(books, name);
	if (!*ret)
		return refuse_budget(refusal, ERR_UNKNOWN_BUDGET, name);
	if ((*ret)->closed)
		return refuse_budget(refusal, ERR_BUDGET_CLOSED, name);
	return own_check(actor, budget_owner(*ret), refusal);
}

static enum err kind_kept(const struct budget *budget, const struct terms *terms,
			  struct refusal *refusal)
{
	bool pool = budget->grouped;

	if (pool ? terms->owner != ABSENT : terms->group != ABSENT)
		return refuse_words(refusal, ERR_MALFORMED, pool ? "owner" : "group",
				    "a pool stays a pool, and an owner's budget an owner's; open "
				    "another one");
	return ERR_NONE;
}

enum err plan_adjust(const struct books *books, const struct actor *actor,
		     const struct calendar *now, const struct terms_request *request,
		     struct entry *ret, struct refusal *refusal)
{
	struct budget *budget;
	struct terms terms;
	enum err err = decided_budget(books, actor, request->name, &budget, refusal);

	if (err)
		return err;
	books_terms(books, budget, &terms);
	err = terms_clear(&terms, &request->clear, refusal);
	if (!err)
		err = terms_take(&terms, request, refusal);
	if (!err)
		err = kind_kept(budget, &terms, refusal);
	if (!err)
		err = own_check(actor, terms.owner, refusal);
	if (!err)
		err = terms_check(books, &terms, budget, refusal);
	if (err)
		return err;
	entry_begin(ret, KIND_ADJUST, actor, budget->name);
	ret->terms = terms;
	memcpy(ret->currency, terms.currency, sizeof(ret->currency));
	ret->exp = terms.exp;
	memcpy(ret->period, budget->current, sizeof(ret->period));
	if (terms.every != budget->every)
		period_convert(budget, now, (enum period)terms.every, ret->period);
	return ERR_NONE;
}

/* ---- Close ---- */

enum err plan_close(const struct books *books, const struct actor *actor,
		    const struct close_request *request, struct entry *ret,
		    struct refusal *refusal)
{
	struct budget *budget;
	enum err err = decided_budget(books, actor, request->name, &budget, refusal);

	if (err)
		return err;
	entry_begin(ret, KIND_CLOSE, actor, budget->name);
	memcpy(ret->period, budget->current, sizeof(ret->period));
	if (!budget->balance)
		return ERR_NONE;
	memcpy(ret->currency, budget->currency, sizeof(ret->currency));
	ret->exp = budget->exp;
	rules_move(books, budget, ret, budget->name, ACCOUNT_COMPANY, budget->balance);
	return ERR_NONE;
}

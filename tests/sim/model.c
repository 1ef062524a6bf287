#include "model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "episode.h"
#include "memory.h"
#include "people.h"
#include "sim.h"
#include "world.h"

const char *const currency_codes[3] = { "EUR", "USD", "JPY" };

struct seqs {
	uint32_t *list;
	size_t count;
};

static struct {
	struct record *list;
	size_t count;
	struct seqs touches[BUDGETS];	/* the entries that name the budget */
	struct seqs decided[BUDGETS];	/* of them: open, adjust, close */
	struct seqs *by_id;		/* by the number in the id */
	size_t id_count;
	struct seqs audits;
} model;

static void seqs_add(struct seqs *seqs, size_t seq)
{
	seqs->list = own_room(seqs->list, seqs->count, sizeof(*seqs->list));
	seqs->list[seqs->count++] = (uint32_t)seq;
}

static void seqs_free(struct seqs *seqs)
{
	own_free(seqs->list);
	*seqs = (struct seqs){ NULL, 0 };
}

void model_reset(void)
{
	for (int i = 0; i < BUDGETS; i++) {
		seqs_free(&model.touches[i]);
		seqs_free(&model.decided[i]);
	}
	for (size_t i = 0; i < model.id_count; i++)
		seqs_free(&model.by_id[i]);
	seqs_free(&model.audits);
	own_free(model.list);
	own_free(model.by_id);
	memset(&model, 0, sizeof(model));
}

size_t model_count(void)
{
	return model.count;
}

const struct record *model_record(size_t seq)
{
	return &model.list[seq];
}

size_t model_number(const struct record *record)
{
	return (size_t)(record - model.list);
}

const struct record *model_made(int64_t uid, unsigned id, size_t size)
{
	if (id >= model.id_count)
		return NULL;
	for (size_t i = 0; i < model.by_id[id].count; i++) {
		const struct record *record = &model.list[model.by_id[id].list[i]];

		if (record->uid == uid && model_number(record) < size)
			return record;
	}
	return NULL;
}

int64_t model_with_id(int64_t uid, const uint64_t id[2], size_t size)
{
	const struct record *made = model_made(uid, (unsigned)id[1], size);

	if (made && !memcmp(made->id, id, sizeof(made->id)))
		return (int64_t)model_number(made);
	for (size_t i = 0; i < model.audits.count && model.audits.list[i] < size; i++) {
		const struct record *audit = &model.list[model.audits.list[i]];

		if (audit->uid == uid && !memcmp(audit->id, id, sizeof(audit->id)))
			return model.audits.list[i];
	}
	return NOT;
}

/* ---- Words ---- */

void account_write(int account, char ret[24])
{
	if (account == COMPANY || account == SPENT)
		strcpy(ret, account == COMPANY ? "company" : "spent");
	else
		snprintf(ret, 24, account % 3 ? "b%d" : "t/b%d", account);
}

int account_read(const char *name)
{
	const char *digits = strpbrk(name, "0123456789");

	if (!strcmp(name, "company"))
		return COMPANY;
	if (!strcmp(name, "spent"))
		return SPENT;
	return digits ? atoi(digits) : NOBODY;
}

static int word_find(const char *word, const char *const *words, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(word, words[i]))
			return i;
	return NOT;
}

static void label_of(const struct tm *tm, int every, char ret[LABEL])
{
	ret[0] = '\0';
	if (every == EVERY_DAY)
		strftime(ret, LABEL, "%Y-%m-%d", tm);
	else if (every == EVERY_WEEK)
		strftime(ret, LABEL, "%G-W%V", tm);
	else if (every == EVERY_MONTH)
		strftime(ret, LABEL, "%Y-%m", tm);
}

void label_at(int64_t us, int every, char ret[LABEL])
{
	time_t seconds = us / 1000000;
	struct tm tm;

	label_of(localtime_r(&seconds, &tm), every, ret);
}

/* Noon of the first day of what a label stands for, in UTC. */
static time_t label_begins(const char *label)
{
	struct tm tm = { .tm_hour = 12, .tm_mday = 1 };
	int year, part, day;

	if (sscanf(label, "%d-W%d", &year, &part) == 2) {
		time_t fourth;

		tm = (struct tm){ .tm_year = year - 1900, .tm_mday = 4, .tm_hour = 12 };
		fourth = timegm(&tm);
		return fourth - (tm.tm_wday + 6) % 7 * 86400 + (part - 1) * 7 * 86400;
	}
	day = 1;
	sscanf(label, "%d-%d-%d", &year, &part, &day);
	tm = (struct tm){ .tm_year = year - 1900, .tm_mon = part - 1, .tm_mday = day, .tm_hour = 12 };
	return timegm(&tm);
}

static void label_write(time_t noon, const char *like, char ret[LABEL])
{
	int every = strchr(like, 'W') ? EVERY_WEEK : strlen(like) == 7 ? EVERY_MONTH : EVERY_DAY;
	struct tm tm;

	label_of(gmtime_r(&noon, &tm), every, ret);
}

void label_after(const char *label, char ret[LABEL])
{
	static const int steps[] = { 1, 7, 28, 29, 30, 31 };
	time_t begins = label_begins(label);

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		label_write(begins + steps[i] * 86400, label, ret);
		if (strcmp(ret, label))
			return;
	}
}

/* The label of another kind that a day lies in. */
static void label_like(const char *day, int every, char ret[LABEL])
{
	static const char *const like[] = { "", "2026-01-01", "2026-W01", "2026-01" };

	label_write(label_begins(day), like[every], ret);
}

/* The last day of what a label stands for. */
static void label_ends(const char *label, char ret[LABEL])
{
	char next[LABEL];

	label_after(label, next);
	label_write(label_begins(next) - 86400, "2026-01-01", ret);
}

bool json_find_int(const char *text, const char *key, int64_t *ret)
{
	const char *at = strstr(text, key);

	if (!at)
		return false;
	*ret = strtoll(at + strlen(key), NULL, 10);
	return true;
}

bool json_find_str(const char *text, const char *key, char *ret, size_t size)
{
	const char *at = strstr(text, key), *end;

	if (!at || at[strlen(key)] != '"')
		return false;
	at += strlen(key) + 1;
	end = strchr(at, '"');
	if (!end || (size_t)(end - at) >= size)
		return false;
	memcpy(ret, at, (size_t)(end - at));
	ret[end - at] = '\0';
	return true;
}

/* ---- A budget at some time ---- */

static bool is(const struct record *record, const char *kind)
{
	return !strcmp(record->kind, kind);
}

static void period_begins(struct model_budget *budget, const char *label)
{
	if (!strcmp(budget->current, label))
		return;
	strcpy(budget->current, label);
	budget->spent = budget->drawn = 0;
}

static bool is_draw(const struct model_budget *budget, const struct record *topup)
{
	return topup->uid == budget->terms.owner && topup->from == budget->terms.pool;
}

static void refund_counts(struct model_budget *budget, const struct record *refund)
{
	const struct record *paid = &model.list[refund->ref];

	if (budget->closed)
		return;
	if (is(paid, "spend"))
		budget->spent -= refund->amount;
	else if (is_draw(budget, paid) && !strcmp(paid->period, budget->current) &&
		 budget->drawn >= refund->amount)
		budget->drawn -= refund->amount;
}

/* What the record does to the budget that it is about, besides moving money. */
static void record_counts(struct model_budget *budget, const struct record *record)
{
	if (is(record, "open") || is(record, "adjust")) {
		budget->there = true;
		budget->terms = record->terms;
		period_begins(budget, record->period);
	} else if (is(record, "reset")) {
		period_begins(budget, record->period);
	} else if (is(record, "close")) {
		budget->closed = true;
	} else if (is(record, "spend")) {
		budget->spent += record->amount;
	} else if (is(record, "topup") && is_draw(budget, record)) {
		budget->drawn += record->amount;
	} else if (is(record, "refund")) {
		refund_counts(budget, record);
	}
}

struct model_budget model_budget(int budget, size_t size)
{
	struct model_budget ret = { .there = false };
	const struct seqs *touches;

	if (budget < 0 || budget >= BUDGETS)
		return ret;
	touches = &model.touches[budget];
	for (size_t i = 0; i < touches->count && touches->list[i] < size; i++) {
		const struct record *record = &model.list[touches->list[i]];

		if (record->from == budget)
			ret.balance -= record->amount;
		if (record->to == budget)
			ret.balance += record->amount;
		if (record->budget == budget)
			record_counts(&ret, record);
	}
	return ret;
}

/* Only what was decided about it: quicker. */
static struct model_budget budget_terms(int budget, size_t size)
{
	struct model_budget ret = { .there = false };
	const struct seqs *decided = &model.decided[budget];

	for (size_t i = 0; i < decided->count && decided->list[i] < size; i++)
		record_counts(&ret, &model.list[decided->list[i]]);
	return ret;
}

int64_t model_draw_left(const struct model_budget *budget)
{
	int64_t left = budget->terms.self_topup - budget->drawn;

	return budget->terms.pool == NOBODY || left < 0 ? 0 : left;
}

static bool in_group(const struct person *person, int64_t group)
{
	for (int i = 0; i < 3 && person->groups[i]; i++)
		if (person->groups[i] == group)
			return true;
	return false;
}

bool model_may_spend(const struct person *person, const struct model_budget *budget)
{
	return budget->terms.owner != NOT ? budget->terms.owner == person->uid
					  : in_group(person, budget->terms.group);
}

/* The person's open budget; NOBODY. */
static int owned_by(int64_t uid, size_t size)
{
	for (int i = 0; i < BUDGETS; i++) {
		struct model_budget budget = budget_terms(i, size);

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
		sum += model.list[i].to == SPENT     ? model.list[i].amount
		       : model.list[i].from == SPENT ? -model.list[i].amount
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
	const bool large = amount > INT64_MAX >> 12;

	if (from >= 0 && model_budget(from, size).balance < amount) {
		ret.error = "InsufficientFunds";
		ret.budget = from;
		ret.available = model_budget(from, size).balance;
		return ret;
	}
	if (large && to >= 0 && too_much((__int128)model_budget(to, size).balance + amount))
		return refused("Overflow");
	if (large && from < 0 && to >= 0 && too_much(balances(size) + amount))
		return refused("Overflow");
	if (large && to == SPENT && too_much(all_spent(size) + amount))
		return refused("Overflow");
	strcpy(ret.period, model_budget(about, size).current);
	return ret;
}

static struct outcome spend_outcome(const struct content *content, const struct person *person,
				    size_t size)
{
	int budget = content->budget, pools = 0;
	struct model_budget state;

	if (budget == NOBODY)
		budget = owned_by(person->uid, size);
	for (int i = 0; i < BUDGETS && (budget == NOBODY || pools); i++) {
		state = budget_terms(i, size);
		if (!state.there || state.closed || state.terms.owner != NOT ||
		    !in_group(person, state.terms.group))
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
	if (too_much((__int128)state.spent + content->amount))
		return refused("Overflow");
	return moved(budget, budget, SPENT, content->amount, size);
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

int64_t model_refunded(int64_t seq, size_t size)
{
	const struct seqs *touches;
	int64_t sum = 0;

	if (seq >= (int64_t)size || model.list[seq].budget < 0)
		return 0;
	touches = &model.touches[model.list[seq].budget];
	for (size_t i = 0; i < touches->count && touches->list[i] < size; i++) {
		const struct record *record = &model.list[touches->list[i]];

		if (is(record, "refund") && record->ref == seq)
			sum += record->amount;
	}
	return sum;
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
	paid = &model.list[content->ref];
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
		return refused("BudgetExists");
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
	label_write(label_begins(budget->current), "2026-01-01", first);
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

/* ---- What is committed ---- */

static const struct person *person_of(int64_t uid, unsigned *who)
{
	for (*who = 0; *who < PEOPLE; ++*who)
		if (people[*who].uid == uid)
			return &people[*who];
	return NULL;
}

static void terms_read(const char *leaf, struct record *ret)
{
	static const char *const every[] = { "none", "day", "week", "month" };
	static const char *const keep[] = { "none", "all", "cap" };
	struct model_terms *terms = &ret->terms;
	char word[80] = "";

	*terms = (struct model_terms){ .owner = NOT, .group = NOT, .cap = NOT, .self_topup = NOT,
				       .pool = NOBODY, .currency = ret->currency };
	json_find_int(leaf, "\"owner\":", &terms->owner);
	json_find_int(leaf, "\"group\":", &terms->group);
	json_find_int(leaf, "\"allowance\":", &terms->allowance);
	json_find_int(leaf, "\"cap\":", &terms->cap);
	json_find_int(leaf, "\"self_topup\":", &terms->self_topup);
	if (json_find_str(leaf, "\"pool\":", word, sizeof(word)))
		terms->pool = account_read(word);
	json_find_str(leaf, "\"every\":", word, sizeof(word));
	terms->every = word_find(word, every, 4);
	json_find_str(leaf, "\"carry\":", word, sizeof(word));
	terms->keep = word_find(word, keep, 3);
}

static int account_find(const char *leaf, const char *key)
{
	char word[80];

	return json_find_str(leaf, key, word, sizeof(word)) ? account_read(word) : NOBODY;
}

static int64_t at_read(const char *leaf)
{
	struct tm tm = { 0 };
	int us = 0;
	char text[40] = "";

	json_find_str(leaf, "\"at\":", text, sizeof(text));
	if (sscanf(text, "%d-%d-%dT%d:%d:%d.%6dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec, &us) != 7)
		found("an entry's time is malformed: %s", text);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (int64_t)timegm(&tm) * 1000000 + us;
}

static void id_read(const char *leaf, uint64_t ret[2])
{
	unsigned a, b, c, d;
	uint64_t e;
	char text[40];

	if (!json_find_str(leaf, "\"id\":", text, sizeof(text)))
		return;
	if (sscanf(text, "%8x-%4x-%4x-%4x-%12" SCNx64, &a, &b, &c, &d, &e) != 5)
		found("an id is malformed: %s", text);
	ret[0] = (uint64_t)a << 32 | b << 16 | c;
	ret[1] = (uint64_t)d << 48 | e;
}

static void record_read(const char *leaf, struct record *ret)
{
	char word[80];

	*ret = (struct record){ .from_after = NOT, .to_after = NOT, .ref = NOT, .currency = NOT,
				.category = NOT };
	json_find_str(leaf, "\"kind\":", ret->kind, sizeof(ret->kind));
	json_find_int(leaf, "\"uid\":", &ret->uid);
	ret->at = at_read(leaf);
	ret->budget = account_find(leaf, "\"budget\":");
	ret->from = account_find(leaf, "\"from\":");
	ret->to = account_find(leaf, "\"to\":");
	json_find_int(leaf, "\"amount\":", &ret->amount);
	json_find_int(leaf, "\"from_after\":", &ret->from_after);
	json_find_int(leaf, "\"to_after\":", &ret->to_after);
	json_find_int(leaf, "\"ref\":", &ret->ref);
	if (json_find_str(leaf, "\"currency\":", word, sizeof(word)))
		ret->currency = word_find(word, currency_codes, 3);
	if (json_find_str(leaf, "\"category\":", word, sizeof(word)))
		ret->category = word[1] - '0';
	json_find_str(leaf, "\"period\":", ret->period, sizeof(ret->period));
	id_read(leaf, ret->id);
	if (is(ret, "open") || is(ret, "adjust"))
		terms_read(leaf, ret);
}

/* Which content it was made from: its reason says it or, where there is none, the guideline. */
static const struct content *content_of(const char *leaf, const char *memo)
{
	static const char says[] = "\"reason\":\"content ";
	const char *reason = strstr(memo, says);
	int64_t guideline = 0;

	if (reason)
		return content_at((unsigned)atoi(reason + strlen(says)));
	json_find_int(leaf, "\"guideline\":", &guideline);
	return guideline ? content_at((unsigned)guideline - 1) : NULL;
}

/* Somebody asked for this, may have it, and gets exactly it. */
static void request_check(struct record *record, const char *leaf, const char *memo)
{
	static const char *const kinds[] = { "spend", "topup", "refund", "open", "adjust", "close" };
	unsigned who, version = people_roles_version() + 1, oldest = people_roles_at(episode_turn());
	const struct person *person = person_of(record->uid, &who);
	struct outcome outcome;

	if (!person)
		found("an entry is in the name of uid %lld, who never connected", (long long)record->uid);
	record->content = content_of(leaf, memo);
	if (!record->content || record->content->id != (unsigned)record->id[1] ||
	    !(record->content->asked & 1u << who))
		found("uid %lld never asked for entry %zu", (long long)record->uid, model.count);
	if (strcmp(record->kind, kinds[record->content->kind]) || record->content->dry)
		found("entry %zu is not what was asked for", model.count);
	if (model_made(record->uid, record->content->id, model.count))
		found("the same request of uid %lld has two entries: %zu is the second",
		      (long long)record->uid, model.count);
	do
		outcome = model_outcome(record->content, person, people_roles_of(who, --version),
					model.count);
	while (outcome.error && version > oldest);
	if (outcome.error)
		found("entry %zu (%s) should have been refused: %s", model.count, record->kind,
		      outcome.error);
	if (outcome.budget != record->budget || outcome.from != record->from ||
	    outcome.to != record->to || outcome.amount != record->amount ||
	    strcmp(outcome.period, record->period))
		found("entry %zu (%s) moves %lld from %d to %d in %s; it should have been %lld from %d "
		      "to %d in %s", model.count, record->kind, (long long)record->amount,
		      record->from, record->to, record->period, (long long)outcome.amount,
		      outcome.from, outcome.to, outcome.period);
	if ((is(record, "open") || is(record, "adjust")) &&
	    memcmp(&outcome.terms, &record->terms, sizeof(outcome.terms)))
		found("the terms of entry %zu are not what was asked for", model.count);
}

/* What the terms let lapse. */
static int64_t lapsing(const struct model_budget *budget)
{
	if (budget->terms.keep == KEEP_ALL)
		return 0;
	if (budget->terms.keep == KEEP_CAP)
		return budget->balance > budget->terms.cap ? budget->balance - budget->terms.cap : 0;
	return budget->balance;
}

/* Does a lapse stand before this, whose allowance this must be? */
static bool grant_due(int budget)
{
	const struct record *before = &model.list[model.count - 1];

	return is(before, "reset") && before->from == budget &&
	       model_budget(budget, model.count).terms.allowance;
}

static void reset_check(const struct record *record, bool last)
{
	struct model_budget state = model_budget(record->budget, model.count);
	int64_t lapse = lapsing(&state), allowance = state.terms.allowance;
	bool granting = grant_due(record->budget);
	char next[LABEL], now[LABEL];
	unsigned who;

	if (!person_of(record->uid, &who) || !(people[who].roles & CRON))
		found("uid %lld, who may not, reset a budget", (long long)record->uid);
	if (!state.there || state.closed)
		found("a budget that is not open was reset");
	label_after(state.current, next);
	label_at(clock_told(), state.terms.every, now);
	if (strcmp(record->period, granting ? state.current : next) || strcmp(record->period, now) > 0)
		found("period %s was begun after %s, and it is %s", record->period, state.current, now);
	if (!granting && lapse) {
		if (record->from != record->budget || record->to != COMPANY || record->amount != lapse)
			found("entry %zu should let %lld lapse", model.count, (long long)lapse);
		if (last && allowance)
			found("a commit ends between what lapsed and its allowance");
	} else if (record->amount != allowance ||
		   record->from != (allowance ? COMPANY : NOBODY) ||
		   record->to != (allowance ? record->budget : NOBODY)) {
		found("entry %zu should grant %lld", model.count, (long long)allowance);
	}
}

static void audit_check(const struct record *record)
{
	char today[LABEL];
	unsigned who;

	label_at(clock_told(), EVERY_DAY, today);
	if (!person_of(record->uid, &who) || strcmp(today, record->period) || record->amount)
		found("entry %zu is no proper record of an audit", model.count);
	for (size_t i = 0; i < model.audits.count; i++) {
		const struct record *before = &model.list[model.audits.list[i]];

		if (before->uid == record->uid && !memcmp(before->id, record->id, sizeof(record->id)))
			found("the same audit is on record twice in a day");
	}
	seqs_add(&model.audits, model.count);
}

/* Money is conserved, and no budget falls below zero. */
static void money_check(const struct record *record)
{
	int64_t from = model_budget(record->from, model.count).balance;
	int64_t to = model_budget(record->to, model.count).balance;

	if (!record->amount)
		return;
	if (record->from == record->to || record->amount < 0)
		found("entry %zu moves nothing, or from nowhere", model.count);
	if (record->from >= 0 && (from < record->amount || record->from_after != from - record->amount))
		found("entry %zu leaves %lld in b%d, which had %lld", model.count,
		      (long long)record->from_after, record->from, (long long)from);
	if (record->to >= 0 && record->to_after != to + record->amount)
		found("entry %zu leaves %lld in b%d, which had %lld and got %lld", model.count,
		      (long long)record->to_after, record->to, (long long)to,
		      (long long)record->amount);
}

static void record_check(struct record *record, const char *leaf, const char *memo, bool last)
{
	const struct record *before = model.count ? &model.list[model.count - 1] : NULL;

	if (before && record->at != (clock_told() > before->at ? clock_told() : before->at + 1))
		found("entry %zu is of another time than its turn", model.count);
	if (before && is(before, "reset") && before->from >= 0 && grant_due(before->budget) &&
	    (!is(record, "reset") || record->budget != before->budget))
		found("an allowance does not follow what lapsed");
	money_check(record);
	if (is(record, "reset"))
		reset_check(record, last);
	else if (is(record, "audit"))
		audit_check(record);
	else if (is(record, "genesis") ? model.count : !is(record, "boot"))
		request_check(record, leaf, memo);
}

static void record_add(const struct record *record)
{
	const int named[] = { record->budget, record->from, record->to };

	model.list = own_room(model.list, model.count, sizeof(*model.list));
	model.list[model.count] = *record;
	for (int i = 0; i < 3; i++)
		if (named[i] >= 0 && (!i || named[i] != named[0]) && (i < 2 || named[i] != named[1]))
			seqs_add(&model.touches[named[i]], model.count);
	if (is(record, "open") || is(record, "adjust") || is(record, "close"))
		seqs_add(&model.decided[record->budget], model.count);
	if (record->content) {
		while (model.id_count <= record->content->id) {
			model.by_id = own_room(model.by_id, model.id_count, sizeof(*model.by_id));
			model.by_id[model.id_count++] = (struct seqs){ NULL, 0 };
		}
		seqs_add(&model.by_id[record->content->id], model.count);
	}
	model.count++;
}

/* The parts of a row: version, then five of them behind their lengths. */
static const uint8_t *part_skip(const uint8_t *part)
{
	return part + 2 + (part[0] << 8 | part[1]);
}

static void part_copy(const uint8_t *part, char *ret, size_t size)
{
	size_t len = (size_t)(part[0] << 8 | part[1]);

	if (len >= size)
		found("a row has a part of %zu bytes", len);
	memcpy(ret, part + 2, len);
	ret[len] = '\0';
}

void model_commit(uint64_t seq, const uint8_t *row, size_t size, bool last)
{
	const uint8_t *leaf = row + 1, *hashes = part_skip(leaf), *previous = part_skip(hashes),
		      *memo = part_skip(previous), *heads = part_skip(memo);
	char leaf_text[2100], memo_text[4200];
	struct record record;
	int64_t number = NOT;

	if (part_skip(heads) + 8 != row + size)
		found("row %zu is not as long as its parts", model.count);
	if (last != (heads[0] || heads[1]))
		found("row %zu is signed, and should not be; or the other way round", model.count);
	part_copy(leaf, leaf_text, sizeof(leaf_text));
	part_copy(memo, memo_text, sizeof(memo_text));
	json_find_int(leaf_text, "\"seq\":", &number);
	if (seq < model.count)
		found("entry %zu was durable, and is lost: %llu is written anew", model.count - 1,
		      (unsigned long long)seq);
	if (seq != model.count || number != (int64_t)model.count)
		found("entry %lld stands at %zu", (long long)number, model.count);
	record_read(leaf_text, &record);
	record.last = last;
	/* in front of the memo's text: what seals it here, and its salt */
	record_check(&record, leaf_text, memo_text + 40 + 32, last);
	record_add(&record);
}

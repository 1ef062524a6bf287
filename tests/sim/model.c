#include "model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "contents.h"
#include "episode.h"
#include "memory.h"
#include "people.h"
#include "sim.h"
#include "world.h"

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

struct model_budget model_decided(int budget, size_t size)
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

bool model_in_group(const struct person *person, int64_t group)
{
	for (int i = 0; i < 3 && person->groups[i]; i++)
		if (person->groups[i] == group)
			return true;
	return false;
}

bool model_may_spend(const struct person *person, const struct model_budget *budget)
{
	return budget->terms.owner != NOT ? budget->terms.owner == person->uid
					  : model_in_group(person, budget->terms.group);
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
	if (sscanf(text, "%d-%d-%dT%d:%d:%d.%6dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &us) != 7)
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
	unsigned who, version = people_roles_version() + 1,
		      oldest = people_roles_at(episode_turn());
	const struct person *person = person_of(record->uid, &who);
	struct outcome outcome;

	if (!person)
		found("an entry is in the name of uid %lld, who never connected",
		      (long long)record->uid);
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
		found("entry %zu (%s) moves %lld from %d to %d in %s; it should have been %lld "
		      "from %d to %d in %s", model.count, record->kind, (long long)record->amount,
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
		return budget->balance > budget->terms.cap
			       ? budget->balance - budget->terms.cap
			       : 0;
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
	if (strcmp(record->period, granting ? state.current : next) ||
	    strcmp(record->period, now) > 0)
		found("period %s was begun after %s, and it is %s",
		      record->period, state.current, now);
	if (!granting && lapse) {
		if (record->from != record->budget || record->to != COMPANY ||
		    record->amount != lapse)
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

		if (before->uid == record->uid &&
		    !memcmp(before->id, record->id, sizeof(record->id)))
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
	if (record->from >= 0 &&
	    (from < record->amount || record->from_after != from - record->amount))
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
		if (named[i] >= 0 && (!i || named[i] != named[0]) &&
		    (i < 2 || named[i] != named[1]))
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

static void part_copy(const uint8_t *part, size_t len, char *ret, size_t size)
{
	if (len >= size)
		found("a row has a part of %zu bytes", len);
	memcpy(ret, part, len);
	ret[len] = '\0';
}

/* Behind the leaf's tree hashes, one for it and one for
 * each 1 at its number's end, and its back pointers. */
static const uint8_t *memo_find(const uint8_t *row, uint64_t seq, const uint8_t *leaf_end)
{
	const uint8_t *at = leaf_end + 32;

	for (; seq & 1; seq >>= 1)
		at += 32;
	for (int pointers = row[1]; pointers; at++)
		pointers -= !(*at & 128);
	return at;
}

void model_commit(uint64_t seq, const uint8_t *row, size_t size, bool last)
{
	size_t leaf_len = (size_t)(row[2] << 8 | row[3]);
	const uint8_t *leaf = row + 4, *memo = memo_find(row, seq, leaf + leaf_len),
		      *end = row + size - 9 - 68 * row[size - 9];
	char leaf_text[2100], memo_text[4200];
	struct record record;
	int64_t number = NOT;

	if (memo > end)
		found("row %zu is shorter than its parts", model.count);
	if (last != (row[size - 9] != 0))
		found("row %zu is signed, and should not be; or the other way round", model.count);
	part_copy(leaf, leaf_len, leaf_text, sizeof(leaf_text));
	part_copy(memo, (size_t)(end - memo), memo_text, sizeof(memo_text));
	json_find_int(leaf_text, "\"seq\":", &number);
	if (seq < model.count)
		found("entry %zu was durable, and is lost: %llu is written anew", model.count - 1,
		      (unsigned long long)seq);
	if (seq != model.count || number != (int64_t)model.count)
		found("entry %lld stands at %zu", (long long)number, model.count);
	record_read(leaf_text, &record);
	record.last = last;
	/* in front of the memo's text: what seals it here, and its salt */
	record_check(&record, leaf_text, memo_text + 16 + 32, last);
	record_add(&record);
}

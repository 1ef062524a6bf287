#include "answer.h"

#include "plan.h"

static void int_field(struct buf *out, const char *key, int64_t value)
{
	if (value != ABSENT)
		json_int(out, key, value);
}

static void text_field(struct buf *out, const char *key, const char *value)
{
	if (value && *value)
		json_str(out, key, value);
}

static void terms_field(struct buf *out, const struct terms *terms)
{
	json_open(out, "terms", '{');
	int_field(out, "owner", terms->owner);
	int_field(out, "group", terms->group);
	json_str(out, "currency", terms->currency);
	json_int(out, "exp", terms->exp);
	json_int(out, "allowance", terms->allowance);
	json_str(out, "period", period_word((enum period)terms->every));
	json_str(out, "carry", carry_word((enum carry)terms->carry));
	int_field(out, "cap", terms->cap);
	text_field(out, "pool", terms->pool);
	int_field(out, "self_topup", terms->self_topup);
	int_field(out, "guideline", terms->guideline);
	json_close(out, '}');
}

static void words_fields(struct buf *out, const struct memo *words)
{
	text_field(out, "reason", words->reason);
	text_field(out, "customer", words->customer);
	text_field(out, "incident", words->incident);
	text_field(out, "evidence", words->evidence);
	text_field(out, "message", words->message);
	text_field(out, "filter", words->filter);
}

void answer_entry(struct buf *out, const char *key, const struct entry *entry,
		  const struct memo *words)
{
	char text[UUID_LEN + 1];

	json_open(out, key, '{');
	json_int(out, "seq", entry->seq);
	timestamp_format(entry->at, text);
	json_str(out, "at", text);
	json_str(out, "kind", entry->kind_name);
	json_int(out, "uid", entry->uid);
	text_field(out, "budget", entry->budget);
	text_field(out, "from", entry->from);
	text_field(out, "to", entry->to);
	int_field(out, "amount", entry->amount);
	text_field(out, "currency", entry->currency);
	int_field(out, "exp", entry->exp);
	int_field(out, "from_after", entry->from_after);
	int_field(out, "to_after", entry->to_after);
	int_field(out, "ref", entry->ref);
	text_field(out, "period", entry->period);
	text_field(out, "category", entry->category);
	if (entry_has_id(entry)) {
		uuid_format(entry->id, text);
		json_str(out, "id", text);
	}
	if (entry->kind == KIND_OPEN || entry->kind == KIND_ADJUST)
		terms_field(out, &entry->terms);
	words_fields(out, words);
	json_close(out, '}');
}

void answer_budget(struct buf *out, const char *key, const struct books *books,
		   const struct budget *budget)
{
	struct terms terms;
	char next[LABEL_SIZE];

	books_terms(books, budget, &terms);
	json_open(out, key, '{');
	json_str(out, "name", budget->name);
	terms_field(out, &terms);
	json_int(out, "balance", budget->balance);
	json_int(out, "spent", budget->spent);
	text_field(out, "current", budget->current);
	budget_next_reset(budget, next);
	text_field(out, "next_reset", next);
	if (terms.pool[0])
		json_int(out, "self_topup_left", budget_draw_left(budget));
	json_bool(out, "closed", budget->closed);
	json_close(out, '}');
}

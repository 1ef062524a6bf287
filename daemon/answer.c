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

static void own_fields(struct buf *out, const struct entry *entry, const struct memo *words)
{
	if (entry->kind == KIND_OPEN || entry->kind == KIND_ADJUST)
		terms_field(out, &entry->terms);
	words_fields(out, words);
	json_close(out, '}');
}

/* The first of the common fields has a comma before it, which becomes the opening bracket. */
void answer_entry(struct buf *out, const char *key, const struct entry *entry,
		  const struct memo *words)
{
	size_t begin;

	json_raw(out, key, "", 0);
	begin = out->len;
	entry_format_common(entry, out);
	out->data[begin] = '{';
	own_fields(out, entry, words);
}

void answer_common(struct buf *out, const char *key, const struct entry *entry,
		   const struct span *common, const struct memo *words)
{
	json_raw(out, key, common->text, common->len);
	out->data[out->len - common->len] = '{';
	own_fields(out, entry, words);
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

#include "call.h"

#include <stdarg.h>
#include <stdio.h>

#include "script.h"
#include "world.h"

static const char *const methods[] = {
	[ACT_SPEND] = "Spend", [ACT_TOPUP] = "TopUp", [ACT_REFUND] = "Refund", [ACT_OPEN] = "Open",
	[ACT_ADJUST] = "Adjust", [ACT_CLOSE] = "Close", [ACT_RESET] = "Reset",
	[ACT_BALANCE] = "Balance", [ACT_AUDIT] = "Audit", [ACT_CHECKPOINT] = "Checkpoint",
	[ACT_STATUS] = "Status",
};

__attribute__((format(printf, 2, 3)))
static void text_add(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text->len += (size_t)vsnprintf(text->bytes + text->len, sizeof(text->bytes) - text->len,
				       format, args);
	va_end(args);
}

static void text_int(struct text *text, const char *key, int64_t value)
{
	if (value != NOT)
		text_add(text, "\"%s\":%lld,", key, (long long)value);
}

static void text_account(struct text *text, const char *key, int account)
{
	char name[24];

	if (account == NOBODY)
		return;
	account_write(account, name);
	text_add(text, "\"%s\":\"%s\",", key, name);
}

static void text_terms(struct text *text, const struct content *content)
{
	static const char *const every[] = { "none", "day", "week", "month" };
	static const char *const keep[] = { "none", "all", "cap" };
	const struct model_terms *terms = &content->terms;

	text_int(text, "owner", terms->owner);
	text_int(text, "group", terms->group);
	text_int(text, "allowance", terms->allowance);
	if (terms->every != NOT)
		text_add(text, "\"period\":\"%s\",", every[terms->every]);
	if (terms->keep != NOT)
		text_add(text, "\"carry\":\"%s\",", keep[terms->keep]);
	text_int(text, "cap", terms->cap);
	text_account(text, "pool", terms->pool);
	text_int(text, "self_topup", terms->self_topup);
	text_int(text, "guideline", content->number + 1);	/* by which the entry
								 * is known again */
	if (content->kind == ACT_OPEN)
		text_add(text, "\"currency\":\"%s\",", currency_codes[content->currency]);
	if (content->clear_pool)
		text_add(text, "\"clear\":[\"pool\"],");
}

static void text_payment(struct text *text, const struct content *content)
{
	text_account(text, "budget", content->budget);
	text_account(text, "from", content->kind == ACT_TOPUP ? content->from : NOBODY);
	if (content->kind == ACT_REFUND)
		text_int(text, "ref", content->ref);
	else
		text_add(text, "\"currency\":\"%s\",", currency_codes[content->currency]);
	if (content->amount)
		text_int(text, "amount", content->amount);
	if (content->customer != NOT)
		text_add(text, "\"customer\":\"customer %d\",", content->customer);
	if (content->category != NOT)
		text_add(text, "\"category\":\"c%d\",", content->category);
	if (content->dry)
		text_add(text, "\"dry_run\":true,");
}

static void text_content(struct text *text, const struct call *call)
{
	const struct content *content = call->content;
	bool terms = content->kind == ACT_OPEN || content->kind == ACT_ADJUST;

	if (terms || content->kind == ACT_CLOSE)
		text_account(text, "name", content->budget);
	else
		text_payment(text, content);
	if (terms)
		text_terms(text, content);
	else
		text_add(text, "\"reason\":\"content %u\",", content->number);
	if (call->receipt)
		text_add(text, "\"receipt\":true,");
	text_add(text, "\"id\":\"00000000-0000-7000-8000-%012x\"", content->id);
}

/* What the other calls ask for is in their steps' numbers. */
static void text_reset(struct text *text, const struct call *call)
{
	char label[LABEL], next[LABEL];

	label_at(clock_told(), 1 + call->y % 3, label);
	label_after(label, next);
	if (call->x % 8 >= 6)
		text_add(text, "\"period\":\"%s\",", call->x % 8 == 6 ? label : next);
	if (call->z % 16 == 3)
		text_account(text, "budget", (int)(call->y % BUDGETS));
	text_add(text, "\"dry_run\":%s", call->z % 16 == 4 ? "true" : "false");
}

static void text_balance(struct text *text, const struct call *call)
{
	if (call->y < 2)
		text_add(text, "\"all\":true");
	else if (call->y < 4) {
		char name[24];

		account_write((int)(call->x % BUDGETS), name);
		text_add(text, "\"budgets\":[\"%s\"]", name);
	}
}

static void text_audit(struct text *text, const struct call *call)
{
	switch (call->x % 4) {
	case 1:
		text_add(text, "\"limit\":%u", call->y % 20 + 1);
		break;
	case 2:
		text_add(text, "\"customer\":\"customer %u\"", call->y % 4);
		break;
	case 3:
		text_add(text, "\"reverse\":true");
		break;
	}
}

void call_text(const struct call *call, struct text *text)
{
	text->len = 0;
	text_add(text, "{\"method\":\"io.fundd.Ledger.%s\",\"parameters\":{", methods[call->kind]);
	if (call->content)
		text_content(text, call);
	else if (call->kind == ACT_RESET)
		text_reset(text, call);
	else if (call->kind == ACT_BALANCE)
		text_balance(text, call);
	else if (call->kind == ACT_AUDIT)
		text_audit(text, call);
	text_add(text, "}%s%s}", call->more ? ",\"more\":true" : "",
		 call->oneway ? ",\"oneway\":true" : "");
}

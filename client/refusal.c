#include "refusal.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "common/money.h"
#include "common/text.h"
#include "render.h"
#include "tell.h"

/* What the daemon said, and what is known here. */
struct refused {
	enum err code;
	struct wire_refusal says;
	const struct refusal_hint *hint;
};

static const char not_said[] = "(not said)";

enum err refusal_code(const struct reply *reply)
{
	return err_from_name(reply->error);
}

static void say_amount(struct buf *out, const struct refused *r, int64_t minor)
{
	say_money(out, r->says.currency, r->says.exp.value, minor);
}

static void say_funds(struct buf *out, const struct refused *r)
{
	const struct wire_budget *budget = r->hint->budget;
	bool known = budget && strcmp(budget->name, r->says.budget) == 0 &&
		     budget->terms.allowance.value > 0;

	buf_printf(out, "%s has ", r->says.budget);
	say_amount(out, r, r->says.available.value);
	buf_str(out, " left");
	if (r->says.next_reset) {
		buf_str(out, "; ");
		if (known) {
			say_amount(out, r, budget->terms.allowance.value);
			buf_char(out, ' ');
		}
		buf_str(out, moment_past(r->says.next_reset)
			       ? "more has been due since "
			       : "more comes on ");
		say_day(out, r->says.next_reset);
	}
	buf_char(out, '.');
}

static void say_unknown_budget(struct buf *out, const struct refused *r)
{
	buf_printf(out, "there is no budget %s here. fund balance shows yours, fund balance --all "
			"all you may see.",
		   r->says.budget);
}

void say_opening(struct buf *out)
{
	const struct passwd *user = getpwuid(geteuid());

	buf_str(out, "A manager opens one: fund open ");
	if (user && !name_problem(user->pw_name))
		buf_str(out, user->pw_name);
	else
		buf_printf(out, "rep-%u", (unsigned)geteuid());
	buf_str(out, " --owner ");
	say_user(out, geteuid());
	buf_str(out, " --allowance 100");
}

void say_budget_needed(struct buf *out, const char *const *names, size_t count)
{
	size_t i;

	if (count == 0) {
		buf_str(out, "you have no budget here yet. ");
		return say_opening(out);
	}
	buf_str(out, "which budget? Add");
	for (i = 0; i < count; i++)
		buf_printf(out, "%s --budget %s", i ? " or" : "", names[i]);
}

static void say_needed(struct buf *out, const struct refused *r)
{
	say_budget_needed(out, r->says.budgets.item, r->says.budgets.count);
}

static void say_exists(struct buf *out, const struct refused *r)
{
	buf_printf(out, "there is %s already. A name is used once, and a person owns one open "
		   "budget at a time; fund adjust %s changes what is there.",
		   r->says.budget, r->says.budget);
}

static void say_closed(struct buf *out, const struct refused *r)
{
	if (r->hint->method && strcmp(r->hint->method, "Open") == 0) {
		buf_printf(out, "%s was a budget before, and is closed. A name is used once, so "
			   "that its history stays its own: choose another, such as %s-2.",
			   r->says.budget, r->says.budget);
		return;
	}
	buf_printf(out, "%s is closed: nothing goes in or out any more. fund balance shows the "
			"open ones.",
		   r->says.budget);
}

static void say_unknown_entry(struct buf *out, const struct refused *r)
{
	bool refund = r->hint->method && strcmp(r->hint->method, "Refund") == 0;

	buf_printf(out, "there is no entry %lld%s. fund audit shows the entries with their "
			"numbers.",
		   (long long)r->says.seq.value, refund ? " to refund" : "");
}

static void say_problem(struct buf *out, const struct refused *r)
{
	buf_str(out, r->says.problem);
}

static void say_currency(struct buf *out, const struct refused *r)
{
	buf_printf(out, "%s is kept in %s, with %lld digits after the point. Write such an amount "
			"as ",
		   r->says.budget, r->says.currency, (long long)r->says.exp.value);
	say_amount(out, r, 1250);
	buf_char(out, '.');
}

static void say_refund_limit(struct buf *out, const struct refused *r)
{
	buf_str(out, "that entry was ");
	say_amount(out, r, r->says.limit.value);
	if (r->says.left.value) {
		buf_str(out, ", of which ");
		say_amount(out, r, r->says.left.value);
		buf_str(out, " is left to refund; without an amount, fund refund gives back that.");
	} else {
		buf_str(out, ", and all of it is refunded already.");
	}
}

static void say_limit(struct buf *out, const struct refused *r)
{
	if (r->hint->method && strcmp(r->hint->method, "Refund") == 0)
		return say_refund_limit(out, r);
	buf_printf(out, "%s may draw ", r->says.budget);
	say_amount(out, r, r->says.limit.value);
	buf_str(out, " from its pool in a period, and ");
	say_amount(out, r, r->says.left.value);
	buf_str(out, " of that is left. A manager can top it up beyond.");
}

static void say_overflow(struct buf *out, const struct refused *r)
{
	buf_printf(out, "that is more than %s can hold: the ledger counts up to "
		   "9223372036854775807 of the smallest coin.",
		   r->says.budget == not_said ? "all budgets together" : r->says.budget);
}

static void say_conflict(struct buf *out, const struct refused *r)
{
	buf_printf(out, "the id %s belongs to something else, entry %lld. A new request needs a "
		   "new id; without --id it gets one.", r->says.id, (long long)r->says.seq.value);
}

static void say_ahead(struct buf *out, const struct refused *r)
{
	buf_printf(out, "%s has not begun: it is %s now.", r->says.period, r->says.current);
}

/* Parameters that are typed as options, under this
 * name; "" for one that the sentence names itself. */
static const struct {
	const char *parameter, *option;
} options[] = {
	{ "allowance", "--allowance" }, { "cap", "--carry" }, { "carry", "--carry" }, { "category", "--category" },
	{ "clear", "--clear" }, { "customer", "--customer" }, { "evidence", "--evidence" }, { "from", "--from" },
	{ "group", "--group" }, { "guideline", "--guideline" }, { "id", "--id" }, { "incident", "--incident" },
	{ "kind", "--kind" }, { "limit", "--limit" }, { "max", "--max" }, { "min", "--min" }, { "owner", "--owner" },
	{ "period", "--period" }, { "pool", "--pool" }, { "reason", "--for" }, { "ref", "" },
	{ "self_topup", "--self-topup" }, { "since", "--since" }, { "until", "--until" },
};

static void say_malformed(struct buf *out, const struct refused *r)
{
	const char *name = r->says.parameter;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(options[i].parameter, r->says.parameter) == 0)
			name = options[i].option;
	if (strcmp(name, "checkpoint") == 0)
		name = "the checkpoint";
	if (*name)
		buf_printf(out, "%s%s ", name, strncmp(r->says.problem, "is ", 3) == 0 ? "" : ":");
	buf_str(out, r->says.problem);
}

static void say_unavailable(struct buf *out, const struct refused *r)
{
	buf_printf(out, "the ledger cannot do this now: %s.%s", r->says.problem,
		   strstr(r->says.problem, "nothing was recorded") ? "" : " Nothing was recorded.");
}

static const struct {
	enum err code;
	void (*say)(struct buf *out, const struct refused *r);
} sentences[] = {
	{ ERR_INSUFFICIENT_FUNDS, say_funds },
	{ ERR_UNKNOWN_BUDGET, say_unknown_budget },
	{ ERR_BUDGET_NEEDED, say_needed },
	{ ERR_BUDGET_EXISTS, say_exists },
	{ ERR_BUDGET_CLOSED, say_closed },
	{ ERR_UNKNOWN_ENTRY, say_unknown_entry },
	{ ERR_NOT_PERMITTED, say_problem },
	{ ERR_CURRENCY_MISMATCH, say_currency },
	{ ERR_LIMIT_REACHED, say_limit },
	{ ERR_OVERFLOW, say_overflow },
	{ ERR_ID_CONFLICT, say_conflict },
	{ ERR_PERIOD_AHEAD, say_ahead },
	{ ERR_MALFORMED, say_malformed },
	{ ERR_UNAVAILABLE, say_unavailable },
};

/* What a sentence needs is there, even when the daemon left it out. */
static void refused_read(const struct reply *reply, const struct refusal_hint *hint,
			 struct refused *r)
{
	const char **needed[] = { &r->says.budget, &r->says.currency, &r->says.problem, &r->says.id,
		&r->says.period, &r->says.current, &r->says.parameter };
	struct problem problem;
	size_t i;

	*r = (struct refused){ .code = refusal_code(reply), .hint = hint };
	if (!wire_refusal(reply->parameters, &r->says, &problem))
		r->says = (struct wire_refusal){ .budget = NULL };
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!*needed[i])
			*needed[i] = not_said;
}

static void sentence_say(struct buf *out, const struct reply *reply, const struct refused *r)
{
	size_t i;

	for (i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (sentences[i].code == r->code)
			return sentences[i].say(out, r);
	buf_printf(out, "the daemon answers %s; is it older than this fund?", reply->error);
}

void refusal_say(struct buf *out, const struct reply *reply, const struct refusal_hint *hint)
{
	struct refused r;

	refused_read(reply, hint, &r);
	sentence_say(out, reply, &r);
}

/* The money is short: who can help, and the command that works. */
static void funds_help(const struct refused *r, int64_t missing)
{
	bool pool = r->says.pool && r->says.pool_usable.value > 0;
	int64_t drawn = pool && r->says.pool_usable.value < missing
		       ? r->says.pool_usable.value
		       : missing;
	char digits[MONEY_TEXT_MAX];
	struct buf money = BUF_INIT;

	say_amount(&money, r, drawn);
	money_format(drawn, (unsigned)r->says.exp.value, digits);
	if (!pool)
		tell_more("A manager can help now:  fund topup %s %s", r->says.budget, digits);
	else if (drawn == missing)
		tell_more("%s can help with %s now:  fund topup %s && %s", r->says.pool, money.data,
			  digits, r->hint->line);
	else
		tell_more("%s can help with %s now:  fund topup %s", r->says.pool, money.data,
			  digits);
	buf_release(&money);
}

enum exit_status refusal_tell(const struct reply *reply, const struct refusal_hint *hint)
{
	struct buf sentence = BUF_INIT;
	struct refused r;

	refused_read(reply, hint, &r);
	sentence_say(&sentence, reply, &r);
	tell("%s", sentence.data);
	buf_release(&sentence);
	if (r.code == ERR_INSUFFICIENT_FUNDS && hint->line && hint->amount > r.says.available.value)
		funds_help(&r, hint->amount - r.says.available.value);
	return r.code == ERR_NONE ? EXIT_FAILED : err_exit_status(r.code);
}

enum exit_status reply_tell_foreign(const struct problem *problem)
{
	return tell("the daemon's answer makes no sense here (%s %s); do fundd and fund belong "
		    "together?",
		    problem->parameter, problem->text);
}

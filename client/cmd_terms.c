/*
 * fund open and fund adjust: a budget's terms.
 */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "common/money.h"
#include "common/period.h"
#include "common/text.h"
#include "render.h"
#include "tell.h"

struct terms_options {
	const char *owner, *group, *currency, *allowance, *period, *carry, *pool, *self_topup;
	const char *guideline, *clear;
};

static const char *period_problem(const char *word)
{
	return period_from_word(word) >= 0 ? NULL : "month, week, day or none";
}

static const char *currency_problem(const char *code)
{
	return currency_exp(code) >= 0 ? NULL : "a code of ISO 4217, such as EUR";
}

#define OPTION(...) OPTION_ROW(terms_options, __VA_ARGS__)
#define TERMS \
	OPTION("owner", owner, "USER|UID", NULL, "whose budget it is"), \
	OPTION("group", group, "GROUP|GID", NULL, "who may spend from this pool"), \
	OPTION("allowance", allowance, "AMOUNT", NULL, "what each period brings"), \
	OPTION("period", period, "month|week|day|none", period_problem, "how long one is"), \
	OPTION("carry", carry, "none|all|AMOUNT", NULL, "what is kept at its end"), \
	OPTION("pool", pool, "NAME", name_problem, "the pool it draws from"), \
	OPTION("self-topup", self_topup, "AMOUNT", NULL, "the most to draw in a period"), \
	OPTION("guideline", guideline, "AMOUNT", NULL, "what a spend usually stays below")

static const struct option_row open_options[] = {
	TERMS, OPTION("currency", currency, "CODE", currency_problem, "of ISO 4217"), OPTIONS_END
};

static const struct option_row adjust_options[] = {
	TERMS,
	OPTION("clear", clear, "WHAT", NULL, "pool, self_topup or guideline, with commas between"),
	OPTIONS_END
};

static bool number_add(struct buf *out, const char *key, const char *name, bool group)
{
	long long id = number_parse(name);
	const struct passwd *user = id < 0 && !group ? getpwnam(name) : NULL;
	const struct group *members = id < 0 && group ? getgrnam(name) : NULL;

	if (user)
		id = user->pw_uid;
	if (members)
		id = members->gr_gid;
	if (id < 0) {
		tell("--%s %s: this machine has no such %s", key, name, group ? "group" : "user");
		return false;
	}
	json_int(out, key, id);
	return true;
}

/* Zero is fine where the terms allow it: money_parse takes amounts above zero only. */
static bool amount_add(struct buf *out, const char *key, const char *text, const char *currency,
		       int64_t exp, bool zero)
{
	int64_t amount = 0;

	if (!(zero && !strcmp(text, "0")) && !amount_take(text, currency, exp, &amount))
		return false;
	json_int(out, key, amount);
	return true;
}

static bool carry_add(struct buf *out, const char *carry, const char *currency, int64_t exp)
{
	bool word = !strcmp(carry, "none") || !strcmp(carry, "all");

	json_str(out, "carry", word ? carry : "cap");
	return word || amount_add(out, "cap", carry, currency, exp, true);
}

static void clear_add(struct buf *out, const char *names)
{
	size_t len;

	json_open(out, "clear", '[');
	for (; *names; names += len + (names[len] == ',')) {
		len = strcspn(names, ",");
		json_strn(out, NULL, names, len);
	}
	json_close(out, ']');
}

static bool terms_add(struct buf *out, const struct terms_options *o, const char *currency,
		      int64_t exp)
{
	if ((o->owner && !number_add(out, "owner", o->owner, false)) ||
	    (o->group && !number_add(out, "group", o->group, true)) ||
	    (o->allowance && !amount_add(out, "allowance", o->allowance, currency, exp, true)) ||
	    (o->carry && !carry_add(out, o->carry, currency, exp)) ||
	    (o->self_topup &&
	     !amount_add(out, "self_topup", o->self_topup, currency, exp, false)) ||
	    (o->guideline && !amount_add(out, "guideline", o->guideline, currency, exp, false)))
		return false;
	if (o->period)
		json_str(out, "period", o->period);
	if (o->pool)
		json_str(out, "pool", o->pool);
	if (o->clear)
		clear_add(out, o->clear);
	return true;
}

static void say_terms_line(struct buf *out, const char *done, const struct wire_answer *answer)
{
	buf_printf(out, "%s %s for ", done, answer->budget.name);
	say_owner(out, &answer->budget.terms);
	buf_str(out, ": ");
	say_terms(out, &answer->budget.terms);
	buf_str(out, ". ");
	say_left(out, &answer->budget);
	buf_char(out, '.');
}

static void say_opened(struct buf *out, const struct wire_answer *answer)
{
	say_terms_line(out, "Opened", answer);
}

static void say_adjusted(struct buf *out, const struct wire_answer *answer)
{
	say_terms_line(out, "Adjusted", answer);
}

static enum exit_status terms_ask(struct fund *fund, const struct terms_options *options,
				  const char *name, const char *currency, int64_t exp, bool open)
{
	struct refusal_hint hint = { .line = fund->line, .method = open ? "Open" : "Adjust" };
	struct buf parameters = BUF_INIT;

	json_open(&parameters, NULL, '{');
	json_str(&parameters, "name", name);
	if (options->currency)
		json_str(&parameters, "currency", currency);
	if (!terms_add(&parameters, options, currency, exp)) {
		buf_release(&parameters);
		return EXIT_USAGE;
	}
	json_close(&parameters, '}');
	return change_ask(fund, hint.method, &parameters, NULL, false, &hint,
			  open ? say_opened : say_adjusted);
}

static enum exit_status open_run(struct fund *fund, int argc, char **argv)
{
	struct terms_options options = { NULL };
	char currency[CURRENCY_LEN + 1] = "";
	int64_t exp = 0;
	int first = command_begin(fund, &cmd_open, &options, argc, argv);
	enum exit_status end;

	if (first < 0)
		return command_over(fund);
	if (argc - first != 1 || !options.owner == !options.group)
		return usage_error(&cmd_open, "a name is needed, and either --owner or --group");
	if (name_problem(argv[first]))
		return usage_error(&cmd_open, "%s: %s", argv[first], name_problem(argv[first]));
	end = fund_connect(fund);
	if (end == EXIT_OK && options.currency) {
		snprintf(currency, sizeof(currency), "%s", options.currency);
		exp = currency_exp(currency);
	} else if (end == EXIT_OK) {
		end = currency_fetch(fund, currency, &exp);
	}
	return end == EXIT_OK ? terms_ask(fund, &options, argv[first], currency, exp, true) : end;
}

static enum exit_status adjust_run(struct fund *fund, int argc, char **argv)
{
	struct terms_options options = { NULL };
	struct budget_reply budget;
	int first = command_begin(fund, &cmd_adjust, &options, argc, argv);
	enum exit_status end;

	if (first < 0)
		return command_over(fund);
	if (argc - first != 1)
		return usage_error(&cmd_adjust, "the name of a budget is needed");
	if (!memcmp(&options, &(struct terms_options){ NULL }, sizeof(options)))
		return usage_error(&cmd_adjust, "say what changes, such as --allowance 150");
	end = fund_connect(fund);
	if (end == EXIT_OK)
		end = budget_fetch(fund, argv[first], &budget);
	if (end != EXIT_OK)
		return end;
	end = terms_ask(fund, &options, argv[first], budget.budget.terms.currency,
			budget.budget.terms.exp.value, false);
	reply_release(&budget.reply);
	return end;
}

#define TERMS_USAGE "[--allowance A] [--period month|week|day|none] [--carry none|all|AMOUNT] " \
	"[--pool NAME --self-topup A] [--guideline A]"

const struct command cmd_open = {
	"open", "NAME --owner USER|UID | --group GROUP|GID [--currency C] " TERMS_USAGE,
	"Open a budget for a colleague, or a pool for a group", open_options, open_run
};

const struct command cmd_adjust = {
	"adjust", "NAME [--owner USER|UID] [--group GROUP|GID] " TERMS_USAGE " [--clear WHAT]",
	"Change a budget's terms, from its next reset on", adjust_options, adjust_run
};

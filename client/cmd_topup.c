#include <string.h>

#include "command.h"
#include "common/text.h"
#include "render.h"

struct topup_options {
	const char *from, *reason, *id;
	bool dry_run;
};

static const struct option_row topup_options[] = {
	{ "from", "POOL", offsetof(struct topup_options, from), NULL, "where the money comes from" },
	{ "for", "REASON", offsetof(struct topup_options, reason), words_option, "what it is for" },
	{ "id", "UUID", offsetof(struct topup_options, id), uuid_problem, "the request's own id" },
	{ "dry-run", NULL, offsetof(struct topup_options, dry_run), NULL, "record nothing" },
	OPTIONS_END
};

static void say_topped_up(struct buf *out, const struct wire_answer *answer)
{
	buf_str(out, "Added ");
	say_money(out, answer->entry.currency, answer->entry.exp.value, answer->entry.amount.value);
	buf_printf(out, " to %s from %s. ", answer->budget.name,
		   !strcmp(answer->entry.from, "company") ? "the company" : answer->entry.from);
	say_left(out, &answer->budget);
	buf_char(out, '.');
}

static enum exit_status topup_ask(struct fund *fund, const struct topup_options *options,
				  const char *name, const char *amount_text)
{
	struct refusal_hint hint = { .line = fund->line, .method = "TopUp" };
	struct buf parameters = BUF_INIT;
	struct budget_reply to;
	int64_t amount;
	enum exit_status status = fund_connect(fund);

	if (status == EXIT_OK)
		status = budget_fetch(fund, name, &to);
	if (status != EXIT_OK)
		return status;
	status = EXIT_USAGE;
	if (amount_take(amount_text, to.budget.terms.currency, to.budget.terms.exp.value,
			&amount)) {
		json_open(&parameters, NULL, '{');
		json_int(&parameters, "amount", amount);
		json_str(&parameters, "currency", to.budget.terms.currency);
		json_int(&parameters, "exp", to.budget.terms.exp.value);
		if (name)
			json_str(&parameters, "budget", name);
		if (options->from)
			json_str(&parameters, "from", options->from);
		if (options->reason)
			json_str(&parameters, "reason", options->reason);
		json_close(&parameters, '}');
		status = change_ask(fund, "TopUp", &parameters, options->id, options->dry_run,
				    &hint, say_topped_up);
	}
	reply_release(&to.reply);
	return status;
}

static enum exit_status topup_run(struct fund *fund, int argc, char **argv)
{
	struct topup_options options = { NULL };
	struct buf amount = BUF_INIT;
	const char *name = NULL;
	int first = command_begin(fund, &cmd_topup, &options, argc, argv), words;
	enum exit_status end;

	if (first < 0)
		return command_over(fund);
	if (argc - first > 1 && !name_problem(argv[first]))
		name = argv[first++];
	words = amount_words(argc - first, argv + first, &amount);
	if (!words)
		end = usage_error(&cmd_topup, "an amount is needed, such as 50");
	else if (words != argc - first)
		end = usage_surplus(&cmd_topup, argv[first + words]);
	else
		end = topup_ask(fund, &options, name, amount.data);
	buf_release(&amount);
	return end;
}

const struct command cmd_topup = {
	"topup", "[NAME] AMOUNT [--from POOL] [--for REASON] [--id UUID] [--dry-run]",
	"Add money, from your pool or as a manager", topup_options, topup_run
};

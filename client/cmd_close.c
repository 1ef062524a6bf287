#include "command.h"
#include "render.h"

struct close_options {
	const char *reason;
};

static const struct option_row close_options[] = {
	{ "for", "REASON", offsetof(struct close_options, reason), words_option, "why" },
	OPTIONS_END
};

static void say_closed(struct buf *out, const struct wire_answer *answer)
{
	buf_printf(out, "Closed %s", answer->budget.name);
	if (answer->entry.amount.set) {
		buf_str(out, "; ");
		say_money(out, answer->entry.currency, answer->entry.exp.value,
			  answer->entry.amount.value);
		buf_str(out, " went back to the company");
	}
	buf_str(out, ". Its history stays.");
}

static enum exit_status close_run(struct fund *fund, int argc, char **argv)
{
	struct close_options options = { NULL };
	struct refusal_hint hint = { .line = fund->line, .method = "Close" };
	struct buf parameters = BUF_INIT;
	int first = command_begin(fund, &cmd_close, &options, argc, argv);
	enum exit_status end;

	if (first < 0)
		return command_over(fund);
	if (argc == first)
		return usage_error(&cmd_close, "the name of a budget is needed");
	if (argc - first > 1)
		return usage_surplus(&cmd_close, argv[first + 1]);
	end = fund_connect(fund);
	if (end != EXIT_OK)
		return end;
	json_open(&parameters, NULL, '{');
	json_str(&parameters, "name", argv[first]);
	if (options.reason)
		json_str(&parameters, "reason", options.reason);
	json_close(&parameters, '}');
	return change_ask(fund, "Close", &parameters, NULL, false, &hint, say_closed);
}

const struct command cmd_close = {
	"close", "NAME [--for REASON]", "Close a budget; what is left goes to the company",
	close_options, close_run
};

#include <time.h>

#include "command.h"
#include "common/period.h"
#include "render.h"

static void say_count(struct buf *out, int64_t count, const char *what)
{
	buf_printf(out, "%lld %s%s", (long long)count, what, count == 1 ? "" : "s");
}

/* In the largest unit of which there are two. */
static void say_duration(struct buf *out, int64_t seconds)
{
	if (seconds < 0)	/* the clock went back */
		seconds = 0;
	if (seconds >= 2 * 86400)
		say_count(out, seconds / 86400, "day");
	else if (seconds >= 2 * 3600)
		say_count(out, seconds / 3600, "hour");
	else if (seconds >= 2 * 60)
		say_count(out, seconds / 60, "minute");
	else
		say_count(out, seconds, "second");
}

/* How much could still be rewritten without a witness noticing. */
static void say_window(struct buf *out, const struct wire_status *says)
{
	int64_t behind = says->entries.value - says->witnessed.value, since;
	struct problem problem;
	struct wire_sum sum;

	if (!says->witnesses.value || behind <= 0) {
		buf_str(out, says->witnesses.value
				     ? "Every entry is covered by an outside witness.\n"
				     : "No outside witness is named in the configuration.\n");
		return;
	}
	buf_printf(out, "Not covered by an outside witness yet: %lld entr%s", (long long)behind,
		   behind == 1 ? "y" : "ies");
	for (size_t i = 0; i < json_array_len(says->unwitnessed); i++) {
		if (!wire_sum(json_array_at(says->unwitnessed, i), &sum, &problem))
			continue;
		buf_str(out, ", ");
		say_money(out, sum.currency, sum.exp.value, sum.amount.value);
	}
	if (says->unwitnessed_since && moment_parse(says->unwitnessed_since, false, &since)) {
		buf_str(out, ", the first of them ");
		say_duration(out, time(NULL) - since / 1000000);
		buf_str(out, " old");
	}
	buf_str(out, ".\n");
}

static void say_status(struct buf *out, const struct wire_status *says)
{
	buf_printf(out, "%s: %lld entr%s, ", says->origin, (long long)says->entries.value,
		   says->entries.value == 1 ? "y" : "ies");
	say_count(out, says->budgets.value, "budget");
	buf_printf(out, ", kept in %s, %s\nfundd %s, up for ", says->currency, says->timezone,
		   says->version);
	say_duration(out, says->uptime.value);
	buf_str(out, ", ");
	say_count(out, says->connections.value, "connection");
	buf_char(out, '\n');
	say_window(out, says);
	if (says->unrestricted)
		buf_str(out, "There is no config file: whoever runs fundd has every role.\n");
	if (says->problem)
		buf_printf(out, "At the moment: %s.\n", says->problem);
}

static enum exit_status status_run(struct fund *fund, int argc, char **argv)
{
	struct refusal_hint hint = REFUSAL_NO_HINT;
	struct buf text = BUF_INIT;
	struct wire_status says;
	struct problem problem;
	struct reply reply;
	int first = command_begin(fund, &cmd_status, NULL, argc, argv);
	enum exit_status end;

	if (first < 0)
		return command_over(fund);
	if (first < argc)
		return usage_error(&cmd_status, "it takes no arguments");
	end = fund_begin(fund);
	if (end == EXIT_OK)
		end = request_read(fund, "Status", &text, &hint, &reply);
	if (end != EXIT_OK)
		return end;
	if (!wire_status(reply.parameters, &says, &problem)) {
		end = reply_tell_foreign(&problem);
	} else if (fund->json) {
		print_json(reply.parameters);
	} else {
		say_status(&text, &says);
		print_text(&text);
	}
	reply_release(&reply);
	return end;
}

const struct command cmd_status = { "status", "", "How the ledger is", NULL, status_run };

#include <stdio.h>
#include <string.h>

#include "command.h"
#include "common/period.h"
#include "common/text.h"
#include "render.h"
#include "tell.h"

struct reset_options {
	const char *period, *budget;
	bool quiet, dry_run;
};

static const struct option_row reset_options[] = {
	{ "period", "P", offsetof(struct reset_options, period), NULL, "up to 2026-11, 2026-W48, 2026-11-23" },
	{ "budget", "NAME", offsetof(struct reset_options, budget), name_problem, "only this one" },
	{ "quiet", NULL, offsetof(struct reset_options, quiet), NULL, "speak only of failures" },
	{ "dry-run", NULL, offsetof(struct reset_options, dry_run), NULL, "record nothing" },
	OPTIONS_END
};

static enum exit_status failures_tell(const struct wire_reset *says)
{
	struct wire_failure failure;
	struct problem problem;
	size_t count = json_array_len(says->failed), i;

	for (i = 0; i < count; i++)
		if (wire_failure(json_array_at(says->failed, i), &failure, &problem))
			tell("%s was not reset: %s", failure.budget,
			     failure.problem ? failure.problem : failure.error);
	return count ? EXIT_FAILED : EXIT_OK;
}

/* One entry that was posted: what lapsed, or what was granted. */
static void entry_print(const struct wire_entry *entry)
{
	bool lapsed = entry->from && !strcmp(entry->from, entry->budget);
	struct buf text = BUF_INIT;

	buf_printf(&text, "%s   %s: ", entry->budget, entry->period);
	if (entry->amount.set)
		say_money(&text, entry->currency, entry->exp.value, entry->amount.value);
	buf_str(&text, !entry->amount.set ? "nothing to grant" : lapsed ? " lapsed" : " granted");
	buf_char(&text, '\n');
	print_text(&text);
}

static enum exit_status reply_print(const struct fund *fund, const struct reset_options *options,
				    const struct reply *reply)
{
	struct wire_reset says;
	struct problem problem;

	if (!wire_reset(reply->parameters, &says, &problem))
		return reply_tell_foreign(&problem);
	if (fund->json)
		print_json(reply->parameters);
	else if (says.entry_json && !options->quiet)
		entry_print(&says.entry);
	else if (!says.entry_json && !options->quiet)
		printf("%s%lld period%s begun, %lld budget%s already there.\n",
		       options->dry_run ? "Dry run, nothing is recorded: " : "",
		       (long long)says.reset.value, says.reset.value == 1 ? "" : "s",
		       (long long)says.already.value, says.already.value == 1 ? "" : "s");
	return failures_tell(&says);
}

static enum exit_status stream_print(struct fund *fund, const struct reset_options *options)
{
	struct refusal_hint hint = { .line = fund->line, .method = "Reset" };
	enum exit_status status = EXIT_OK;
	bool more = true;

	while (more && status == EXIT_OK) {
		struct reply reply;

		if (link_read(&fund->link, &reply) != LINK_OK) {
			tell("the answer broke off: %s. Run it again: nothing is reset twice.",
			     fund->link.problem);
			return EXIT_UNREACHABLE;
		}
		more = reply.continues;
		status = reply.error ? refusal_tell(&reply, &hint)
				     : reply_print(fund, options, &reply);
		reply_release(&reply);
	}
	return status;
}

static enum exit_status reset_run(struct fund *fund, int argc, char **argv)
{
	struct reset_options options = { NULL };
	struct buf parameters = BUF_INIT;
	int first, status = command_begin(fund, &cmd_reset, &options, argc, argv, &first);
	enum exit_status end;

	if (status >= 0)
		return (enum exit_status)status;
	if (first < argc)
		return (enum exit_status)usage_error(&cmd_reset, "it takes no arguments");
	json_open(&parameters, NULL, '{');
	if (options.period)
		json_str(&parameters, "period", options.period);
	if (options.budget)
		json_str(&parameters, "budget", options.budget);
	json_bool(&parameters, "dry_run", options.dry_run);
	json_close(&parameters, '}');
	end = fund_begin(fund);
	if (end == EXIT_OK && link_send(&fund->link, "Reset", &parameters, true) != LINK_OK) {
		tell("cannot reach fundd at %s: %s", fund->socket, fund->link.problem);
		end = EXIT_UNREACHABLE;
	}
	buf_release(&parameters);
	return end == EXIT_OK ? stream_print(fund, &options) : end;
}

const struct command cmd_reset = {
	"reset", "[--period P] [--budget NAME] [--quiet] [--dry-run]",
	"Begin the periods that are due; again does nothing more", reset_options, reset_run
};

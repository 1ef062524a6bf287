#include <stdio.h>
#include <string.h>

#include "command.h"
#include "common/period.h"
#include "common/text.h"
#include "render.h"
#include "table.h"
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
			tell("%s cannot be reset: %s", failure.budget,
			     failure.problem ? failure.problem : failure.error);
	return count ? EXIT_FAILED : EXIT_OK;
}

static const struct column columns[] = {
	{ "BUDGET", false, false }, { "PERIOD", false, false }, { "LAPSED", true, false },
	{ "GRANTED", true, false }, { "LEFT", true, false },
};

enum { BUDGET, PERIOD, LAPSED, GRANTED, LEFT };

struct printing {
	const struct fund *fund;
	const struct reset_options *options;
	struct table *table;		/* NULL: JSON, or quiet */
	char last[160];			/* the row's budget and period */
};

static void money_cell(struct table *table, size_t column, const struct wire_entry *entry,
		       int64_t minor)
{
	struct buf text = BUF_INIT;

	say_money(&text, entry->currency, entry->exp.value, minor);
	table_cell(table, column, text.data);
	buf_release(&text);
}

/* What lapsed and what was granted come one after the other, and stand in one row. */
static void entry_print(struct printing *printing, const struct wire_entry *entry)
{
	bool lapsed = entry->from && !strcmp(entry->from, entry->budget);
	const struct json_int *left = lapsed ? &entry->from_after : &entry->to_after;
	char row[sizeof(printing->last)];

	snprintf(row, sizeof(row), "%s %s", entry->budget, entry->period);
	if (strcmp(row, printing->last)) {
		table_row(printing->table);
		table_cell(printing->table, BUDGET, entry->budget);
		table_cell(printing->table, PERIOD, entry->period);
		memcpy(printing->last, row, sizeof(row));
	}
	if (!entry->amount.set)
		return;
	money_cell(printing->table, lapsed ? LAPSED : GRANTED, entry, entry->amount.value);
	money_cell(printing->table, LEFT, entry, left->value);
}

static const char *plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

/* The last reply: what was done in all, below the table. */
static void counts_print(struct printing *printing, const struct wire_reset *says)
{
	long long begun = (long long)says->reset.value, already = (long long)says->already.value;
	struct buf text = BUF_INIT;

	table_end(printing->table);
	printing->table = NULL;
	if (printing->options->dry_run)
		buf_str(&text, "Dry run, nothing is recorded: ");
	if (begun)
		buf_printf(&text, "%lld period%s begun", begun, plural(begun));
	else
		buf_str(&text, "Nothing was due");
	if (already)
		buf_printf(&text, "; %lld budget%s there already", already,
			   already == 1 ? " was" : "s were");
	buf_str(&text, ".\n");
	print_text(&text);
}

static enum exit_status reply_print(void *context, const struct reply *reply)
{
	struct printing *printing = context;
	struct wire_reset says;
	struct problem problem;

	if (!wire_reset(reply->parameters, &says, &problem))
		return reply_tell_foreign(&problem);
	if (printing->fund->json)
		print_json(reply->parameters);
	else if (printing->table && says.entry_json)
		entry_print(printing, &says.entry);
	else if (printing->table)
		counts_print(printing, &says);
	return failures_tell(&says);
}

static enum exit_status reset_run(struct fund *fund, int argc, char **argv)
{
	struct reset_options options = { NULL };
	struct buf parameters = BUF_INIT;
	int first = command_begin(fund, &cmd_reset, &options, argc, argv);
	struct printing printing = { .fund = fund, .options = &options };
	enum exit_status end;

	if (first < 0)
		return command_over(fund);
	if (first < argc)
		return usage_error(&cmd_reset, "it takes no arguments");
	json_open(&parameters, NULL, '{');
	if (options.period)
		json_str(&parameters, "period", options.period);
	if (options.budget)
		json_str(&parameters, "budget", options.budget);
	json_bool(&parameters, "dry_run", options.dry_run);
	json_close(&parameters, '}');
	if (!fund->json && !options.quiet)
		printing.table = table_new(columns, sizeof(columns) / sizeof(*columns));
	end = stream_ask(fund, "Reset", &parameters, reply_print, &printing);
	table_end(printing.table);
	return end;
}

const struct command cmd_reset = {
	"reset", "[--period P] [--budget NAME] [--quiet] [--dry-run]",
	"Begin the periods that are due; again does nothing more", reset_options, reset_run
};

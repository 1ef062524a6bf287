/*
 * fund report: what a month's money was spent on.
 */
#include <ctype.h>
#include <time.h>

#include "command.h"
#include "common/period.h"
#include "render.h"
#include "table.h"
#include "tell.h"

static const struct option_row report_options[] = { OPTIONS_END };

static const struct command report = {
	"report", "[MONTH] [NAME...]", "What was spent in a month, by category", report_options, NULL
};

static const struct column columns[] = {
	{ "CATEGORY", false, false }, { "SPENT", true, false }, { "TIMES", true, false },
	{ "CAME BACK", true, false }, { "IN ALL", true, false },
};

struct printing {
	struct table *table;	/* NULL: JSON */
	bool found;
};

static void row_print(struct table *table, const struct wire_total *total)
{
	struct buf text = BUF_INIT;

	table_row(table);
	table_cell(table, 0, total->category ? total->category : "(none)");
	say_money(&text, total->currency, total->exp.value, total->spent.value);
	table_take(table, 1, &text);
	buf_printf(&text, "%lld", (long long)total->spends.value);
	table_take(table, 2, &text);
	say_money(&text, total->currency, total->exp.value, total->refunded.value);
	table_take(table, 3, &text);
	say_money(&text, total->currency, total->exp.value,
		  total->spent.value - total->refunded.value);
	table_take(table, 4, &text);
	buf_release(&text);
}

static enum exit_status reply_print(void *context, const struct reply *reply)
{
	struct printing *printing = context;
	const json_t *json;
	struct wire_total total;
	struct problem problem;

	if (!wire_report(reply->parameters, &json, &total, &problem))
		return reply_tell_foreign(&problem);
	if (!json)
		return EXIT_OK;
	printing->found = true;
	if (printing->table)
		row_print(printing->table, &total);
	else
		print_json(json);
	return EXIT_OK;
}

/* The month it is here. */
static void month_now(char ret[LABEL_SIZE])
{
	time_t now = time(NULL);
	struct tm tm;

	if (!localtime_r(&now, &tm) || !strftime(ret, LABEL_SIZE, "%Y-%m", &tm))
		ret[0] = '\0';
}

static enum exit_status run(struct fund *fund, int argc, char **argv)
{
	struct printing printing = { NULL, false };
	struct buf parameters = BUF_INIT;
	char month[LABEL_SIZE];
	char nothing;
	int first = command_begin(fund, &report, &nothing, argc, argv);
	enum exit_status end;

	if (first < 0)
		return command_over(fund);
	month_now(month);
	if (first < argc && isdigit((unsigned char)*argv[first]) &&
	    label_kind(argv[first]) != PERIOD_MONTH)
		return usage_error(&report, "%s: a month is written as in 2026-11", argv[first]);
	json_open(&parameters, NULL, '{');
	if (first < argc && label_kind(argv[first]) == PERIOD_MONTH)
		json_str(&parameters, "month", argv[first++]);
	else
		json_str(&parameters, "month", month);
	json_open(&parameters, "budgets", '[');
	for (; first < argc; first++)
		json_str(&parameters, NULL, argv[first]);
	json_close(&parameters, ']');
	json_close(&parameters, '}');
	if (!fund->json)
		printing.table = table_new(columns, sizeof(columns) / sizeof(*columns));
	end = stream_ask(fund, "Report", &parameters, reply_print, &printing);
	table_end(printing.table);
	if (end == EXIT_OK && !printing.found && !fund->json)
		tell("nothing was spent in that month, of what you may see");
	return end;
}

int main(int argc, char **argv)
{
	return fund_main("fund report", argc, argv, run);
}

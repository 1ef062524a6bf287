#include <string.h>

#include "command.h"
#include "common/money.h"
#include "render.h"
#include "table.h"
#include "tell.h"

struct balance_options {
	bool all;
};

static const struct option_row balance_options[] = {
	{ "all", NULL, offsetof(struct balance_options, all), NULL, "every budget you may see" },
	OPTIONS_END
};

static const struct column columns[] = {
	{ "BUDGET", false, false }, { "LEFT", true, false }, { "SPENT", true, false },
	{ "NEXT RESET", false, false }, { "OWNER", false, false }, { "TERMS", false, true },
};

static void row_print(struct table *table, const struct wire_budget *budget)
{
	struct buf text = BUF_INIT;

	table_row(table);
	table_cell(table, 0, budget->name);
	say_terms_money(&text, &budget->terms, budget->balance.value);
	table_take(table, 1, &text);
	say_terms_money(&text, &budget->terms, budget->spent.value);
	table_take(table, 2, &text);
	if (budget->closed)
		buf_str(&text, "closed");
	else if (budget->next_reset)
		buf_printf(&text, "%s%s", budget->next_reset,
			   moment_past(budget->next_reset) ? " overdue" : "");
	table_take(table, 3, &text);
	say_owner(&text, &budget->terms);
	table_take(table, 4, &text);
	say_terms(&text, &budget->terms);
	table_take(table, 5, &text);
	buf_release(&text);
}

/* One reply to a stream: a budget, or the empty end. Without a table, JSON. */
static enum exit_status reply_print(void *table, const struct reply *reply)
{
	const json_t *budgets, *one;
	struct wire_budget budget;
	struct problem problem;

	if (!wire_balance(reply->parameters, &budgets, &one, &problem))
		return reply_tell_foreign(&problem);
	if (!one)
		return EXIT_OK;
	if (!wire_budget(one, &budget, &problem))
		return reply_tell_foreign(&problem);
	if (table)
		row_print(table, &budget);
	else
		print_json(one);
	return EXIT_OK;
}

static void nothing_print(bool all)
{
	struct buf text = BUF_INIT;

	if (all) {
		buf_str(&text, "There is no budget here yet that you may see. A manager opens one: "
			       "fund open alice --owner alice --allowance 100");
	} else {
		buf_str(&text, "You have no budget here yet. ");
		say_opening(&text);
	}
	buf_char(&text, '\n');
	print_text(&text);
}

static enum exit_status balance_run(struct fund *fund, int argc, char **argv)
{
	struct balance_options options = { false };
	struct buf parameters = BUF_INIT;
	struct table *table;
	int first = command_begin(fund, &cmd_balance, &options, argc, argv);
	enum exit_status end;

	if (first < 0)
		return command_over(fund);
	json_open(&parameters, NULL, '{');
	json_open(&parameters, "budgets", '[');
	for (; first < argc; first++)
		json_str(&parameters, NULL, argv[first]);
	json_close(&parameters, ']');
	json_bool(&parameters, "all", options.all);
	json_close(&parameters, '}');
	table = fund->json ? NULL : table_new(columns, sizeof(columns) / sizeof(*columns));
	end = stream_ask(fund, "Balance", &parameters, reply_print, table);
	if (end == EXIT_OK && table && table_empty(table))
		nothing_print(options.all);
	table_end(table);
	return end;
}

/* ---- fund alone ---- */

/* The widest name and amount, so that several budgets stand one below the other. */
struct widths {
	int name, money;
};

static void own_money(struct buf *out, const struct wire_budget *budget)
{
	say_terms_money(out, &budget->terms, budget->balance.value);
}

static void own_measure(struct widths *widths, const struct wire_budget *budget)
{
	struct buf money = BUF_INIT;
	int name = (int)strlen(budget->name);

	own_money(&money, budget);
	widths->name = name > widths->name ? name : widths->name;
	widths->money = (int)money.len > widths->money ? (int)money.len : widths->money;
	buf_release(&money);
}

static void own_line(const struct widths *widths, const struct wire_budget *budget)
{
	char digits[MONEY_TEXT_MAX];
	struct buf money = BUF_INIT, text = BUF_INIT;

	own_money(&money, budget);
	buf_printf(&text, "%-*s   %*s", widths->name, budget->name, widths->money, money.data);
	if (budget->terms.allowance.value >= budget->balance.value && budget->terms.allowance.value)
		buf_printf(&text, " of %s",
			   money_format(budget->terms.allowance.value,
					(unsigned)budget->terms.exp.value, digits));
	buf_str(&text, " left");
	if (budget->next_reset) {
		buf_str(&text, moment_past(budget->next_reset) ? ", its reset overdue since "
							       : ", until ");
		say_day(&text, budget->next_reset);
	}
	buf_char(&text, '\n');
	print_text(&text);
	buf_release(&money);
}

static enum exit_status own_print(const struct fund *fund, const struct reply *reply)
{
	const json_t *budgets, *one;
	struct wire_budget budget;
	struct problem problem;
	struct widths widths = { 0, 0 };
	size_t count, i;

	if (!wire_balance(reply->parameters, &budgets, &one, &problem))
		return reply_tell_foreign(&problem);
	count = json_array_len(budgets);
	for (i = 0; i < count; i++) {
		if (!wire_budget(json_array_at(budgets, i), &budget, &problem))
			return reply_tell_foreign(&problem);
		if (fund->json)
			print_json(json_array_at(budgets, i));
		own_measure(&widths, &budget);
	}
	for (i = 0; i < count && !fund->json; i++)
		if (wire_budget(json_array_at(budgets, i), &budget, &problem))
			own_line(&widths, &budget);
	if (!count && !fund->json)
		nothing_print(false);
	return EXIT_OK;
}

enum exit_status balance_own(struct fund *fund)
{
	struct refusal_hint hint = REFUSAL_NO_HINT;
	struct buf nothing = BUF_INIT;
	struct reply reply;
	enum exit_status status = fund_begin(fund);

	if (status == EXIT_OK)
		status = request_read(fund, "Balance", &nothing, &hint, &reply);
	if (status != EXIT_OK)
		return status;
	status = own_print(fund, &reply);
	reply_release(&reply);
	return status;
}

const struct command cmd_balance = {
	"balance", "[NAME...] [--all]", "What is left, and on which terms", balance_options, balance_run
};

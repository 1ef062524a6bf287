#include <stdio.h>
#include <string.h>

#include "command.h"
#include "common/money.h"
#include "common/text.h"
#include "render.h"
#include "table.h"
#include "tell.h"

struct audit_options {
	const char *since, *until, *kind, *category, *customer, *min, *max, *limit;
	bool reverse;
};

#define OPTION(...) OPTION_ROW(audit_options, __VA_ARGS__)

static const struct option_row audit_options[] = {
	OPTION("since", since, "D", NULL, "from this day or time on"),
	OPTION("until", until, "D", NULL, "up to this day, which is included"),
	OPTION("kind", kind, "K", tag_problem, "spend, refund, topup, reset ... or all"),
	OPTION("category", category, "C", tag_problem, "with this tag"),
	OPTION("customer", customer, "REF", words_option, "about this customer"),
	OPTION("min", min, "A", NULL, "amounts from this on"),
	OPTION("max", max, "A", NULL, "amounts up to this"),
	OPTION("limit", limit, "N", count_problem, "the newest N"),
	OPTION("reverse", reverse, NULL, NULL, "newest first"),
	OPTIONS_END
};

static const struct column columns[] = {
	{ "ENTRY", true, false }, { "WHEN", false, false }, { "BUDGET", false, false },
	{ "WHO", false, false }, { "WHAT", false, false }, { "AMOUNT", true, false },
	{ "LEFT", true, false }, { "WHY", false, true },
};

static void say_why(struct buf *out, const struct wire_entry *entry)
{
	const char *const words[] = { entry->reason, entry->customer, entry->incident,
				      entry->evidence, entry->message };

	if (entry->ref.set)
		buf_printf(out, "of entry %lld", (long long)entry->ref.value);
	if (!strcmp(entry->kind, "topup") && entry->from)
		buf_printf(out, "from %s", entry->from);
	if (!strcmp(entry->kind, "reset") && entry->period)
		buf_printf(out, "%s: %s", entry->period, !entry->from ? "nothing to grant" :
			   !strcmp(entry->from, "company") ? "allowance" : "lapsed");
	if (entry->filter)
		buf_printf(out, "looked for %s", entry->filter);
	if (entry->terms_json)
		say_terms(out, &entry->terms);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i])
			buf_printf(out, "%s%s", out->len ? "; " : "", words[i]);
	if (entry->category)
		buf_printf(out, "%s#%s", out->len ? " " : "", entry->category);
}

/* The amount as the budget sees it: what goes out has a minus. */
static void row_print(struct table *table, const struct wire_entry *entry)
{
	bool out = entry->budget && entry->from && !strcmp(entry->from, entry->budget);
	const struct json_int *after = out ? &entry->from_after : &entry->to_after;
	struct buf text = BUF_INIT;

	table_row(table);
	buf_int(&text, entry->seq.value);
	table_take(table, 0, &text);
	say_time(&text, entry->at);
	table_take(table, 1, &text);
	table_cell(table, 2, entry->budget ? entry->budget : "");
	say_user(&text, entry->uid.value);
	table_take(table, 3, &text);
	table_cell(table, 4, entry->kind);
	if (entry->amount.set)
		say_money(&text, entry->currency, entry->exp.value,
			  out ? -entry->amount.value : entry->amount.value);
	table_take(table, 5, &text);
	if (after->set) {
		char digits[MONEY_TEXT_MAX];

		buf_str(&text, money_format(after->value, (unsigned)entry->exp.value, digits));
	}
	table_take(table, 6, &text);
	say_why(&text, entry);
	table_take(table, 7, &text);
	buf_release(&text);
}

/* Without a table, JSON. */
static enum exit_status reply_print(void *table, const struct reply *reply)
{
	struct wire_entry entry;
	struct problem problem;
	const json_t *json;

	if (!wire_audit(reply->parameters, &json, &problem))
		return reply_tell_foreign(&problem);
	if (!json)
		return EXIT_OK;
	if (!wire_entry(json, &entry, &problem))
		return reply_tell_foreign(&problem);
	if (table)
		row_print(table, &entry);
	else
		print_json(json);
	return ferror(stdout) ? EXIT_FAILED : EXIT_OK;	/* nobody reads on: neither does this */
}

static void text_add(struct buf *out, const char *key, const char *value)
{
	if (value)
		json_str(out, key, value);
}

/* --min and --max are in the currency they name, else in the ledger's own. */
static enum exit_status amounts_add(struct fund *fund, const struct audit_options *options,
				    struct buf *out)
{
	const char *texts[] = { options->min, options->max }, *keys[] = { "min", "max" };
	char currency[CURRENCY_LEN + 1];
	const char *digits, *problem, *text = options->min ? options->min : options->max;
	int64_t exp, amount;
	enum exit_status status = EXIT_OK;

	if (!text)
		return EXIT_OK;
	if (money_split(text, currency, &digits, &problem) < 0) {
		tell("%s: %s", text, problem);
		return EXIT_USAGE;
	}
	exp = currency_exp(currency);
	if (!*currency)
		status = currency_fetch(fund, currency, &exp);
	for (size_t i = 0; i < 2 && status == EXIT_OK; i++) {
		if (!texts[i])
			continue;
		if (!amount_take(texts[i], currency, exp, &amount))
			return EXIT_USAGE;
		json_int(out, keys[i], amount);
	}
	json_str(out, "currency", currency);
	return status;
}

static enum exit_status parameters_make(struct fund *fund, const struct audit_options *options,
					int argc, char **argv, struct buf *out)
{
	enum exit_status status;

	json_open(out, NULL, '{');
	json_open(out, "budgets", '[');
	for (int i = 0; i < argc; i++)
		json_str(out, NULL, argv[i]);
	json_close(out, ']');
	text_add(out, "since", options->since);
	text_add(out, "until", options->until);
	text_add(out, "kind", options->kind);
	text_add(out, "category", options->category);
	text_add(out, "customer", options->customer);
	if (options->limit)
		json_int(out, "limit", number_parse(options->limit));
	json_bool(out, "reverse", options->reverse);
	status = amounts_add(fund, options, out);
	json_close(out, '}');
	return status;
}

static enum exit_status audit_run(struct fund *fund, int argc, char **argv)
{
	struct audit_options options = { NULL };
	struct buf parameters = BUF_INIT;
	struct table *table;
	int first = command_begin(fund, &cmd_audit, &options, argc, argv);
	enum exit_status end = EXIT_OK;

	if (first < 0)
		return command_over(fund);
	if (options.min || options.max)		/* which may need the ledger's currency */
		end = fund_connect(fund);
	if (end == EXIT_OK)
		end = parameters_make(fund, &options, argc - first, argv + first, &parameters);
	if (end != EXIT_OK) {
		buf_release(&parameters);
		return end;
	}
	table = fund->json ? NULL : table_new(columns, sizeof(columns) / sizeof(*columns));
	end = stream_ask(fund, "Audit", &parameters, reply_print, table);
	if (end == EXIT_OK && table && table_empty(table))
		tell("no entry that you may see is like that");
	table_end(table);
	return end;
}

const struct command cmd_audit = {
	"audit", "[NAME...] [--since D] [--until D] [--kind K] [--category C] [--customer REF] [--min A] "
	"[--max A] [--limit N] [--reverse]", "What happened, line by line", audit_options, audit_run
};

#include "batch.h"

#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "common/hash.h"
#include "common/money.h"
#include "common/text.h"
#include "progress.h"
#include "render.h"
#include "request.h"
#include "tell.h"

#define IN_FLIGHT 60		/* the daemon takes 64 */
#define FILE_MAX ((size_t)64 << 20)
#define WRONG_TOLD 20		/* wrong rows that are told of one by one */

enum column_id { REF, AMOUNT, REASON, CUSTOMER, CATEGORY, INCIDENT, BUDGET, CURRENCY, COLUMNS };

static const char *const column_names[COLUMNS] = {
	"ref", "amount", "reason", "customer", "category", "incident", "budget", "currency",
};

struct row {
	char *cell[COLUMNS];		/* NULL: empty or not there */
	size_t line;
	int64_t amount;
};

struct batch {
	enum column_id order[COLUMNS];	/* of the file's columns */
	size_t columns, column;
	size_t line;			/* of the file, from 1, that is being read */
	struct row *rows, current;
	size_t count, room;
	bool headed, failed;		/* failed: the rest of the file makes no sense */
	size_t wrong;			/* rows that do not make sense by themselves */
	char currency[CURRENCY_LEN + 1];	/* of the default budget */
	int64_t exp;
	int64_t spent, already, refused, unavailable, total;
};

static void fail(struct batch *batch, const char *what, const char *word)
{
	if (!batch->failed)
		tell("line %zu: %s%s%s", batch->line, what, word ? ": " : "", word ? word : "");
	batch->failed = true;
}

static void header_take(struct batch *batch, const char *name)
{
	for (int id = 0; id < COLUMNS; id++) {
		if (strcmp(name, column_names[id]))
			continue;
		for (size_t i = 0; i < batch->columns; i++)
			if (batch->order[i] == (enum column_id)id)
				fail(batch, "this column stands twice", name);
		if (!batch->failed)
			batch->order[batch->columns++] = (enum column_id)id;
		return;
	}
	fail(batch, "there is no such column (ref amount reason customer category incident budget "
		    "currency)", name);
}

static void on_cell(void *text, size_t len, void *context)
{
	struct batch *batch = context;
	char *cell = text && !memchr(text, 0, len) ? strndup(text, len) : NULL;

	if (batch->failed || (text && !cell)) {
		fail(batch, "a cell has a NUL in it", NULL);
	} else if (!batch->headed) {
		header_take(batch, cell ? cell : "");
	} else if (batch->column >= batch->columns) {
		fail(batch, "more cells than columns", NULL);
	} else if (cell && *cell) {
		batch->current.cell[batch->order[batch->column]] = cell;
		cell = NULL;
	}
	batch->column++;
	free(cell);
}

static bool has_column(const struct batch *batch, enum column_id id)
{
	for (size_t i = 0; i < batch->columns; i++)
		if (batch->order[i] == id)
			return true;
	return false;
}

static void row_release(struct row *row)
{
	for (int id = 0; id < COLUMNS; id++)
		free(row->cell[id]);
	*row = (struct row){ .line = 0 };
}

static const char *row_problem(const struct row *row)
{
	const enum column_id words[] = { REF, REASON, CUSTOMER, INCIDENT };

	if (!row->cell[REF])
		return "no ref: each row needs its own, so that the file can be sent again";
	if (!row->cell[AMOUNT])
		return "no amount";
	if (!row->cell[REASON])
		return "no reason";
	for (size_t i = 0; i < 4; i++)
		if (row->cell[words[i]] && words_problem(row->cell[words[i]]))
			return words_problem(row->cell[words[i]]);
	return row->cell[CATEGORY] ? tag_problem(row->cell[CATEGORY]) : NULL;
}

static void on_row(int end, void *context)
{
	struct batch *batch = context;
	const char *problem;

	(void)end;
	if (!batch->headed) {
		batch->headed = true;
		if (!has_column(batch, REF) || !has_column(batch, AMOUNT) || !has_column(batch, REASON))
			fail(batch, "the header needs the columns ref, amount and reason", NULL);
	} else if (!batch->failed) {
		problem = row_problem(&batch->current);
		if (problem && ++batch->wrong <= WRONG_TOLD)
			tell("line %zu: %s", batch->line, problem);
		if (batch->count == batch->room) {
			batch->room = batch->room ? 2 * batch->room : 256;
			batch->rows = realloc(batch->rows, batch->room * sizeof(*batch->rows));
			if (!batch->rows)
				abort();
		}
		batch->current.line = batch->line;
		batch->rows[batch->count++] = batch->current;
		batch->current = (struct row){ .line = 0 };
	}
	row_release(&batch->current);
	batch->column = 0;
}

static int ref_order(const void *a, const void *b)
{
	return strcmp((*(const struct row *const *)a)->cell[REF],
		      (*(const struct row *const *)b)->cell[REF]);
}

/* Each row's ref is its own. Called when every row has one. */
static void refs_check(struct batch *batch)
{
	const struct row **sorted = calloc(batch->count + 1, sizeof(*sorted));

	if (!sorted)
		abort();
	for (size_t i = 0; i < batch->count; i++)
		sorted[i] = &batch->rows[i];
	qsort(sorted, batch->count, sizeof(*sorted), ref_order);
	for (size_t i = 1; i < batch->count; i++)
		if (!ref_order(&sorted[i - 1], &sorted[i]) && ++batch->wrong <= WRONG_TOLD)
			tell("lines %zu and %zu have the same ref: %s", sorted[i - 1]->line,
			     sorted[i]->line, sorted[i]->cell[REF]);
	free(sorted);
}

/* Some bytes of the file, line by line, so that it is known where a wrong one stands. */
static void bytes_take(struct batch *batch, struct csv_parser *parser, const char *bytes, size_t len)
{
	while (len && !batch->failed) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end ? (size_t)(end - bytes) + 1 : len;

		if (csv_parse(parser, bytes, n, on_cell, on_row, batch) != n)
			fail(batch, "this is no CSV", csv_strerror(csv_error(parser)));
		batch->line += end != NULL;
		bytes += n;
		len -= n;
	}
}

/* Spreadsheets may begin a file with a byte order mark. */
static size_t mark_len(const char *bytes, size_t len)
{
	return len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0;
}

static void file_read(struct batch *batch, FILE *file)
{
	struct csv_parser parser;
	char bytes[65536];
	size_t n, total = 0, skip;

	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL | CSV_EMPTY_IS_NULL))
		abort();
	while (!batch->failed && (n = fread(bytes, 1, sizeof(bytes), file)) > 0) {
		skip = total ? 0 : mark_len(bytes, n);
		total += n;
		if (total > FILE_MAX)
			fail(batch, "the file is over 64 MiB", NULL);
		bytes_take(batch, &parser, bytes + skip, n - skip);
	}
	if (!batch->failed && (ferror(file) || csv_fini(&parser, on_cell, on_row, batch)))
		fail(batch, "the file ends within a quoted cell, or cannot be read", NULL);
	csv_free(&parser);
	if (!batch->failed && !batch->headed)
		fail(batch, "the file is empty", NULL);
}

static bool wrong_tell(const struct batch *batch)
{
	if (batch->wrong > WRONG_TOLD)
		tell("and %zu more", batch->wrong - WRONG_TOLD);
	if (batch->wrong || batch->failed)
		tell_more("Nothing was sent. Put it right and send the whole file.");
	return batch->wrong || batch->failed;
}

/* Reads and checks the whole file before anything is sent. */
static bool batch_take(struct batch *batch, const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;

	if (!file) {
		tell("%s: %s", path, strerror(errno));
		return false;
	}
	batch->line = 1;
	file_read(batch, file);
	if (file != stdin)
		fclose(file);
	if (!batch->failed && !batch->wrong)
		refs_check(batch);
	return !wrong_tell(batch);
}

/* The row's amount, in its own currency or the budget's. */
static bool row_amount(const struct batch *batch, struct row *row, struct buf *problem)
{
	const char *currency = row->cell[CURRENCY] ? row->cell[CURRENCY] : batch->currency;
	int exp = strcmp(currency, batch->currency) ? currency_exp(currency) : (int)batch->exp;

	if (exp >= 0)
		return amount_read(row->cell[AMOUNT], currency, exp, &row->amount, problem);
	buf_printf(problem, "%s: a currency is a code of ISO 4217, such as EUR", currency);
	return false;
}

static bool amounts_take(struct batch *batch)
{
	struct buf problem = BUF_INIT;

	for (size_t i = 0; i < batch->count; i++) {
		buf_clear(&problem);
		if (!row_amount(batch, &batch->rows[i], &problem) && ++batch->wrong <= WRONG_TOLD)
			tell("line %zu: %s", batch->rows[i].line, problem.data);
	}
	buf_release(&problem);
	return !wrong_tell(batch);
}

static void row_id(const struct row *row, char ret[UUID_LEN + 1])
{
	uint8_t digest[HASH_SIZE], uuid[16];

	sha256((struct iovec[]){ PART("fund batch v1\n", 14),
				 PART(row->cell[REF], strlen(row->cell[REF])) }, 2, digest);
	uuid_v8(digest, uuid);
	uuid_format(uuid, ret);
}

static bool row_send(struct fund *fund, const struct batch *batch, const struct row *row,
		     const char *budget, bool dry_run)
{
	static const enum column_id texts[] = { REASON, CUSTOMER, CATEGORY, INCIDENT };
	const char *from = row->cell[BUDGET] ? row->cell[BUDGET] : budget;
	struct buf parameters = BUF_INIT;
	char id[UUID_LEN + 1];
	bool sent;

	row_id(row, id);
	json_open(&parameters, NULL, '{');
	json_int(&parameters, "amount", row->amount);
	json_str(&parameters, "currency", row->cell[CURRENCY] ? row->cell[CURRENCY] : batch->currency);
	json_str(&parameters, "id", id);
	for (size_t i = 0; i < 4; i++)
		if (row->cell[texts[i]])
			json_str(&parameters, column_names[texts[i]], row->cell[texts[i]]);
	if (from)
		json_str(&parameters, "budget", from);
	json_bool(&parameters, "dry_run", dry_run);
	json_bool(&parameters, "receipt", !dry_run);
	json_close(&parameters, '}');
	sent = link_send(&fund->link, "Spend", &parameters, false) == LINK_OK;
	buf_release(&parameters);
	return sent;
}

static void row_refused(struct batch *batch, const struct row *row, const struct reply *reply)
{
	struct refusal_hint hint = REFUSAL_NO_HINT;
	struct buf text = BUF_INIT;

	if (refusal_code(reply) == ERR_ID_CONFLICT)
		buf_str(&text, "this ref stands for another spend already; a row that was changed "
			       "needs a new one.");
	else
		refusal_say(&text, reply, &hint);
	tell("line %zu, %s: %s", row->line, row->cell[REF], text.data);
	batch->refused++;
	batch->unavailable += refusal_code(reply) == ERR_UNAVAILABLE;
	buf_release(&text);
}

static bool row_answered(struct fund *fund, struct batch *batch, const struct row *row)
{
	struct wire_answer answer;
	struct problem problem;
	struct reply reply;

	if (link_read(&fund->link, &reply) != LINK_OK)
		return false;
	if (reply.error) {
		row_refused(batch, row, &reply);
	} else if (wire_answer(reply.parameters, &answer, &problem)) {
		watch_receipt(&fund->watch, reply.parameters);
		batch->already += answer.replayed;
		batch->spent += !answer.replayed;
		if (!answer.replayed && !strcmp(answer.entry.currency, batch->currency) &&
		    !money_add(batch->total, answer.entry.amount.value, &batch->total))
			batch->total = INT64_MAX;
		if (fund->json)
			print_json(reply.parameters);
	}
	reply_release(&reply);
	return true;
}

static enum exit_status rows_run(struct fund *fund, struct batch *batch, const char *budget,
				 bool dry_run)
{
	size_t sent = 0, done = 0;
	struct progress progress;

	progress_begin(&progress);
	while (done < batch->count) {
		bool alive = true;

		while (alive && sent < batch->count && sent - done < IN_FLIGHT)
			alive = row_send(fund, batch, &batch->rows[sent++], budget, dry_run);
		if (!alive || !row_answered(fund, batch, &batch->rows[done])) {
			progress_end(&progress);
			tell("the connection was lost after %zu of %zu rows: %s", done, batch->count,
			     fund->link.problem);
			tell_more("Run the same file again: nothing is doubled.");
			return EXIT_UNREACHABLE;
		}
		progress_show(&progress, ++done, batch->count);
	}
	progress_end(&progress);
	return EXIT_OK;
}

static enum exit_status summary(const struct fund *fund, const struct batch *batch, bool dry_run)
{
	struct buf text = BUF_INIT;

	if (dry_run)
		buf_str(&text, "Dry run, nothing is recorded: ");
	buf_printf(&text, "%lld spent, ", (long long)batch->spent);
	say_money(&text, batch->currency, batch->exp, batch->total);
	buf_printf(&text, "; %lld already there, %lld refused.\n", (long long)batch->already,
		   (long long)batch->refused);
	if (fund->json)
		buf_release(&text);
	else
		print_text(&text);
	if (batch->unavailable)
		return EXIT_FAILED;
	return batch->refused ? EXIT_REFUSED : EXIT_OK;
}

static void batch_release(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		row_release(&batch->rows[i]);
	row_release(&batch->current);
	free(batch->rows);
}

/* The currency of the budget that is meant when a row names none. */
static enum exit_status default_currency(struct fund *fund, struct batch *batch, const char *budget)
{
	struct budget_reply from;
	enum exit_status status;

	if (!budget && has_column(batch, BUDGET))
		return currency_fetch(fund, batch->currency, &batch->exp);
	status = budget_fetch(fund, budget, &from);
	if (status != EXIT_OK)
		return status;
	snprintf(batch->currency, sizeof(batch->currency), "%s", from.budget.terms.currency);
	batch->exp = from.budget.terms.exp.value;
	reply_release(&from.reply);
	return EXIT_OK;
}

enum exit_status batch_run(struct fund *fund, const char *path, const char *budget, bool dry_run)
{
	struct batch batch = { .columns = 0 };
	enum exit_status status = EXIT_USAGE;

	if (batch_take(&batch, path)) {
		status = fund_begin(fund);
		if (status == EXIT_OK)
			status = default_currency(fund, &batch, budget);
		if (status == EXIT_OK && !amounts_take(&batch))
			status = EXIT_USAGE;
		else if (status == EXIT_OK && !watch_ready(&fund->watch))
			status = tell_unsafe();
		else if (status == EXIT_OK)
			status = rows_run(fund, &batch, budget, dry_run);
		if (status == EXIT_OK)
			status = summary(fund, &batch, dry_run);
	}
	batch_release(&batch);
	return status;
}

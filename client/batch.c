#include "batch.h"

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
#include "sheet.h"
#include "tell.h"

#define IN_FLIGHT 60		/* the daemon takes 64 */

struct batch {
	struct sheet sheet;
	const char *budget;			/* of rows that name none; NULL: one's own */
	char currency[CURRENCY_LEN + 1];	/* of the default budget */
	int64_t exp;
	int64_t spent, already, refused, unavailable, total;
};

/* Reads and checks the whole file before anything is sent. */
static bool batch_take(struct batch *batch, const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	bool taken;

	if (!file) {
		tell("%s: %s", path, strerror(errno));
		return false;
	}
	taken = sheet_read(&batch->sheet, file);
	if (file != stdin)
		fclose(file);
	return taken;
}

/* The row's own currency, or the budget's; and its digits
 * after the point, -1 if there is no such currency. */
static const char *row_currency(const struct batch *batch, const struct sheet_row *row, int *exp)
{
	const char *currency = row->cell[CURRENCY] ? row->cell[CURRENCY] : batch->currency;

	*exp = strcmp(currency, batch->currency) ? currency_exp(currency) : (int)batch->exp;
	return currency;
}

static bool row_amount(const struct batch *batch, struct sheet_row *row, struct buf *problem)
{
	int exp;
	const char *currency = row_currency(batch, row, &exp);

	if (exp >= 0)
		return amount_read(row->cell[AMOUNT], currency, exp, &row->amount, problem);
	buf_printf(problem, "%s: a currency is a code of ISO 4217, such as EUR", currency);
	return false;
}

static bool amounts_take(struct batch *batch)
{
	struct buf problem = BUF_INIT;

	for (size_t i = 0; i < batch->sheet.count; i++) {
		buf_clear(&problem);
		if (!row_amount(batch, &batch->sheet.rows[i], &problem))
			sheet_wrong(&batch->sheet, &batch->sheet.rows[i], problem.data);
	}
	buf_release(&problem);
	return !sheet_wrong_tell(&batch->sheet);
}

static void row_id(const struct sheet_row *row, char ret[UUID_LEN + 1])
{
	uint8_t digest[HASH_SIZE], uuid[16];

	sha256((struct iovec[]){ PART("fund batch v1\n", 14),
				 PART(row->cell[REF], strlen(row->cell[REF])) }, 2, digest);
	uuid_v8(digest, uuid);
	uuid_format(uuid, ret);
}

static void row_parameters(const struct batch *batch, const struct sheet_row *row, bool dry_run,
			   const char *id, struct buf *out)
{
	static const enum sheet_column texts[] = { REASON, CUSTOMER, CATEGORY, INCIDENT };
	const char *from = row->cell[BUDGET] ? row->cell[BUDGET] : batch->budget;
	int exp;

	json_open(out, NULL, '{');
	json_int(out, "amount", row->amount);
	json_str(out, "currency", row_currency(batch, row, &exp));
	json_int(out, "exp", exp);
	json_str(out, "id", id);
	for (size_t i = 0; i < 4; i++)
		if (row->cell[texts[i]])
			json_str(out, sheet_columns[texts[i]], row->cell[texts[i]]);
	if (from)
		json_str(out, "budget", from);
	json_bool(out, "dry_run", dry_run);
	json_bool(out, "receipt", !dry_run);
	json_close(out, '}');
}

static bool row_send(struct fund *fund, const struct batch *batch, const struct sheet_row *row,
		     bool dry_run)
{
	struct buf parameters = BUF_INIT;
	char id[UUID_LEN + 1];
	bool sent;

	row_id(row, id);
	row_parameters(batch, row, dry_run, id, &parameters);
	sent = link_send(&fund->link, "Spend", &parameters, false) == LINK_OK;
	buf_release(&parameters);
	return sent;
}

static void row_receipt(struct fund *fund, const struct batch *batch, const struct sheet_row *row,
			const json_t *reply)
{
	struct buf parameters = BUF_INIT;
	char id[UUID_LEN + 1];
	struct wanted wanted = { .id = id };

	row_id(row, id);
	row_parameters(batch, row, false, id, &parameters);
	wanted.parameters = parameters.data;
	watch_receipt(&fund->watch, reply, &wanted);
	buf_release(&parameters);
}

static void row_refused(struct batch *batch, const struct sheet_row *row, const struct reply *reply)
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

static bool row_answered(struct fund *fund, struct batch *batch, const struct sheet_row *row,
			 bool dry_run)
{
	struct wire_answer answer;
	struct problem problem;
	struct reply reply;

	if (link_read(&fund->link, &reply) != LINK_OK)
		return false;
	if (reply.error) {
		row_refused(batch, row, &reply);
	} else if (wire_answer(reply.parameters, &answer, &problem)) {
		if (!dry_run)
			row_receipt(fund, batch, row, reply.parameters);
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

static enum exit_status rows_run(struct fund *fund, struct batch *batch, bool dry_run)
{
	size_t sent = 0, done = 0;
	struct progress progress;

	progress_begin(&progress);
	while (done < batch->sheet.count) {
		bool alive = true;

		while (alive && sent < batch->sheet.count && sent - done < IN_FLIGHT)
			alive = row_send(fund, batch, &batch->sheet.rows[sent++], dry_run);
		if (!alive || !row_answered(fund, batch, &batch->sheet.rows[done], dry_run)) {
			progress_end(&progress);
			tell("the connection was lost after %zu of %zu rows: %s",
			     done, batch->sheet.count,
			     fund->link.problem);
			tell_more("Run the same file again: nothing is doubled.");
			return EXIT_UNREACHABLE;
		}
		progress_show(&progress, ++done, batch->sheet.count);
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

/* The currency of the budget that is meant when a row names none. */
static enum exit_status default_currency(struct fund *fund, struct batch *batch, const char *budget)
{
	struct budget_reply from;
	enum exit_status status;

	if (!budget && sheet_has(&batch->sheet, BUDGET))
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
	struct batch batch = { .budget = budget };
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
			status = rows_run(fund, &batch, dry_run);
		if (status == EXIT_OK)
			status = summary(fund, &batch, dry_run);
	}
	sheet_release(&batch.sheet);
	return status;
}

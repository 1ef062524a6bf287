/*
 * Report: what was spent in a month, and came back, by currency and category. The index has the
 * totals of what is folded into it; the entries behind are few, and looked at one by one.
 */
#include <stdlib.h>
#include <string.h>

#include "common/hashed.h"
#include "scope.h"

#define ROWS_A_TURN 2048
#define TOTALS_A_TURN 512

struct report_request {
	const char *month;
	struct json_strings budgets;
};

static const struct field report_fields[] = {
	{ "month", FIELD_STRING, offsetof(struct report_request, month), FIELD_REQUIRED,
	  LABEL_SIZE - 1 },
	{ "budgets", FIELD_STRINGS, offsetof(struct report_request, budgets), FIELD_FULL,
	  NAME_MAX_LEN },
	FIELDS_END
};

/* One line of it. Its first members, whole, are its key. */
struct line {
	char currency[CURRENCY_LEN + 1], category[TAG_MAX_LEN + 1];
	uint8_t exp;
	int64_t amounts[2];		/* by enum total_kind */
	uint64_t counts[2];
	UT_hash_handle hh;
};

#define LINE_KEY offsetof(struct line, amounts)

struct report_job {
	struct job job;
	uint32_t month;
	int64_t begins, ends;		/* microseconds */
	char (*names)[NAME_MAX_LEN + 1];	/* of the budgets; NULL: all */
	uint32_t *places;
	size_t count;
	bool begun, sorted, overflow;
	uint64_t next, size;		/* the entry to be looked at next, and the ledger's end */
	struct line *lines, *told;	/* told: the last that was sent */
	unsigned this_turn;
};

static void job_release(struct job *job)
{
	struct report_job *report = (struct report_job *)job;
	struct line *line, *next;

	HASH_ITER(hh, report->lines, line, next) {
		HASH_DEL(report->lines, line);
		free(line);
	}
	free(report->names);
	free(report->places);
	free(report);
}

/* ---- Adding up ---- */

static void total_add(void *context, const struct total *total)
{
	struct report_job *report = context;
	struct line key, *line;

	memset(&key, 0, sizeof(key));
	memcpy(key.currency, total->currency, sizeof(key.currency));
	memcpy(key.category, total->category, sizeof(key.category));
	key.exp = total->exp;
	HASH_FIND(hh, report->lines, &key, LINE_KEY, line);
	if (!line) {
		line = malloc(sizeof(*line));
		if (!line)
			abort();
		memcpy(line, &key, sizeof(key));
		HASH_ADD(hh, report->lines, currency, LINE_KEY, line);
	}
	report->overflow |= !money_add(line->amounts[total->kind], total->amount,
				       &line->amounts[total->kind]);
	line->counts[total->kind] += total->count;
}

static bool about(const struct report_job *report, const struct entry *entry)
{
	for (size_t i = 0; i < report->count; i++)
		if (!strcmp(report->names[i], entry->budget))
			return true;
	return !report->names;
}

static void entry_add(struct report_job *report, const struct entry *entry)
{
	struct total total;

	if (entry->at >= report->begins && entry->at < report->ends && about(report, entry) &&
	    index_total(entry, &total))
		total_add(report, &total);
}

/* What is not folded yet, a turn's worth. NULL or a static sentence. */
static const char *rest_add(struct report_job *report, struct service *service)
{
	const char *problem = NULL;
	struct reader reader;
	struct stored stored;
	struct row row;

	if (reader_begin(&service->ledger, &reader))
		return "it cannot be read";
	for (unsigned i = 0; i < ROWS_A_TURN && report->next < report->size && !problem; i++) {
		problem = stored_read(&reader, report->next++, &row, &stored);
		if (!problem)
			entry_add(report, &stored.entry);
	}
	reader_end(&reader);
	return problem;
}

/* ---- The stream ---- */

static void line_write(struct buf *reply, const struct line *line)
{
	json_open(reply, "total", '{');
	json_str(reply, "currency", line->currency);
	json_int(reply, "exp", line->exp);
	if (line->category[0])
		json_str(reply, "category", line->category);
	json_int(reply, "spent", line->amounts[TOTAL_SPENT]);
	json_int(reply, "refunded", line->amounts[TOTAL_REFUNDED]);
	json_int(reply, "spends", (int64_t)line->counts[TOTAL_SPENT]);
	json_int(reply, "refunds", (int64_t)line->counts[TOTAL_REFUNDED]);
	json_close(reply, '}');
}

static int line_order(const struct line *a, const struct line *b)
{
	int order = strcmp(a->currency, b->currency);

	return order ? order : strcmp(a->category, b->category);
}

static enum step line_next(struct report_job *report, struct request *request)
{
	if (report->this_turn++ == TOTALS_A_TURN) {
		report->this_turn = 0;
		return STEP_PAUSE;
	}
	report->told = report->told ? report->told->hh.next : report->lines;
	json_open(request->reply, NULL, '{');
	if (report->told)
		line_write(request->reply, report->told);
	json_close(request->reply, '}');
	return report->told ? STEP_ROW : STEP_LAST;
}

static enum step refused_damage(struct request *request, const char *problem)
{
	refuse_words(request->refusal, ERR_UNAVAILABLE, "",
		     "the ledger is damaged: %s; fundd --verify says where", problem);
	return STEP_REFUSED;
}

static enum step refused_overflow(struct request *request)
{
	refuse_words(request->refusal, ERR_UNAVAILABLE, "",
		     "a total is more than a number can hold; ask for fewer budgets");
	return STEP_REFUSED;
}

static enum step job_step(struct job *job, struct request *request)
{
	struct report_job *report = (struct report_job *)job;
	struct service *service = request->service;
	const char *problem = NULL;

	if (!report->begun) {
		report->begun = true;
		fold_totals(&service->fold, report->month, report->places, report->count, total_add,
			    report, &report->next);
	}
	if (report->next < report->size) {
		problem = rest_add(report, service);
		return problem ? refused_damage(request, problem) : STEP_PAUSE;
	}
	if (report->overflow)
		return refused_overflow(request);
	if (!report->sorted)
		HASH_SORT(report->lines, line_order);
	report->sorted = true;
	return line_next(report, request);
}

/* ---- Asking ---- */

static enum err month_take(const char *month, struct report_job *report, struct refusal *refusal)
{
	char begins[LABEL_SIZE], next[LABEL_SIZE], ends[LABEL_SIZE];

	if (label_kind(month) != PERIOD_MONTH || !label_first_day(month, begins) ||
	    !label_next(month, next) || !label_first_day(next, ends) ||
	    !moment_parse(begins, false, &report->begins) ||
	    !moment_parse(ends, false, &report->ends))
		return refuse_words(refusal, ERR_MALFORMED, "month", "is a month such as 2026-11");
	report->month = index_month(month);
	return ERR_NONE;
}

static void scope_keep(struct report_job *report, const struct scope *scope)
{
	if (scope->everything)
		return;
	report->count = scope->count;
	report->names = calloc(scope->count + 1, sizeof(*report->names));
	report->places = calloc(scope->count + 1, sizeof(*report->places));
	if (!report->names || !report->places)
		abort();
	for (size_t i = 0; i < scope->count; i++) {
		strcpy(report->names[i], scope->list[i]->name);
		report->places[i] = scope->list[i]->place;
	}
}

static enum err stream(struct request *request, const struct report_request *wanted,
		       const struct scope *scope)
{
	struct report_job *report = calloc(1, sizeof(*report));
	enum err err;

	if (!report)
		abort();
	err = month_take(wanted->month, report, request->refusal);
	if (!err)
		err = scope_record(request, scope, report_fields, wanted);
	if (err) {
		free(report);
		return err;
	}
	report->size = batch_size(&request->service->batch);
	report->job = (struct job){ .step = job_step, .release = job_release,
				    .watermark = report->size };
	scope_keep(report, scope);
	request->job = &report->job;
	return ERR_NONE;
}

enum err method_report(struct request *request)
{
	struct report_request wanted;
	struct scope scope;
	enum err err = request_decode(request, report_fields, &wanted, sizeof(wanted));

	if (err)
		return err;
	if (!request->more)
		return refuse(request->refusal, ERR_EXPECTED_MORE);
	if (wanted.budgets.count > SCOPE_NAMES_MAX)
		return refuse_words(request->refusal, ERR_MALFORMED, "budgets",
				    "at most %d are named in one report; without names all are "
				    "meant",
				    SCOPE_NAMES_MAX);
	err = scope_take(request, &wanted.budgets, &scope);
	if (!err)
		err = stream(request, &wanted, &scope);
	scope_release(&scope);
	return err;
}

/*
 * Reset: every budget whose period is over gets its next ones, a bounded number of entries a turn.
 */
#include "method.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"

#define PERIODS_A_TURN 128

struct reset_job {
	struct job job;
	char until[LABEL_SIZE];		/* "" : up to now */
	char only[NAME_MAX_LEN + 1];	/* "" : all budgets */
	bool dry_run, more;
	size_t next;			/* in the books' list */
	bool begun;			/* the one at `next` got a period already */
	unsigned this_turn;
	struct entry entries[2];	/* posted, and not answered yet */
	unsigned entry_count, entry_next;
	int64_t reset, already;
	int64_t total;			/* of a dry run: all balances, as far as it is */
	struct buf failed;		/* JSON array's elements */
};

static void job_release(struct job *job)
{
	struct reset_job *reset = (struct reset_job *)job;

	buf_release(&reset->failed);
	free(reset);
}

static const char *failure_sentence(const struct refusal *refusal)
{
	if (refusal->code != ERR_OVERFLOW)
		return refusal->problem.text;
	return refusal->budget[0] ? "its balance would be more than a ledger can hold"
				  : "all balances together would be more than a ledger can hold";
}

static void failure_add(struct reset_job *reset, const char *budget, const struct refusal *refusal)
{
	json_open(&reset->failed, NULL, '{');
	json_str(&reset->failed, "budget", budget);
	json_str(&reset->failed, "error", err_name(refusal->code));
	json_str(&reset->failed, "problem", failure_sentence(refusal));
	json_close(&reset->failed, '}');
}

static void budget_done(struct reset_job *reset)
{
	if (!reset->begun)
		reset->already++;
	reset->begun = false;
	reset->next++;
}

/* Of a dry run: how many periods would begin, up to one that could not. */
static void periods_foresee(struct reset_job *reset, struct request *request,
			    const struct budget *budget)
{
	struct budget ahead = *budget;
	enum err err = ERR_NONE;

	while (!err && reset_due(&ahead, &request->service->calendar, reset->until)) {
		err = reset_ahead(&ahead, &reset->total, request->refusal);
		reset->begun = true;
		reset->reset += !err;
	}
	if (err)
		failure_add(reset, budget->name, request->refusal);
}

/* The budget's next period. Both entries of it are in one commit: there is room for two, or it waits. */
static void period_post(struct reset_job *reset, struct request *request, struct budget *budget)
{
	struct service *service = request->service;
	struct memo no_words = { 0 };
	unsigned posted = 0;
	enum err err = plan_reset(&service->books, request->actor, budget, reset->entries,
				  &reset->entry_count, request->refusal);

	if (!err)
		err = batch_reserve(&service->batch, reset->entry_count, request->refusal);
	while (!err && posted < reset->entry_count) {
		err = batch_add(&service->batch, &reset->entries[posted], &no_words, service->now,
				request->refusal);
		posted += !err;
	}
	reset->entry_next = 0;
	reset->this_turn++;
	if (!err) {
		reset->begun = true;
		reset->reset++;
		return;
	}
	reset->entry_count = 0;
	failure_add(reset, budget->name, request->refusal);
	reset->begun = true;
	budget_done(reset);
}

static enum step answer_posted(struct reset_job *reset, struct request *request)
{
	struct memo no_words = { 0 };

	json_open(request->reply, NULL, '{');
	answer_entry(request->reply, "entry", &reset->entries[reset->entry_next++], &no_words);
	json_close(request->reply, '}');
	return STEP_ROW;
}

static enum step answer_counts(struct reset_job *reset, struct request *request)
{
	json_open(request->reply, NULL, '{');
	json_int(request->reply, "reset", reset->reset);
	json_int(request->reply, "already", reset->already);
	if (reset->failed.len) {
		json_open(request->reply, "failed", '[');
		buf_add(request->reply, reset->failed.data, reset->failed.len);
		json_close(request->reply, ']');
	}
	json_close(request->reply, '}');
	return STEP_LAST;
}

static bool turn_over(const struct reset_job *reset, const struct service *service)
{
	return reset->this_turn >= PERIODS_A_TURN ||
	       batch_open(&service->batch) + 2 > BATCH_MAX;
}

static enum step job_step(struct job *job, struct request *request)
{
	struct reset_job *reset = (struct reset_job *)job;
	struct service *service = request->service;
	const char *problem = service_problem(service, false);

	if (problem && !reset->dry_run) {
		refuse_words(request->refusal, ERR_UNAVAILABLE, "", "%s", problem);
		return STEP_REFUSED;
	}
	for (;;) {
		struct budget *budget;

		if (reset->more && reset->entry_next < reset->entry_count)
			return answer_posted(reset, request);
		if (reset->next >= service->books.budgets.count)
			return answer_counts(reset, request);
		if (turn_over(reset, service)) {
			reset->this_turn = 0;
			return STEP_PAUSE;
		}
		budget = service->books.budgets.list[reset->next];
		if (budget->closed || (reset->only[0] && strcmp(reset->only, budget->name))) {
			reset->next++;
			continue;
		}
		if (reset->dry_run)
			periods_foresee(reset, request, budget);
		if (reset->dry_run || !reset_due(budget, &service->calendar, reset->until))
			budget_done(reset);
		else
			period_post(reset, request, budget);
	}
}

/* The period given must be one that has begun. */
static enum err until_check(const struct service *service, const char *until,
			    struct refusal *refusal)
{
	enum period kind = label_kind(until);
	const char *now = calendar_label(&service->calendar, kind);

	if (kind == PERIOD_NONE)
		return refuse_words(refusal, ERR_MALFORMED, "period",
				    "is a month (2026-11), a week (2026-W48) or a day (2026-11-23)");
	if (strcmp(until, now) <= 0)
		return ERR_NONE;
	refuse(refusal, ERR_PERIOD_AHEAD);
	memcpy(refusal->period, until, strlen(until) + 1);
	memcpy(refusal->current, now, strlen(now) + 1);
	return refusal->code;
}

static enum err budget_check(const struct service *service, const char *name,
			     struct refusal *refusal)
{
	const struct budget *budget = books_budget(&service->books, name);

	if (!budget)
		return refuse_budget(refusal, ERR_UNKNOWN_BUDGET, name);
	return budget->closed ? refuse_budget(refusal, ERR_BUDGET_CLOSED, name) : ERR_NONE;
}

enum err method_reset(struct request *request)
{
	struct reset_request wanted;
	struct reset_job *reset;
	enum err err = request_decode(request, reset_fields, &wanted, sizeof(wanted));

	if (!err && wanted.period)
		err = until_check(request->service, wanted.period, request->refusal);
	if (!err && wanted.budget)
		err = budget_check(request->service, wanted.budget, request->refusal);
	if (err)
		return err;
	reset = calloc(1, sizeof(*reset));
	if (!reset)
		abort();
	reset->job = (struct job){ .step = job_step, .release = job_release };
	reset->dry_run = wanted.dry_run;
	reset->total = request->service->books.totals.balances;
	reset->more = request->more;
	if (wanted.period)
		memcpy(reset->until, wanted.period, strlen(wanted.period));
	if (wanted.budget)
		memcpy(reset->only, wanted.budget, strlen(wanted.budget));
	request->job = &reset->job;
	return ERR_NONE;
}

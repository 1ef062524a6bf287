/*
 * Audit: entries that fit a filter, streamed. Whoever reads what is not their own is on record
 * before the first of them is sent.
 */
#include "method.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "common/hash.h"
#include "query.h"
#include "scope.h"


struct audit_request {
	struct json_strings budgets;
	const char *since, *until, *kind, *category, *customer, *currency;
	struct json_int min, max, limit;
	bool reverse;
};

#define FIELD(name, type, flags, max_len) \
	{ #name, type, offsetof(struct audit_request, name), flags, max_len }

static const struct field audit_fields[] = {
	FIELD(budgets, FIELD_STRINGS, FIELD_FULL, NAME_MAX_LEN),
	FIELD(since, FIELD_STRING, 0, 40),
	FIELD(until, FIELD_STRING, 0, 40),
	FIELD(kind, FIELD_STRING, FIELD_TAG, KIND_MAX),
	FIELD(category, FIELD_STRING, FIELD_TAG, TAG_MAX_LEN),
	FIELD(customer, FIELD_STRING, FIELD_WORDS, 128),
	FIELD(currency, FIELD_STRING, 0, CURRENCY_LEN),
	FIELD(min, FIELD_INT, FIELD_NATURAL, 0),
	FIELD(max, FIELD_INT, FIELD_NATURAL, 0),
	FIELD(limit, FIELD_INT, FIELD_POSITIVE, 0),
	FIELD(reverse, FIELD_BOOL, 0, 0),
	FIELDS_END
};

/* ---- The stream ---- */

struct audit_job {
	struct job job;
	struct query *query;
	bool reading;			/* a reader is open in this turn */
};

/* No reader outlives the turn. */
static void job_pause(struct job *job)
{
	struct audit_job *audit = (struct audit_job *)job;

	if (audit->reading)
		query_end(audit->query);
	audit->reading = false;
}

static void job_release(struct job *job)
{
	struct audit_job *audit = (struct audit_job *)job;

	job_pause(job);
	query_free(audit->query);
	free(audit);
}

static enum step job_step(struct job *job, struct request *request)
{
	struct audit_job *audit = (struct audit_job *)job;
	struct service *service = request->service;
	const char *problem = "the ledger cannot be read";
	struct stored stored;

	audit->reading = audit->reading ||
			 !query_begin(audit->query, &service->ledger, &service->keyring);
	switch (audit->reading ? query_next(audit->query, &stored, &problem) : PULL_DAMAGED) {
	case PULL_ENTRY:
		json_open(request->reply, NULL, '{');
		answer_entry(request->reply, "entry", &stored.entry, &stored.memo);
		json_close(request->reply, '}');
		stored_release(&stored);
		return STEP_ROW;
	case PULL_PAUSE:
		return STEP_PAUSE;
	case PULL_END:
		json_open(request->reply, NULL, '{');
		json_close(request->reply, '}');
		return STEP_LAST;
	default:
		refuse_words(request->refusal, ERR_UNAVAILABLE, "",
			     "the ledger is damaged: %s; fundd --verify says where", problem);
		return STEP_REFUSED;
	}
}

/* ---- The filter ---- */

static enum err moment_take(const char *text, bool end, const char *name, int64_t *ret,
			    struct refusal *refusal)
{
	if (!text || moment_parse(text, end, ret))
		return ERR_NONE;
	return refuse_words(refusal, ERR_MALFORMED, name,
			    "is a date such as 2026-11-23, or a time such as 2026-11-23T14:00:00Z");
}

static enum err amounts_take(const struct audit_request *wanted, struct filter *ret,
			     struct refusal *refusal)
{
	if ((wanted->min.set || wanted->max.set) && !wanted->currency)
		return refuse_words(refusal, ERR_MALFORMED, "currency",
				    "is needed with min and max");
	if (wanted->currency)
		memcpy(ret->currency, wanted->currency, strlen(wanted->currency) + 1);
	ret->min = wanted->min.set ? wanted->min.value : 0;
	ret->max = wanted->max.set ? wanted->max.value : INT64_MAX;
	return ERR_NONE;
}

static enum err filter_take(const struct audit_request *wanted, struct filter *ret,
			    struct refusal *refusal)
{
	enum err err;

	*ret = (struct filter){ .since = 0, .until = INT64_MAX, .newest_first = wanted->reverse };
	err = moment_take(wanted->since, false, "since", &ret->since, refusal);
	if (!err)
		err = moment_take(wanted->until, true, "until", &ret->until, refusal);
	if (!err)
		err = amounts_take(wanted, ret, refusal);
	if (err)
		return err;
	ret->every_kind = wanted->kind && !strcmp(wanted->kind, "all");
	if (wanted->kind && !ret->every_kind && kind_from_word(wanted->kind) == KIND_OTHER)
		return refuse_words(refusal, ERR_MALFORMED, "kind",
				    "is all, genesis, boot, open, adjust, close, topup, reset, "
				    "spend, refund, audit or key");
	if (wanted->kind && !ret->every_kind)
		memcpy(ret->kind_name, wanted->kind, strlen(wanted->kind) + 1);
	if (wanted->category)
		memcpy(ret->category, wanted->category, strlen(wanted->category) + 1);
	ret->limit = wanted->limit.set ? (uint64_t)wanted->limit.value : 0;
	if (wanted->customer && !(ret->customer = strdup(wanted->customer)))
		abort();
	return ERR_NONE;
}

static enum err stream(struct request *request, const struct audit_request *wanted,
		       const struct scope *scope)
{
	struct service *service = request->service;
	struct audit_job *audit;
	struct filter filter;
	enum err err;

	if (wanted->budgets.count > SCOPE_NAMES_MAX)
		return refuse_words(request->refusal, ERR_MALFORMED, "budgets",
				    "at most %d are named in one audit; without names all are "
				    "meant",
				    SCOPE_NAMES_MAX);
	err = filter_take(wanted, &filter, request->refusal);
	if (!err)
		err = scope_record(request, scope, audit_fields, wanted);
	if (err) {
		free(filter.customer);
		return err;
	}
	audit = calloc(1, sizeof(*audit));
	if (!audit)
		abort();
	audit->job = (struct job){ .step = job_step, .pause = job_pause, .release = job_release,
				   .watermark = batch_size(&service->batch) };
	audit->query = query_new(&filter, scope->everything ? NULL : scope->list, scope->count,
				 &service->customers, &service->fold, batch_size(&service->batch));
	request->job = &audit->job;
	return ERR_NONE;
}

enum err method_audit(struct request *request)
{
	struct audit_request wanted;
	struct scope scope;
	enum err err = request_decode(request, audit_fields, &wanted, sizeof(wanted));

	if (err)
		return err;
	if (!request->more)
		return refuse(request->refusal, ERR_EXPECTED_MORE);
	err = scope_take(request, &wanted.budgets, &scope);
	if (!err)
		err = stream(request, &wanted, &scope);
	scope_release(&scope);
	return err;
}

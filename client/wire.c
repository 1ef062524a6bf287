#include "wire.h"

#include <stddef.h>

#include "common/money.h"

#define INT(type, name, flags) { #name, FIELD_INT, offsetof(struct type, name), (flags), 0 }
#define STRING(type, name, flags) { #name, FIELD_STRING, offsetof(struct type, name), (flags), 0 }
#define BOOL(type, name) { #name, FIELD_BOOL, offsetof(struct type, name), 0, 0 }
#define JSON(type, name, member, flags) { name, FIELD_JSON, offsetof(struct type, member), (flags), 0 }

static const struct field terms_fields[] = {
	INT(wire_terms, owner, 0), INT(wire_terms, group, 0),
	STRING(wire_terms, currency, FIELD_REQUIRED), INT(wire_terms, exp, FIELD_REQUIRED),
	INT(wire_terms, allowance, FIELD_REQUIRED),
	STRING(wire_terms, period, FIELD_REQUIRED), STRING(wire_terms, carry, FIELD_REQUIRED),
	INT(wire_terms, cap, 0), STRING(wire_terms, pool, 0),
	INT(wire_terms, self_topup, 0), INT(wire_terms, guideline, 0),
	FIELDS_END
};

static const struct field budget_fields[] = {
	STRING(wire_budget, name, FIELD_REQUIRED), JSON(wire_budget, "terms", terms_json, FIELD_REQUIRED),
	INT(wire_budget, balance, FIELD_REQUIRED), INT(wire_budget, spent, FIELD_REQUIRED),
	STRING(wire_budget, current, 0), STRING(wire_budget, next_reset, 0),
	INT(wire_budget, self_topup_left, 0), BOOL(wire_budget, closed),
	FIELDS_END
};

static const struct field entry_fields[] = {
	INT(wire_entry, seq, FIELD_REQUIRED), STRING(wire_entry, at, FIELD_REQUIRED),
	STRING(wire_entry, kind, FIELD_REQUIRED), INT(wire_entry, uid, FIELD_REQUIRED),
	STRING(wire_entry, budget, 0), STRING(wire_entry, from, 0), STRING(wire_entry, to, 0),
	INT(wire_entry, amount, 0), STRING(wire_entry, currency, 0), INT(wire_entry, exp, 0),
	INT(wire_entry, from_after, 0), INT(wire_entry, to_after, 0), INT(wire_entry, ref, 0),
	STRING(wire_entry, period, 0), STRING(wire_entry, category, 0),
	JSON(wire_entry, "terms", terms_json, 0),
	STRING(wire_entry, reason, 0), STRING(wire_entry, customer, 0), STRING(wire_entry, incident, 0),
	STRING(wire_entry, evidence, 0), STRING(wire_entry, message, 0),
	STRING(wire_entry, filter, 0),
	FIELDS_END
};

static const struct field answer_fields[] = {
	JSON(wire_answer, "entry", entry_json, FIELD_REQUIRED),
	JSON(wire_answer, "budget", budget_json, FIELD_REQUIRED),
	BOOL(wire_answer, replayed),
	FIELDS_END
};

static const struct field reset_fields[] = {
	JSON(wire_reset, "entry", entry_json, 0), JSON(wire_reset, "failed", failed, 0),
	INT(wire_reset, reset, 0), INT(wire_reset, already, 0),
	FIELDS_END
};

static const struct field failure_fields[] = {
	STRING(wire_failure, budget, FIELD_REQUIRED), STRING(wire_failure, error, FIELD_REQUIRED),
	STRING(wire_failure, problem, 0),
	FIELDS_END
};

static const struct field status_fields[] = {
	STRING(wire_status, origin, FIELD_REQUIRED), STRING(wire_status, version, FIELD_REQUIRED),
	STRING(wire_status, currency, FIELD_REQUIRED), INT(wire_status, exp, FIELD_REQUIRED),
	STRING(wire_status, timezone, FIELD_REQUIRED), STRING(wire_status, problem, 0),
	INT(wire_status, entries, FIELD_REQUIRED), INT(wire_status, uptime, FIELD_REQUIRED),
	INT(wire_status, budgets, FIELD_REQUIRED), INT(wire_status, connections, FIELD_REQUIRED),
	BOOL(wire_status, read_only), BOOL(wire_status, unrestricted),
	INT(wire_status, witnesses, 0), INT(wire_status, witnessed, 0),
	STRING(wire_status, unwitnessed_since, 0), JSON(wire_status, "unwitnessed", unwitnessed, 0),
	FIELDS_END
};

static const struct field sum_fields[] = {
	STRING(wire_sum, currency, FIELD_REQUIRED), INT(wire_sum, exp, FIELD_REQUIRED),
	INT(wire_sum, amount, FIELD_REQUIRED),
	FIELDS_END
};

static const struct field refusal_fields[] = {
	STRING(wire_refusal, budget, 0), STRING(wire_refusal, currency, 0),
	STRING(wire_refusal, next_reset, 0), STRING(wire_refusal, pool, 0),
	STRING(wire_refusal, problem, 0), STRING(wire_refusal, id, 0),
	STRING(wire_refusal, period, 0), STRING(wire_refusal, current, 0),
	STRING(wire_refusal, parameter, 0),
	INT(wire_refusal, available, 0), INT(wire_refusal, exp, 0), INT(wire_refusal, pool_usable, 0),
	INT(wire_refusal, seq, 0), INT(wire_refusal, limit, 0), INT(wire_refusal, left, 0),
	{ "budgets", FIELD_STRINGS, offsetof(struct wire_refusal, budgets), 0, 0 },
	FIELDS_END
};

static bool decode(const json_t *json, const struct field *fields, void *ret, size_t size,
		   struct problem *problem)
{
	return json_decode(json, fields, ret, size, true, problem) == 0;
}

/* An exponent that money_format can take, or none at all. */
static bool exp_fits(const struct json_int *exp, struct problem *problem)
{
	if (!exp->set || (exp->value >= 0 && exp->value <= MONEY_EXP_MAX))
		return true;
	problem_set(problem, "exp", "is not from 0 to %d", MONEY_EXP_MAX);
	return false;
}

static bool terms_decode(const json_t *json, struct wire_terms *ret, struct problem *problem)
{
	return decode(json, terms_fields, ret, sizeof(*ret), problem) && exp_fits(&ret->exp, problem);
}

bool wire_budget(const json_t *json, struct wire_budget *ret, struct problem *problem)
{
	return decode(json, budget_fields, ret, sizeof(*ret), problem) &&
	       terms_decode(ret->terms_json, &ret->terms, problem);
}

bool wire_entry(const json_t *json, struct wire_entry *ret, struct problem *problem)
{
	if (!decode(json, entry_fields, ret, sizeof(*ret), problem) || !exp_fits(&ret->exp, problem))
		return false;
	if (ret->amount.set && (!ret->currency || !ret->exp.set)) {
		problem_set(problem, "amount", "stands without its currency");
		return false;
	}
	return !ret->terms_json || terms_decode(ret->terms_json, &ret->terms, problem);
}

bool wire_answer(const json_t *json, struct wire_answer *ret, struct problem *problem)
{
	return decode(json, answer_fields, ret, sizeof(*ret), problem) &&
	       wire_entry(ret->entry_json, &ret->entry, problem) &&
	       wire_budget(ret->budget_json, &ret->budget, problem);
}

bool wire_reset(const json_t *json, struct wire_reset *ret, struct problem *problem)
{
	return decode(json, reset_fields, ret, sizeof(*ret), problem) &&
	       (!ret->entry_json || wire_entry(ret->entry_json, &ret->entry, problem));
}

bool wire_failure(const json_t *json, struct wire_failure *ret, struct problem *problem)
{
	return decode(json, failure_fields, ret, sizeof(*ret), problem);
}

bool wire_status(const json_t *json, struct wire_status *ret, struct problem *problem)
{
	return decode(json, status_fields, ret, sizeof(*ret), problem) && exp_fits(&ret->exp, problem);
}

bool wire_sum(const json_t *json, struct wire_sum *ret, struct problem *problem)
{
	return decode(json, sum_fields, ret, sizeof(*ret), problem) && exp_fits(&ret->exp, problem);
}

bool wire_refusal(const json_t *json, struct wire_refusal *ret, struct problem *problem)
{
	return decode(json, refusal_fields, ret, sizeof(*ret), problem) && exp_fits(&ret->exp, problem);
}

bool wire_balance(const json_t *json, const json_t **budgets, const json_t **budget, struct problem *problem)
{
	struct { const json_t *budgets, *budget; } reply;
	const struct field fields[] = {
		{ "budgets", FIELD_JSON, 0, 0, 0 },
		{ "budget", FIELD_JSON, sizeof(json_t *), 0, 0 },
		FIELDS_END
	};

	if (!decode(json, fields, &reply, sizeof(reply), problem))
		return false;
	*budgets = reply.budgets;
	*budget = reply.budget;
	return true;
}

bool wire_report(const json_t *json, const json_t **total, struct wire_total *ret, struct problem *problem)
{
	static const struct field fields[] = { { "total", FIELD_JSON, 0, 0, 0 }, FIELDS_END };
	static const struct field total_fields[] = {
		STRING(wire_total, currency, FIELD_REQUIRED), INT(wire_total, exp, FIELD_REQUIRED),
		STRING(wire_total, category, 0), INT(wire_total, spent, FIELD_REQUIRED),
		INT(wire_total, refunded, FIELD_REQUIRED), INT(wire_total, spends, FIELD_REQUIRED),
		INT(wire_total, refunds, FIELD_REQUIRED),
		FIELDS_END
	};

	return decode(json, fields, total, sizeof(*total), problem) &&
	       (!*total || decode(*total, total_fields, ret, sizeof(*ret), problem));
}

bool wire_audit(const json_t *json, const json_t **entry, struct problem *problem)
{
	static const struct field fields[] = { { "entry", FIELD_JSON, 0, 0, 0 }, FIELDS_END };

	return decode(json, fields, entry, sizeof(*entry), problem);
}

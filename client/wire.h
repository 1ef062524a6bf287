/*
 * What the daemon answers, as structs: the IDL's types and the parameters of its errors.
 *
 * Strings belong to the reply they were decoded from and live as long as it. A reply that a newer
 * daemon has added to is read all the same; one that lacks what it must have is not.
 */
#ifndef CLIENT_WIRE_H
#define CLIENT_WIRE_H

#include <stdbool.h>

#include "common/json.h"

struct wire_terms {
	struct json_int owner, group, exp, allowance, cap, self_topup, guideline;
	const char *currency, *period, *carry, *pool;
};

struct wire_budget {
	const char *name, *current, *next_reset;
	const json_t *terms_json;
	struct json_int balance, spent, self_topup_left;
	bool closed;
	struct wire_terms terms;	/* decoded from terms_json */
};

struct wire_entry {
	struct json_int seq, uid, amount, exp, from_after, to_after, ref;
	const char *at, *kind, *budget, *from, *to, *currency, *period, *category;
	const char *reason, *customer, *incident, *evidence, *message, *filter;
	const json_t *terms_json;	/* NULL: no terms */
	struct wire_terms terms;
};

/* Of every money request. */
struct wire_answer {
	const json_t *entry_json, *budget_json;
	bool replayed;
	struct wire_entry entry;
	struct wire_budget budget;
};

struct wire_reset {
	const json_t *entry_json, *failed;
	struct json_int reset, already;
	struct wire_entry entry;	/* when entry_json is there */
};

struct wire_failure {
	const char *budget, *error, *problem;
};

struct wire_status {
	const char *origin, *version, *currency, *timezone, *problem, *unwitnessed_since;
	const json_t *unwitnessed;	/* sums; NULL: not the caller's to see */
	struct json_int entries, uptime, budgets, connections, exp, witnesses, witnessed;
	bool read_only, unrestricted;
};

struct wire_sum {
	const char *currency;
	struct json_int exp, amount;
};

/* The parameters of any error of the interface. */
struct wire_refusal {
	const char *budget, *currency, *next_reset, *pool, *problem, *id, *period, *current,
		*parameter;
	struct json_int available, exp, pool_usable, seq, limit, left;
	struct json_strings budgets;
};

/* Each: false when it is not what the interface promises; *problem says what. */
bool wire_budget(const json_t *json, struct wire_budget *ret, struct problem *problem);
bool wire_entry(const json_t *json, struct wire_entry *ret, struct problem *problem);
bool wire_answer(const json_t *json, struct wire_answer *ret, struct problem *problem);
bool wire_reset(const json_t *json, struct wire_reset *ret, struct problem *problem);
bool wire_failure(const json_t *json, struct wire_failure *ret, struct problem *problem);
bool wire_status(const json_t *json, struct wire_status *ret, struct problem *problem);
bool wire_sum(const json_t *json, struct wire_sum *ret, struct problem *problem);
bool wire_refusal(const json_t *json, struct wire_refusal *ret, struct problem *problem);

/* One reply to Balance: the list, or with `more` the one
 * budget; both NULL at the end of an empty stream. */
bool wire_balance(const json_t *json, const json_t **budgets, const json_t **budget,
		  struct problem *problem);

/* One line of a report. */
struct wire_total {
	const char *currency, *category;
	struct json_int exp, spent, refunded, spends, refunds;
};

/* The member `total` of a reply to Report, and its fields; NULL at the end of the stream. */
bool wire_report(const json_t *json, const json_t **total, struct wire_total *ret,
		 struct problem *problem);

/* The member `entry` of a reply to Audit; NULL at the end of an empty stream. */
bool wire_audit(const json_t *json, const json_t **entry, struct problem *problem);

#endif

/*
 * What the methods that change the ledger take, and the tables that decode it. Strings belong to
 * the message.
 */
#ifndef DAEMON_REQUEST_H
#define DAEMON_REQUEST_H

#include "common/json.h"

struct spend_request {
	struct json_int amount, exp;
	const char *currency, *reason, *id, *budget, *customer, *incident, *category, *evidence;
	bool dry_run, receipt;
};

struct topup_request {
	struct json_int amount, exp;
	const char *currency, *id, *budget, *from, *reason;
	bool dry_run, receipt;
};

struct refund_request {
	struct json_int ref, amount;
	const char *id, *reason;
	bool dry_run, receipt;
};

struct reset_request {
	const char *period, *budget;
	bool dry_run;
};

/* Open and Adjust: what is not given stays as it is, or as it is by default. */
struct terms_request {
	const char *name, *id;
	struct json_int owner, group;
	const char *currency;
	struct json_int allowance;
	const char *period, *carry;
	struct json_int cap;
	const char *pool;
	struct json_int self_topup, guideline;
	struct json_strings clear;
};

struct close_request {
	const char *name, *id, *reason;
};

extern const struct field spend_fields[], topup_fields[], refund_fields[], reset_fields[];
extern const struct field open_fields[], adjust_fields[], close_fields[];

#endif

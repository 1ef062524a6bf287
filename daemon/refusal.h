/*
 * Why a request was refused, with what helps: the error's parameters as the interface has them.
 */
#ifndef DAEMON_REFUSAL_H
#define DAEMON_REFUSAL_H

#include <stdint.h>

#include "common/entry.h"
#include "common/err.h"
#include "common/json.h"

#define REFUSAL_BUDGETS_MAX 16

/* Absent integers are ABSENT, absent strings "". */
struct refusal {
	enum err code;
	char budget[NAME_MAX_LEN + 1], pool[NAME_MAX_LEN + 1];
	char currency[CURRENCY_LEN + 1];
	int64_t exp, available, pool_usable, limit, left, seq;
	char next_reset[LABEL_SIZE], period[LABEL_SIZE], current[LABEL_SIZE];
	char id[UUID_LEN + 1];
	char budgets[REFUSAL_BUDGETS_MAX][NAME_MAX_LEN + 1];
	unsigned budget_count;
	char name[128];			/* of an unknown method or interface */
	struct problem problem;
};

/* Clears it and sets its code; returns the code, so that a plan can end with it. */
enum err refuse(struct refusal *refusal, enum err code);

/* The same for errors that only name a budget. */
enum err refuse_budget(struct refusal *refusal, enum err code, const char *budget);

/* Malformed, NotPermitted and Unavailable, which say in
 * words what was wrong. `parameter` only for Malformed. */
enum err refuse_words(struct refusal *refusal, enum err code, const char *parameter,
		      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Appends the error's parameters as a JSON object. */
void refusal_format(const struct refusal *refusal, struct buf *out);

#endif

#include "refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum detail_type { DETAIL_TEXT, DETAIL_INT, DETAIL_NAMES };

struct detail {
	const char *name;
	enum detail_type type;
	size_t offset;
};

#define TEXT(name, member) { name, DETAIL_TEXT, offsetof(struct refusal, member) }
#define INT(name, member) { name, DETAIL_INT, offsetof(struct refusal, member) }
#define DETAILS(...) ((const struct detail[]){ __VA_ARGS__, { NULL } })

static const struct detail *const details[ERR_COUNT] = {
	[ERR_INSUFFICIENT_FUNDS] = DETAILS(TEXT("budget", budget), INT("available", available),
					   TEXT("currency", currency), INT("exp", exp),
					   TEXT("next_reset", next_reset), TEXT("pool", pool),
					   INT("pool_usable", pool_usable)),
	[ERR_UNKNOWN_BUDGET] = DETAILS(TEXT("budget", budget)),
	[ERR_BUDGET_NEEDED] = DETAILS({ "budgets", DETAIL_NAMES, 0 }),
	[ERR_BUDGET_EXISTS] = DETAILS(TEXT("budget", budget)),
	[ERR_BUDGET_CLOSED] = DETAILS(TEXT("budget", budget)),
	[ERR_UNKNOWN_ENTRY] = DETAILS(INT("seq", seq)),
	[ERR_NOT_PERMITTED] = DETAILS(TEXT("problem", problem.text)),
	[ERR_CURRENCY_MISMATCH] = DETAILS(TEXT("budget", budget), TEXT("currency", currency),
					  INT("exp", exp)),
	[ERR_LIMIT_REACHED] = DETAILS(TEXT("budget", budget), INT("limit", limit),
				      INT("left", left), TEXT("currency", currency),
				      INT("exp", exp)),
	[ERR_OVERFLOW] = DETAILS(TEXT("budget", budget)),
	[ERR_ID_CONFLICT] = DETAILS(TEXT("id", id), INT("seq", seq)),
	[ERR_PERIOD_AHEAD] = DETAILS(TEXT("period", period), TEXT("current", current)),
	[ERR_MALFORMED] = DETAILS(TEXT("parameter", problem.parameter),
				  TEXT("problem", problem.text)),
	[ERR_UNAVAILABLE] = DETAILS(TEXT("problem", problem.text)),
	[ERR_INTERFACE_NOT_FOUND] = DETAILS(TEXT("interface", name)),
	[ERR_METHOD_NOT_FOUND] = DETAILS(TEXT("method", name)),
	[ERR_INVALID_PARAMETER] = DETAILS(TEXT("parameter", problem.parameter)),
	[ERR_EXPECTED_MORE] = DETAILS({ NULL }),
};

enum err refuse(struct refusal *refusal, enum err code)
{
	memset(refusal, 0, sizeof(*refusal));
	refusal->code = code;
	refusal->exp = refusal->available = refusal->pool_usable = ABSENT;
	refusal->limit = refusal->left = refusal->seq = ABSENT;
	return code;
}

enum err refuse_budget(struct refusal *refusal, enum err code, const char *budget)
{
	refuse(refusal, code);
	snprintf(refusal->budget, sizeof(refusal->budget), "%s", budget);
	return code;
}

enum err refuse_words(struct refusal *refusal, enum err code, const char *parameter,
		      const char *format, ...)
{
	va_list args;

	refuse(refusal, code);
	snprintf(refusal->problem.parameter, sizeof(refusal->problem.parameter), "%s", parameter);
	va_start(args, format);
	vsnprintf(refusal->problem.text, sizeof(refusal->problem.text), format, args);
	va_end(args);
	return code;
}

static void names_format(const struct refusal *refusal, const char *key, struct buf *out)
{
	json_open(out, key, '[');
	for (unsigned i = 0; i < refusal->budget_count; i++)
		json_str(out, NULL, refusal->budgets[i]);
	json_close(out, ']');
}

static void detail_format(const struct refusal *refusal, const struct detail *detail,
			  struct buf *out)
{
	const char *at = (const char *)refusal + detail->offset;
	int64_t value;

	switch (detail->type) {
	case DETAIL_TEXT:
		if (*at)
			json_str(out, detail->name, at);
		break;
	case DETAIL_INT:
		memcpy(&value, at, sizeof(value));
		if (value != ABSENT)
			json_int(out, detail->name, value);
		break;
	case DETAIL_NAMES:
		names_format(refusal, detail->name, out);
		break;
	}
}

void refusal_format(const struct refusal *refusal, struct buf *out)
{
	json_open(out, NULL, '{');
	for (const struct detail *d = details[refusal->code]; d && d->name; d++)
		detail_format(refusal, d, out);
	json_close(out, '}');
}

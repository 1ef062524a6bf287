/*
 * Money: int64 in minor units (EUR 12.50 is 1250), with checked arithmetic and
 * the exponents of ISO 4217. Nothing here rounds, guesses or uses floats.
 */
#ifndef COMMON_MONEY_H
#define COMMON_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#define CURRENCY_LEN 3
#define MONEY_EXP_MAX 4		/* the most minor digits a currency has; no `exp` may be above it */
#define MONEY_TEXT_MAX 32	/* sign, 19 digits, point, NUL, and to spare */

/* false, and *ret untouched, when the result does not fit in int64. */
/*@ requires \valid(ret);
    assigns *ret;
    ensures \result <==> INT64_MIN <= a + b <= INT64_MAX;
    ensures *ret == (\result ? a + b : \old(*ret)); */
bool money_add(int64_t a, int64_t b, int64_t *ret);
/*@ requires \valid(ret);
    assigns *ret;
    ensures \result <==> INT64_MIN <= a - b <= INT64_MAX;
    ensures *ret == (\result ? a - b : \old(*ret)); */
bool money_sub(int64_t a, int64_t b, int64_t *ret);

/* The number of minor digits of an ISO 4217 code ("EUR" is 2); -1 when the
 * code is not one of an active currency (upper case only). */
int currency_exp(const char *code);

/*
 * Reads "12.50" for a currency with `exp` minor digits: decimal digits, then
 * optionally a point and at least one and at most exp digits ("12.5" and "12"
 * are EUR 12.50 and 12.00, exact). No sign, no separators, no exponent, no blanks,
 * ASCII digits only; zero is refused. 0, or -1 with *problem set to
 * a static sentence that says what was wrong and what would be right; then *ret is untouched.
 */
int money_parse(const char *text, unsigned exp, int64_t *ret, const char **problem);

/*
 * Takes "EUR 12.50" apart: *amount points behind the currency and its one
 * blank, `currency` gets the code. Without a currency in front, `currency` gets "" and *amount
 * is the text itself. -1 with *problem when what stands in front is no currency.
 */
int money_split(const char *text, char currency[CURRENCY_LEN + 1], const char **amount,
		const char **problem);

/* "12.50", "-0.05", "1500" for exp 0. Returns `out`. */
char *money_format(int64_t minor, unsigned exp, char out[MONEY_TEXT_MAX]);

#endif

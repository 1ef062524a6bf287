/*
 * Amounts as people type them, and what must be known to read them: the budget, its currency, the ledger's.
 */
#ifndef CLIENT_LEARN_H
#define CLIENT_LEARN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/message.h"
#include "common/money.h"
#include "fund.h"
#include "wire.h"

struct currency {
	char code[CURRENCY_LEN + 1];
	int64_t exp;
};

struct amount {
	int64_t minor;
	struct currency currency;
};

/* A budget as it is right now; zeroed, it is none. */
struct learned {
	struct reply reply;		/* holds its strings */
	struct wire_budget budget;
};

/*
 * The budget of that name; without one, the caller's own, else (unless `own`) the only pool
 * the caller is in. Anything but EXIT_OK has been told.
 */
enum exit_status learn_budget(struct fund *fund, const char *name, bool own, struct learned *ret);
void learned_release(struct learned *learned);

/* The currency of a budget, or the one the ledger uses where none is said. */
struct currency currency_of(const struct wire_terms *terms);
enum exit_status learn_currency(struct fund *fund, struct currency *ret);

/* A code typed by a person, with ISO 4217's exponent. For option tables the sentence. */
const char *currency_problem(const char *code);
struct currency currency_named(const char *code);

/*
 * NULL when `text` can be an amount in some currency: what can be said before anything is known.
 * amount_read decides: "EUR 12.50", or "12.50" in `usual`. 0, or -1 with *problem.
 */
const char *amount_problem(const char *text);
int amount_read(const char *text, const struct currency *usual, struct amount *ret, const char **problem);

/* The same, telling the problem and returning EXIT_USAGE. */
enum exit_status amount_take(const char *text, const struct currency *usual, struct amount *ret);

/* One or two words ("EUR 12.50", EUR 12.50) as one text, in `out`. NULL, or the problem. */
const char *amount_words(int argc, char **argv, struct buf *out);

/* amount, currency and exp, into an open object. */
void amount_write(struct buf *out, const struct amount *amount);

#endif

/*
 * What several commands do alike: arguments that are amounts, users and budgets, and the answer to
 * a change.
 */
#ifndef CLIENT_COMMAND_H
#define CLIENT_COMMAND_H

#include "fund.h"
#include "request.h"
#include "wire.h"

/* One budget and the reply it stands in. */
struct budget_reply {
	struct reply reply;
	struct wire_budget budget;
};

/*
 * The named budget, or with NULL the one a spend would take: one's own, else the only pool. EXIT_OK
 * with *ret to be released (reply_release), or told.
 */
enum exit_status budget_fetch(struct fund *fund, const char *name, struct budget_reply *ret);

/* "12.50" or "EUR 12.50" in that currency, to minor units;
 * false with what was typed and a sentence in *problem. */
bool amount_read(const char *text, const char *currency, int64_t exp, int64_t *ret,
		 struct buf *problem);

/* The same; false after telling. */
bool amount_take(const char *text, const char *currency, int64_t exp, int64_t *ret);

/* Joins `EUR 12.50` given as two arguments. Returns how many of argv were taken (0: none there). */
int amount_words(int argc, char **argv, struct buf *ret);

/* The ledger's own currency. */
enum exit_status currency_fetch(struct fund *fund, char currency[4], int64_t *exp);

/* Parses the command's options. The first argument's index in argv; or -1: help was given, or a
 * usage error told, and the command ends with command_over(). */
int command_begin(struct fund *fund, const struct command *command, void *options, int argc,
		  char **argv);
enum exit_status command_over(const struct fund *fund);

/* Asks, prints the reply (or its JSON) with `say`, releases it. */
enum exit_status change_ask(struct fund *fund, const char *method, struct buf *parameters,
			    const char *id, bool dry_run, const struct refusal_hint *hint,
			    void (*say)(struct buf *out, const struct wire_answer *answer));

/*
 * Begins (fund_begin), asks for a stream with `parameters` (released) and hands every reply to
 * `print`, until one is an error, which is told, or `print` returns something else than EXIT_OK.
 */
enum exit_status stream_ask(struct fund *fund, const char *method, struct buf *parameters,
			    enum exit_status (*print)(void *context, const struct reply *reply),
			    void *context);

/* --for and the like: NULL or a sentence. */
const char *words_option(const char *value);

#endif

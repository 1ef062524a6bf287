/*
 * How amounts, days, budgets and entries read, in words and as JSON Lines.
 */
#ifndef CLIENT_RENDER_H
#define CLIENT_RENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "wire.h"

/* Each appends to `out`. */
void say_money(struct buf *out, const char *currency, int64_t exp, int64_t minor); /* EUR 12.50 */
void say_terms_money(struct buf *out, const struct wire_terms *terms, int64_t minor);
void say_day(struct buf *out, const char *moment);		/* 1 December */
void say_time(struct buf *out, const char *moment);		/* 2026-11-23 09:15, local time */
void say_user(struct buf *out, int64_t uid);			/* alice, or 1001 when
								 * it has no name */
void say_owner(struct buf *out, const struct wire_terms *terms); /* alice, or "group north" */

/* "EUR 149.50 left until 1 December": what is there, and for how long. */
void say_left(struct buf *out, const struct wire_budget *budget);

/* "EUR 200.00 a month, what is left lapses, up to EUR 50.00 a month from team/north" */
void say_terms(struct buf *out, const struct wire_terms *terms);

/* false when it is neither a date nor a timestamp, or still to come. */
bool moment_past(const char *moment);

/* One line of JSON on stdout. */
void print_json(const json_t *value);

/* The text on stdout, then the buf is released. */
void print_text(struct buf *text);

/* Writes out what was printed so far; false when that or anything before could not be. */
bool print_flush(void);

/* All of stdout is written out: status, or EXIT_FAILED when it could not be. */
enum exit_status print_end(enum exit_status status);

#endif

/*
 * What may follow in the books: the rules that every entry keeps, live or replayed, and what plans
 * ask of them before they make one. Pure, as the books are.
 */
#ifndef DAEMON_RULES_H
#define DAEMON_RULES_H

#include "books.h"

enum movement { MOVEMENT_FITS, MOVEMENT_SHORT, MOVEMENT_OVERFLOW, MOVEMENT_TOTALS_OVERFLOW };

/* Fills the entry's from, to, amount and balances after, as the accounts stand now. A budget that
 * is not there yet is left without a balance after. `about`: the budget the entry is about, if it
 * is there. */
enum movement rules_move(const struct books *books, struct budget *about, struct entry *entry,
			 const char *from, const char *to, int64_t amount);

/* NULL when these terms can stand for a budget of that name beside the others; otherwise a
 * sentence, with *field the terms' field it is about (for Malformed). */
const char *rules_terms_problem(const struct books *books, const struct terms *terms,
				const struct budget *self, const char **field);

/* ---- For apply.c alone ---- */

/* NULL when the entry may follow; otherwise a static sentence. */
const char *rules_check(const struct books *books, const struct entry *entry,
			const struct parties *parties);

/* The totals with what the entry adds to the sums of
 * balances and spends; false when one leaves int64. */
bool rules_totals(const struct books *books, const struct entry *entry, struct totals *ret);

#endif

/*
 * What must be true, said once more and otherwise: a plain list of what was committed. A balance is
 * the sum over the list, a budget's state is what the list up to some entry makes it, and what a
 * request should have come to is worked out from that. Nothing of the daemon's is used here, not
 * even to read its rows.
 */
#ifndef TESTS_SIM_MODEL_H
#define TESTS_SIM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUDGETS 48
enum { COMPANY = -1, SPENT = -2, NOBODY = -3 };		/* accounts that are no budgets */

enum { EVERY_NONE, EVERY_DAY, EVERY_WEEK, EVERY_MONTH };
enum { KEEP_NONE, KEEP_ALL, KEEP_CAP };
enum { MANAGER = 1, CRON = 2, AUDITOR = 4 };

#define LABEL 11
#define NOT (-1)	/* of a number: not there */

/* As in the ledger; in a request, what is NOT (or NOBODY) is not given. */
struct model_terms {
	int64_t owner, group, allowance, cap, self_topup;
	int currency, every, keep, pool;
};

/* What somebody wants: the same content may be asked for many times, and by others. */
struct content {
	unsigned number;	/* of itself: in its reason */
	unsigned id;		/* the number of the content whose id it
				 * has: its own, or an earlier one */
	int kind;		/* of enum act */
	int budget, from;	/* NOBODY: not named */
	int64_t amount, ref;
	int currency, customer, category;
	bool dry;
	bool clear_pool;
	struct model_terms terms;
	unsigned asked;		/* by whom: a bit a person */
};

struct record {
	char kind[17];
	int64_t uid, at, amount, ref;
	int budget, from, to, currency, category;
	int64_t from_after, to_after;
	char period[LABEL];
	struct model_terms terms;
	uint64_t id[2];
	const struct content *content;	/* NULL: nobody's request (boot, reset, audit) */
	bool last;			/* of its commit: there is a head behind it */
};

struct person;

void model_reset(void);

/* A row is durable: it is checked against all before it. `last`: of its commit. */
void model_commit(uint64_t seq, const uint8_t *row, size_t size, bool last);

size_t model_count(void);
const struct record *model_record(size_t seq);

/* The record that the person's request with this id made before `size`; NULL. */
const struct record *model_made(int64_t uid, unsigned id, size_t size);
int64_t model_with_id(int64_t uid, const uint64_t id[2], size_t size);	/* of audits too; NOT */
int64_t model_refunded(int64_t seq, size_t size); /* of the entry, up to there */
size_t model_number(const struct record *record);

struct model_budget {
	bool there, closed;
	struct model_terms terms;
	int64_t balance, spent, drawn;
	char current[LABEL];
};

/* After the first `size` entries. */
struct model_budget model_budget(int budget, size_t size);
struct model_budget model_decided(int budget, size_t size);	/* only what open, adjust
								 * and close say: quicker */
int64_t model_draw_left(const struct model_budget *budget);
bool model_in_group(const struct person *person, int64_t group);
bool model_may_spend(const struct person *person, const struct model_budget *budget);

/* What the request comes to when it is new and runs after `size` entries. */
struct outcome {
	const char *error;	/* the name of the refusal; NULL: it is done */
	int budget, from, to;
	int64_t amount, available;
	char period[LABEL];
	struct model_terms terms;
};

struct outcome model_outcome(const struct content *content, const struct person *person,
			     unsigned roles, size_t size);

/* ---- Words ---- */

void account_write(int account, char ret[24]);
int account_read(const char *name);
int word_find(const char *word, const char *const *words, int count); /* NOT: it is none of them */
extern const char *const currency_codes[3];

/* The label of a moment in the ledger's zone, and the one after a label. */
void label_at(int64_t us, int every, char ret[LABEL]);
void label_after(const char *label, char ret[LABEL]);

/* The first and the last day of what a label stands for,
 * and the label of another kind that a day lies in. */
void label_starts(const char *label, char ret[LABEL]);
void label_ends(const char *label, char ret[LABEL]);
void label_like(const char *day, int every, char ret[LABEL]);

/* The value behind a key in compact JSON; false when the key is not there. */
bool json_find_int(const char *text, const char *key, int64_t *ret);
bool json_find_str(const char *text, const char *key, char *ret, size_t size);

#endif

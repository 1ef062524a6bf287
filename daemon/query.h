/*
 * Looking through the ledger: a pull iterator over the entries that fit a filter. It holds no read
 * transaction between pulls: each pull opens a reader, goes on where it was, and ends it; what came
 * after its start is not seen.
 */
#ifndef DAEMON_QUERY_H
#define DAEMON_QUERY_H

#include "books.h"
#include "customers.h"
#include "fold.h"
#include "stored.h"

#define QUERY_ROWS_A_PULL 512

struct filter {
	int64_t since, until;		/* microseconds; until is exclusive */
	char kind_name[KIND_MAX + 1];	/* "" : every kind but audit and boot */
	bool every_kind;
	char category[TAG_MAX_LEN + 1];	/* "" : any */
	char *customer;			/* NULL: any */
	char currency[CURRENCY_LEN + 1];	/* "" : any; otherwise only
						 * entries with an amount in it */
	int64_t min, max;
	uint64_t limit;			/* keep the newest so many; 0: all */
	bool newest_first;
};

struct query;

/*
 * Over everything (`budgets` NULL), or over what touches one of the budgets. `size`: entries at its
 * start. Takes over filter->customer. The budgets' chains are followed, and a customer's when no
 * budget is named.
 */
struct query *query_new(const struct filter *filter, struct budget *const *budgets, size_t count,
			const struct customers *customers, struct fold *fold, uint64_t size);
void query_free(struct query *query);

enum pull {
	PULL_ENTRY,	/* *ret is the next one, words opened: stored_release it */
	PULL_PAUSE,	/* enough rows for one turn, go on later */
	PULL_END,
	PULL_DAMAGED,	/* *problem says what; the query is over */
};

/* One turn's worth of reading: begin, next until it is no entry, end. */
int query_begin(struct query *query, struct ledger *ledger, struct keyring *keyring);
enum pull query_next(struct query *query, struct stored *ret, const char **problem);
void query_end(struct query *query);

#endif

/*
 * Reading the index: each thread has a view of its own, which holds no transaction between calls.
 */
#ifndef DAEMON_VIEW_H
#define DAEMON_VIEW_H

#include "index.h"

struct view {
	struct index *index;
	MDB_txn *txn;
	uint8_t highest[14];		/* key of all ids: most new ones are above it */
	bool damaged;			/* sticky: nothing that was asked since may be relied on */
};

int view_open(struct view *view, struct index *index);
void view_close(struct view *view);

/* To be called when a fold is done: takes notice of the ids that came with it. */
void view_refresh(struct view *view);

/* The entry that was most likely made by this id, and no other; or ABSENT. */
int64_t view_request(struct view *view, int64_t uid, const uint8_t id[16]);
int64_t view_refunded(struct view *view, int64_t seq);

/* Or CUSTOMER_NONE. */
int64_t view_customer(struct view *view, const uint8_t hash[CUSTOMER_HASH]);

/* The budget's last entry in that month or, with none in it, in a month before: never beyond
 * it. NO_ENTRY: none. */
uint64_t view_last(struct view *view, uint32_t month, uint32_t place);

/* Each total of the budgets (INDEX_ALL: of all together) in a month, and how many entries are
 * folded into them. */
typedef void view_each(void *context, const struct total *total);
void view_totals(struct view *view, uint32_t month, const uint32_t *places, size_t count,
		 view_each *each, void *context, uint64_t *ret_folded);

/* The time of the last entry that is folded: nothing behind it is earlier. ABSENT when there
 * is none. */
int64_t view_time(struct view *view);

#endif

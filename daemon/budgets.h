/*
 * Budgets in the order they were opened, and the tables by which they are found: by their names,
 * which are never used again, and, while they are open and nobody's pool, by their owners.
 */
#ifndef DAEMON_BUDGETS_H
#define DAEMON_BUDGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/entry.h"
#include "ids.h"

#define NO_ENTRY UINT64_MAX
#define NO_POOL UINT32_MAX

/* With its terms (struct terms), packed: few of a hundred
 * thousand budgets are in the processor's cache. */
struct budget {
	const char *name;		/* stands behind it in the same piece
					 * of memory, and never changes */
	int64_t balance;
	int64_t spent;			/* spends less refunds in the current period */
	int64_t drawn;			/* the owner's own draws from the
					 * pool in the current period */
	uint64_t last;			/* the entry that touched it last */
	int64_t allowance, cap, self_topup, guideline;
	uint32_t number;		/* the owner's uid, or the group's gid */
	uint32_t pool;			/* the place of the pool it draws from, or NO_POOL */
	uint32_t place;			/* in the list */
	char currency[CURRENCY_LEN + 1];
	char current[LABEL_SIZE];	/* the last period posted; "" without periods */
	uint8_t exp, every, carry;
	bool grouped;			/* a pool: it has a group instead of an owner */
	bool closed;
};

struct budgets {
	struct budget **list;		/* in the order they were opened */
	size_t count;
	struct budget **pools;		/* those of them that have a group */
	size_t pool_count;

	/* private from here: to their places in the list, */
	struct ids names;
	struct ids owners;		/* of those that budgets_owned() finds */
};

void budgets_init(struct budgets *budgets);
void budgets_release(struct budgets *budgets);

/* NULL: there is none. */
struct budget *budgets_named(const struct budgets *budgets, const char *name);
struct budget *budgets_owned(const struct budgets *budgets, int64_t uid);	/* an open one */

/* This name will soon be asked for: has the processor fetch its budget. */
void budgets_expect(const struct budgets *budgets, const char *name);

/* Adds one like that, name and all, at the end of the list. It stays where it is. */
struct budget *budgets_add(struct budgets *budgets, const struct budget *like);

/* Takes back and frees the one that was added last. */
void budgets_drop(struct budgets *budgets, struct budget *budget);

/* Before its owner changes, or whether it is closed; and
 * behind that. In between nobody finds it by its owner. */
void budgets_owner_changes(struct budgets *budgets, const struct budget *budget);
void budgets_owner_changed(struct budgets *budgets, const struct budget *budget);

/* The owner's uid or the group's gid: one of them is ABSENT. */
int64_t budget_owner(const struct budget *budget);
int64_t budget_group(const struct budget *budget);

/* What its owner may still draw from the pool in this period, whatever the pool holds. */
int64_t budget_draw_left(const struct budget *budget);

#endif

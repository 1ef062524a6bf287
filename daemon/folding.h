/*
 * Writing the index: what is to be folded next is collected, and then put in one commit.
 */
#ifndef DAEMON_FOLDING_H
#define DAEMON_FOLDING_H

#include "index.h"
#include "pile.h"
#include "records.h"

/* What is to be folded next. Adding is only to memory. */
struct folding {
	const struct index *index;
	struct pile piles[SHELF_COUNT];
	uint8_t label[LABEL_SIZE_MAX], label_hash[LABEL_HASH];	/* the last: often the next, too */
};

void folding_init(struct folding *folding, const struct index *index);
void folding_release(struct folding *folding);
void folding_entry(struct folding *folding, const struct entry *entry, uint32_t month,
		   struct budget *const *touched, unsigned count);
void folding_budget(struct folding *folding, const struct budget *budget);
void folding_refunds(struct folding *folding, const struct map *refunds);
void folding_customers(struct folding *folding, const struct map *customers);

/* Puts it all on the shelves, with books and tree as they are then, in one commit. 0 or an
 * error. */
int folding_put(struct folding *folding, const struct books *books, const struct merkle *tree);

#endif

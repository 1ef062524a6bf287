/*
 * From the ledger into the index: a replay in books of its own, which checks every entry, and what
 * it finds put on the shelves. So the index is made of what is on disk and nothing else.
 */
#ifndef DAEMON_FOLDER_H
#define DAEMON_FOLDER_H

#include "folding.h"
#include "ledger.h"
#include "replay.h"
#include "view.h"

struct folder {
	struct ledger settled;		/* the ledger as far as it is settled */
	struct index *index;
	struct replay replay;		/* as far as it is folded, between two calls */
	struct folding folding;
	struct view view;
	struct customers customers;	/* of what is replayed with its words */
	uint8_t *touched;		/* by place: the budget is to be folded */
	size_t touched_room;
	int64_t month_begins, month_ends;	/* of the month numbered `month` */
	uint32_t month;
};

/* Goes on where the index is. NULL, or why the index cannot be used: it is damaged, or not this
 * ledger's; then there is nothing to close. */
const char *folder_open(struct folder *folder, struct ledger *ledger, struct index *index);
void folder_close(struct folder *folder);

/*
 * Folds up to the first head of at least `size` entries, with what is known of customers in them.
 * NULL; otherwise *error says what failed, or with *error 0 the ledger is bad: folder->replay.bad
 * says where.
 */
const char *folder_until(struct folder *folder, uint64_t size, const struct map *customers,
			 int *error);

/* After a failure: what was collected goes, and the books are again what is folded. NULL, or a
 * sentence: the index is damaged. */
const char *folder_again(struct folder *folder);

/* NULL: what is folded is the beginning of this ledger; or why it is not. */
const char *folder_mismatch(const struct merkle *tree, struct ledger *ledger);

#endif

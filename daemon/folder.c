#include "folder.h"

#include <stdlib.h>
#include <string.h>

#include "prove.h"

/* ---- Collecting ---- */

static uint32_t month_of(struct folder *folder, int64_t at)
{
	struct calendar calendar;
	char next[LABEL_SIZE], begins[LABEL_SIZE], ends[LABEL_SIZE];

	if (at >= folder->month_begins && at < folder->month_ends)
		return folder->month;
	calendar_at(at, &calendar);
	folder->month = index_month(calendar.month);
	if (!label_first_day(calendar.month, begins) || !label_next(calendar.month, next) ||
	    !label_first_day(next, ends) || !moment_parse(begins, false, &folder->month_begins) ||
	    !moment_parse(ends, false, &folder->month_ends))
		folder->month_begins = folder->month_ends = 0;
	return folder->month;
}

static void touch(struct folder *folder, const struct budget *budget)
{
	if (budget->place >= folder->touched_room) {
		size_t room = budget->place + 1024;

		folder->touched = realloc(folder->touched, room);
		if (!folder->touched)
			abort();
		memset(folder->touched + folder->touched_room, 0, room - folder->touched_room);
		folder->touched_room = room;
	}
	folder->touched[budget->place] = true;
}

static void collect(void *context, const struct stored *stored)
{
	struct folder *folder = context;
	const struct entry *entry = &stored->entry;
	const struct touched *touched = &folder->replay.books.touched;
	uint8_t customer[CUSTOMER_HASH];

	for (unsigned i = 0; i < touched->count; i++)
		touch(folder, touched->budgets[i]);
	folding_entry(&folder->folding, entry, month_of(folder, entry->at), touched->budgets,
		      touched->count);
	if (!stored->memo.customer)
		return;
	customers_hash(&folder->customers, stored->memo.customer, customer);
	customers_set(&folder->customers, customer, entry->seq);
}

/* The shelf of ids takes none twice: that shows it. */
static int64_t no_request(void *context, int64_t uid, const uint8_t id[16])
{
	(void)context;
	(void)uid;
	(void)id;
	return ABSENT;
}

static int64_t past_refunded(void *context, int64_t seq)
{
	return view_refunded(context, seq);
}

static const struct books_past folder_past = { no_request, past_refunded };

/* ---- Folding up to an entry ---- */

static void budgets_collect(struct folder *folder)
{
	const struct books *books = &folder->replay.books;

	for (size_t i = 0; i < books->budgets.count && i < folder->touched_room; i++)
		if (folder->touched[i])
			folding_budget(&folder->folding, books->budgets.list[i]);
	if (folder->touched_room)
		memset(folder->touched, 0, folder->touched_room);
}

const char *folder_until(struct folder *folder, uint64_t size, const struct map *customers,
			 int *error)
{
	struct replay *replay = &folder->replay;
	const char *problem = replay_until(replay, &folder->settled, size);

	*error = folder->view.damaged ? SHELF_DAMAGED : 0;
	if (problem || *error)
		return problem ? problem : "the index is damaged";
	budgets_collect(folder);
	folding_refunds(&folder->folding, &replay->books.recent.refunds);
	folding_customers(&folder->folding, customers);
	*error = folding_put(&folder->folding, &replay->books, &replay->tree);
	if (*error)
		return "the index cannot be written";
	books_freeze(&replay->books);
	books_forget(&replay->books);
	customers_freeze(&folder->customers);
	customers_forget(&folder->customers);
	return NULL;
}

static void replay_prepare(struct folder *folder)
{
	replay_init(&folder->replay);
	folder->replay.each = collect;
	folder->replay.context = folder;
	folder->replay.forgive_words = true;
	folder->replay.books.past = &folder_past;
	folder->replay.books.past_context = &folder->view;
	folding_init(&folder->folding, folder->index);
}

const char *folder_again(struct folder *folder)
{
	unsigned flags = folder->replay.flags;

	replay_release(&folder->replay);
	folding_release(&folder->folding);
	if (folder->touched)
		memset(folder->touched, 0, folder->touched_room);
	replay_prepare(folder);
	folder->replay.flags = flags;
	return index_load(folder->index, &folder->replay.books, &folder->replay.tree);
}

/* ---- Opening ---- */

const char *folder_mismatch(const struct merkle *tree, struct ledger *ledger)
{
	uint8_t folded[HASH_SIZE], stored[HASH_SIZE];
	struct reader reader;
	bool same, whole;

	if (tree->size > ledger->size)
		return "it is ahead of the ledger";
	if (!tree->size)
		return NULL;
	if (reader_begin(ledger, &reader))
		return "the ledger cannot be read";
	whole = reader.rows == reader.size;
	merkle_root(tree, folded);
	same = proof_root(tree->size, prove_node, &reader, stored) &&
	       !memcmp(folded, stored, HASH_SIZE);
	reader_end(&reader);
	if (!whole)
		return "the ledger lacks rows that are folded";
	return same ? NULL : "it is another ledger's";
}

const char *folder_open(struct folder *folder, struct ledger *ledger, struct index *index)
{
	const char *problem;
	int error;

	*folder = (struct folder){ .settled = ledger_settled_only(ledger), .index = index };
	customers_init(&folder->customers);
	memcpy(folder->customers.key, index->secret, sizeof(folder->customers.key));
	replay_prepare(folder);
	error = view_open(&folder->view, index);
	problem = error ? ledger_error(error)
			: index_load(index, &folder->replay.books, &folder->replay.tree);
	if (!problem)
		problem = folder_mismatch(&folder->replay.tree, ledger);
	if (problem)
		folder_close(folder);
	return problem;
}

void folder_close(struct folder *folder)
{
	view_close(&folder->view);
	replay_release(&folder->replay);
	folding_release(&folder->folding);
	customers_release(&folder->customers);
	free(folder->touched);
	folder->touched = NULL;
}

#include "replay.h"

#include <string.h>

#include "ahead.h"
#include "apply.h"
#include "head.h"

#define RENEW_EVERY 65536	/* rows: a pinned reader costs the daemon file space */

static bool fetch(void *context, int64_t seq, struct entry *ret)
{
	struct replay *replay = context;
	struct stored stored;
	struct row row;

	if (stored_read(&replay->lookup, (uint64_t)seq, &row, &stored))
		return false;
	*ret = stored.entry;
	return true;
}

void replay_init(struct replay *replay)
{
	*replay = (struct replay){ .flags = 0 };
	books_init(&replay->books, fetch, replay);
}

void replay_release(struct replay *replay)
{
	books_release(&replay->books);
	buf_release(&replay->checkpoint);
}

static const char *tree_check(struct replay *replay, const struct ahead_row *ahead)
{
	uint8_t hashes[MERKLE_LEVELS][HASH_SIZE];
	unsigned count = merkle_append(&replay->tree, ahead->leaf, hashes);

	return memcmp(hashes, ahead->row.hashes.bytes, count * HASH_SIZE)
		       ? "the stored hashes are not those of the leaves"
		       : NULL;
}

static const char *previous_check(const struct replay *replay, const struct ahead_row *ahead)
{
	const struct touched *touched = &replay->books.touched;

	if (touched->count != ahead->row.previous_count ||
	    memcmp(touched->previous, ahead->row.previous,
		   touched->count * sizeof(*touched->previous)))
		return "the back pointers do not lead to the budgets' entries before";
	return NULL;
}

/* The signatures of the tree that ends here. */
static const char *signatures_check(struct replay *replay, const struct row *row)
{
	const struct books *books = &replay->books;
	const char *problem;

	merkle_root(&replay->tree, replay->root);
	problem = head_check(books, replay->root, &row->heads);
	if (problem)
		return problem;
	buf_clear(&replay->checkpoint);
	head_note(&replay->checkpoint, books->origin, replay->tree.size, replay->root, &row->heads);
	replay->key_due = false;
	return NULL;
}

/* Damaged words may be forgiven, but never those of entry 0. */
static const char *words_check(struct replay *replay, const struct ahead_row *ahead)
{
	if (!ahead->words_problem || !replay->forgive_words || !ahead->stored.entry.seq)
		return ahead->words_problem;
	replay->closed_words++;
	return NULL;
}

static const char *head_due(struct replay *replay, const struct row *row, bool last)
{
	if (!row->heads.len)
		return last ? "the ledger's last entry is not signed" : NULL;
	if (!books_whole(&replay->books))
		return "a commit ends between what lapsed and its allowance";
	return last || replay->key_due || (replay->flags & REPLAY_HEADS)
		       ? signatures_check(replay, row)
		       : NULL;
}

static const char *row_check(struct replay *replay, const struct ahead_row *ahead, bool last)
{
	const struct stored *stored = &ahead->stored;
	const char *problem = ahead->problem;

	if (!problem)
		problem = tree_check(replay, ahead);
	if (!problem)
		problem = books_apply(&replay->books, &stored->entry);
	if (!problem)
		problem = previous_check(replay, ahead);
	if (problem)
		return problem;
	books_keep(&replay->books);
	replay->key_due |= stored->entry.kind == KIND_KEY;
	problem = head_due(replay, &ahead->row, last);
	if (!problem)
		problem = words_check(replay, ahead);
	if (!problem && replay->each)
		replay->each(replay->context, stored);
	return problem;
}

static const char *rows_check(struct replay *replay, struct ahead *ahead, uint64_t size)
{
	const struct ahead_row *row, *soon;
	const char *problem = NULL;
	bool last = false;

	while (!problem && !last && (row = ahead_next(ahead))) {
		soon = ahead_peek(ahead);
		if (soon)
			books_expect(&replay->books, &soon->stored.entry);
		replay->bad = replay->tree.size;
		if (replay->bad % RENEW_EVERY == RENEW_EVERY - 1 && reader_renew(&replay->lookup))
			return "the ledger cannot be read on";
		last = replay->bad == replay->lookup.size - 1 ||
		       (replay->bad >= size - 1 && !row->problem && row->row.heads.len);
		problem = row_check(replay, row, last);
	}
	return problem;
}

/* Books and tree came from elsewhere, and are of now:
 * they must be what the last head was signed over. */
static const char *end_check(struct replay *replay)
{
	struct stored stored;
	struct row row;
	const char *problem;

	replay->bad = replay->tree.size - 1;
	problem = stored_read(&replay->lookup, replay->bad, &row, &stored);
	return problem ? problem : head_due(replay, &row, true);
}

static const char *replay_on(struct replay *replay, struct ledger *ledger, uint64_t size)
{
	struct ahead *ahead;
	const char *problem;

	if (!replay->lookup.size)
		return "the ledger is empty: it has no genesis";
	if (replay->tree.size == replay->lookup.size)
		return end_check(replay);
	ahead = ahead_new(ledger, replay->keyring, replay->tree.size, replay->lookup.size,
			  replay->flags & REPLAY_ALONE);
	if (!ahead)
		return "the ledger cannot be read";
	problem = rows_check(replay, ahead, size);
	ahead_free(ahead);
	return problem;
}

const char *replay_until(struct replay *replay, struct ledger *ledger, uint64_t size)
{
	const char *problem;

	replay->bad = replay->tree.size;
	if (reader_begin(ledger, &replay->lookup))
		return "the ledger cannot be read";
	problem = replay_on(replay, ledger, size);
	reader_end(&replay->lookup);
	return problem;
}

const char *replay_ledger(struct replay *replay, struct ledger *ledger)
{
	return replay_until(replay, ledger, UINT64_MAX);
}

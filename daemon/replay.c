#include "replay.h"

#include <string.h>

#include "common/bytes.h"
#include "common/checkpoint.h"

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

static const char *tree_check(struct replay *replay, const struct row *row)
{
	uint8_t leaf[HASH_SIZE], hashes[MERKLE_LEVELS][HASH_SIZE];
	unsigned count;

	merkle_leaf(row->leaf.bytes, row->leaf.len, leaf);
	count = merkle_append(&replay->tree, leaf, hashes);
	return memcmp(hashes, row->hashes.bytes, count * HASH_SIZE)
		       ? "the stored hashes are not those of the leaves"
		       : NULL;
}

static const char *previous_check(const struct replay *replay, const struct stored *stored)
{
	uint64_t want[TOUCHED_MAX];
	unsigned count = books_previous(&replay->books, &stored->entry, want);

	if (count != stored->previous_count ||
	    memcmp(want, stored->previous, count * sizeof(*want)))
		return "the back pointers do not lead to the budgets' entries before";
	return NULL;
}

/* The signature of the tree that ends here, by the ledger's own key. */
static const char *head_check(struct replay *replay, const struct row *row)
{
	const uint8_t *head = row->heads.bytes, *end = head + row->heads.len;
	struct buf text = BUF_INIT;
	const char *problem = "the head is not signed by the ledger's key";

	merkle_root(&replay->tree, replay->root);
	checkpoint_text(&text, replay->verifier.name, replay->tree.size, replay->root);
	for (; head < end; head += ROW_HEAD_SIZE) {
		if (get_be32(head) != replay->verifier.id)
			continue;
		problem = verifier_check(&replay->verifier, text.data, text.len, head + 4)
				  ? NULL
				  : "the head's signature does not hold";
		break;
	}
	if (!problem) {
		buf_clear(&replay->checkpoint);
		buf_add(&replay->checkpoint, text.data, text.len);
		buf_char(&replay->checkpoint, '\n');
		note_sign(&replay->checkpoint, replay->verifier.name, replay->verifier.id,
			  head + 4, SIGNATURE_SIZE);
	}
	buf_release(&text);
	return problem;
}

static const char *words_check(struct replay *replay, const struct row *row,
			       struct stored *stored)
{
	const char *problem = stored_open(row, replay->keyring, stored);

	if (problem && replay->forgive_words && stored->entry.seq > 0) {
		replay->closed_words++;
		problem = NULL;
	}
	if (!problem && replay->words)
		replay->words(replay->words_context, stored);
	stored_release(stored);
	return problem;
}

static const char *head_due(struct replay *replay, const struct row *row, bool last)
{
	if (!row->heads.len)
		return last ? "the ledger's last entry is not signed" : NULL;
	if (!books_whole(&replay->books))
		return "a commit ends between what lapsed and its allowance";
	return last || (replay->flags & REPLAY_HEADS) ? head_check(replay, row) : NULL;
}

static const char *row_check(struct replay *replay, uint64_t seq, bool last)
{
	struct stored stored;
	struct row row;
	const char *problem = stored_read(&replay->rows, seq, &row, &stored);

	if (!problem)
		problem = tree_check(replay, &row);
	if (!problem)
		problem = previous_check(replay, &stored);
	if (!problem)
		problem = books_apply(&replay->books, &stored.entry);
	if (problem)
		return problem;
	books_keep(&replay->books);
	if (!seq)
		vkey_parse(stored.entry.vkey, &replay->verifier);
	problem = head_due(replay, &row, last);
	if (!problem && (replay->flags & REPLAY_WORDS))
		problem = words_check(replay, &row, &stored);
	return problem;
}

static const char *rows_check(struct replay *replay, uint64_t size)
{
	const char *problem = NULL;

	for (uint64_t seq = 0; seq < size && !problem; seq++) {
		replay->bad = seq;
		if (seq % RENEW_EVERY == RENEW_EVERY - 1 &&
		    (reader_renew(&replay->rows) || reader_renew(&replay->lookup)))
			return "the ledger cannot be read on";
		problem = row_check(replay, seq, seq == size - 1);
	}
	return problem;
}

const char *replay_ledger(struct replay *replay, struct ledger *ledger)
{
	const char *problem = "the ledger cannot be read";

	replay->bad = 0;
	if (reader_begin(ledger, &replay->rows))
		return problem;
	if (!reader_begin(ledger, &replay->lookup)) {
		problem = replay->rows.size ? rows_check(replay, replay->rows.size)
					    : "the ledger is empty: it has no genesis";
		reader_end(&replay->lookup);
	}
	reader_end(&replay->rows);
	return problem;
}

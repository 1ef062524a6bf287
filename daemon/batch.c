#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "common/log.h"
#include "row.h"

struct batch_item {
	struct entry entry;
	size_t row, begun;		/* in batch->rows */
	size_t memo, memo_len;		/* in batch->words: the memo's plain bytes */
	bool spoken;			/* of a customer, whose last entry was `before` */
	uint8_t customer[CUSTOMER_HASH];
	int64_t before;
};

void batch_release(struct batch *batch)
{
	free(batch->items);
	buf_release(&batch->checkpoint);
	buf_release(&batch->rows);
	buf_release(&batch->words);
	buf_release(&batch->sealed);
	buf_release(&batch->leaf);
}

uint64_t batch_size(const struct batch *batch)
{
	return batch->books->totals.size;
}

uint64_t batch_committed(const struct batch *batch)
{
	return batch->ledger->size;
}

unsigned batch_open(const struct batch *batch)
{
	return batch->count;
}

bool batch_full(const struct batch *batch)
{
	return batch->count >= BATCH_MAX || batch->rows.len >= BATCH_BYTES;
}

/* ---- Adding ---- */

void batch_expect(const struct batch *batch, int64_t uid, const uint8_t id[16],
		  const struct memo *words)
{
	uint8_t customer[CUSTOMER_HASH];

	books_expect_request(batch->books, uid, id);
	if (!words->customer)
		return;
	customers_hash(batch->customers, words->customer, customer);
	customers_expect(batch->customers, customer);
}

static void customer_find(struct batch *batch, struct batch_item *item, struct memo *words)
{
	item->spoken = words->customer;
	item->before = CUSTOMER_NONE;
	if (item->spoken) {
		customers_hash(batch->customers, words->customer, item->customer);
		item->before = customers_last(batch->customers, item->customer);
	}
	words->customer_prev = (struct json_int){ .value = item->before,
						  .set = item->before != CUSTOMER_NONE };
}

/* The memo, committed to in the entry, and sealed. */
static const char *words_add(struct batch *batch, struct batch_item *item, struct memo *words)
{
	uint8_t salt[MEMO_SALT_SIZE];

	customer_find(batch, item, words);
	random_take(&batch->salts, salt, sizeof(salt));
	item->memo = batch->words.len;
	memo_format(words, salt, &batch->words);
	item->memo_len = batch->words.len - item->memo;
	if (item->memo_len > MEMO_MAX)
		return "the words are too long to be kept";
	memo_commit(batch->words.data + item->memo, item->memo_len, item->entry.memo);
	buf_clear(&batch->sealed);
	return keyring_seal(batch->keyring, (uint64_t)item->entry.seq, item->entry.memo,
			    batch->words.data + item->memo, item->memo_len, &batch->sealed);
}

/* Everything of the row but its heads, of an entry just applied. */
static void row_add(struct batch *batch, struct batch_item *item)
{
	const struct touched *touched = &batch->books->touched;
	uint8_t leaf[HASH_SIZE], hashes[MERKLE_LEVELS][HASH_SIZE];
	struct row row = { .previous_count = touched->count };

	buf_clear(&batch->leaf);
	batch->common = entry_format(&item->entry, &batch->leaf);
	merkle_leaf(batch->leaf.data, batch->leaf.len, leaf);
	memcpy(row.previous, touched->previous, sizeof(row.previous));
	row.leaf = (struct part){ (const uint8_t *)batch->leaf.data, batch->leaf.len };
	row.hashes = (struct part){
		hashes[0], merkle_append(&batch->tree, leaf, hashes) * (size_t)HASH_SIZE
	};
	row.memo = (struct part){ (const uint8_t *)batch->sealed.data, batch->sealed.len };
	item->row = batch->rows.len;
	row_begin((uint64_t)item->entry.seq, &row, &batch->rows);
	item->begun = batch->rows.len - item->row;
}

struct span batch_common(const struct batch *batch)
{
	return (struct span){ batch->leaf.data + ENTRY_COMMON, batch->common - ENTRY_COMMON };
}

/* Logged once, and not for each who asks, until something could be recorded again. */
static enum err unavailable(struct batch *batch, struct refusal *refusal, const char *problem)
{
	if (problem != batch->told)
		log_error("%s", problem);
	batch->told = problem;
	return refuse_words(refusal, ERR_UNAVAILABLE, "", "%s; nothing was recorded", problem);
}

enum err batch_reserve(struct batch *batch, unsigned count, struct refusal *refusal)
{
	const char *problem;

	if (batch->count + count > BATCH_MAX)
		return unavailable(batch, refusal, "too many entries in one commit");
	problem = keyring_reserve(batch->keyring, batch_size(batch) + count);
	return problem ? unavailable(batch, refusal, problem) : ERR_NONE;
}

enum err batch_add(struct batch *batch, struct entry *entry, struct memo *words, int64_t now,
		   struct refusal *refusal)
{
	struct batch_item *item = &batch->items[batch->count];
	struct totals *totals = &batch->books->totals;
	const char *problem;

	if (batch_reserve(batch, 1, refusal))
		return ERR_UNAVAILABLE;
	entry->seq = (int64_t)totals->size;
	entry->at = now > totals->last_at ? now : totals->last_at + 1;
	item->entry = *entry;
	problem = words_add(batch, item, words);
	if (!problem)
		problem = books_apply(batch->books, &item->entry);
	if (problem) {
		batch->words.len = item->memo;
		return unavailable(batch, refusal, problem);
	}
	row_add(batch, item);
	memcpy(entry->memo, item->entry.memo, sizeof(entry->memo));
	if (item->spoken)
		customers_set(batch->customers, item->customer, entry->seq);
	batch->count++;
	return ERR_NONE;
}

/* ---- Committing ---- */

/* How many signatures the row of item `i` gets: the last one's. */
static unsigned heads_due(const struct batch *batch, unsigned i)
{
	const char *vkeys[BOOKS_SIGNERS_MAX];

	return i == batch->count - 1 ? books_signers(batch->books, vkeys) : 0;
}

static void rows_put(struct batch *batch)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < batch->count; i++)
		bytes += row_size(batch->items[i].begun, heads_due(batch, i));
	ledger_begin(batch->ledger, bytes, batch->count);
	for (unsigned i = 0; i < batch->count; i++) {
		const struct batch_item *item = &batch->items[i];
		size_t size = row_size(item->begun, heads_due(batch, i));
		uint8_t *room = ledger_put(batch->ledger, (uint64_t)item->entry.seq, size);

		if (!room)
			return;
		memcpy(room, batch->rows.data + item->row, item->begun);
	}
}

/*
 * What stands in the log's record, compared and hashed once more: the tree that will be signed is
 * made of it, and the rows are finished as they stand, with no signatures in the last one's room
 * yet.
 */
static const char *rows_reread(struct batch *batch, struct merkle *tree)
{
	static const uint8_t unsigned_yet[BOOKS_SIGNERS_MAX * ROW_HEAD_SIZE];
	uint8_t leaf[HASH_SIZE], hashes[MERKLE_LEVELS][HASH_SIZE];

	for (unsigned i = 0; i < batch->count; i++) {
		const struct batch_item *item = &batch->items[i];
		unsigned heads = heads_due(batch, i);
		const char *problem;
		const void *bytes;
		struct row row;
		size_t size;
		unsigned count;

		bytes = ledger_written(batch->ledger, tree->size, &size);
		if (!bytes || size != row_size(item->begun, heads) ||
		    memcmp(bytes, batch->rows.data + item->row, item->begun))
			return "a row just written does not read as it was written";
		row_finish(tree->size, (uint8_t *)bytes, size, unsigned_yet, heads);
		problem = row_take(tree->size, bytes, size, &row);
		if (problem)
			return problem;
		merkle_leaf(row.leaf.bytes, row.leaf.len, leaf);
		count = merkle_append(tree, leaf, hashes);
		if (memcmp(hashes, row.hashes.bytes, count * HASH_SIZE))
			return "a row just written does not hash to what it did";
	}
	return NULL;
}

/* Fills the room that the last row was given. */
static const char *head_write(struct batch *batch, const uint8_t *heads, unsigned count)
{
	size_t size;
	uint64_t seq = (uint64_t)batch->items[batch->count - 1].entry.seq;
	const void *bytes = ledger_written(batch->ledger, seq, &size);

	if (!bytes)
		return "the last row cannot be read";
	row_finish(seq, (uint8_t *)bytes, size, heads, count);
	return NULL;
}

static void batch_clear(struct batch *batch)
{
	batch->count = 0;
	buf_clear(&batch->rows);
	buf_clear(&batch->words);
	books_keep(batch->books);
}

/* The customers' chains lead to where they did before the batch. */
static void customers_undo(struct batch *batch)
{
	while (batch->count) {
		const struct batch_item *item = &batch->items[--batch->count];

		if (item->spoken)
			customers_set(batch->customers, item->customer, item->before);
	}
}

static void batch_undo(struct batch *batch)
{
	customers_undo(batch);
	books_undo(batch->books);
	batch->tree = batch->committed;
	batch_clear(batch);
}

/*
 * Puts the rows, looks at them again and signs their tree. NULL, with the ledger's error when it
 * had one; or what is a fault of the machine or of the program: a row that did not come out as it
 * went in, or a reset half posted.
 */
static const char *batch_write(struct batch *batch, struct merkle *tree, struct buf *note)
{
	uint8_t heads[BOOKS_SIGNERS_MAX * ROW_HEAD_SIZE];
	const char *problem;
	unsigned count;

	rows_put(batch);
	if (batch->ledger->error)
		return NULL;
	problem = books_whole(batch->books) ? rows_reread(batch, tree)
					    : "a reset stands half posted";
	if (problem)
		return problem;
	count = head_sign(batch->books, batch->signers, tree, heads, note);
	return head_write(batch, heads, count);
}

static void batch_keep(struct batch *batch, const struct merkle *tree, const struct buf *note)
{
	batch->committed = *tree;
	buf_clear(&batch->checkpoint);
	buf_add(&batch->checkpoint, note->data, note->len);
	batch_clear(batch);
}

enum commit batch_commit(struct batch *batch, const char **problem)
{
	struct merkle tree = batch->committed;
	struct buf note = BUF_INIT;
	enum commit done = COMMIT_UNDONE;

	*problem = head_signable(batch->books, batch->signers);
	if (!*problem) {
		*problem = batch_write(batch, &tree, &note);
		done = *problem ? COMMIT_UNKNOWN : ledger_commit(batch->ledger);
		if (*problem)
			ledger_abort(batch->ledger);
		else if (done != COMMIT_DONE)
			*problem = ledger_error(batch->ledger->error);
	}
	if (done == COMMIT_DONE) {
		batch_keep(batch, &tree, &note);
		batch->told = NULL;
	}
	if (done == COMMIT_UNDONE)
		batch_undo(batch);
	buf_release(&note);
	return done;
}

/* ---- Reading ---- */

static const char *read_entry(struct batch *batch, int64_t seq, bool words, struct stored *ret)
{
	const struct batch_item *item;
	struct reader reader;
	const char *problem;
	struct row row;

	*ret = (struct stored){ .memo = { NULL } };
	if ((uint64_t)seq >= batch_size(batch))
		return "no entry has this number";
	if ((uint64_t)seq >= batch->ledger->size) {
		item = &batch->items[(uint64_t)seq - batch->ledger->size];
		ret->entry = item->entry;
		return words ? memo_parse(batch->words.data + item->memo, item->memo_len,
					  &ret->memo)
			     : NULL;
	}
	if (reader_begin(batch->ledger, &reader))
		return "the ledger cannot be read";
	problem = stored_read(&reader, (uint64_t)seq, &row, ret);
	if (!problem && words)
		problem = stored_open(&row, batch->keyring, ret);
	reader_end(&reader);
	return problem;
}

const char *batch_read(struct batch *batch, int64_t seq, struct stored *ret)
{
	return read_entry(batch, seq, true, ret);
}

/* The books ask for what a refund refers to. */
static bool fetch(void *context, int64_t seq, struct entry *ret)
{
	struct stored stored;

	if (read_entry(context, seq, false, &stored))
		return false;
	*ret = stored.entry;
	return true;
}

void batch_init(struct batch *batch, struct ledger *ledger, struct keyring *keyring,
		struct books *books, struct customers *customers, const struct signers *signers,
		const struct merkle *tree, const struct buf *checkpoint)
{
	*batch = (struct batch){ .ledger = ledger, .keyring = keyring, .books = books,
				 .customers = customers, .signers = signers };
	batch->items = calloc(BATCH_MAX, sizeof(*batch->items));
	if (!batch->items)
		abort();
	batch->committed = batch->tree = *tree;
	buf_add(&batch->checkpoint, checkpoint->data, checkpoint->len);
	books->fetch = fetch;
	books->fetch_context = batch;
	books_keep(books);
}

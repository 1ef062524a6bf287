#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/log.h"
#include "row.h"

struct batch_item {
	struct entry entry;
	size_t row, begun;		/* in the part's rows */
	size_t memo, memo_len;		/* in its words: the memo's plain bytes */
};

static void part_init(struct batch_part *part)
{
	*part = (struct batch_part){ .items = calloc(BATCH_MAX, sizeof(*part->items)) };
	if (!part->items)
		abort();
}

static void part_clear(struct batch_part *part)
{
	part->count = 0;
	buf_clear(&part->rows);
	buf_clear(&part->words);
}

static void part_release(struct batch_part *part)
{
	free(part->items);
	buf_release(&part->rows);
	buf_release(&part->words);
}

void batch_release(struct batch *batch)
{
	part_release(&batch->open);
	part_release(&batch->flight.part);
	buf_release(&batch->flight.note);
	buf_release(&batch->checkpoint);
	buf_release(&batch->sealed);
	buf_release(&batch->leaf);
}

uint64_t batch_size(const struct batch *batch)
{
	return batch->books->totals.size;
}

uint64_t batch_committed(const struct batch *batch)
{
	return batch->committed.size;
}

unsigned batch_open(const struct batch *batch)
{
	return batch->open.count;
}

bool batch_full(const struct batch *batch)
{
	return batch->open.count >= BATCH_MAX;
}

bool batch_flying(const struct batch *batch)
{
	return batch->flying;
}

uint64_t batch_departed(const struct batch *batch)
{
	return batch->committed.size + (batch->flying ? batch->flight.part.count : 0);
}

/* ---- Adding ---- */

/* The memo, committed to in the entry, and sealed. */
static const char *words_add(struct batch *batch, struct batch_item *item, struct memo *words)
{
	uint8_t salt[MEMO_SALT_SIZE];
	int64_t last = CUSTOMER_NONE;

	if (words->customer)
		last = customers_last(batch->customers, words->customer);
	words->customer_prev = (struct json_int){ .value = last, .set = last != CUSTOMER_NONE };
	random_take(&batch->salts, salt, sizeof(salt));
	item->memo = batch->open.words.len;
	memo_format(words, salt, &batch->open.words);
	item->memo_len = batch->open.words.len - item->memo;
	if (item->memo_len > MEMO_MAX)
		return "the words are too long to be kept";
	memo_commit(batch->open.words.data + item->memo, item->memo_len, item->entry.memo);
	buf_clear(&batch->sealed);
	return keyring_seal(batch->keyring, (uint64_t)item->entry.seq, item->entry.memo,
			    batch->open.words.data + item->memo, item->memo_len, &batch->sealed);
}

/* Everything of the row but its heads; `previous` is from before the entry was applied. */
static void row_add(struct batch *batch, struct batch_item *item, const uint64_t *previous,
		    unsigned count)
{
	uint8_t leaf[HASH_SIZE], hashes[MERKLE_LEVELS][HASH_SIZE], pointers[TOUCHED_MAX * 8];
	struct row row;

	buf_clear(&batch->leaf);
	entry_format(&item->entry, &batch->leaf);
	merkle_leaf(batch->leaf.data, batch->leaf.len, leaf);
	for (unsigned i = 0; i < count; i++)
		put_be64(pointers + 8 * i, previous[i]);
	row = (struct row){
		.leaf = { (const uint8_t *)batch->leaf.data, batch->leaf.len },
		.hashes = { hashes[0],
			    merkle_append(&batch->tree, leaf, hashes) * (size_t)HASH_SIZE },
		.previous = { pointers, 8 * (size_t)count },
		.memo = { (const uint8_t *)batch->sealed.data, batch->sealed.len },
	};
	item->row = batch->open.rows.len;
	row_begin(&batch->open.rows, &row);
	item->begun = batch->open.rows.len - item->row;
}

static enum err unavailable(struct refusal *refusal, const char *problem)
{
	log_error("%s", problem);
	return refuse_words(refusal, ERR_UNAVAILABLE, "", "%s; nothing was recorded", problem);
}

enum err batch_reserve(struct batch *batch, unsigned count, struct refusal *refusal)
{
	const char *problem;

	if (batch->open.count + count > BATCH_MAX)
		return unavailable(refusal, "too many entries in one commit");
	problem = keyring_reserve(batch->keyring, batch_size(batch) + count);
	return problem ? unavailable(refusal, problem) : ERR_NONE;
}

enum err batch_add(struct batch *batch, struct entry *entry, struct memo *words, int64_t now,
		   struct refusal *refusal)
{
	struct batch_item *item = &batch->open.items[batch->open.count];
	struct totals *totals = &batch->books->totals;
	uint64_t previous[TOUCHED_MAX];
	const char *problem;
	unsigned count;

	if (batch_reserve(batch, 1, refusal))
		return ERR_UNAVAILABLE;
	entry->seq = (int64_t)totals->size;
	entry->at = now > totals->last_at ? now : totals->last_at + 1;
	item->entry = *entry;
	problem = words_add(batch, item, words);
	count = books_previous(batch->books, &item->entry, previous);
	if (!problem)
		problem = books_apply(batch->books, &item->entry);
	if (problem) {
		batch->open.words.len = item->memo;
		return unavailable(refusal, problem);
	}
	row_add(batch, item, previous, count);
	*entry = item->entry;
	if (words->customer)
		customers_set(batch->customers, words->customer, entry->seq);
	batch->open.count++;
	return ERR_NONE;
}

/* ---- Committing ---- */

/* How many signatures the row of item `i` gets: the last one's. */
static unsigned heads_due(const struct batch_flight *flight, unsigned i)
{
	return i == flight->part.count - 1 ? flight->due.count : 0;
}

static void rows_put(struct ledger *ledger, const struct batch_flight *flight)
{
	const struct batch_part *part = &flight->part;

	for (unsigned i = 0; i < part->count; i++) {
		const struct batch_item *item = &part->items[i];
		size_t size = row_size(item->begun, heads_due(flight, i));
		uint8_t *room = ledger_put(ledger, (uint64_t)item->entry.seq, size);

		if (!room)
			return;
		memcpy(room, part->rows.data + item->row, item->begun);
	}
}

/*
 * What stands in the transaction, compared and hashed once more: the tree that will be signed is made of it, and the
 * rows are finished as they stand, with no signatures in the last one's room yet.
 */
static const char *rows_reread(struct ledger *ledger, struct batch_flight *flight)
{
	static const uint8_t unsigned_yet[BOOKS_SIGNERS_MAX * ROW_HEAD_SIZE];
	uint8_t leaf[HASH_SIZE], hashes[MERKLE_LEVELS][HASH_SIZE];
	struct merkle *tree = &flight->tree;

	for (unsigned i = 0; i < flight->part.count; i++) {
		const struct batch_item *item = &flight->part.items[i];
		unsigned heads = heads_due(flight, i);
		const char *problem;
		const void *bytes;
		struct row row;
		size_t size;
		unsigned count;

		bytes = ledger_written(ledger, tree->size, &size);
		if (!bytes || size != row_size(item->begun, heads) ||
		    memcmp(bytes, flight->part.rows.data + item->row, item->begun))
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

/* Signs the tree, and fills the room that the last row was given. */
static const char *head_write(struct ledger *ledger, struct batch_flight *flight)
{
	uint8_t heads[BOOKS_SIGNERS_MAX * ROW_HEAD_SIZE];
	size_t size;
	uint64_t seq = flight->tree.size - 1;
	const void *bytes = ledger_written(ledger, seq, &size);

	if (!bytes)
		return "the last row cannot be read";
	head_sign(&flight->due, &flight->tree, heads, &flight->note);
	row_finish(seq, (uint8_t *)bytes, size, heads, flight->due.count);
	return NULL;
}

/* A row that did not come out as it went in, or a reset half posted, is a fault of the machine or of the program. */
void batch_depart(struct batch *batch)
{
	struct batch_flight *flight = &batch->flight;
	struct batch_part spare = flight->part;

	flight->part = batch->open;
	batch->open = spare;
	batch->flying = true;
	books_mark(batch->books);
	flight->tree = batch->committed;
	buf_clear(&flight->note);
	flight->done = COMMIT_UNDONE;
	flight->problem = head_signers_due(batch->books, batch->signers, &flight->due);
	if (flight->problem || books_whole(batch->books))
		return;
	flight->done = COMMIT_UNKNOWN;
	flight->problem = "a reset stands half posted";
}

void batch_fly(struct batch *batch)
{
	struct batch_flight *flight = &batch->flight;
	struct ledger *ledger = batch->ledger;

	if (flight->problem)
		return;
	ledger_begin(ledger);
	rows_put(ledger, flight);
	if (!ledger->error)
		flight->problem = rows_reread(ledger, flight);
	if (!ledger->error && !flight->problem)
		flight->problem = head_write(ledger, flight);
	if (flight->problem) {
		ledger_abort(ledger);
		flight->done = COMMIT_UNKNOWN;
		return;
	}
	flight->done = ledger_commit(ledger, flight->tree.size);
	if (flight->done != COMMIT_DONE)
		flight->problem = ledger_error(ledger->error);
}

/* The customers' chains lead to where they did before the part. */
static void customers_undo(struct batch *batch, struct batch_part *part)
{
	while (part->count) {
		const struct batch_item *item = &part->items[--part->count];
		struct memo memo;

		if (memo_parse(part->words.data + item->memo, item->memo_len, &memo))
			continue;
		if (memo.customer)
			customers_set(batch->customers, memo.customer,
				      memo.customer_prev.set ? memo.customer_prev.value
							     : CUSTOMER_NONE);
		memo_release(&memo);
	}
}

static void batch_undo(struct batch *batch)
{
	customers_undo(batch, &batch->open);
	customers_undo(batch, &batch->flight.part);
	part_clear(&batch->open);
	books_undo(batch->books);
	batch->tree = batch->committed;
}

static void batch_keep(struct batch *batch)
{
	struct buf note = batch->checkpoint;

	batch->checkpoint = batch->flight.note;
	batch->flight.note = note;
	batch->committed = batch->flight.tree;
	books_keep_marked(batch->books);
}

enum commit batch_land(struct batch *batch, const char **problem)
{
	struct batch_flight *flight = &batch->flight;

	*problem = flight->problem;
	if (flight->done == COMMIT_DONE)
		batch_keep(batch);
	else if (flight->done == COMMIT_UNDONE)
		batch_undo(batch);
	if (flight->done != COMMIT_UNKNOWN)
		part_clear(&flight->part);
	batch->flying = false;
	return flight->done;
}

enum commit batch_commit(struct batch *batch, const char **problem)
{
	batch_depart(batch);
	batch_fly(batch);
	return batch_land(batch, problem);
}

/* ---- Reading ---- */

/* The nth of the entries that are not durable. */
static const struct batch_item *waiting(const struct batch *batch, uint64_t nth,
					const struct batch_part **part)
{
	uint64_t flying = batch->flying ? batch->flight.part.count : 0;

	*part = nth < flying ? &batch->flight.part : &batch->open;
	return &(*part)->items[nth < flying ? nth : nth - flying];
}

static const char *read_entry(struct batch *batch, int64_t seq, bool words, struct stored *ret)
{
	const struct batch_part *part;
	const struct batch_item *item;
	struct reader reader;
	const char *problem;
	struct row row;

	*ret = (struct stored){ .previous_count = 0 };
	if ((uint64_t)seq >= batch_size(batch))
		return "no entry has this number";
	if ((uint64_t)seq >= batch->committed.size) {
		item = waiting(batch, (uint64_t)seq - batch->committed.size, &part);
		ret->entry = item->entry;
		return words ? memo_parse(part->words.data + item->memo, item->memo_len,
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
	part_init(&batch->open);
	part_init(&batch->flight.part);
	batch->committed = batch->tree = *tree;
	buf_add(&batch->checkpoint, checkpoint->data, checkpoint->len);
	books->fetch = fetch;
	books->fetch_context = batch;
	books_keep(books);
}

#include "folding.h"

#include <lmdb.h>
#include <sodium.h>
#include <string.h>

#include "common/bytes.h"
#include "records.h"

void folding_init(struct folding *folding, const struct index *index)
{
	*folding = (struct folding){ .index = index };
	for (size_t i = 0; i < SHELF_COUNT; i++)
		folding->piles[i].shelf = &shelves[i];
}

void folding_release(struct folding *folding)
{
	for (size_t i = 0; i < SHELF_COUNT; i++)
		pile_release(&folding->piles[i]);
}

/* Puts the total's label on its pile, and its hash into folding->label_hash. */
static void label_add(struct folding *folding, const struct total *total)
{
	struct pile *pile = &folding->piles[SHELF_LABELS];
	uint8_t label[LABEL_SIZE_MAX];

	label[0] = (uint8_t)total->kind;
	label[1] = total->exp;
	memcpy(label + 2, total->currency, sizeof(total->currency));
	memcpy(label + 2 + sizeof(total->currency), total->category, sizeof(total->category));
	if (pile->count && !memcmp(label, folding->label, sizeof(label)))
		return;
	memcpy(folding->label, label, sizeof(label));
	crypto_shorthash(folding->label_hash, label, sizeof(label), folding->index->secret);
	pile_meet(pile, folding->label_hash, label);
}

static void total_add(struct folding *folding, const struct total *total, uint32_t month,
		      uint32_t place)
{
	uint8_t key[8 + LABEL_HASH], value[12];

	label_add(folding, total);
	put_be64(value, (uint64_t)total->amount);
	put_be32(value + 8, 1);
	memcpy(key + 8, folding->label_hash, LABEL_HASH);
	month_key(month, place, key);
	pile_meet(&folding->piles[SHELF_TOTALS], key, value);
	month_key(month, INDEX_ALL, key);
	pile_meet(&folding->piles[SHELF_TOTALS], key, value);
}

void folding_entry(struct folding *folding, const struct entry *entry, uint32_t month,
		   struct budget *const *touched, unsigned count)
{
	uint8_t key[ID_KEY], value[8];
	struct total total;

	if (entry->kind == KIND_OPEN) {
		put_be32(key, touched[0]->place);
		pile_add(&folding->piles[SHELF_NAMES], key, (const uint8_t *)entry->budget);
	}
	if (entry_has_id(entry)) {
		id_key(folding->index, entry->uid, entry->id, key);
		seq_put(value, (uint64_t)entry->seq);
		pile_add(&folding->piles[SHELF_IDS], key, value);
	}
	put_be64(value, (uint64_t)entry->seq);
	for (unsigned i = 0; i < count; i++) {
		month_key(month, touched[i]->place, key);
		pile_meet(&folding->piles[SHELF_LASTS], key, value);
	}
	if (count && index_total(entry, &total))
		total_add(folding, &total, month, touched[0]->place);
}

void folding_budget(struct folding *folding, const struct budget *budget)
{
	uint8_t key[4];

	put_be32(key, budget->place);
	pile_add(&folding->piles[SHELF_BUDGETS], key, (const uint8_t *)budget + BUDGET_BEGIN);
}

void folding_refunds(struct folding *folding, const struct map *refunds)
{
	const struct map_slot *slot;
	uint8_t key[8], value[8];
	size_t at = 0;

	while ((slot = map_next(refunds, &at))) {
		put_be64(key, (uint64_t)map_key_number(slot->key));
		put_be64(value, slot->value - 1);
		pile_add(&folding->piles[SHELF_REFUNDS], key, value);
	}
}

void folding_customers(struct folding *folding, const struct map *customers)
{
	const struct map_slot *slot;
	uint8_t value[8];
	size_t at = 0;

	while ((slot = map_next(customers, &at))) {
		put_be64(value, slot->value - 1);
		pile_add(&folding->piles[SHELF_CUSTOMERS], slot->key, value);
	}
}

static void meta_fill(struct meta *meta, const struct books *books, const struct merkle *tree)
{
	*meta = (struct meta){ .folded = tree->size, .budgets = books->budgets.count,
			       .last_at = books->totals.last_at,
			       .balances = books->totals.balances, .spent = books->totals.spent,
			       .exp = books->exp, .keys = books->keys,
			       .moved_count = books->moved_count };
	memcpy(meta->origin, books->origin, sizeof(meta->origin));
	memcpy(meta->moved, books->moved, sizeof(meta->moved));
	memcpy(meta->zone, books->zone, sizeof(meta->zone));
	memcpy(meta->currency, books->currency, sizeof(meta->currency));
	memcpy(meta->edge, tree->edge, sizeof(meta->edge));
}

int folding_put(struct folding *folding, const struct books *books, const struct merkle *tree)
{
	const struct index *index = folding->index;
	struct meta meta;
	MDB_txn *txn;
	int error = mdb_txn_begin(index->env, NULL, 0, &txn);

	if (error)
		return error;
	for (size_t i = 0; i < SHELF_COUNT && !error; i++)
		error = shelf_put(&folding->piles[i], txn, index->dbi);
	meta_fill(&meta, books, tree);
	if (!error)
		error = meta_put(index, txn, &meta);
	if (error) {
		mdb_txn_abort(txn);
		return error;
	}
	return mdb_txn_commit(txn);
}

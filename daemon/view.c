#include "view.h"

#include <lmdb.h>
#include <string.h>

#include "common/bytes.h"
#include "records.h"

int view_open(struct view *view, struct index *index)
{
	int error;

	*view = (struct view){ .index = index };
	error = mdb_txn_begin(index->env, NULL, MDB_RDONLY, &view->txn);
	if (error)
		return error;
	mdb_txn_reset(view->txn);
	view_refresh(view);
	return 0;
}

void view_close(struct view *view)
{
	if (view->txn)
		mdb_txn_abort(view->txn);
	view->txn = NULL;
}

static bool view_begin(struct view *view)
{
	if (!view->damaged && mdb_txn_renew(view->txn))
		view->damaged = true;
	return !view->damaged;
}

static bool view_get(struct view *view, const struct shelf *shelf, const uint8_t *key, uint8_t *ret)
{
	enum found found = FOUND_DAMAGE;

	if (view_begin(view)) {
		found = shelf_get(shelf, view->txn, view->index->dbi, key, ret);
		mdb_txn_reset(view->txn);
	}
	view->damaged |= found == FOUND_DAMAGE;
	return found == FOUND;
}

void view_refresh(struct view *view)
{
	if (!view_begin(view))
		return;
	view->damaged |= shelf_last(&shelves[SHELF_IDS], view->txn, view->index->dbi,
				    view->highest) == FOUND_DAMAGE;
	mdb_txn_reset(view->txn);
}

int64_t view_request(struct view *view, int64_t uid, const uint8_t id[16])
{
	uint8_t key[ID_KEY], value[SEQ_SIZE];

	id_key(view->index, uid, id, key);
	if (memcmp(key, view->highest, sizeof(key)) > 0 ||
	    !view_get(view, &shelves[SHELF_IDS], key, value))
		return ABSENT;
	return (int64_t)seq_get(value);
}

int64_t view_refunded(struct view *view, int64_t seq)
{
	uint8_t key[8], value[8];

	put_be64(key, (uint64_t)seq);
	return view_get(view, &shelves[SHELF_REFUNDS], key, value) ? (int64_t)get_be64(value) : 0;
}

int64_t view_customer(struct view *view, const uint8_t hash[CUSTOMER_HASH])
{
	uint8_t value[8];

	return view_get(view, &shelves[SHELF_CUSTOMERS], hash, value) ? (int64_t)get_be64(value)
							     : CUSTOMER_NONE;
}

static bool month_take(void *context, const uint8_t *key, const uint8_t *value)
{
	(void)value;
	*(uint32_t *)context = get_be32(key);
	return false;
}

/* The months of the first and the last entry that are folded. false: there is none. */
static bool months_find(struct view *view, uint32_t *first, uint32_t *last)
{
	static const uint8_t begin[SHELF_KEY_MAX];
	enum found found = FOUND_DAMAGE;
	uint8_t key[8];

	if (view_begin(view)) {
		found = shelf_last(&shelves[SHELF_LASTS], view->txn, view->index->dbi, key);
		if (found == FOUND)
			found = shelf_range(&shelves[SHELF_LASTS], view->txn, view->index->dbi,
					    begin, NULL, month_take, first);
		mdb_txn_reset(view->txn);
	}
	view->damaged |= found == FOUND_DAMAGE;
	*last = found == FOUND ? get_be32(key) : 0;
	return found == FOUND;
}

uint64_t view_last(struct view *view, uint32_t month, uint32_t place)
{
	uint8_t key[8], value[8];
	uint32_t first, last;

	if (!months_find(view, &first, &last))
		return NO_ENTRY;
	for (month = month < last ? month : last; month >= first && !view->damaged; month--) {
		month_key(month, place, key);
		if (view_get(view, &shelves[SHELF_LASTS], key, value))
			return get_be64(value);
	}
	return NO_ENTRY;
}

struct totals_walk {
	struct view *view;
	view_each *each;
	void *context;
};

static bool total_found(void *context, const uint8_t *key, const uint8_t *value)
{
	const struct totals_walk *walk = context;
	uint8_t label[LABEL_SIZE_MAX];
	struct total total;

	if (shelf_get(&shelves[SHELF_LABELS], walk->view->txn, walk->view->index->dbi, key + 8,
		      label) != FOUND) {
		walk->view->damaged = true;
		return false;
	}
	total.kind = label[0];
	total.exp = label[1];
	memcpy(total.currency, label + 2, sizeof(total.currency));
	memcpy(total.category, label + 2 + sizeof(total.currency), sizeof(total.category));
	total.amount = (int64_t)get_be64(value);
	total.count = get_be32(value + 8);
	walk->each(walk->context, &total);
	return true;
}

static bool totals_read(struct view *view, uint32_t month, const uint32_t *places, size_t count,
			struct totals_walk *walk)
{
	uint8_t low[8 + LABEL_HASH] = { 0 }, high[8 + LABEL_HASH];

	memset(high, 0xff, sizeof(high));
	for (size_t i = 0; i < count; i++) {
		month_key(month, places[i], low);
		month_key(month, places[i], high);
		if (shelf_range(&shelves[SHELF_TOTALS], view->txn, view->index->dbi, low, high,
				total_found, walk) != FOUND)
			return false;
	}
	return true;
}

void view_totals(struct view *view, uint32_t month, const uint32_t *places, size_t count,
		 view_each *each, void *context, uint64_t *ret_folded)
{
	struct totals_walk walk = { view, each, context };
	struct meta meta = { .folded = 0 };

	if (!view_begin(view))
		return;
	view->damaged |= !meta_get(view->txn, view->index->dbi, &meta) ||
			 !totals_read(view, month, places, count, &walk);
	mdb_txn_reset(view->txn);
	*ret_folded = meta.folded;
}

int64_t view_time(struct view *view)
{
	struct meta meta = { .last_at = ABSENT };

	if (!view_begin(view))
		return ABSENT;
	view->damaged |= !meta_get(view->txn, view->index->dbi, &meta);
	mdb_txn_reset(view->txn);
	return meta.folded ? meta.last_at : ABSENT;
}

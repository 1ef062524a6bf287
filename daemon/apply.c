#include "apply.h"

#include <stdlib.h>
#include <string.h>

#include "rules.h"

/* What must be put back to undo one entry. */
struct change {
	enum { CHANGE_BUDGET, CHANGE_OPENED, CHANGE_ID, CHANGE_REFUND } what;
	struct budget *budget;
	struct budget before;		/* CHANGE_BUDGET */
	uint32_t id_hash;		/* CHANGE_ID */
	uint64_t seq;
	int64_t refund, refund_before;	/* CHANGE_REFUND: of which entry,
					 * and how much; ABSENT: not here */
};

static struct change *change_add(struct books *books, int what)
{
	if (books->change_count == books->change_room) {
		books->change_room = books->change_room ? books->change_room * 2 : 64;
		books->changes = realloc(books->changes,
					 books->change_room * sizeof(*books->changes));
		if (!books->changes)
			abort();
	}
	books->changes[books->change_count] = (struct change){ .what = what };
	return &books->changes[books->change_count++];
}

static void budget_changing(struct books *books, struct budget *budget)
{
	struct change *change = change_add(books, CHANGE_BUDGET);

	change->budget = budget;
	change->before = *budget;
}

/* ---- What an entry does ---- */

/* Those of an entry that was checked: so all fits. */
static void terms_take(const struct books *books, struct budget *budget, const struct terms *terms)
{
	const struct budget *pool = terms->pool[0] ? books_budget(books, terms->pool) : NULL;

	budget->grouped = terms->owner == ABSENT;
	budget->number = (uint32_t)(budget->grouped ? terms->group : terms->owner);
	budget->pool = pool ? pool->place : NO_POOL;
	memcpy(budget->currency, terms->currency, sizeof(budget->currency));
	budget->exp = (uint8_t)terms->exp;
	budget->allowance = terms->allowance;
	budget->every = (uint8_t)terms->every;
	budget->carry = (uint8_t)terms->carry;
	budget->cap = terms->cap;
	budget->self_topup = terms->self_topup;
	budget->guideline = terms->guideline;
}

static void budget_create(struct books *books, const struct entry *entry)
{
	struct budget budget = { .name = entry->budget, .last = NO_ENTRY };

	terms_take(books, &budget, &entry->terms);
	change_add(books, CHANGE_OPENED)->budget = budgets_add(&books->budgets, &budget);
}

static void request_add(struct books *books, const struct entry *entry)
{
	struct change *change = change_add(books, CHANGE_ID);

	change->id_hash = ids_hash(&books->recent.ids, entry->uid, entry->id);
	change->seq = (uint64_t)entry->seq;
	ids_add(&books->recent.ids, change->id_hash, change->seq);
}

static void refund_add(struct books *books, const struct entry *entry)
{
	struct change *change = change_add(books, CHANGE_REFUND);
	int64_t refunded = books_refunded(books, entry->ref) + entry->amount;
	uint8_t key[MAP_KEY];

	map_number_key(entry->ref, key);
	change->refund = entry->ref;
	if (!map_get(&books->recent.refunds, key, &change->refund_before))
		change->refund_before = ABSENT;
	map_set(&books->recent.refunds, key, refunded);
}

static void moved_add(struct books *books, const struct entry *entry)
{
	unsigned i = 0;

	while (i < books->moved_count && (strcmp(books->moved[i].currency, entry->currency) ||
					  books->moved[i].exp != entry->exp))
		i++;
	if (i == MOVED_MAX)
		return;
	if (i == books->moved_count) {
		books->moved[i].exp = entry->exp;
		books->moved[i].amount = 0;
		memcpy(books->moved[i].currency, entry->currency, sizeof(entry->currency));
		books->moved_count++;
	}
	if (!money_add(books->moved[i].amount, entry->amount, &books->moved[i].amount))
		books->moved[i].amount = INT64_MAX;
}

static void money_move(struct books *books, const struct entry *entry,
		       const struct parties *parties)
{
	if (parties->from)
		parties->from->balance = entry->from_after;
	if (parties->to)
		parties->to->balance = entry->to_after;
	rules_totals(books, entry, &books->totals);
	moved_add(books, entry);
}

static void period_enter(struct budget *budget, const char *label)
{
	if (!strcmp(budget->current, label))
		return;
	memcpy(budget->current, label, sizeof(budget->current));
	budget->spent = 0;
	budget->drawn = 0;
}

static void genesis_apply(struct books *books, const struct entry *entry)
{
	memcpy(books->origin, entry->origin, sizeof(books->origin));
	memcpy(books->keys.vkey, entry->vkey, sizeof(books->keys.vkey));
	memcpy(books->zone, entry->zone, sizeof(books->zone));
	memcpy(books->currency, entry->currency, sizeof(books->currency));
	books->exp = entry->exp;
}

static void key_apply(struct books *books, const struct entry *entry)
{
	struct keys *keys = &books->keys;

	memcpy(keys->previous, keys->vkey, sizeof(keys->previous));
	memcpy(keys->vkey, entry->vkey, sizeof(keys->vkey));
	keys->until = entry->until;
	keys->entry = entry->seq;
}

static void adjust_apply(struct books *books, const struct entry *entry, struct budget *budget)
{
	budgets_owner_changes(&books->budgets, budget);
	terms_take(books, budget, &entry->terms);
	budgets_owner_changed(&books->budgets, budget);
	period_enter(budget, entry->period);
}

static void close_apply(struct books *books, struct budget *budget)
{
	budgets_owner_changes(&books->budgets, budget);
	budget->closed = true;
}

/* A lapse is to be followed by its allowance, if there is one. */
static void reset_apply(struct books *books, const struct entry *entry, struct budget *budget)
{
	bool lapse = !strcmp(entry->from, entry->budget);

	period_enter(budget, entry->period);
	books->totals.granting = lapse && budget->allowance ? budget : NULL;
}

static void refund_apply(struct books *books, const struct entry *entry, struct budget *budget,
			 const struct entry *original)
{
	refund_add(books, entry);
	if (budget->closed)
		return;
	if (original->kind == KIND_SPEND)
		budget->spent -= entry->amount;
	else if (books_is_draw(books, budget, original) &&
		 !strcmp(original->period, budget->current) && budget->drawn >= entry->amount)
		budget->drawn -= entry->amount;
}

static void kind_apply(struct books *books, const struct entry *entry, struct budget *budget,
		       const struct entry *original)
{
	switch (entry->kind) {
	case KIND_GENESIS:
		genesis_apply(books, entry);
		break;
	case KIND_KEY:
		key_apply(books, entry);
		break;
	case KIND_OPEN:
		period_enter(budget, entry->period);
		break;
	case KIND_ADJUST:
		adjust_apply(books, entry, budget);
		break;
	case KIND_CLOSE:
		close_apply(books, budget);
		break;
	case KIND_TOPUP:
		if (books_is_draw(books, budget, entry))
			budget->drawn += entry->amount;
		break;
	case KIND_RESET:
		reset_apply(books, entry, budget);
		break;
	case KIND_SPEND:
		budget->spent += entry->amount;
		break;
	case KIND_REFUND:
		refund_apply(books, entry, budget, original);
		break;
	default:
		break;
	}
}

const char *books_apply(struct books *books, const struct entry *entry)
{
	struct parties parties = books_parties(books, entry);
	struct touched *touched = &books->touched;
	const char *problem = rules_check(books, entry, &parties);
	struct entry original;		/* of a refund: read before anything is changed */

	if (!problem && entry->kind == KIND_REFUND && !books_entry(books, entry->ref, &original))
		problem = "it refunds an entry that cannot be read";
	if (problem)
		return problem;
	if (entry->kind == KIND_OPEN) {
		budget_create(books, entry);
		parties = books_parties(books, entry);
	}
	touched->count = parties_touched(entry, &parties, touched->budgets);
	for (unsigned i = 0; i < touched->count; i++) {
		struct budget *budget = touched->budgets[i];

		budget_changing(books, budget);
		touched->previous[i] = budget->last;
		budget->last = (uint64_t)entry->seq;
	}
	if (entry->amount != ABSENT)
		money_move(books, entry, &parties);
	kind_apply(books, entry, parties.about, &original);
	if (entry_has_id(entry))
		request_add(books, entry);
	books->totals.size++;
	books->totals.last_at = entry->at;
	return NULL;
}

/* ---- Keeping and undoing ---- */

void books_keep(struct books *books)
{
	books->kept = books->totals;
	books->kept_keys = books->keys;
	memcpy(books->kept_moved, books->moved, books->moved_count * sizeof(*books->moved));
	books->kept_moved_count = books->moved_count;
	books->change_count = 0;
}

static void budget_restore(struct books *books, struct budget *budget, const struct budget *before)
{
	budgets_owner_changes(&books->budgets, budget);
	*budget = *before;
	budgets_owner_changed(&books->budgets, budget);
}

static void refund_undo(struct books *books, const struct change *change)
{
	uint8_t key[MAP_KEY];

	map_number_key(change->refund, key);
	if (change->refund_before == ABSENT)
		map_remove(&books->recent.refunds, key);
	else
		map_set(&books->recent.refunds, key, change->refund_before);
}

void books_undo(struct books *books)
{
	while (books->change_count) {
		struct change *change = &books->changes[--books->change_count];

		switch (change->what) {
		case CHANGE_BUDGET:
			budget_restore(books, change->budget, &change->before);
			break;
		case CHANGE_OPENED:
			budgets_drop(&books->budgets, change->budget);
			break;
		case CHANGE_ID:
			ids_remove(&books->recent.ids, change->id_hash, change->seq);
			break;
		case CHANGE_REFUND:
			refund_undo(books, change);
			break;
		}
	}
	books->totals = books->kept;
	books->keys = books->kept_keys;
	memcpy(books->moved, books->kept_moved, books->kept_moved_count * sizeof(*books->moved));
	books->moved_count = books->kept_moved_count;
}

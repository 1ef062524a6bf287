#include "rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What must be put back to undo one entry. */
struct change {
	enum { CHANGE_BUDGET, CHANGE_OPENED, CHANGE_ID, CHANGE_REFUND } what;
	struct budget *budget;
	struct budget before;		/* CHANGE_BUDGET */
	uint32_t id_hash;		/* CHANGE_ID */
	uint64_t seq;
	int64_t refund, refund_before;	/* CHANGE_REFUND: of which entry, and how much; ABSENT: not here */
};


static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void unfolded_init(struct unfolded *unfolded)
{
	ids_init(&unfolded->ids);
	map_init(&unfolded->refunds, false);
}

static void unfolded_release(struct unfolded *unfolded)
{
	ids_release(&unfolded->ids);
	map_release(&unfolded->refunds);
}

void books_init(struct books *books, books_fetch *fetch, void *context)
{
	*books = (struct books){ .fetch = fetch, .fetch_context = context };
	books->totals.last_at = books->kept.last_at = ABSENT;
	ids_init(&books->names);
	ids_init(&books->owners);
	unfolded_init(&books->recent);
	unfolded_init(&books->frozen);
}

void books_release(struct books *books)
{
	unfolded_release(&books->recent);
	unfolded_release(&books->frozen);
	ids_release(&books->names);
	ids_release(&books->owners);
	for (size_t i = 0; i < books->count; i++)
		free(books->list[i]);
	free(books->list);
	free(books->pools);
	free(books->changes);
}

/* ---- Tables ---- */

struct budget *books_budget(const struct books *books, const char *name)
{
	uint32_t hash = ids_name_hash(&books->names, name);
	uint64_t place;
	size_t at = 0;

	while (ids_next(&books->names, hash, &at, &place))
		if (!strcmp(books->list[place]->name, name))
			return books->list[place];
	return NULL;
}

void books_expect(const struct books *books, const struct entry *entry)
{
	uint64_t place;
	size_t at = 0;

	if (entry_has_id(entry))
		ids_expect(&books->recent.ids, ids_hash(&books->recent.ids, entry->uid, entry->id));
	if (!entry->budget[0] ||
	    !ids_next(&books->names, ids_name_hash(&books->names, entry->budget), &at, &place))
		return;
	for (at = 0; at <= sizeof(struct budget) + 32; at += 64)	/* its name, too */
		__builtin_prefetch((const char *)books->list[place] + at);
}

struct budget *books_owned(const struct books *books, int64_t uid)
{
	uint32_t hash = ids_owner_hash(&books->owners, uid);
	uint64_t place;
	size_t at = 0;

	while (ids_next(&books->owners, hash, &at, &place))
		if (budget_owner(books->list[place]) == uid)
			return books->list[place];
	return NULL;
}

static int64_t request_find(const struct books *books, const struct ids *ids, int64_t uid,
			    const uint8_t id[16])
{
	uint32_t hash = ids_hash(ids, uid, id);
	uint64_t seq;
	struct entry entry;
	size_t at = 0;

	while (ids_next(ids, hash, &at, &seq))
		if (!books_entry(books, (int64_t)seq, &entry) ||
		    (entry.uid == uid && !memcmp(entry.id, id, sizeof(entry.id))))
			return (int64_t)seq;
	return ABSENT;
}

/* The past may take one id for another, so it is looked at. */
static int64_t past_request(const struct books *books, int64_t uid, const uint8_t id[16])
{
	int64_t seq = books->past->request(books->past_context, uid, id);
	struct entry entry;

	if (seq == ABSENT || !books_entry(books, seq, &entry))
		return seq;
	return entry.uid == uid && !memcmp(entry.id, id, sizeof(entry.id)) ? seq : ABSENT;
}

void books_expect_request(const struct books *books, int64_t uid, const uint8_t id[16])
{
	ids_expect(&books->recent.ids, ids_hash(&books->recent.ids, uid, id));
	if (books->frozen.ids.count)
		ids_expect(&books->frozen.ids, ids_hash(&books->frozen.ids, uid, id));
}

int64_t books_request(const struct books *books, int64_t uid, const uint8_t id[16])
{
	int64_t seq = request_find(books, &books->recent.ids, uid, id);

	if (seq == ABSENT && books->frozen.ids.count)
		seq = request_find(books, &books->frozen.ids, uid, id);
	if (seq == ABSENT && books->past)
		seq = past_request(books, uid, id);
	return seq;
}

static void refund_key(int64_t seq, uint8_t ret[MAP_KEY])
{
	memset(ret, 0, MAP_KEY);
	memcpy(ret, &seq, sizeof(seq));
}

int64_t books_refunded(const struct books *books, int64_t seq)
{
	uint8_t key[MAP_KEY];
	int64_t amount;

	refund_key(seq, key);
	if (map_get(&books->recent.refunds, key, &amount) ||
	    map_get(&books->frozen.refunds, key, &amount))
		return amount;
	return books->past ? books->past->refunded(books->past_context, seq) : 0;
}

bool books_entry(const struct books *books, int64_t seq, struct entry *ret)
{
	return seq >= 0 && (uint64_t)seq < books->totals.size &&
	       books->fetch(books->fetch_context, seq, ret);
}

int64_t budget_owner(const struct budget *budget)
{
	return budget->grouped ? ABSENT : (int64_t)budget->number;
}

int64_t budget_group(const struct budget *budget)
{
	return budget->grouped ? (int64_t)budget->number : ABSENT;
}

struct budget *books_pool(const struct books *books, const struct budget *budget)
{
	return budget->pool == NO_POOL ? NULL : books->list[budget->pool];
}

bool books_is_draw(const struct books *books, const struct budget *budget,
		   const struct entry *topup)
{
	const struct budget *pool = books_pool(books, budget);

	return pool && topup->uid == budget_owner(budget) && !strcmp(topup->from, pool->name);
}

int64_t budget_draw_left(const struct budget *budget)
{
	if (budget->pool == NO_POOL || budget->drawn >= budget->self_topup)
		return 0;
	return budget->self_topup - budget->drawn;
}

static bool owner_indexed(const struct budget *budget)
{
	return !budget->closed && !budget->grouped;
}

static void owner_add(struct books *books, const struct budget *budget)
{
	if (owner_indexed(budget))
		ids_add(&books->owners, ids_owner_hash(&books->owners, budget->number),
			budget->place);
}

static void owner_delete(struct books *books, const struct budget *budget)
{
	if (owner_indexed(budget))
		ids_remove(&books->owners, ids_owner_hash(&books->owners, budget->number),
			   budget->place);
}

/* ---- Terms ---- */

void books_terms(const struct books *books, const struct budget *budget, struct terms *ret)
{
	const struct budget *pool = books_pool(books, budget);

	*ret = (struct terms){
		.owner = budget_owner(budget), .group = budget_group(budget), .exp = budget->exp,
		.allowance = budget->allowance, .every = budget->every, .carry = budget->carry,
		.cap = budget->cap, .self_topup = budget->self_topup,
		.guideline = budget->guideline,
	};
	memcpy(ret->currency, budget->currency, sizeof(ret->currency));
	if (pool)
		strcpy(ret->pool, pool->name);
}

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

/* ---- Whom an entry touches ---- */

struct budget *books_party(const struct books *books, const char *account, struct budget *about)
{
	if (!account[0] || account_built_in(account))
		return NULL;
	return about && !strcmp(account, about->name) ? about : books_budget(books, account);
}

static struct parties parties_find(const struct books *books, const struct entry *entry)
{
	struct parties parties = { .about = books_party(books, entry->budget, NULL) };

	parties.from = books_party(books, entry->from, parties.about);
	parties.to = books_party(books, entry->to, parties.about);
	return parties;
}

static unsigned parties_touched(const struct entry *entry, const struct parties *parties,
				struct budget *ret[TOUCHED_MAX])
{
	const char *names[] = { entry->budget, entry->from, entry->to };
	struct budget *budgets[] = { parties->about, parties->from, parties->to };
	unsigned count = 0;

	for (unsigned i = 0; i < TOUCHED_MAX; i++) {
		bool repeated = false;

		if (!names[i][0] || account_built_in(names[i]))
			continue;
		for (unsigned j = 0; j < i; j++)
			repeated |= !strcmp(names[i], names[j]);
		if (!repeated)
			ret[count++] = budgets[i];
	}
	return count;
}

unsigned books_touched(const struct books *books, const struct entry *entry,
		       struct budget *ret[TOUCHED_MAX])
{
	struct parties parties = parties_find(books, entry);

	return parties_touched(entry, &parties, ret);
}

/* ---- What an entry does ---- */

static struct change *change_add(struct books *books, int what)
{
	if (books->change_count == books->change_room) {
		books->change_room = books->change_room ? books->change_room * 2 : 64;
		books->changes = checked(realloc(books->changes, books->change_room *
								 sizeof(*books->changes)));
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

/* Appends to a list whose room doubles at each power of two. */
static void list_add(struct budget ***list, size_t count, struct budget *budget)
{
	if (!(count & (count - 1)))
		*list = checked(realloc(*list, (count ? 2 * count : 1) * sizeof(**list)));
	(*list)[count] = budget;
}

static struct budget *budget_add(struct books *books, const struct budget *like)
{
	size_t len = strlen(like->name) + 1;
	struct budget *budget = checked(malloc(sizeof(*budget) + len));

	*budget = *like;
	budget->name = memcpy(budget + 1, like->name, len);
	budget->place = (uint32_t)books->count;
	list_add(&books->list, books->count++, budget);
	if (budget->grouped)
		list_add(&books->pools, books->pool_count++, budget);
	ids_add(&books->names, ids_name_hash(&books->names, budget->name), budget->place);
	owner_add(books, budget);
	return budget;
}

void books_restore(struct books *books, const struct budget *budget)
{
	budget_add(books, budget);
}

static void budget_create(struct books *books, const struct entry *entry)
{
	struct budget budget = { .name = entry->budget, .last = NO_ENTRY };

	terms_take(books, &budget, &entry->terms);
	change_add(books, CHANGE_OPENED)->budget = budget_add(books, &budget);
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

	refund_key(entry->ref, key);
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
	owner_delete(books, budget);
	terms_take(books, budget, &entry->terms);
	owner_add(books, budget);
	period_enter(budget, entry->period);
}

static void close_apply(struct books *books, struct budget *budget)
{
	owner_delete(books, budget);
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
	struct parties parties = parties_find(books, entry);
	struct touched *touched = &books->touched;
	const char *problem = rules_check(books, entry, &parties);
	struct entry original;		/* of a refund: read before anything is changed */

	if (!problem && entry->kind == KIND_REFUND && !books_entry(books, entry->ref, &original))
		problem = "it refunds an entry that cannot be read";
	if (problem)
		return problem;
	if (entry->kind == KIND_OPEN) {
		budget_create(books, entry);
		parties = parties_find(books, entry);
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

bool books_whole(const struct books *books)
{
	return !books->totals.granting;
}

unsigned books_signers(const struct books *books, const char *ret[BOOKS_SIGNERS_MAX])
{
	unsigned count = 0;

	if (books->keys.previous[0] && books->totals.last_at <= books->keys.until)
		ret[count++] = books->keys.previous;
	ret[count++] = books->keys.vkey;
	return count;
}

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
	owner_delete(books, budget);
	*budget = *before;
	owner_add(books, budget);
}

static void opening_undo(struct books *books, struct budget *budget)
{
	owner_delete(books, budget);
	ids_remove(&books->names, ids_name_hash(&books->names, budget->name), budget->place);
	books->count--;
	if (budget->grouped)
		books->pool_count--;
	free(budget);
}

static void refund_undo(struct books *books, const struct change *change)
{
	uint8_t key[MAP_KEY];

	refund_key(change->refund, key);
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
			opening_undo(books, change->budget);
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

/* ---- Folding ---- */

void books_freeze(struct books *books)
{
	struct unfolded empty = books->frozen;

	books->frozen = books->recent;
	books->recent = empty;
}

void books_forget(struct books *books)
{
	unfolded_release(&books->frozen);
}

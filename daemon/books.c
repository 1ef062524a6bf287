#include "books.h"

#include <stdlib.h>
#include <string.h>

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
	budgets_init(&books->budgets);
	unfolded_init(&books->recent);
	unfolded_init(&books->frozen);
}

void books_release(struct books *books)
{
	unfolded_release(&books->recent);
	unfolded_release(&books->frozen);
	budgets_release(&books->budgets);
	free(books->changes);
}

/* ---- Budgets ---- */

struct budget *books_budget(const struct books *books, const char *name)
{
	return budgets_named(&books->budgets, name);
}

struct budget *books_owned(const struct books *books, int64_t uid)
{
	return budgets_owned(&books->budgets, uid);
}

struct budget *books_pool(const struct books *books, const struct budget *budget)
{
	return budget->pool == NO_POOL ? NULL : books->budgets.list[budget->pool];
}

bool books_is_draw(const struct books *books, const struct budget *budget,
		   const struct entry *topup)
{
	const struct budget *pool = books_pool(books, budget);

	return pool && topup->uid == budget_owner(budget) && !strcmp(topup->from, pool->name);
}

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

/* ---- Earlier entries ---- */

bool books_entry(const struct books *books, int64_t seq, struct entry *ret)
{
	return seq >= 0 && (uint64_t)seq < books->totals.size &&
	       books->fetch(books->fetch_context, seq, ret);
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

void books_expect(const struct books *books, const struct entry *entry)
{
	if (entry_has_id(entry))
		ids_expect(&books->recent.ids, ids_hash(&books->recent.ids, entry->uid, entry->id));
	if (entry->budget[0])
		budgets_expect(&books->budgets, entry->budget);
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

int64_t books_refunded(const struct books *books, int64_t seq)
{
	uint8_t key[MAP_KEY];
	int64_t amount;

	map_number_key(seq, key);
	if (map_get(&books->recent.refunds, key, &amount) ||
	    map_get(&books->frozen.refunds, key, &amount))
		return amount;
	return books->past ? books->past->refunded(books->past_context, seq) : 0;
}

/* ---- Whom an entry touches ---- */

struct budget *books_party(const struct books *books, const char *account, struct budget *about)
{
	if (!account[0] || account_built_in(account))
		return NULL;
	return about && !strcmp(account, about->name) ? about : books_budget(books, account);
}

struct parties books_parties(const struct books *books, const struct entry *entry)
{
	struct parties parties = { .about = books_party(books, entry->budget, NULL) };

	parties.from = books_party(books, entry->from, parties.about);
	parties.to = books_party(books, entry->to, parties.about);
	return parties;
}

unsigned parties_touched(const struct entry *entry, const struct parties *parties,
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
	struct parties parties = books_parties(books, entry);

	return parties_touched(entry, &parties, ret);
}

/* ---- The whole ---- */

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

void books_restore(struct books *books, const struct budget *budget)
{
	budgets_add(&books->budgets, budget);
}

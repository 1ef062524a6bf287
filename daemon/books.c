#include "books.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What must be put back to undo one entry. */
struct change {
	enum { CHANGE_BUDGET, CHANGE_OPENED, CHANGE_ID, CHANGE_REFUND } what;
	struct budget *budget;
	struct budget before;		/* CHANGE_BUDGET */
	uint64_t id_hash, seq;		/* CHANGE_ID */
	int64_t refund, refund_before;	/* CHANGE_REFUND: of which entry, and how much; ABSENT: not here */
};

#define NUMBER_MAX ((int64_t)UINT32_MAX - 1)	/* of a uid or a gid */

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void unfolded_init(struct unfolded *unfolded)
{
	ids_init(&unfolded->ids);
	map_init(&unfolded->refunds);
}

static void unfolded_release(struct unfolded *unfolded)
{
	ids_release(&unfolded->ids);
	map_release(&unfolded->refunds);
}

void books_init(struct books *books, books_fetch *fetch, void *context)
{
	*books = (struct books){ .fetch = fetch, .fetch_context = context };
	books->totals.last_at = books->kept.totals.last_at = ABSENT;
	ids_init(&books->names);
	unfolded_init(&books->recent);
	unfolded_init(&books->frozen);
}

void books_release(struct books *books)
{
	unfolded_release(&books->recent);
	unfolded_release(&books->frozen);
	ids_release(&books->names);
	HASH_CLEAR(by_owner, books->by_owner);
	for (size_t i = 0; i < books->count; i++)
		free(books->list[i]);
	free(books->list);
	free(books->pools);
	free(books->changes);
}

/* ---- Tables ---- */

struct budget *books_budget(const struct books *books, const char *name)
{
	uint64_t hash = ids_name_hash(&books->names, name), place;
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
	for (at = 0; at < offsetof(struct budget, by_owner); at += 64)
		__builtin_prefetch((const char *)books->list[place] + at);
}

struct budget *books_owned(const struct books *books, int64_t uid)
{
	struct budget *budget;

	HASH_FIND(by_owner, books->by_owner, &uid, sizeof(uid), budget);
	return budget;
}

static int64_t request_find(const struct books *books, const struct ids *ids, int64_t uid,
			    const uint8_t id[16])
{
	uint64_t hash = ids_hash(ids, uid, id), seq;
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

bool books_is_draw(const struct budget *budget, const struct entry *topup)
{
	return topup->uid == budget->terms.owner && !strcmp(topup->from, budget->terms.pool);
}

int64_t budget_draw_left(const struct budget *budget)
{
	if (!budget->terms.pool[0] || budget->drawn >= budget->terms.self_topup)
		return 0;
	return budget->terms.self_topup - budget->drawn;
}

static bool owner_indexed(const struct budget *budget)
{
	return !budget->closed && budget->terms.owner != ABSENT;
}

static void owner_add(struct books *books, struct budget *budget)
{
	if (owner_indexed(budget))
		HASH_ADD(by_owner, books->by_owner, terms.owner, sizeof(budget->terms.owner),
			 budget);
}

static void owner_delete(struct books *books, struct budget *budget)
{
	if (owner_indexed(budget))
		HASH_DELETE(by_owner, books->by_owner, budget);
}

/* The budgets an entry names; NULL for what it does not name, for built-in accounts and for names never opened. */
struct parties {
	struct budget *about, *from, *to;
};

static struct budget *party_find(const struct books *books, const char *account,
				 struct budget *about)
{
	if (!account[0] || account_built_in(account))
		return NULL;
	return about && !strcmp(account, about->name) ? about : books_budget(books, account);
}

static struct parties parties_find(const struct books *books, const struct entry *entry)
{
	struct parties parties = { .about = party_find(books, entry->budget, NULL) };

	parties.from = party_find(books, entry->from, parties.about);
	parties.to = party_find(books, entry->to, parties.about);
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

unsigned books_previous(const struct books *books, const struct entry *entry,
			uint64_t ret[TOUCHED_MAX])
{
	struct budget *touched[TOUCHED_MAX];
	unsigned count = books_touched(books, entry, touched);

	for (unsigned i = 0; i < count; i++)
		ret[i] = touched[i] ? touched[i]->last : NO_ENTRY;
	return count;
}

/* ---- What may follow ---- */

const char *books_terms_problem(const struct books *books, const struct terms *terms,
				const struct budget *self, const char **field)
{
	const struct budget *pool = books_budget(books, terms->pool), *owned;

	*field = "owner";
	if ((terms->owner == ABSENT) == (terms->group == ABSENT))
		return "a budget has either an owner or a group";
	if (terms->owner > NUMBER_MAX)
		return "an owner is a uid, below 4294967295";
	owned = books_owned(books, terms->owner);
	if (terms->owner != ABSENT && owned && owned != self)
		return "this owner has an open budget already";
	*field = "group";
	if (terms->group > NUMBER_MAX)
		return "a group is a gid, below 4294967295";
	*field = "allowance";
	if (terms->allowance < 0)
		return "an allowance is zero or more";
	*field = "carry";
	if (terms->every == ABSENT || terms->carry == ABSENT)
		return "terms name a period and a carry";
	if (terms->every == PERIOD_NONE && terms->carry != CARRY_NONE)
		return "without a period nothing lapses, so there is nothing to carry over";
	*field = "cap";
	if ((terms->carry == CARRY_CAP) != (terms->cap != ABSENT))
		return "a cap goes with carry cap, and only with it";
	*field = "pool";
	if ((terms->pool[0] != '\0') != (terms->self_topup != ABSENT))
		return "a pool and what may be drawn from it in a period (self_topup) go together";
	if (terms->pool[0] && terms->owner == ABSENT)
		return "only a budget with an owner draws from a pool";
	if (terms->pool[0] && (!pool || pool->closed || pool->terms.group == ABSENT))
		return "no open pool has this name";
	if (terms->pool[0] && strcmp(pool->terms.currency, terms->currency))
		return "the pool holds another currency";
	*field = "self_topup";
	if (terms->self_topup == 0)
		return "self_topup is more than zero";
	*field = "guideline";
	if (terms->guideline == 0)
		return "a guideline is more than zero";
	return NULL;
}

/* One side of a movement: the account exists, holds this currency, and is after it what the entry says. */
static const char *side_check(const struct entry *entry, const char *account,
			      const struct budget *budget, int64_t after, bool giving)
{
	int64_t balance;

	if (account_built_in(account))
		return after == ABSENT ? NULL : "a built-in account has no balance after";
	if (!budget)
		return "money moves from or to a budget that was never opened";
	if (budget->closed)
		return "money moves from or to a closed budget";
	if (strcmp(budget->terms.currency, entry->currency) || budget->terms.exp != entry->exp)
		return "the currency is not the budget's";
	if (giving ? !money_sub(budget->balance, entry->amount, &balance)
		   : !money_add(budget->balance, entry->amount, &balance))
		return "a balance would leave int64";
	if (balance < 0)
		return "a balance would fall below zero";
	return balance == after ? NULL : "the balance after is not what the movement makes it";
}

/* What an entry adds to the sum of balances and to the sum of spends. */
static bool totals_after(const struct books *books, const struct entry *entry,
			 struct totals *ret)
{
	struct totals totals = books->totals;
	bool fits = true;

	if (account_built_in(entry->from) && !account_built_in(entry->to))
		fits &= money_add(totals.balances, entry->amount, &totals.balances);
	if (!account_built_in(entry->from) && account_built_in(entry->to))
		fits &= money_sub(totals.balances, entry->amount, &totals.balances);
	if (!strcmp(entry->to, ACCOUNT_SPENT))
		fits &= money_add(totals.spent, entry->amount, &totals.spent);
	if (!strcmp(entry->from, ACCOUNT_SPENT))
		fits &= money_sub(totals.spent, entry->amount, &totals.spent);
	*ret = totals;
	return fits && totals.spent >= 0;
}

enum movement books_move(const struct books *books, struct entry *entry, const char *from,
			 const char *to, int64_t amount)
{
	const struct budget *giver = books_budget(books, from), *taker = books_budget(books, to);
	struct totals totals;

	snprintf(entry->from, sizeof(entry->from), "%s", from);
	snprintf(entry->to, sizeof(entry->to), "%s", to);
	entry->amount = amount;
	if (giver && giver->balance < amount)
		return MOVEMENT_SHORT;
	if (giver)
		entry->from_after = giver->balance - amount;
	if (taker && !money_add(taker->balance, amount, &entry->to_after))
		return MOVEMENT_OVERFLOW;
	return totals_after(books, entry, &totals) ? MOVEMENT_FITS : MOVEMENT_OVERFLOW;
}

/* The generic money rule: true of every kind, of later ones too. */
static const char *money_check(const struct books *books, const struct entry *entry,
			       const struct parties *parties)
{
	struct totals totals;
	const char *problem;

	if (entry->amount == ABSENT) {
		if (entry->from[0] || entry->to[0] || entry->from_after != ABSENT ||
		    entry->to_after != ABSENT)
			return "accounts are named although nothing moves";
		return NULL;
	}
	if (entry->amount <= 0)
		return "the amount is not above zero";
	if (!entry->from[0] || !entry->to[0] || !strcmp(entry->from, entry->to))
		return "money moves between two accounts";
	if (!entry->currency[0] || entry->exp < 0 || entry->exp > MONEY_EXP_MAX)
		return "an amount has a currency and its exponent";
	problem = side_check(entry, entry->from, parties->from, entry->from_after, true);
	if (!problem)
		problem = side_check(entry, entry->to, parties->to, entry->to_after, false);
	if (!problem && !totals_after(books, entry, &totals))
		problem = "a sum would leave int64";
	return problem;
}

/* What all entries must fulfil, and what a kind needs besides. */
enum need {
	NEED_MONEY = 1,		/* something moves */
	NEED_ID = 2,
	NEED_OPEN = 4,		/* the entry is about an open budget */
	NEED_CURRENT = 8,	/* its period is the budget's current one */
	NEED_REF = 16,
};

static const char *genesis_check(const struct books *books, const struct entry *entry,
				 struct budget *budget)
{
	struct verifier verifier;
	uint8_t root[HASH_SIZE];

	(void)books;
	(void)budget;
	if (!entry->currency[0] || entry->exp < 0 || entry->exp > MONEY_EXP_MAX || !entry->zone[0])
		return "the genesis lacks a currency or a time zone";
	if (origin_problem(entry->origin) || !vkey_parse(entry->vkey, &verifier) ||
	    verifier.type != KEY_ED25519 || strcmp(verifier.name, entry->origin))
		return "the genesis has no origin, or a verifier key that is not the origin's";
	if (!entry->prior_origin[0] && entry->prior_size == ABSENT && !entry->prior_root[0])
		return NULL;
	if (origin_problem(entry->prior_origin) || !strcmp(entry->prior_origin, entry->origin) ||
	    entry->prior_size <= 0 ||
	    !base64_decode(entry->prior_root, strlen(entry->prior_root), root, sizeof(root)))
		return "the genesis does not name another ledger's head as its prior one";
	return NULL;
}

static const char *key_check(const struct books *books, const struct entry *entry,
			     struct budget *budget)
{
	struct verifier verifier;

	(void)budget;
	if (!vkey_parse(entry->vkey, &verifier) || verifier.type != KEY_ED25519 ||
	    strcmp(verifier.name, books->origin))
		return "the new verifier key is none of this origin";
	if (!strcmp(entry->vkey, books->keys.vkey))
		return "the new key is the one that signs already";
	if (entry->ref != books->keys.entry)
		return "it does not refer to the entry that named the key before";
	return entry->until < entry->at ? "the old key must sign the head that brings the new one" : NULL;
}

/* The label fits the terms' period. */
static bool label_fits(const struct entry *entry)
{
	return entry->terms.every == PERIOD_NONE
		       ? !entry->period[0]
		       : label_kind(entry->period) == (enum period)entry->terms.every;
}

static const char *open_check(const struct books *books, const struct entry *entry,
			      struct budget *budget)
{
	const char *field, *problem = books_terms_problem(books, &entry->terms, NULL, &field);

	if (problem)
		return problem;
	if (budget)
		return "the name was used before";
	if (name_problem(entry->budget))
		return "this is no name for a budget";
	if (!entry->currency[0] || entry->exp < 0 || entry->exp > MONEY_EXP_MAX)
		return "a budget has a currency and its exponent";
	if (!label_fits(entry))
		return "the period does not fit the terms";
	if (entry->terms.allowance != (entry->amount == ABSENT ? 0 : entry->amount))
		return "opening grants exactly the allowance";
	return NULL;
}

static const char *adjust_check(const struct books *books, const struct entry *entry,
				struct budget *budget)
{
	const char *field, *problem = books_terms_problem(books, &entry->terms, budget, &field);
	char begins[LABEL_SIZE], ends[LABEL_SIZE];

	if (problem)
		return problem;
	if (strcmp(entry->currency, budget->terms.currency) || entry->exp != budget->terms.exp)
		return "a budget keeps its currency";
	if ((entry->terms.owner == ABSENT) != (budget->terms.owner == ABSENT))
		return "a pool stays a pool, and an owner's budget an owner's";
	if (!label_fits(entry))
		return "the period does not fit the terms";
	if (entry->terms.every == budget->terms.every && strcmp(entry->period, budget->current))
		return "the period is not the budget's current one";
	if (!label_first_day(budget->current, begins) || !label_last_day(entry->period, ends))
		return NULL;
	return strcmp(ends, begins) < 0 ? "the period was over before the current one began" : NULL;
}

static const char *close_check(const struct books *books, const struct entry *entry,
			       struct budget *budget)
{
	(void)books;
	if (entry->amount == ABSENT)
		return budget->balance ? "closing sweeps what is left" : NULL;
	if (strcmp(entry->from, entry->budget) || strcmp(entry->to, ACCOUNT_COMPANY) ||
	    entry->from_after != 0)
		return "closing sweeps what is left to the company";
	return NULL;
}

static const char *topup_check(const struct books *books, const struct entry *entry,
			       struct budget *budget)
{
	const struct budget *pool = books_budget(books, entry->from);

	if (strcmp(entry->to, entry->budget))
		return "a top-up goes to the budget it is about";
	if (strcmp(entry->from, ACCOUNT_COMPANY) && (!pool || pool->terms.group == ABSENT))
		return "a top-up comes from the company or from a pool";
	if (books_is_draw(budget, entry) && entry->amount > budget_draw_left(budget))
		return "more was drawn from the pool than the terms allow in a period";
	return NULL;
}

static const char *spend_check(const struct books *books, const struct entry *entry,
			       struct budget *budget)
{
	int64_t spent;

	(void)books;
	if (strcmp(entry->from, entry->budget) || strcmp(entry->to, ACCOUNT_SPENT))
		return "a spend takes from the budget it is about";
	if (!money_add(budget->spent, entry->amount, &spent))
		return "what is spent in the period would leave int64";
	return NULL;
}

/* What the budget keeps at a reset. */
static int64_t carried(const struct budget *budget)
{
	switch (budget->terms.carry) {
	case CARRY_ALL:
		return budget->balance;
	case CARRY_CAP:
		return budget->balance < budget->terms.cap ? budget->balance : budget->terms.cap;
	default:
		return 0;
	}
}

static const char *grant_check(const struct entry *entry, const struct budget *budget)
{
	if (entry->amount != budget->terms.allowance)
		return "a reset grants exactly the allowance";
	if (strcmp(entry->from, ACCOUNT_COMPANY) || strcmp(entry->to, entry->budget))
		return "the allowance comes from the company";
	return NULL;
}

/* First what lapses, then the allowance: two adjacent entries, or one where only one moves, or neither. */
static const char *reset_check(const struct books *books, const struct entry *entry,
			       struct budget *budget)
{
	char next[LABEL_SIZE];
	int64_t lapse = budget->balance - carried(budget);

	if (books->totals.granting)
		return strcmp(entry->period, budget->current) ? "the allowance is of another period"
							      : grant_check(entry, budget);
	if (!label_next(budget->current, next) || strcmp(entry->period, next))
		return "the period is not the one after the last that was posted";
	if (!lapse && budget->terms.allowance)
		return entry->amount == ABSENT ? "the allowance was not granted"
					       : grant_check(entry, budget);
	if (!lapse)
		return entry->amount == ABSENT ? NULL : "there is nothing to lapse or to grant";
	if (entry->amount != lapse || strcmp(entry->from, entry->budget) ||
	    strcmp(entry->to, ACCOUNT_COMPANY))
		return "what the terms do not carry over goes to the company, exactly";
	return NULL;
}

static const char *refund_check(const struct books *books, const struct entry *entry,
				struct budget *budget)
{
	struct entry original;
	const struct budget *source;
	const char *from, *to;
	int64_t refunded;

	if (!books_entry(books, entry->ref, &original))
		return "it refunds an entry that is not there";
	if (original.kind != KIND_SPEND && original.kind != KIND_TOPUP)
		return "only a spend or a top-up is refunded";
	if (strcmp(original.budget, entry->budget) || strcmp(original.category, entry->category))
		return "it is not about the budget and category of what it refunds";
	if (!money_add(books_refunded(books, entry->ref), entry->amount, &refunded) ||
	    refunded > original.amount)
		return "more is refunded than was paid";
	source = books_budget(books, original.from);
	from = original.to;
	to = source && source->closed ? ACCOUNT_COMPANY : original.from;
	if (strcmp(entry->from, from) || strcmp(entry->to, to))
		return "the money does not go back where it came from";
	if (strcmp(entry->period, budget->closed ? "" : budget->current))
		return "the period is not the budget's current one";
	return NULL;
}

static const char *audit_check(const struct books *books, const struct entry *entry,
			       struct budget *budget)
{
	(void)books;
	(void)budget;
	return label_kind(entry->period) == PERIOD_DAY ? NULL : "an audit has its day as period";
}

static const struct rule {
	unsigned needs;
	bool money;	/* may move money at all */
	const char *(*check)(const struct books *, const struct entry *, struct budget *);
} rules[KIND_COUNT] = {
	[KIND_OTHER] = { 0, true, NULL },
	[KIND_GENESIS] = { 0, false, genesis_check },
	[KIND_BOOT] = { 0, false, NULL },
	[KIND_OPEN] = { NEED_ID, true, open_check },
	[KIND_ADJUST] = { NEED_ID | NEED_OPEN, false, adjust_check },
	[KIND_CLOSE] = { NEED_ID | NEED_OPEN | NEED_CURRENT, true, close_check },
	[KIND_TOPUP] = { NEED_ID | NEED_OPEN | NEED_CURRENT | NEED_MONEY, true, topup_check },
	[KIND_RESET] = { NEED_OPEN, true, reset_check },
	[KIND_SPEND] = { NEED_ID | NEED_OPEN | NEED_CURRENT | NEED_MONEY, true, spend_check },
	[KIND_REFUND] = { NEED_ID | NEED_REF | NEED_MONEY, true, refund_check },
	[KIND_AUDIT] = { NEED_ID, false, audit_check },
	[KIND_KEY] = { 0, false, key_check },
};

static const char *needs_check(const struct rule *rule, const struct entry *entry,
			       const struct budget *budget)
{
	if ((rule->needs & NEED_ID) && !entry_has_id(entry))
		return "the request's id is missing";
	if ((rule->needs & NEED_MONEY) && entry->amount == ABSENT)
		return "the amount is missing";
	if (!rule->money && entry->amount != ABSENT)
		return "money moves in an entry that moves none";
	if ((rule->needs & NEED_REF) && (entry->ref == ABSENT || !budget))
		return "the entry it refers to is missing";
	if ((rule->needs & NEED_OPEN) && (!budget || budget->closed))
		return "it is about a budget that is not open";
	if ((rule->needs & NEED_CURRENT) && strcmp(entry->period, budget->current))
		return "the period is not the budget's current one";
	return NULL;
}

/* Opening grants to a budget that is not there yet: as if it were, and empty. */
static const char *opening_money_check(const struct books *books, const struct entry *entry,
				       const struct parties *parties)
{
	struct totals totals;

	if (entry->amount == ABSENT)
		return money_check(books, entry, parties);
	if (strcmp(entry->from, ACCOUNT_COMPANY) || strcmp(entry->to, entry->budget) ||
	    entry->from_after != ABSENT || entry->to_after != entry->amount || entry->amount <= 0)
		return "opening grants the allowance from the company";
	return totals_after(books, entry, &totals) ? NULL : "a sum would leave int64";
}

static const char *entry_check(const struct books *books, const struct entry *entry,
			       const struct parties *parties)
{
	const struct rule *rule = &rules[entry->kind];
	struct budget *budget = parties->about;
	const char *problem;

	if ((uint64_t)entry->seq != books->totals.size)
		return "the sequence number is not the next";
	if (!books->totals.size != (entry->kind == KIND_GENESIS))
		return "a ledger begins with its genesis";
	if (entry->at <= books->totals.last_at)
		return "the time is not after the entry before";
	if (books->totals.granting && (entry->kind != KIND_RESET || budget != books->totals.granting))
		return "a reset's allowance does not follow what lapsed";
	if (entry_has_id(entry) && books_request(books, entry->uid, entry->id) != ABSENT)
		return "the request's id was used before";
	if (entry->budget[0] && !budget && entry->kind != KIND_OPEN)
		return "it is about a budget that was never opened";
	problem = needs_check(rule, entry, budget);
	if (!problem)
		problem = entry->kind == KIND_OPEN ? opening_money_check(books, entry, parties)
						   : money_check(books, entry, parties);
	if (!problem && rule->check)
		problem = rule->check(books, entry, budget);
	return problem;
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
	struct budget *budget = checked(malloc(sizeof(*budget)));

	*budget = *like;
	budget->place = (uint32_t)books->count;
	memset(&budget->by_owner, 0, sizeof(budget->by_owner));
	list_add(&books->list, books->count++, budget);
	if (budget->terms.group != ABSENT)
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
	struct budget budget = { .terms = entry->terms, .last = NO_ENTRY };

	memcpy(budget.name, entry->budget, sizeof(budget.name));
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
	totals_after(books, entry, &books->totals);
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
	budget->terms = entry->terms;
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
	books->totals.granting = lapse && budget->terms.allowance ? budget : NULL;
}

static void refund_apply(struct books *books, const struct entry *entry, struct budget *budget,
			 const struct entry *original)
{
	refund_add(books, entry);
	if (budget->closed)
		return;
	if (original->kind == KIND_SPEND)
		budget->spent -= entry->amount;
	else if (books_is_draw(budget, original) && !strcmp(original->period, budget->current) &&
		 budget->drawn >= entry->amount)
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
		if (books_is_draw(budget, entry))
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
	struct budget *touched[TOUCHED_MAX];
	const char *problem = entry_check(books, entry, &parties);
	struct entry original;		/* of a refund: read before anything is changed */
	unsigned count;

	if (!problem && entry->kind == KIND_REFUND && !books_entry(books, entry->ref, &original))
		problem = "it refunds an entry that cannot be read";
	if (problem)
		return problem;
	if (entry->kind == KIND_OPEN) {
		budget_create(books, entry);
		parties = parties_find(books, entry);
	}
	count = parties_touched(entry, &parties, touched);
	for (unsigned i = 0; i < count; i++) {
		budget_changing(books, touched[i]);
		touched[i]->last = (uint64_t)entry->seq;
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

static void standing_copy(struct standing *to, const struct standing *from)
{
	to->totals = from->totals;
	to->keys = from->keys;
	memcpy(to->moved, from->moved, from->moved_count * sizeof(*from->moved));
	to->moved_count = from->moved_count;
}

void books_mark(struct books *books)
{
	struct standing *marked = &books->marked;

	marked->totals = books->totals;
	marked->keys = books->keys;
	memcpy(marked->moved, books->moved, books->moved_count * sizeof(*books->moved));
	marked->moved_count = books->moved_count;
	books->marked_changes = books->change_count;
}

void books_keep_marked(struct books *books)
{
	standing_copy(&books->kept, &books->marked);
	books->change_count -= books->marked_changes;
	if (books->change_count)
		memmove(books->changes, books->changes + books->marked_changes,
			books->change_count * sizeof(*books->changes));
	books->marked_changes = 0;
}

void books_keep(struct books *books)
{
	books_mark(books);
	books_keep_marked(books);
}

/* Puts back what a budget was, but not its place in the table of owners, which belongs to uthash. */
static void budget_restore(struct books *books, struct budget *budget, const struct budget *before)
{
	owner_delete(books, budget);
	*budget = *before;
	memset(&budget->by_owner, 0, sizeof(budget->by_owner));
	owner_add(books, budget);
}

static void opening_undo(struct books *books, struct budget *budget)
{
	owner_delete(books, budget);
	ids_remove(&books->names, ids_name_hash(&books->names, budget->name), budget->place);
	books->count--;
	if (budget->terms.group != ABSENT)
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
	books->marked_changes = 0;
	books->totals = books->kept.totals;
	books->keys = books->kept.keys;
	memcpy(books->moved, books->kept.moved, books->kept.moved_count * sizeof(*books->moved));
	books->moved_count = books->kept.moved_count;
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

#include <malloc.h>

#include "shop.h"

#include "daemon/rules.h"

static struct shop *shop;

/* ---- Entries ---- */

/* Money moves in the entry; the balances after are what the accounts make them, wrapped around where that is
 * more than they hold. */
static void moves(struct entry *e, const char *from, const char *to, int64_t amount)
{
	int64_t giver = shop_balance(shop, from), taker = shop_balance(shop, to);

	snprintf(e->from, sizeof(e->from), "%s", from);
	snprintf(e->to, sizeof(e->to), "%s", to);
	e->amount = amount;
	snprintf(e->currency, sizeof(e->currency), "EUR");
	e->exp = 2;
	e->from_after = giver == ABSENT ? ABSENT : giver - amount;
	e->to_after = taker == ABSENT ? ABSENT : (int64_t)((uint64_t)taker + (uint64_t)amount);
}

/* About a budget that is there, in its current period. */
static struct entry about(enum kind kind, int64_t uid, const char *name)
{
	struct entry e = shop_entry(shop, kind, uid, name);
	const struct budget *budget = books_budget(&shop->books, name);

	if (budget && !budget->closed)
		memcpy(e.period, budget->current, sizeof(e.period));
	return e;
}

static struct entry spend(int64_t uid, const char *name, int64_t amount)
{
	struct entry e = about(KIND_SPEND, uid, name);

	moves(&e, name, ACCOUNT_SPENT, amount);
	return e;
}

static struct entry topup(int64_t uid, const char *name, const char *from, int64_t amount)
{
	struct entry e = about(KIND_TOPUP, uid, name);

	moves(&e, from, name, amount);
	return e;
}

static struct entry refund(int64_t uid, int64_t ref, int64_t amount)
{
	const struct entry *original = &shop->history[ref];
	const struct budget *source = books_budget(&shop->books, original->from);
	struct entry e = about(KIND_REFUND, uid, original->budget);

	e.ref = ref;
	memcpy(e.category, original->category, sizeof(e.category));
	moves(&e, original->to, source && source->closed ? ACCOUNT_COMPANY : original->from, amount);
	return e;
}

/* A month's terms; the entry grants the allowance. */
static struct entry opening(const char *name, int64_t owner, int64_t group, int64_t allowance)
{
	struct entry e = shop_entry(shop, KIND_OPEN, 0, name);

	e.terms.owner = owner;
	e.terms.group = group;
	e.terms.allowance = allowance;
	e.terms.every = PERIOD_MONTH;
	e.terms.carry = CARRY_NONE;
	snprintf(e.currency, sizeof(e.currency), "EUR");
	e.exp = 2;
	memcpy(e.terms.currency, e.currency, sizeof(e.currency));
	e.terms.exp = e.exp;
	snprintf(e.period, sizeof(e.period), "2026-11");
	if (allowance) {
		moves(&e, ACCOUNT_COMPANY, name, allowance);
		e.to_after = allowance;
	}
	return e;
}

static struct entry opening_rep(void)
{
	return opening("carol", CAROL, ABSENT, 100);
}

static struct entry opening_drawer(void)
{
	struct entry e = opening_rep();

	snprintf(e.terms.pool, sizeof(e.terms.pool), "team/north");
	e.terms.self_topup = 300;
	return e;
}

static struct entry adjusting(const char *name)
{
	struct entry e = about(KIND_ADJUST, 0, name);

	books_terms(&shop->books, books_budget(&shop->books, name), &e.terms);
	memcpy(e.currency, e.terms.currency, sizeof(e.currency));
	e.exp = e.terms.exp;
	return e;
}

static struct entry closing(const char *name)
{
	struct entry e = about(KIND_CLOSE, 0, name);

	if (shop_balance(shop, name))
		moves(&e, name, ACCOUNT_COMPANY, shop_balance(shop, name));
	return e;
}

static struct entry reset(const char *name, const char *label, int64_t lapse, int64_t grant)
{
	struct entry e = shop_entry(shop, KIND_RESET, 0, name);

	snprintf(e.period, sizeof(e.period), "%s", label);
	if (lapse)
		moves(&e, name, ACCOUNT_COMPANY, lapse);
	if (grant)
		moves(&e, ACCOUNT_COMPANY, name, grant);
	return e;
}

static struct entry later_kind(void)
{
	struct entry e = about(KIND_OTHER, ALICE, "alice");

	snprintf(e.kind_name, sizeof(e.kind_name), "thank");
	return e;
}

/* ---- Applying ---- */

static int64_t taken(struct entry e, const char *name)
{
	is_str(shop_apply(shop, &e), NULL, name);
	return e.seq;
}

static void post(struct entry e)
{
	const char *problem = shop_apply(shop, &e);

	if (problem) {
		printf("Bail out! %s entry %lld: %s\n", e.kind_name, (long long)e.seq, problem);
		exit(1);
	}
}

/* The entry cannot follow, for this reason, and the books are as before. */
static void refused(struct entry e, const char *sentence)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	const char *problem;

	shop_describe(shop, &before);
	problem = books_apply(&shop->books, &e);
	shop_describe(shop, &after);
	is_str(problem, sentence, sentence);
	if (strcmp(before.data, after.data))
		ok(false, "nothing changed when refused: %s", sentence);
	buf_release(&before);
	buf_release(&after);
}

/* The good entry `made`, spoilt by `change`, is refused with the sentence. */
#define WRONG(made, change, sentence) do { \
	struct entry e = (made); \
	change; \
	refused(e, sentence); \
} while (0)

/* And what was spoilt was good. */
#define RIGHT(made) do { \
	struct entry e_ = (made); \
	books_keep(&shop->books); \
	post(e_); \
	books_undo(&shop->books); \
} while (0)

static void say(char *field, const char *text)
{
	strcpy(field, text);
}

/* alice draws from team/north, team/south is another pool, yen one in JPY, gone is closed. */
static void shop_begin(void)
{
	struct entry e;

	shop = shop_new();
	post(shop_genesis(shop));
	post(opening("team/north", ABSENT, NORTH, 50000));
	post(opening("team/south", ABSENT, SOUTH, 10000));
	e = opening("alice", ALICE, ABSENT, 20000);
	say(e.terms.pool, "team/north");
	e.terms.self_topup = 30000;
	post(e);
	e = opening("yen", ABSENT, SOUTH, 0);
	say(e.currency, "JPY");
	say(e.terms.currency, "JPY");
	e.exp = e.terms.exp = 0;
	post(e);
	post(opening("gone", BOB, ABSENT, 500));
	post(closing("gone"));
	books_keep(&shop->books);
}

/* ---- What cannot follow ---- */

#define PRIOR "the genesis does not name another ledger's head as its prior one"

static void prior(struct entry *genesis, const char *origin, int64_t size)
{
	say(genesis->prior_origin, origin);
	genesis->prior_size = size;
	say(genesis->prior_root, "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
}

/* The verifier key that a seed of this byte makes. */
static void vkey_make(char ret[VKEY_MAX + 1], const char *origin, uint8_t type, uint8_t byte)
{
	uint8_t seed[SEED_SIZE] = { byte };
	struct signer signer;

	signer_open(&signer, origin, type, seed);
	vkey_format(&signer.verifier, ret);
	signer_close(&signer);
}

static struct entry new_key(uint8_t byte, int64_t overlap)
{
	struct entry e = shop_entry(shop, KIND_KEY, 0, "");

	memset(e.id, 0, sizeof(e.id));
	vkey_make(e.vkey, SHOP_ORIGIN, KEY_ED25519, byte);
	e.ref = shop->books.keys.entry;
	e.until = e.at + overlap;
	return e;
}

static void test_genesis(void)
{
	shop = shop_new();
	WRONG(shop_entry(shop, KIND_BOOT, 0, ""), e.at = 1, "a ledger begins with its genesis");
	WRONG(shop_genesis(shop), e.seq = 1, "the sequence number is not the next");
	WRONG(shop_genesis(shop), e.currency[0] = 0, "the genesis lacks a currency or a time zone");
	WRONG(shop_genesis(shop), e.zone[0] = 0, "the genesis lacks a currency or a time zone");
	WRONG(shop_genesis(shop), e.exp = 5, "the genesis lacks a currency or a time zone");
	WRONG(shop_genesis(shop), e.origin[0] = 'x',
	      "the genesis has no origin, or a verifier key that is not the origin's");
	WRONG(shop_genesis(shop), e.origin[0] = 0,
	      "the genesis has no origin, or a verifier key that is not the origin's");
	WRONG(shop_genesis(shop), e.vkey[20] ^= 1,
	      "the genesis has no origin, or a verifier key that is not the origin's");
	WRONG(shop_genesis(shop), say(e.prior_origin, "old.example/fund"), PRIOR);
	WRONG(shop_genesis(shop), prior(&e, SHOP_ORIGIN, 5), PRIOR);
	WRONG(shop_genesis(shop), prior(&e, "old.example/fund", 0), PRIOR);
	WRONG(shop_genesis(shop), prior(&e, "old.example/fund", 5); e.prior_root[0] = 0, PRIOR);
	WRONG(shop_genesis(shop), prior(&e, "old.example/fund", 5); e.prior_root[43] = 'A', PRIOR);
	WRONG(shop_genesis(shop), prior(&e, "old fund", 5), PRIOR);
	WRONG(shop_genesis(shop), moves(&e, "company", "spent", 5),
	      "money moves in an entry that moves none");
	taken(shop_genesis(shop), "a genesis");
	is_str(shop->books.currency, "EUR", "its currency is the ledger's");
	is_int(shop->books.exp, 2, "with its exponent");
	is_str(shop->books.origin, SHOP_ORIGIN, "its origin too");
	is_str(shop->books.zone, "UTC", "and its zone");
	refused(shop_genesis(shop), "a ledger begins with its genesis");
	shop_free(shop);
}

static void test_every_entry(void)
{
	RIGHT(spend(ALICE, "alice", 100));
	WRONG(spend(ALICE, "alice", 100), e.seq++, "the sequence number is not the next");
	WRONG(spend(ALICE, "alice", 100), e.seq--, "the sequence number is not the next");
	WRONG(shop_genesis(shop), e.at = shop->books.totals.last_at + 1,
	      "a ledger begins with its genesis");
	WRONG(spend(ALICE, "alice", 100), e.at--, "the time is not after the entry before");
	WRONG(spend(ALICE, "alice", 100), memcpy(e.id, shop->history[1].id, 16); e.uid = 0,
	      "the request's id was used before");
	WRONG(spend(ALICE, "alice", 100), say(e.budget, "nobody"),
	      "it is about a budget that was never opened");
	WRONG(spend(ALICE, "alice", 100), memset(e.id, 0, 16), "the request's id is missing");
	WRONG(spend(ALICE, "alice", 100), e.amount = ABSENT, "the amount is missing");
	WRONG(spend(ALICE, "alice", 100), e.budget[0] = 0,
	      "it is about a budget that is not open");
	WRONG(spend(BOB, "gone", 100), , "it is about a budget that is not open");
	WRONG(spend(ALICE, "alice", 100), say(e.period, "2026-12"),
	      "the period is not the budget's current one");
	WRONG(spend(ALICE, "alice", 100), e.period[0] = 0,
	      "the period is not the budget's current one");
	RIGHT(shop_entry(shop, KIND_BOOT, 0, ""));
	WRONG(shop_entry(shop, KIND_BOOT, 0, ""), moves(&e, "company", "alice", 5),
	      "money moves in an entry that moves none");
}

static void test_money(void)
{
	WRONG(spend(ALICE, "alice", 100), e.amount = 0, "the amount is not above zero");
	WRONG(spend(ALICE, "alice", 100), e.amount = -100, "the amount is not above zero");
	WRONG(spend(ALICE, "alice", 100), e.from[0] = 0, "money moves between two accounts");
	WRONG(spend(ALICE, "alice", 100), e.to[0] = 0, "money moves between two accounts");
	WRONG(spend(ALICE, "alice", 100), say(e.to, "alice"), "money moves between two accounts");
	WRONG(spend(ALICE, "alice", 100), e.currency[0] = 0,
	      "an amount has a currency and its exponent");
	WRONG(spend(ALICE, "alice", 100), e.exp = ABSENT,
	      "an amount has a currency and its exponent");
	WRONG(spend(ALICE, "alice", 100), e.exp = MONEY_EXP_MAX + 1,
	      "an amount has a currency and its exponent");
	WRONG(spend(ALICE, "alice", 100), e.to_after = 100,
	      "a built-in account has no balance after");
	WRONG(spend(ALICE, "alice", 100), say(e.to, "nobody"),
	      "money moves from or to a budget that was never opened");
	WRONG(topup(0, "alice", "gone", 100), , "money moves from or to a closed budget");
	WRONG(spend(ALICE, "alice", 100), say(e.currency, "USD"),
	      "the currency is not the budget's");
	WRONG(spend(ALICE, "alice", 100), e.exp = 3, "the currency is not the budget's");
	WRONG(topup(0, "alice", "company", INT64_MAX - 19999), e.to_after = 0,
	      "a balance would leave int64");
	WRONG(spend(ALICE, "alice", 20001), , "a balance would fall below zero");
	RIGHT(spend(ALICE, "alice", 20000));
	WRONG(spend(ALICE, "alice", 100), e.from_after++,
	      "the balance after is not what the movement makes it");
	WRONG(spend(ALICE, "alice", 100), e.from_after = ABSENT,
	      "the balance after is not what the movement makes it");
	WRONG(topup(0, "alice", "team/north", 100), e.to_after--,
	      "the balance after is not what the movement makes it");
	WRONG(later_kind(), say(e.from, "alice"), "accounts are named although nothing moves");
	WRONG(later_kind(), say(e.to, "alice"), "accounts are named although nothing moves");
	WRONG(later_kind(), e.from_after = 0, "accounts are named although nothing moves");
	WRONG(later_kind(), e.to_after = 0, "accounts are named although nothing moves");
}

static void test_sums(void)
{
	int64_t balances = shop->books.totals.balances;
	struct entry good;

	is_int(balances, 80000, "the sum of balances");
	RIGHT(topup(0, "alice", "company", INT64_MAX - balances));
	WRONG(topup(0, "alice", "company", INT64_MAX - balances + 1), ,
	      "a sum would leave int64");
	WRONG(opening("carol", CAROL, ABSENT, INT64_MAX - balances + 1), ,
	      "a sum would leave int64");
	post(topup(0, "alice", "company", INT64_MAX - balances));
	post(spend(ALICE, "alice", INT64_MAX - 60000));
	post(topup(0, "alice", "company", INT64_MAX - 60000));
	WRONG(spend(ALICE, "alice", 60001), , "a sum would leave int64");
	RIGHT(spend(ALICE, "alice", 60000));
	WRONG(later_kind(), moves(&e, "spent", "company", INT64_MAX - 59999), "a sum would leave int64");
	good = later_kind();
	moves(&good, "spent", "company", 60001);
	post(good);
	WRONG(spend(ALICE, "alice", 60001), , "what is spent in the period would leave int64");
}

static void test_open(void)
{
	RIGHT(opening_rep());
	RIGHT(opening("carol", CAROL, ABSENT, 0));
	WRONG(opening_rep(), e.to_after++, "opening grants the allowance from the company");
	WRONG(opening_rep(), say(e.from, "team/north"),
	      "opening grants the allowance from the company");
	WRONG(opening_rep(), say(e.to, "alice"), "opening grants the allowance from the company");
	WRONG(opening_rep(), e.from_after = 0, "opening grants the allowance from the company");
	WRONG(opening_rep(), e.amount = e.to_after = 0,
	      "opening grants the allowance from the company");
	WRONG(opening_rep(), e.amount = e.to_after = 99, "opening grants exactly the allowance");
	WRONG(opening_rep(), e.terms.allowance = 0, "opening grants exactly the allowance");
	WRONG(opening("carol", CAROL, ABSENT, 0), e.terms.allowance = 5,
	      "opening grants exactly the allowance");
	WRONG(opening("alice", CAROL, ABSENT, 0), , "the name was used before");
	WRONG(opening("gone", CAROL, ABSENT, 0), , "the name was used before");
	WRONG(opening("Carol", CAROL, ABSENT, 0), , "this is no name for a budget");
	WRONG(opening("company", CAROL, ABSENT, 0), , "this is no name for a budget");
	WRONG(opening("carol", CAROL, ABSENT, 0), e.currency[0] = 0,
	      "a budget has a currency and its exponent");
	WRONG(opening("carol", CAROL, ABSENT, 0), e.exp = ABSENT,
	      "a budget has a currency and its exponent");
	WRONG(opening_rep(), say(e.period, "2026-W48"), "the period does not fit the terms");
	WRONG(opening_rep(), e.period[0] = 0, "the period does not fit the terms");
	WRONG(opening_rep(), e.terms.every = PERIOD_NONE, "the period does not fit the terms");
}

static void test_terms(void)
{
	RIGHT(opening_drawer());
	WRONG(opening_rep(), e.terms.owner = ABSENT, "a budget has either an owner or a group");
	WRONG(opening_rep(), e.terms.group = NORTH, "a budget has either an owner or a group");
	WRONG(opening_rep(), e.terms.owner = UINT32_MAX, "an owner is a uid, below 4294967295");
	WRONG(opening_rep(), e.terms.owner = ALICE, "this owner has an open budget already");
	RIGHT(opening("bob", BOB, ABSENT, 0));
	WRONG(opening("west", ABSENT, UINT32_MAX, 0), , "a group is a gid, below 4294967295");
	RIGHT(opening("west", ABSENT, UINT32_MAX - 1, 0));
	WRONG(opening_rep(), e.terms.allowance = ABSENT, "an allowance is zero or more");
	WRONG(opening_rep(), e.terms.every = ABSENT, "terms name a period and a carry");
	WRONG(opening_rep(), e.terms.carry = ABSENT, "terms name a period and a carry");
	WRONG(opening_rep(), e.terms.every = PERIOD_NONE; e.terms.carry = CARRY_ALL,
	      "without a period nothing lapses, so there is nothing to carry over");
	WRONG(opening_rep(), e.terms.cap = 5, "a cap goes with carry cap, and only with it");
	WRONG(opening_rep(), e.terms.carry = CARRY_CAP,
	      "a cap goes with carry cap, and only with it");
	WRONG(opening_drawer(), e.terms.self_topup = ABSENT,
	      "a pool and what may be drawn from it in a period (self_topup) go together");
	WRONG(opening_drawer(), e.terms.pool[0] = 0,
	      "a pool and what may be drawn from it in a period (self_topup) go together");
	WRONG(opening_drawer(), e.terms.owner = ABSENT; e.terms.group = NORTH,
	      "only a budget with an owner draws from a pool");
	WRONG(opening_drawer(), say(e.terms.pool, "nobody"), "no open pool has this name");
	WRONG(opening_drawer(), say(e.terms.pool, "gone"), "no open pool has this name");
	WRONG(opening_drawer(), say(e.terms.pool, "alice"), "no open pool has this name");
	WRONG(opening_drawer(), say(e.terms.pool, "yen"), "the pool holds another currency");
	WRONG(opening_drawer(), e.terms.self_topup = 0, "self_topup is more than zero");
	WRONG(opening_rep(), e.terms.guideline = 0, "a guideline is more than zero");
}

static void test_adjust(void)
{
	RIGHT(adjusting("alice"));
	WRONG(adjusting("alice"), e.terms.carry = CARRY_CAP,
	      "a cap goes with carry cap, and only with it");
	WRONG(adjusting("alice"), say(e.currency, "USD"), "a budget keeps its currency");
	WRONG(adjusting("alice"), e.exp = 3, "a budget keeps its currency");
	WRONG(adjusting("team/south"), e.terms.group = ABSENT; e.terms.owner = CAROL,
	      "a pool stays a pool, and an owner's budget an owner's");
	WRONG(adjusting("alice"), say(e.period, "2026-W48"), "the period does not fit the terms");
	WRONG(adjusting("alice"), say(e.period, "2026-12"),
	      "the period is not the budget's current one");
	WRONG(adjusting("alice"), e.terms.every = PERIOD_WEEK; say(e.period, "2026-W43"),
	      "the period was over before the current one began");
	WRONG(adjusting("alice"), moves(&e, "company", "alice", 5),
	      "money moves in an entry that moves none");
	WRONG(adjusting("gone"), , "it is about a budget that is not open");
}

static void test_close(void)
{
	RIGHT(closing("alice"));
	WRONG(closing("alice"), e.amount = e.from_after = ABSENT; e.from[0] = e.to[0] = 0,
	      "closing sweeps what is left");
	WRONG(closing("alice"), e.amount = 19999; e.from_after = 1,
	      "closing sweeps what is left to the company");
	WRONG(closing("alice"), say(e.to, "spent"), "closing sweeps what is left to the company");
	WRONG(closing("alice"), moves(&e, "team/south", "company", 10000),
	      "closing sweeps what is left to the company");
	WRONG(closing("alice"), say(e.period, "2026-10"),
	      "the period is not the budget's current one");
	WRONG(closing("gone"), , "it is about a budget that is not open");
}

static void test_topup_and_spend(void)
{
	RIGHT(topup(0, "alice", "company", 100));
	RIGHT(topup(0, "alice", "team/south", 100));
	WRONG(topup(0, "alice", "company", 100), moves(&e, "company", "team/south", 5),
	      "a top-up goes to the budget it is about");
	WRONG(topup(0, "alice", "company", 100), moves(&e, "spent", "alice", 5),
	      "a sum would leave int64");
	WRONG(topup(0, "team/north", "alice", 100), ,
	      "a top-up comes from the company or from a pool");
	RIGHT(topup(ALICE, "alice", "team/north", 30000));
	WRONG(topup(ALICE, "alice", "team/north", 30001), ,
	      "more was drawn from the pool than the terms allow in a period");
	RIGHT(topup(0, "alice", "team/north", 30001));
	WRONG(spend(ALICE, "alice", 100), moves(&e, "team/north", "spent", 5),
	      "a spend takes from the budget it is about");
	WRONG(spend(ALICE, "alice", 100), say(e.to, "company"),
	      "a spend takes from the budget it is about");
	post(spend(ALICE, "alice", 100));
	WRONG(topup(0, "alice", "company", 100), moves(&e, "spent", "alice", 5),
	      "a top-up comes from the company or from a pool");
	books_undo(&shop->books);
}

static void test_reset(void)
{
	const char *exactly = "what the terms do not carry over goes to the company, exactly";

	RIGHT(reset("alice", "2026-12", 20000, 0));
	WRONG(reset("alice", "2026-12", 19999, 0), , exactly);
	WRONG(reset("alice", "2026-12", 20000, 0), say(e.to, "spent"), exactly);
	WRONG(reset("alice", "2026-12", 0, 0), , exactly);
	WRONG(reset("alice", "2026-12", 0, 20000), , exactly);
	WRONG(reset("alice", "2026-11", 20000, 0), ,
	      "the period is not the one after the last that was posted");
	WRONG(reset("alice", "2027-01", 20000, 0), ,
	      "the period is not the one after the last that was posted");
	WRONG(reset("yen", "2026-12", 0, 0), say(e.budget, "gone"),
	      "it is about a budget that is not open");
	RIGHT(reset("yen", "2026-12", 0, 0));
	WRONG(reset("yen", "2026-12", 0, 5), say(e.currency, "JPY"); e.exp = 0,
	      "there is nothing to lapse or to grant");

	post(reset("alice", "2026-12", 20000, 0));
	ok(!books_whole(&shop->books), "a lapse alone is half a reset");
	refused(spend(ALICE, "team/north", 5), "a reset's allowance does not follow what lapsed");
	refused(reset("team/north", "2026-12", 50000, 0),
		"a reset's allowance does not follow what lapsed");
	WRONG(reset("alice", "2027-01", 0, 20000), , "the allowance is of another period");
	WRONG(reset("alice", "2026-12", 0, 20001), , "a reset grants exactly the allowance");
	WRONG(reset("alice", "2026-12", 0, 0), , "a reset grants exactly the allowance");
	WRONG(reset("alice", "2026-12", 0, 20000), moves(&e, "team/north", "alice", 20000),
	      "the allowance comes from the company");
	post(reset("alice", "2026-12", 0, 20000));
	ok(books_whole(&shop->books), "with its allowance it is whole");
	books_undo(&shop->books);

	post(spend(ALICE, "alice", 20000));
	WRONG(reset("alice", "2026-12", 0, 0), , "the allowance was not granted");
	WRONG(reset("alice", "2026-12", 0, 1), , "a reset grants exactly the allowance");
	RIGHT(reset("alice", "2026-12", 0, 20000));
}

static void test_refund(void)
{
	struct entry good = spend(ALICE, "alice", 1000);
	int64_t seq;

	say(good.category, "late");
	seq = taken(good, "a spend to be refunded");
	post(topup(0, "alice", "team/south", 700));
	books_keep(&shop->books);
	RIGHT(refund(ALICE, seq, 1000));
	WRONG(refund(ALICE, seq, 10), e.ref = ABSENT, "the entry it refers to is missing");
	WRONG(refund(ALICE, seq, 10), e.ref = e.seq, "it refunds an entry that is not there");
	WRONG(refund(ALICE, seq, 10), e.ref = 1, "only a spend or a top-up is refunded");
	WRONG(refund(ALICE, seq, 10), e.category[0] = 0,
	      "it is not about the budget and category of what it refunds");
	WRONG(refund(ALICE, seq, 10), say(e.budget, "team/north"),
	      "it is not about the budget and category of what it refunds");
	WRONG(refund(ALICE, seq, 1001), moves(&e, "company", "alice", 1001),
	      "more is refunded than was paid");
	WRONG(refund(ALICE, seq, 10), moves(&e, "company", "alice", 10),
	      "the money does not go back where it came from");
	WRONG(refund(ALICE, seq, 10), moves(&e, "spent", "team/north", 10),
	      "the money does not go back where it came from");
	WRONG(refund(ALICE, seq, 10), say(e.period, "2026-10"),
	      "the period is not the budget's current one");
	WRONG(refund(0, seq + 1, 10), moves(&e, "alice", "team/north", 10),
	      "the money does not go back where it came from");
	post(refund(ALICE, seq, 600));
	WRONG(refund(ALICE, seq, 401), moves(&e, "company", "alice", 401),
	      "more is refunded than was paid");
	WRONG(refund(ALICE, seq, 10), e.ref = seq + 2, "only a spend or a top-up is refunded");
	RIGHT(refund(ALICE, seq, 400));
}

static void test_audit_and_later(void)
{
	struct entry good = shop_entry(shop, KIND_AUDIT, CAROL, "");

	refused(good, "an audit has its day as period");
	say(good.period, "2026-11");
	refused(good, "an audit has its day as period");
	say(good.period, "2026-11-23");
	RIGHT(good);
	WRONG(good, moves(&e, "company", "alice", 5), "money moves in an entry that moves none");

	good = later_kind();
	RIGHT(good);
	moves(&good, "team/south", "alice", 5);
	taken(good, "a later kind may move money");
	is_int(shop_balance(shop, "alice"), 20005, "which then moves");
	is_int(shop_balance(shop, "team/south"), 9995, "from where it was");
	WRONG(later_kind(), moves(&e, "team/south", "alice", 5); e.to_after--,
	      "the balance after is not what the movement makes it");
	books_undo(&shop->books);
}

/* ---- What entries do ---- */

static const struct budget *budget(const char *name)
{
	return books_budget(&shop->books, name);
}

static void test_effects(void)
{
	struct entry original;
	int64_t seq;

	is_int(budget("alice")->balance, 20000, "opening grants the allowance");
	is_str(budget("alice")->current, "2026-11", "and counts as that period's reset");
	ok(books_owned(&shop->books, ALICE) == budget("alice"), "the owner's budget is found");
	ok(!books_owned(&shop->books, BOB), "a closed one is nobody's");
	is_int(shop->books.budgets.pool_count, 3, "pools are listed");

	seq = taken(spend(ALICE, "alice", 5000), "a spend");
	is_int(budget("alice")->balance, 15000, "takes from the balance");
	is_int(budget("alice")->spent, 5000, "counts as spent");
	is_int(shop->books.totals.spent, 5000, "in all, too");
	is_int((int64_t)budget("alice")->last, seq, "is the budget's last entry");
	is_int(books_request(&shop->books, ALICE, shop->history[seq].id), seq, "its id is known");
	is_int(books_request(&shop->books, BOB, shop->history[seq].id), ABSENT,
	       "another uid's id is another id");
	ok(books_entry(&shop->books, seq, &original) && original.amount == 5000, "it is found");
	ok(!books_entry(&shop->books, seq + 1, &original), "the one after it is not");
	ok(!books_entry(&shop->books, -1, &original), "nor one before the first");

	taken(refund(ALICE, seq, 2000), "a refund of a part");
	is_int(budget("alice")->balance, 17000, "gives it back");
	is_int(budget("alice")->spent, 3000, "and counts against what was spent");
	is_int(books_refunded(&shop->books, seq), 2000, "what was refunded is known");

	taken(topup(0, "alice", "company", 100), "a manager's top-up");
	is_int(budget("alice")->drawn, 0, "is no draw");
	seq = taken(topup(ALICE, "alice", "team/north", 30000), "a draw of all the terms allow");
	is_int(budget_draw_left(budget("alice")), 0, "leaves nothing to draw");
	refused(topup(ALICE, "alice", "team/north", 1),
		"more was drawn from the pool than the terms allow in a period");
	taken(refund(ALICE, seq, 10000), "a draw given back in part");
	is_int(budget_draw_left(budget("alice")), 10000, "may be drawn again");
	is_int(budget("team/north")->balance, 30000, "the pool has it again");
	is_int(budget("alice")->spent, 3000, "and it is nothing spent");

	post(reset("alice", "2026-12", shop_balance(shop, "alice"), 0));
	post(reset("alice", "2026-12", 0, 20000));
	is_int(budget("alice")->balance, 20000, "after a reset there is the allowance");
	is_int(budget("alice")->spent, 0, "nothing is spent");
	is_int(budget_draw_left(budget("alice")), 30000, "all may be drawn");
	is_str(budget("alice")->current, "2026-12", "in the next period");
	taken(refund(ALICE, seq, 5000), "last period's draw, given back");
	is_int(budget_draw_left(budget("alice")), 30000, "is none of this period");
}

/* A refund of last period's spend counts in this one; of a closed budget's, it goes to the company. */
static void test_refunds_later(void)
{
	int64_t spent = taken(spend(ALICE, "alice", 5000), "a spend in November");
	int64_t drawn = taken(topup(ALICE, "alice", "team/north", 900), "and a draw");
	struct entry good;

	post(reset("alice", "2026-12", shop_balance(shop, "alice"), 0));
	post(reset("alice", "2026-12", 0, 20000));
	taken(refund(ALICE, spent, 1000), "refunded in December");
	is_int(budget("alice")->spent, -1000, "counts in December");
	post(closing("team/north"));
	good = refund(ALICE, drawn, 900);
	is_str(good.to, "company", "a draw from a pool that is closed now goes back to the company");
	WRONG(good, moves(&e, "alice", "team/north", 900), "money moves from or to a closed budget");
	taken(good, "which is taken");
	post(closing("alice"));
	is_int(shop->books.totals.balances, 10000, "closing takes the money out of the sum");
	good = refund(0, spent, 4000);
	WRONG(good, say(e.to, "alice"), "money moves from or to a closed budget");
	WRONG(good, say(e.to, "company"); say(e.period, "2026-12"),
	      "the period is not the budget's current one");
	say(good.to, "company");
	good.from_after = good.to_after = ABSENT;
	taken(good, "a refund of a closed budget's spend goes to the company");
	is_int(shop->books.totals.spent, 0, "and is nothing spent in all");
	is_int(shop->books.totals.balances, 10000, "and is nobody's balance");
}

static void carry(const char *name, enum carry carry, int64_t cap, int64_t lapse)
{
	struct entry good = opening("carol", CAROL, ABSENT, 1000);

	good.terms.carry = carry;
	good.terms.cap = cap;
	post(good);
	if (lapse) {
		WRONG(reset("carol", "2026-12", lapse - 1, 0), ,
		      "what the terms do not carry over goes to the company, exactly");
		taken(reset("carol", "2026-12", lapse, 0), name);
	}
	taken(reset("carol", "2026-12", 0, 1000), "and the allowance");
	is_int(shop_balance(shop, "carol"), 2000 - lapse, "which is there then");
	books_undo(&shop->books);
}

static void test_carry(void)
{
	carry("carry none: all lapses", CARRY_NONE, ABSENT, 1000);
	carry("carry all: nothing lapses", CARRY_ALL, ABSENT, 0);
	carry("carry cap: what is above lapses", CARRY_CAP, 400, 600);
	carry("carry cap 0: all lapses", CARRY_CAP, 0, 1000);
	carry("carry cap that is not reached: nothing lapses", CARRY_CAP, 1000, 0);
}

static void test_adjusting(void)
{
	struct entry e = adjusting("alice");

	post(spend(ALICE, "alice", 300));
	e = adjusting("alice");
	e.terms.owner = BOB;
	e.terms.allowance = 7;
	taken(e, "an owner hands over");
	ok(!books_owned(&shop->books, ALICE), "the old owner has none");
	ok(books_owned(&shop->books, BOB) == budget("alice"), "the new one has it");
	is_int(budget("alice")->balance, 19700, "the allowance comes with the next reset");
	is_int(budget("alice")->spent, 300, "the period goes on");
	e = adjusting("alice");
	e.terms.every = PERIOD_WEEK;
	say(e.period, "2026-W48");
	taken(e, "weeks instead of months");
	is_str(budget("alice")->current, "2026-W48", "the week goes on");
	is_int(budget("alice")->spent, 0, "as a period of its own");
	books_undo(&shop->books);
	ok(books_owned(&shop->books, ALICE) == budget("alice"), "undone: the old owner has it");
	ok(!books_owned(&shop->books, BOB), "and the new one has not");
}

/* One of each, undone, is as if it had not been; kept, it stays; and replayed, it is the same. */
static void test_undo(void)
{
	struct buf before = BUF_INIT, after = BUF_INIT, kept = BUF_INIT;
	struct shop *live = shop;
	int64_t seq;

	post(spend(ALICE, "alice", 900));
	seq = (int64_t)shop->books.totals.size - 1;
	post(refund(ALICE, seq, 100));
	books_keep(&shop->books);
	shop_describe(shop, &before);
	for (int round = 0; round < 2; round++) {
		post(spend(ALICE, "alice", 5));
		post(refund(ALICE, seq, 200));
		post(refund(ALICE, seq + 2, 5));
		post(topup(ALICE, "alice", "team/north", 50));
		post(opening_drawer());
		post(spend(CAROL, "carol", 50));
		post(opening("west", ABSENT, NORTH, 0));
		post(adjusting("team/south"));
		post(reset("alice", "2026-12", shop_balance(shop, "alice"), 0));
		post(reset("alice", "2026-12", 0, 20000));
		post(closing("alice"));
		post(opening("alice/2", ALICE, ABSENT, 10));
		post(reset("team/north", "2026-12", shop_balance(shop, "team/north"), 0));
		if (round)
			break;
		books_undo(&shop->books);
		shop_describe(shop, &after);
		is_str(after.data, before.data, "a batch undone is as if it had not been");
		ok(!books_budget(&shop->books, "carol"), "what it opened is not there");
		ok(books_whole(&shop->books), "and no reset stands half posted");
	}
	post(reset("team/north", "2026-12", 0, 50000));
	books_keep(&shop->books);
	shop_describe(shop, &kept);
	books_undo(&shop->books);
	shop_describe(shop, &after);
	is_str(after.data, kept.data, "what was kept is not undone");

	shop = shop_new();
	for (uint64_t i = 0; i < live->books.totals.size; i++)
		post(live->history[i]);
	shop_describe(shop, &after);
	is_str(after.data, kept.data, "books made again from the entries are the same");
	shop_free(live);
	buf_release(&before);
	buf_release(&after);
	buf_release(&kept);
}

static void signers_are(uint8_t first, uint8_t second)
{
	const char *vkeys[BOOKS_SIGNERS_MAX];
	char vkey[VKEY_MAX + 1];
	unsigned count = books_signers(&shop->books, vkeys);

	is_int(count, second ? 2 : 1, "so many sign");
	vkey_make(vkey, SHOP_ORIGIN, KEY_ED25519, first);
	is_str(vkeys[0], vkey, "the key before, or the only one");
	vkey_make(vkey, SHOP_ORIGIN, KEY_ED25519, second);
	if (second)
		is_str(vkeys[1], vkey, "and the key of now");
}

static void test_keys(void)
{
	struct buf before = BUF_INIT, after = BUF_INIT;

	signers_are(1, 0);
	RIGHT(new_key(2, 0));
	WRONG(new_key(2, -1), , "the old key must sign the head that brings the new one");
	WRONG(new_key(1, 0), , "the new key is the one that signs already");
	WRONG(new_key(2, 0), e.vkey[0] = 'u', "the new verifier key is none of this origin");
	WRONG(new_key(2, 0), vkey_make(e.vkey, "other.example/fund", KEY_ED25519, 2),
	      "the new verifier key is none of this origin");
	WRONG(new_key(2, 0), vkey_make(e.vkey, SHOP_ORIGIN, KEY_COSIGNER, 2),
	      "the new verifier key is none of this origin");
	WRONG(new_key(2, 0), e.vkey[0] = 0, "the new verifier key is none of this origin");
	WRONG(new_key(2, 0), e.until = ABSENT, "the old key must sign the head that brings the new one");
	WRONG(new_key(2, 0), e.ref = 1, "it does not refer to the entry that named the key before");
	WRONG(new_key(2, 0), moves(&e, "company", "spent", 5), "money moves in an entry that moves none");

	books_keep(&shop->books);
	shop_describe(shop, &before);
	post(new_key(2, 1));
	signers_are(1, 2);
	books_undo(&shop->books);
	shop_describe(shop, &after);
	is_str(after.data, before.data, "a new key is undone");
	signers_are(1, 0);

	post(new_key(2, 1));
	signers_are(1, 2);
	post(spend(ALICE, "alice", 1));
	signers_are(1, 2);
	post(spend(ALICE, "alice", 1));
	signers_are(2, 0);
	post(new_key(3, 100));
	signers_are(2, 3);
	post(new_key(4, 100));
	signers_are(3, 4);
	is_int(shop->books.keys.entry, shop->books.totals.size - 1, "the entry that named it is known");
	buf_release(&before);
	buf_release(&after);
}

/* All amounts, by currency, whichever way they went. */
static void test_moved(void)
{
	const struct moved *moved = shop->books.moved;
	int64_t before = moved[0].amount;
	struct entry e;

	is_int(shop->books.moved_count, 1, "one currency has moved");
	is_str(moved[0].currency, "EUR", "the ledger's");
	post(spend(ALICE, "alice", 900));
	post(refund(ALICE, (int64_t)shop->books.totals.size - 1, 100));
	is_int(moved[0].amount - before, 1000, "a spend and a refund both count");
	e = topup(CAROL, "yen", "company", 7);
	say(e.currency, "JPY");
	e.exp = 0;
	post(e);
	is_int(shop->books.moved_count, 2, "another currency");
	ok(!strcmp(moved[1].currency, "JPY") && moved[1].exp == 0 && moved[1].amount == 7, "counts for itself");
	shop->books.moved[0].amount = INT64_MAX - 1;
	post(spend(ALICE, "alice", 5));
	ok(moved[0].amount == INT64_MAX, "the sum never wraps");
}

static void test_pointers(void)
{
	const struct touched *touched = &shop->books.touched;

	post(topup(ALICE, "alice", "team/north", 5));
	is_int(touched->count, 2, "a draw touches two budgets");
	is_int((int64_t)touched->previous[0], 3, "the one it is about first: its last entry");
	is_int((int64_t)touched->previous[1], 1, "and that of the other");
	post(spend(ALICE, "alice", 5));
	is_int(touched->count, 1, "a spend touches one");
	ok(touched->budgets[0] == books_budget(&shop->books, "alice"), "its own");
	post(opening_rep());
	is_int(touched->count, 1, "an opening has one pointer");
	ok(touched->previous[0] == NO_ENTRY, "to nothing");
	post(shop_entry(shop, KIND_BOOT, 0, ""));
	is_int(touched->count, 0, "a boot touches none");
}

static void test_move(void)
{
	const struct books *books = &shop->books;
	struct entry e = about(KIND_TOPUP, 0, "alice");

	is_int(rules_move(books, NULL, &e, "team/north", "alice", 50000), MOVEMENT_FITS, "all there is");
	is_int(e.from_after, 0, "leaves nothing");
	is_int(e.to_after, 70000, "and is there then");
	is_int(rules_move(books, NULL, &e, "team/north", "alice", 50001), MOVEMENT_SHORT, "more is short");
	is_int(rules_move(books, NULL, &e, "company", "alice", INT64_MAX), MOVEMENT_OVERFLOW,
	       "more than a balance holds");
	is_int(rules_move(books, NULL, &e, "company", "alice", INT64_MAX - 20000), MOVEMENT_TOTALS_OVERFLOW,
	       "more than the sum of balances holds");
	is_int(rules_move(books, NULL, &e, "spent", "alice", 1), MOVEMENT_TOTALS_OVERFLOW,
	       "nothing comes back from what was never spent");
}

/* Enough of everything that tables and lists grow. */
static void test_many(void)
{
	struct shop *many = shop_new();
	char name[16];
	bool right = true;

	shop = many;
	post(shop_genesis(shop));
	books_keep(&shop->books);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 400; i++) {
			snprintf(name, sizeof(name), "b%d", i);
			post(i % 2 ? opening(name, 2000 + i, ABSENT, i)
				   : opening(name, ABSENT, 2000 + i, i));
		}
		if (!round)
			books_undo(&shop->books);
	}
	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "b%d", i);
		right = right && shop_balance(shop, name) == i &&
			!strcmp(shop->books.budgets.list[i]->name, name) &&
			!books_owned(&shop->books, 2000 + i) == !(i % 2);
	}
	ok(right, "400 budgets, undone once, are each in their place");
	is_int((int64_t)shop->books.budgets.pool_count, 200, "and half of them pools");
	shop_free(shop);
}

static size_t memory_used(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Two of many ids may share a hash: then the other one's entry is looked at. */
static bool another_id(void *context, int64_t seq, struct entry *ret)
{
	(void)context;
	entry_clear(ret);
	ret->seq = seq;
	return true;
}

/* A daemon keeps every budget twice. Of owners: they are found by two tables, pools by one and a list. */
static void test_memory(void)
{
	enum { COUNT = 20000 };
	struct entry e;
	size_t before;
	char name[16];

	is_int(sizeof(struct budget), 104, "bytes a budget without its name");
	shop = shop_new();
	post(shop_genesis(shop));
	shop->books.fetch = another_id;
	before = memory_used();
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "rep/%06d", i);
		e = opening(name, 2000 + i, ABSENT, 100);
		books_apply(&shop->books, &e);
		books_keep(&shop->books);
	}
	is_int((int64_t)shop->books.budgets.count, COUNT, "a company's budgets");
	ok(memory_used() - before < COUNT * 256, "take less than 256 bytes each, ids and all");
	shop_free(shop);
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_every_entry, test_money, test_sums, test_open, test_terms, test_adjust,
		test_close, test_topup_and_spend, test_reset, test_refund, test_audit_and_later,
		test_effects, test_refunds_later, test_carry, test_adjusting, test_undo,
		test_pointers, test_move, test_keys, test_moved,
	};

	test_genesis();
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		shop_begin();
		tests[i]();
		shop_free(shop);
	}
	test_many();
	test_memory();
	return done_testing();
}

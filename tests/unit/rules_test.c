#include "daemon/rules.h"

#include "entries.h"

#define PRIOR "the genesis does not name another ledger's head as its prior one"

static void prior(struct entry *genesis, const char *origin, int64_t size)
{
	say(genesis->prior_origin, origin);
	genesis->prior_size = size;
	say(genesis->prior_root, "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
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
	WRONG(later_kind(), moves(&e, "spent", "company", INT64_MAX - 59999),
	      "a sum would leave int64");
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
	WRONG(opening_drawer(), say(e.terms.pool, "gone"),
	      "this pool is closed; name another, or take it away with --clear pool");
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

static void test_move(void)
{
	const struct books *books = &shop->books;
	struct entry e = about(KIND_TOPUP, 0, "alice");

	is_int(rules_move(books, NULL, &e, "team/north", "alice", 50000), MOVEMENT_FITS,
	       "all there is");
	is_int(e.from_after, 0, "leaves nothing");
	is_int(e.to_after, 70000, "and is there then");
	is_int(rules_move(books, NULL, &e, "team/north", "alice", 50001), MOVEMENT_SHORT,
	       "more is short");
	is_int(rules_move(books, NULL, &e, "company", "alice", INT64_MAX), MOVEMENT_OVERFLOW,
	       "more than a balance holds");
	is_int(rules_move(books, NULL, &e, "company", "alice", INT64_MAX - 20000),
	       MOVEMENT_TOTALS_OVERFLOW, "more than the sum of balances holds");
	is_int(rules_move(books, NULL, &e, "spent", "alice", 1), MOVEMENT_TOTALS_OVERFLOW,
	       "nothing comes back from what was never spent");
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_every_entry, test_money, test_sums, test_open, test_terms, test_adjust,
		test_close, test_topup_and_spend, test_reset, test_refund, test_audit_and_later,
		test_carry, test_move,
	};

	test_genesis();
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		shop_begin();
		tests[i]();
		shop_free(shop);
	}
	return done_testing();
}

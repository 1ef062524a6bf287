#include <malloc.h>

#include "entries.h"

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

/* A refund of last period's spend counts in this one;
 * of a closed budget's, it goes to the company. */
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
	is_str(good.to, "company",
	       "a draw from a pool that is closed now goes back to the company");
	WRONG(good, moves(&e, "alice", "team/north", 900),
	      "money moves from or to a closed budget");
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
	WRONG(new_key(2, 0), e.until = ABSENT,
	      "the old key must sign the head that brings the new one");
	WRONG(new_key(2, 0), e.ref = 1, "it does not refer to the entry that named the key before");
	WRONG(new_key(2, 0), moves(&e, "company", "spent", 5),
	      "money moves in an entry that moves none");

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
	is_int(shop->books.keys.entry, shop->books.totals.size - 1,
	       "the entry that named it is known");
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
	ok(!strcmp(moved[1].currency, "JPY") && moved[1].exp == 0 && moved[1].amount == 7,
	   "counts for itself");
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

/* A daemon keeps every budget twice. Of owners: they
 * are found by two tables, pools by one and a list. */
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
		test_effects, test_refunds_later, test_adjusting, test_undo, test_pointers,
		test_keys, test_moved,
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		shop_begin();
		tests[i]();
		shop_free(shop);
	}
	test_many();
	test_memory();
	return done_testing();
}

#include "plans.h"

/* ---- Spend ---- */

static void test_spend(void)
{
	TAKEN("alice alice>spent 2500 2026-11", PLAN(spend, alice, SPEND(2500)),
	      "from one's own budget");
	is_int(entry.from_after, 17500, "with the balance after");
	TAKEN("team/north team/north>spent 100 2026-11",
	      PLAN(spend, alice, SPEND(100, .budget = "team/north")), "from a pool one is in");
	TAKEN("team/south team/south>spent 100 2026-11",
	      PLAN(spend, commuter, SPEND(100, .budget = "team/south")), "by name, of several");
	TAKEN("bob bob>spent 5000 2026-11", PLAN(spend, bob, SPEND(5000)), "all there is");
	TAKEN("alice alice>spent 1 2026-11", PLAN(spend, alice, SPEND(1, .category = "late")),
	      "with a category");
	is_str(entry.category, "late", "which is in the entry");
	TAKEN("alice alice>spent 1 2026-11", PLAN(spend, alice, SPEND(1, .exp = INT(2))),
	      "with the right exponent");

	refused(PLAN(spend, bob, SPEND(1)),
		"InsufficientFunds{\"budget\":\"bob\",\"available\":0,\"currency\":\"EUR\",\"exp\":2,"
		"\"next_reset\":\"2026-12-01\"}", "nothing left");
	refused(PLAN(spend, alice, SPEND(17499)),
		"InsufficientFunds{\"budget\":\"alice\",\"available\":17498,\"currency\":\"EUR\","
		"\"exp\":2,\"next_reset\":\"2026-12-01\",\"pool\":\"team/north\","
		"\"pool_usable\":30000}", "one cent too much, and what the pool could give");
	refused(PLAN(spend, bob, SPEND(INT64_MAX)),
		"InsufficientFunds{\"budget\":\"bob\",\"available\":0,\"currency\":\"EUR\",\"exp\":2,"
		"\"next_reset\":\"2026-12-01\"}", "more than can ever be spent is short of money, too");
	refused(PLAN(spend, alice, SPEND(1, .budget = "nobody")),
		"UnknownBudget{\"budget\":\"nobody\"}", "an unknown budget");
	refused(PLAN(spend, alice, SPEND(1, .budget = "bob")),
		FORBIDDEN("bob is not yours to spend from: only its owner does"), "another's");
	refused(PLAN(spend, carol, SPEND(1, .budget = "bob")),
		FORBIDDEN("bob is not yours to spend from: only its owner does"),
		"another's, even for a manager");
	refused(PLAN(spend, bob, SPEND(1, .budget = "team/north")),
		FORBIDDEN("team/north is not yours to spend from: you are not in its group"),
		"a pool one is not in");
	refused(PLAN(spend, alice, SPEND(1, .budget = "gone")),
		"BudgetClosed{\"budget\":\"gone\"}", "a closed one");
	refused(PLAN(spend, alice, (&(struct spend_request){ INT(1), .currency = "USD" })),
		"CurrencyMismatch{\"budget\":\"alice\",\"currency\":\"EUR\",\"exp\":2}",
		"another currency");
	refused(PLAN(spend, alice, SPEND(1, .exp = INT(3))),
		"CurrencyMismatch{\"budget\":\"alice\",\"currency\":\"EUR\",\"exp\":2}",
		"another exponent");
}

/* Whose budget it is when none is named. */
static void test_default_budget(void)
{
	refused(PLAN(spend, stranger, SPEND(1)), "BudgetNeeded{\"budgets\":[]}", "nobody's");
	refused(PLAN(spend, northerner, SPEND(1)),
		"BudgetNeeded{\"budgets\":[\"team/north\",\"yen\"]}", "two pools: which?");
	refused(PLAN(spend, commuter, SPEND(1)),
		"BudgetNeeded{\"budgets\":[\"team/north\",\"team/south\",\"yen\"]}", "three: which?");
	TAKEN("yen", PLAN(close, root, CLOSE("yen")), "one of them closed");
	TAKEN("team/north team/north>spent 1 2026-11", PLAN(spend, northerner, SPEND(1)),
	      "the only pool there is");
}

/* ---- Top up ---- */

static void test_topup_by_manager(void)
{
	TAKEN("bob company>bob 700 2026-11", PLAN(topup, root, TOPUP(700, .budget = "bob")),
	      "from the company");
	TAKEN("bob team/south>bob 700 2026-11",
	      PLAN(topup, root, TOPUP(700, .budget = "bob", .from = "team/south")),
	      "from a pool");
	TAKEN("alice team/north>alice 40000 2026-11",
	      PLAN(topup, root, TOPUP(40000, .budget = "alice", .from = "team/north")),
	      "from her own pool, beyond what she may draw herself");
	is_int(budget_draw_left(books_budget(&shop->books, "alice")), 30000,
	       "which is not counted as hers");
	refused(PLAN(topup, root, TOPUP(1, .budget = "nobody")),
		"UnknownBudget{\"budget\":\"nobody\"}", "an unknown budget");
	refused(PLAN(topup, root, TOPUP(1, .budget = "gone")), "BudgetClosed{\"budget\":\"gone\"}",
		"a closed one");
	refused(PLAN(topup, root, TOPUP(1, .budget = "bob", .from = "nobody")),
		"UnknownBudget{\"budget\":\"nobody\"}", "from an unknown one");
	refused(PLAN(topup, root, TOPUP(1, .budget = "bob", .from = "gone")),
		"BudgetClosed{\"budget\":\"gone\"}", "from a closed one");
	refused(PLAN(topup, root, TOPUP(1, .budget = "bob", .from = "alice")),
		MALFORMED("from",
			  "money comes from the company or from another pool, a budget with "
			  "a group"),
		"from a rep");
	refused(PLAN(topup, root, TOPUP(1, .budget = "team/north", .from = "team/north")),
		MALFORMED("from",
			  "money comes from the company or from another pool, a budget with "
			  "a group"),
		"from itself");
	refused(PLAN(topup, root, TOPUP(1, .budget = "bob", .from = "yen")),
		"CurrencyMismatch{\"budget\":\"yen\",\"currency\":\"JPY\",\"exp\":0}",
		"from other money");
	refused(PLAN(topup, root, TOPUP(1, .budget = "yen")),
		"CurrencyMismatch{\"budget\":\"yen\",\"currency\":\"JPY\",\"exp\":0}", "euros for yen");
	refused(PLAN(topup, root, TOPUP(10000, .budget = "bob", .from = "team/south")),
		"InsufficientFunds{\"budget\":\"team/south\",\"available\":9300,\"currency\":\"EUR\","
		"\"exp\":2,\"next_reset\":\"2026-12-01\"}", "more than the pool has");
	refused(PLAN(topup, root, TOPUP(INT64_MAX, .budget = "bob")),
		"Overflow{\"budget\":\"bob\"}", "more than a balance holds");
	refused(PLAN(topup, root, TOPUP(INT64_MAX - 60000, .budget = "bob")),
		"Overflow{}", "more than all balances together hold");
	refused(PLAN(topup, root, TOPUP(1)), "BudgetNeeded{\"budgets\":[]}",
		"without a name nor a budget of one's own");
}

static void test_draw(void)
{
	TAKEN("alice team/north>alice 20000 2026-11", PLAN(topup, alice, TOPUP(20000)),
	      "from one's pool");
	refused(PLAN(topup, alice, TOPUP(10001)),
		"LimitReached{\"budget\":\"alice\",\"limit\":30000,\"left\":10000,"
		"\"currency\":\"EUR\",\"exp\":2}", "one cent more than the terms allow");
	TAKEN("alice team/north>alice 10000 2026-11",
	      PLAN(topup, alice, TOPUP(10000, .budget = "alice", .from = "team/north")),
	      "all the rest, by name");
	refused(PLAN(topup, alice, TOPUP(1)),
		"LimitReached{\"budget\":\"alice\",\"limit\":30000,\"left\":0,\"currency\":\"EUR\","
		"\"exp\":2}", "and nothing more");
	refused(PLAN(topup, alice, TOPUP(1, .from = "team/south")),
		FORBIDDEN("alice draws from team/north, not from team/south"), "from another pool");
	refused(PLAN(topup, alice, TOPUP(1, .from = "company")),
		FORBIDDEN("alice is your own budget: from the company another manager tops it up"),
		"from the company");
	refused(PLAN(topup, bob, TOPUP(1)),
		FORBIDDEN("bob has no pool to draw from: a manager tops it up"), "without a pool");
	refused(PLAN(topup, bob, TOPUP(1, .budget = "alice")),
		FORBIDDEN("alice is not your own budget: a manager tops it up"), "for another");
	refused(PLAN(topup, auditor, TOPUP(1, .budget = "alice")),
		FORBIDDEN("alice is not your own budget: a manager tops it up"), "as auditor");
	refused(PLAN(topup, northerner, TOPUP(1, .budget = "team/north")),
		FORBIDDEN("team/north is not your own budget: a manager tops it up"),
		"into a pool");
}

/* The pool's own want is not the rep's limit. */
static void test_draw_from_little(void)
{
	TAKEN("team/north team/north>spent 49000 2026-11",
	      PLAN(spend, northerner, SPEND(49000, .budget = "team/north")), "a pool nearly empty");
	refused(PLAN(spend, alice, SPEND(20001)),
		"InsufficientFunds{\"budget\":\"alice\",\"available\":20000,\"currency\":\"EUR\","
		"\"exp\":2,\"next_reset\":\"2026-12-01\",\"pool\":\"team/north\","
		"\"pool_usable\":1000}", "can help with what it has");
	refused(PLAN(topup, alice, TOPUP(1001)),
		"InsufficientFunds{\"budget\":\"team/north\",\"available\":1000,\"currency\":\"EUR\","
		"\"exp\":2,\"next_reset\":\"2026-12-01\"}", "and with no cent more");
	TAKEN("team/north team/north>company 1000 2026-11",
	      PLAN(close, root, CLOSE("team/north")), "the pool closed");
	refused(PLAN(spend, alice, SPEND(20001)),
		"InsufficientFunds{\"budget\":\"alice\",\"available\":20000,\"currency\":\"EUR\","
		"\"exp\":2,\"next_reset\":\"2026-12-01\"}", "can help no more");
	refused(PLAN(topup, alice, TOPUP(1)), "BudgetClosed{\"budget\":\"team/north\"}",
		"nor be drawn from");
}

/* A manager with a budget of her own is a rep there;
 * whoever runs the daemon alone is all of them. */
static void test_own_budget(void)
{
	TAKEN("carol company>carol 100 2026-11",
	      OPEN(root, TERMS(.name = "carol", .owner = INT(CAROL), .allowance = INT(100))),
	      "a manager's own, opened by another");
	refused(PLAN(topup, carol, TOPUP(1, .budget = "carol")),
		FORBIDDEN("carol has no pool to draw from: a manager tops it up"), "topped up");
	refused(PLAN(topup, carol, TOPUP(1, .budget = "carol", .from = "company")),
		FORBIDDEN("carol has no pool to draw from: a manager tops it up"),
		"from the company, she says");
	refused(ADJUST(carol, TERMS(.name = "carol", .allowance = INT(10000))),
		FORBIDDEN("a budget of one's own is opened, adjusted and closed by another "
			  "manager"),
		"adjusted");
	refused(PLAN(close, carol, CLOSE("carol")),
		FORBIDDEN("a budget of one's own is opened, adjusted and closed by another "
			  "manager"),
		"closed");
	TAKEN("carol carol>company 100 2026-11", PLAN(close, root, CLOSE("carol")),
	      "closed by another");
	refused(OPEN(carol, TERMS(.name = "carol/2", .owner = INT(CAROL))),
		FORBIDDEN("a budget of one's own is opened, adjusted and closed by another "
			  "manager"),
		"opened by herself");
	refused(ADJUST(carol, TERMS(.name = "bob", .owner = INT(CAROL))),
		FORBIDDEN("a budget of one's own is opened, adjusted and closed by another "
			  "manager"),
		"taken over");
	TAKEN("alice company>alice 100 2026-11", PLAN(topup, alone, TOPUP(100, .budget = "alice")),
	      "without a config, one's own from the company");
	TAKEN("alice team/north>alice 100 2026-11", PLAN(topup, alone, TOPUP(100)),
	      "and a draw, which counts");
	is_int(budget_draw_left(books_budget(&shop->books, "alice")), 29900, "as one");
	TAKEN("alice 2026-11", ADJUST(alone, TERMS(.name = "alice", .allowance = INT(5))),
	      "and one's own terms");
}

/* ---- Refund ---- */

static void test_refund_of_spend(void)
{
	int64_t seq = TAKEN("alice alice>spent 1000 2026-11",
			    PLAN(spend, alice, SPEND(1000, .category = "late")), "a spend");
	int64_t again;

	refused(PLAN(refund, bob, REFUND(seq)),
		FORBIDDEN("entry 8 was not made by you: a spend is refunded by its spender or a "
			  "manager, a top-up by who made it"), "by another");
	refused(PLAN(refund, alice, REFUND(seq, .amount = INT(1001))),
		"LimitReached{\"budget\":\"alice\",\"limit\":1000,\"left\":1000,\"currency\":\"EUR\","
		"\"exp\":2}", "more than it was");
	again = TAKEN("alice spent>alice 400 2026-11",
		      PLAN(refund, alice, REFUND(seq, .amount = INT(400))), "a part");
	is_int(entry.ref, seq, "refers to it");
	is_str(entry.category, "late", "in its category");
	refused(PLAN(refund, alice, REFUND(seq, .amount = INT(601))),
		"LimitReached{\"budget\":\"alice\",\"limit\":1000,\"left\":600,\"currency\":\"EUR\","
		"\"exp\":2}", "more than is left of it");
	TAKEN("alice spent>alice 600 2026-11", PLAN(refund, root, REFUND(seq)),
	      "by a manager: all the rest");
	refused(PLAN(refund, alice, REFUND(seq)),
		"LimitReached{\"budget\":\"alice\",\"limit\":1000,\"left\":0,\"currency\":\"EUR\","
		"\"exp\":2}", "when nothing is left");
	refused(PLAN(refund, alice, REFUND(again)),
		MALFORMED("ref", "entry 9 is a refund itself, of entry 8; a refund is corrected by "
			  "spending again"), "of a refund");
	refused(PLAN(refund, root, REFUND(1)),
		MALFORMED("ref", "entry 1 is no spend and no top-up; only those are refunded"),
		"of an opening");
	refused(PLAN(refund, root, REFUND(99)), "UnknownEntry{\"seq\":99}", "of nothing");
	refused(PLAN(refund, root, REFUND(INT64_MAX)), "UnknownEntry{\"seq\":9223372036854775807}",
		"of what can never be");
}

static void test_refund_of_topup(void)
{
	int64_t draw = TAKEN("alice team/north>alice 3000 2026-11", PLAN(topup, alice, TOPUP(3000)),
			     "a draw");
	int64_t gift = TAKEN("alice company>alice 500 2026-11",
			     PLAN(topup, root, TOPUP(500, .budget = "alice")), "a manager's gift");

	refused(PLAN(refund, root, REFUND(draw)),
		FORBIDDEN("entry 8 was not made by you: a spend is refunded by its spender or a "
			  "manager, a top-up by who made it"), "another's draw, by a manager");
	refused(PLAN(refund, alice, REFUND(gift)),
		FORBIDDEN("entry 9 was not made by you: a spend is refunded by its spender or a "
			  "manager, a top-up by who made it"), "a manager's gift, by the rep");
	TAKEN("alice alice>company 500 2026-11", PLAN(refund, root, REFUND(gift)),
	      "a gift taken back");
	TAKEN("alice alice>spent 22000 2026-11", PLAN(spend, alice, SPEND(22000)), "some spent");
	refused(PLAN(refund, alice, REFUND(draw, .amount = INT(1001))),
		"InsufficientFunds{\"budget\":\"alice\",\"available\":1000,\"currency\":\"EUR\","
		"\"exp\":2,\"next_reset\":\"2026-12-01\",\"pool\":\"team/north\","
		"\"pool_usable\":27000}", "more than is still there");
	TAKEN("alice alice>team/north 1000 2026-11", PLAN(refund, alice, REFUND(draw)),
	      "what is still there");
}

/* Where the money goes when a budget is closed meanwhile. */
static void test_refund_after_closing(void)
{
	int64_t draw = TAKEN("alice team/north>alice 3000 2026-11", PLAN(topup, alice, TOPUP(3000)),
			     "a draw");
	int64_t spent = TAKEN("alice alice>spent 700 2026-11", PLAN(spend, alice, SPEND(700)),
			      "a spend");

	TAKEN("team/north team/north>company 47000 2026-11",
	      PLAN(close, root, CLOSE("team/north")), "the pool closed");
	TAKEN("alice alice>company 100 2026-11",
	      PLAN(refund, alice, REFUND(draw, .amount = INT(100))),
	      "the draw given back: to the company");
	TAKEN("alice alice>company 22200 2026-11", PLAN(close, root, CLOSE("alice")),
	      "the budget closed too");
	refused(PLAN(refund, alice, REFUND(draw)), "BudgetClosed{\"budget\":\"alice\"}",
		"a top-up of what is closed");
	TAKEN("alice spent>company 700", PLAN(refund, alice, REFUND(spent)),
	      "a spend of what is closed: to the company, in no period");
}

/* ---- Who may ---- */

static void test_may(void)
{
	static const struct {
		const struct actor *actor;
		const char *budget;
		bool spend, read;
	} table[] = {
		{ &alice, "alice", true, true }, { &alice, "bob", false, false },
		{ &alice, "team/north", true, true }, { &alice, "team/south", false, false },
		{ &bob, "bob", true, true }, { &bob, "team/north", false, false },
		{ &northerner, "team/north", true, true }, { &northerner, "alice", false, false },
		{ &commuter, "team/south", true, true }, { &stranger, "bob", false, false },
		{ &carol, "bob", false, true }, { &carol, "team/north", false, true },
		{ &auditor, "bob", false, true }, { &cron, "bob", false, false },
		{ &root, "bob", false, true },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct budget *budget = books_budget(&shop->books, table[i].budget);

		ok(actor_may_spend(table[i].actor, budget) == table[i].spend &&
		   actor_may_read(table[i].actor, budget) == table[i].read,
		   "uid %lld and %s", (long long)table[i].actor->uid, table[i].budget);
	}
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_spend, test_default_budget, test_topup_by_manager, test_draw,
		test_draw_from_little, test_own_budget, test_refund_of_spend,
		test_refund_of_topup, test_refund_after_closing, test_may,
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		shop_begin();
		tests[i]();
		shop_free(shop);
	}
	return done_testing();
}

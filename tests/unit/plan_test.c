#include "shop.h"

#include "common/err.h"
#include "daemon/plan.h"

static struct shop *shop;
static struct refusal refusal;
static const struct calendar november = { "2026-11", "2026-W48", "2026-11-25" };

/* ---- Who asks ---- */

static const gid_t none[] = { 9000 }, north[] = { 9000, NORTH }, both[] = { NORTH, SOUTH };

#define ACTOR(uid, groups, ...) { uid, groups, sizeof(groups) / sizeof(*groups), __VA_ARGS__ }

static const struct actor alice = ACTOR(ALICE, north), bob = ACTOR(BOB, none),
	stranger = ACTOR(4000, none), northerner = ACTOR(4001, north),
	commuter = ACTOR(4002, both), carol = ACTOR(CAROL, none, ROLE_MANAGER),
	auditor = ACTOR(4003, none, ROLE_AUDITOR), root = ACTOR(0, none, ROLE_MANAGER),
	alone = ACTOR(ALICE, none, ROLE_MANAGER, true), cron = ACTOR(4004, none, ROLE_CRON);

/* ---- What is asked ---- */

#define INT(n) { .value = (n), .set = true }
#define SPEND(n, ...) (&(struct spend_request){ .amount = INT(n), .currency = "EUR", __VA_ARGS__ })
#define TOPUP(n, ...) (&(struct topup_request){ .amount = INT(n), .currency = "EUR", __VA_ARGS__ })
#define REFUND(n, ...) (&(struct refund_request){ .ref = INT(n), __VA_ARGS__ })
#define TERMS(...) (&(struct terms_request){ __VA_ARGS__ })
#define CLOSE(n) (&(struct close_request){ .name = n })
#define CLEAR(word) .clear = { .item = { word }, .count = 1, .set = true }

/* A planned entry gets what a batch gives it, and the books must take it. */
static int64_t post(struct entry *planned)
{
	struct entry next = shop_entry(shop, planned->kind, planned->uid, planned->budget);
	const char *problem;

	planned->seq = next.seq;
	planned->at = next.at;
	memcpy(planned->id, next.id, sizeof(next.id));
	problem = shop_apply(shop, planned);
	if (problem)
		printf("#  the books say: %s\n", problem);
	return problem ? ABSENT : planned->seq;
}

/* The plan is good: its entry moves these, and the books take it. Returns its number. */
static int64_t planned(enum err err, struct entry *entry, const char *moves, const char *name)
{
	struct buf got = BUF_INIT;
	int64_t seq;

	if (err) {
		refusal_format(&refusal, &got);
		is_str(err_name(err), "", name);
		printf("#  %s\n", got.data);
		buf_release(&got);
		return ABSENT;
	}
	buf_printf(&got, "%s", entry->budget);
	if (entry->amount != ABSENT)
		buf_printf(&got, " %s>%s %lld", entry->from, entry->to, (long long)entry->amount);
	if (entry->period[0])
		buf_printf(&got, " %s", entry->period);
	is_str(got.data, moves, name);
	seq = post(entry);
	if (seq == ABSENT)
		ok(false, "the books take it: %s", name);
	buf_release(&got);
	return seq;
}

/* The plan is refused: the error's name without the interface, and its parameters. */
static void refused(enum err err, const char *want, const char *name)
{
	struct buf got = BUF_INIT, parameters = BUF_INIT;

	refusal_format(&refusal, &parameters);
	buf_printf(&got, "%s%s", err ? strrchr(err_name(err), '.') + 1 : "no refusal",
		   parameters.data);
	is_str(got.data, want, name);
	buf_release(&parameters);
	buf_release(&got);
}

static struct entry entry;

#define PLAN(kind, actor, request) plan_##kind(&shop->books, &actor, request, &entry, &refusal)
#define OPEN(actor, request) \
	plan_open(&shop->books, &actor, &november, request, &entry, &refusal)
#define ADJUST(actor, request) \
	plan_adjust(&shop->books, &actor, &november, request, &entry, &refusal)
#define TAKEN(moves, plan, name) planned(plan, &entry, moves, name)
#define MALFORMED(parameter, problem) \
	"Malformed{\"parameter\":\"" parameter "\",\"problem\":\"" problem "\"}"
#define FORBIDDEN(problem) "NotPermitted{\"problem\":\"" problem "\"}"

/* Alice draws from team/north; Bob has nothing but his allowance; yen is a pool in JPY; gone is closed. */
static void shop_begin(void)
{
	static const struct terms_request openings[] = {
		{ .name = "team/north", .group = INT(NORTH), .allowance = INT(50000) },
		{ .name = "team/south", .group = INT(SOUTH), .allowance = INT(10000) },
		{ .name = "alice", .owner = INT(ALICE), .allowance = INT(20000),
		  .pool = "team/north", .self_topup = INT(30000) },
		{ .name = "bob", .owner = INT(BOB), .allowance = INT(5000) },
		{ .name = "yen", .group = INT(NORTH), .currency = "JPY" },
		{ .name = "gone", .group = INT(NORTH) },
	};
	struct entry genesis;

	shop = shop_new();
	genesis = shop_genesis(shop);
	shop_apply(shop, &genesis);
	for (size_t i = 0; i < sizeof(openings) / sizeof(*openings); i++)
		if (OPEN(root, &openings[i]) || post(&entry) == ABSENT)
			abort();
	if (PLAN(close, root, CLOSE("gone")) || post(&entry) == ABSENT)
		abort();
}

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
		MALFORMED("from", "money comes from the company or from another pool, a budget with "
			  "a group"), "from a rep");
	refused(PLAN(topup, root, TOPUP(1, .budget = "team/north", .from = "team/north")),
		MALFORMED("from", "money comes from the company or from another pool, a budget with "
			  "a group"), "from itself");
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
		FORBIDDEN("team/north is not your own budget: a manager tops it up"), "into a pool");
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

/* A manager with a budget of her own is a rep there; whoever runs the daemon alone is all of them. */
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
		FORBIDDEN("a budget of one's own is opened, adjusted and closed by another manager"),
		"adjusted");
	refused(PLAN(close, carol, CLOSE("carol")),
		FORBIDDEN("a budget of one's own is opened, adjusted and closed by another manager"),
		"closed");
	TAKEN("carol carol>company 100 2026-11", PLAN(close, root, CLOSE("carol")),
	      "closed by another");
	refused(OPEN(carol, TERMS(.name = "carol/2", .owner = INT(CAROL))),
		FORBIDDEN("a budget of one's own is opened, adjusted and closed by another manager"),
		"opened by herself");
	refused(ADJUST(carol, TERMS(.name = "bob", .owner = INT(CAROL))),
		FORBIDDEN("a budget of one's own is opened, adjusted and closed by another manager"),
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

/* ---- Open, adjust, close ---- */

static void test_open(void)
{
	TAKEN("dora company>dora 100 2026-11",
	      OPEN(root, TERMS(.name = "dora", .owner = INT(1), .allowance = INT(100))),
	      "a month's allowance unless said otherwise");
	is_int(entry.terms.every, PERIOD_MONTH, "in months");
	is_int(entry.terms.carry, CARRY_NONE, "with nothing carried over");
	TAKEN("emil", OPEN(root, TERMS(.name = "emil", .owner = INT(2))),
	      "without an allowance there is no period");
	TAKEN("fritz company>fritz 5 2026-W48",
	      OPEN(root, TERMS(.name = "fritz", .owner = INT(3), .allowance = INT(5),
			       .period = "week", .carry = "cap", .cap = INT(50))), "a week's");
	is_int(entry.terms.cap, 50, "with a cap");
	TAKEN("gina company>gina 5 2026-11-25",
	      OPEN(root, TERMS(.name = "gina", .owner = INT(4), .allowance = INT(5),
			       .period = "day", .carry = "all", .guideline = INT(1000))), "a day's");
	is_int(entry.terms.guideline, 1000, "with a guideline");
	TAKEN("dinar company>dinar 5000 2026-11",
	      OPEN(root, TERMS(.name = "dinar", .group = INT(5), .allowance = INT(5000),
			       .currency = "KWD")), "in another currency");
	is_int(entry.exp, 3, "which has its own exponent");
	TAKEN("hans company>hans 7",
	      OPEN(root, TERMS(.name = "hans", .owner = INT(6), .allowance = INT(7),
			       .period = "none")), "once and for all");

	refused(OPEN(root, TERMS(.name = "company", .owner = INT(7))),
		MALFORMED("name", "company and spent are the ledger's own accounts: choose another "
			  "name"), "a reserved name");
	refused(OPEN(root, TERMS(.name = "bob", .owner = INT(7))),
		"BudgetExists{\"budget\":\"bob\"}", "a name that is taken");
	refused(OPEN(root, TERMS(.name = "gone", .owner = INT(7))),
		"BudgetClosed{\"budget\":\"gone\"}", "a name that was taken");
	refused(OPEN(root, TERMS(.name = "bob/2", .owner = INT(BOB))),
		"BudgetExists{\"budget\":\"bob\"}", "a second one for a uid");
	refused(OPEN(root, TERMS(.name = "ida", .owner = INT(7), .currency = "EUX")),
		MALFORMED("currency", "is a currency of ISO 4217, such as EUR"), "no currency");
	refused(OPEN(root, TERMS(.name = "ida", .owner = INT(7), .period = "year")),
		MALFORMED("period", "is month, week, day or none"), "no period");
	refused(OPEN(root, TERMS(.name = "ida", .owner = INT(7), .carry = "some")),
		MALFORMED("carry", "is none, all or cap"), "no carry");
	refused(OPEN(root, TERMS(.name = "ida")),
		MALFORMED("owner", "a budget has either an owner or a group"), "nobody's");
	refused(OPEN(root, TERMS(.name = "ida", .owner = INT(7), .allowance = INT(INT64_MAX))),
		"Overflow{}", "more than all balances together hold");
}

static void test_adjust(void)
{
	TAKEN("alice 2026-11", ADJUST(root, TERMS(.name = "alice", .allowance = INT(1))),
	      "an allowance");
	is_int(entry.terms.self_topup, 30000, "and all else as it was");
	TAKEN("alice 2026-11", ADJUST(root, TERMS(.name = "alice", CLEAR("pool"))),
	      "a pool no more");
	is_int(entry.terms.self_topup, ABSENT, "nor a limit for it");
	TAKEN("alice 2026-11", ADJUST(root, TERMS(.name = "alice", .guideline = INT(5))),
	      "a guideline");
	TAKEN("alice 2026-11", ADJUST(root, TERMS(.name = "alice", CLEAR("guideline"))),
	      "and none");
	is_int(entry.terms.guideline, ABSENT, "that is gone");
	TAKEN("alice 2026-11",
	      ADJUST(root, TERMS(.name = "alice", .carry = "cap", .cap = INT(9))), "a cap");
	TAKEN("alice 2026-11", ADJUST(root, TERMS(.name = "alice", .carry = "all")),
	      "another carry");
	is_int(entry.terms.cap, ABSENT, "takes the cap away");
	TAKEN("alice 2026-W48", ADJUST(root, TERMS(.name = "alice", .period = "week")),
	      "weeks: this one");
	TAKEN("alice 2026-11-25", ADJUST(root, TERMS(.name = "alice", .period = "day")),
	      "days: this one");

	refused(ADJUST(root, TERMS(.name = "nobody")), "UnknownBudget{\"budget\":\"nobody\"}",
		"an unknown one");
	refused(ADJUST(root, TERMS(.name = "gone")), "BudgetClosed{\"budget\":\"gone\"}",
		"a closed one");
	refused(ADJUST(root, TERMS(.name = "bob", CLEAR("owner"))),
		MALFORMED("clear", "names what goes: pool, self_topup or guideline"),
		"what cannot be cleared");
	refused(ADJUST(root, TERMS(.name = "bob", .group = INT(5))),
		MALFORMED("group", "a pool stays a pool, and an owner's budget an owner's; open "
			  "another one"), "a group for an owner's");
	refused(ADJUST(root, TERMS(.name = "team/north", .owner = INT(5))),
		MALFORMED("owner", "a pool stays a pool, and an owner's budget an owner's; open "
			  "another one"), "an owner for a pool");
	refused(ADJUST(root, TERMS(.name = "bob", .owner = INT(ALICE))),
		"BudgetExists{\"budget\":\"alice\"}", "for who has one");
	refused(ADJUST(root, TERMS(.name = "bob", .cap = INT(5))),
		MALFORMED("cap", "a cap goes with carry cap, and only with it"), "a cap alone");
}

/* With resets overdue, other periods begin where the posted ones end, so that none is passed over. */
static void test_adjust_overdue(void)
{
	static const struct calendar january = { "2027-01", "2027-W02", "2027-01-13" };

	planned(plan_adjust(&shop->books, &root, &january, TERMS(.name = "bob", .period = "week"),
			    &entry, &refusal), &entry, "bob 2026-W49",
		"weeks from the end of November on");
	ok(reset_due(books_budget(&shop->books, "bob"), &january, ""), "and weeks are due");
}

static void test_close(void)
{
	TAKEN("bob bob>company 5000 2026-11", PLAN(close, root, CLOSE("bob")), "sweeps the rest");
	TAKEN("bob/2", OPEN(root, TERMS(.name = "bob/2", .owner = INT(BOB))),
	      "then there may be another");
	refused(PLAN(close, root, CLOSE("bob")), "BudgetClosed{\"budget\":\"bob\"}", "twice");
	refused(PLAN(close, root, CLOSE("nobody")), "UnknownBudget{\"budget\":\"nobody\"}",
		"an unknown one");
	TAKEN("yen", PLAN(close, root, CLOSE("yen")), "an empty one");
}

/* ---- Reset ---- */

/* Plans one period's reset and posts it: its entries, in words. */
static void resets(const char *name, const char *want, const char *what)
{
	struct budget *budget = books_budget(&shop->books, name);
	struct buf got = BUF_INIT;
	struct entry both_entries[2];
	unsigned count = 0;
	bool taken = true;

	if (plan_reset(&shop->books, &cron, budget, both_entries, &count, &refusal))
		buf_str(&got, err_name(refusal.code));
	for (unsigned i = 0; i < count; i++) {
		const struct entry *e = &both_entries[i];

		buf_printf(&got, "%s%s", i ? ", " : "", e->period);
		if (e->amount != ABSENT)
			buf_printf(&got, " %s>%s %lld", e->from, e->to, (long long)e->amount);
		taken = post(&both_entries[i]) != ABSENT && taken;
	}
	is_str(got.data, want, what);
	if (!taken || !books_whole(&shop->books))
		ok(false, "the books take it whole: %s", what);
	buf_release(&got);
}

static void test_reset(void)
{
	resets("bob", "2026-12 bob>company 5000, 2026-12 company>bob 5000", "lapse and allowance");
	TAKEN("bob bob>spent 5000 2026-12", PLAN(spend, bob, SPEND(5000)), "all spent");
	resets("bob", "2027-01 company>bob 5000", "nothing to lapse");
	TAKEN("bob 2027-01", ADJUST(root, TERMS(.name = "bob", .allowance = INT(0))),
	      "no allowance any more");
	resets("bob", "2027-02 bob>company 5000", "nothing to grant");
	resets("bob", "2027-03", "neither");
	TAKEN("bob 2027-03", ADJUST(root, TERMS(.name = "bob", .allowance = INT(100),
						.carry = "cap", .cap = INT(150))), "with a cap");
	resets("bob", "2027-04 company>bob 100", "below the cap");
	resets("bob", "2027-05 company>bob 100", "still below");
	resets("bob", "2027-06 bob>company 50, 2027-06 company>bob 100", "above it");
	TAKEN("bob 2027-06", ADJUST(root, TERMS(.name = "bob", .carry = "all")), "all kept");
	resets("bob", "2027-07 company>bob 100", "nothing lapses");
	is_int(shop_balance(shop, "bob"), 350, "and it adds up");
}

static void test_reset_overflow(void)
{
	TAKEN("bob 2026-11", ADJUST(root, TERMS(.name = "bob", .carry = "all",
						.allowance = INT(INT64_MAX - 85000))),
	      "a great allowance");
	resets("bob", "2026-12 company>bob 9223372036854690807", "still fits");
	resets("bob", "io.fundd.Ledger.Overflow", "and then no more");
	is_str(books_budget(&shop->books, "bob")->current, "2026-12", "the period stays");
}

static bool due(const char *name, const char *month, const char *week, const char *day,
		const char *until)
{
	struct calendar now;

	snprintf(now.month, sizeof(now.month), "%s", month);
	snprintf(now.week, sizeof(now.week), "%s", week);
	snprintf(now.day, sizeof(now.day), "%s", day);
	return reset_due(books_budget(&shop->books, name), &now, until);
}

static void test_due(void)
{
	char next[LABEL_SIZE];

	ok(!due("bob", "2026-11", "2026-W48", "2026-11-25", ""), "not within the month");
	ok(due("bob", "2026-12", "2026-W49", "2026-12-01", ""), "from the first of the next");
	ok(due("bob", "2027-03", "2027-W09", "2027-03-01", ""), "and months later");
	ok(!due("bob", "2026-10", "2026-W44", "2026-10-31", ""),
	   "a clock that jumped back makes nothing due");
	ok(!due("bob", "2027-03", "2027-W09", "2027-03-01", "2026-11"),
	   "up to a period that was posted there is nothing to do");
	ok(due("bob", "2027-03", "2027-W09", "2027-03-01", "2026-12"), "up to the next there is");
	ok(!due("bob", "2027-03", "2027-W09", "2027-03-01", "2027-W08"),
	   "a week's label is not for a month's budget");
	ok(!due("yen", "2027-03", "2027-W09", "2027-03-01", ""), "without periods never");
	ok(!due("gone", "2027-03", "2027-W09", "2027-03-01", ""), "closed never");

	budget_next_reset(books_budget(&shop->books, "bob"), next);
	is_str(next, "2026-12-01", "the next reset's day");
	budget_next_reset(books_budget(&shop->books, "yen"), next);
	is_str(next, "", "none without periods");
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
		test_draw_from_little, test_own_budget, test_refund_of_spend, test_refund_of_topup,
		test_refund_after_closing, test_open, test_adjust, test_adjust_overdue, test_close,
		test_reset, test_reset_overflow, test_due, test_may,
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		shop_begin();
		tests[i]();
		shop_free(shop);
	}
	return done_testing();
}

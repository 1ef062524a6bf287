#include "plans.h"

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
			       .period = "day", .carry = "all", .guideline = INT(1000))),
	      "a day's");
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

/* With resets overdue, other periods begin where the
 * posted ones end, so that none is passed over. */
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

int main(void)
{
	static void (*const tests[])(void) = {
		test_open, test_adjust, test_adjust_overdue, test_close, test_reset,
		test_reset_overflow, test_due,
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		shop_begin();
		tests[i]();
		shop_free(shop);
	}
	return done_testing();
}

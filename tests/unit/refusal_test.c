#include "daemon/refusal.h"
#include "tap.h"

static void is_json(const struct refusal *refusal, const char *want, const char *name)
{
	struct buf out = BUF_INIT;

	refusal_format(refusal, &out);
	is_str(out.data, want, name);
	buf_release(&out);
}

/* A refusal that says everything there is to say. */
static struct refusal full(enum err code)
{
	struct refusal refusal;

	refuse(&refusal, code);
	strcpy(refusal.budget, "alice");
	strcpy(refusal.pool, "team/north");
	strcpy(refusal.currency, "EUR");
	refusal.exp = 2;
	refusal.available = 14950;
	refusal.pool_usable = 0;
	refusal.limit = 5000;
	refusal.left = 17;
	refusal.seq = 1042;
	strcpy(refusal.next_reset, "2026-12-01");
	strcpy(refusal.period, "2026-12");
	strcpy(refusal.current, "2026-11");
	strcpy(refusal.id, "0190a5c2-0000-7000-8000-000000000001");
	strcpy(refusal.budgets[0], "team/north");
	strcpy(refusal.budgets[1], "team/south");
	refusal.budget_count = 2;
	strcpy(refusal.name, "io.fundd.Ledger.Nope");
	strcpy(refusal.problem.parameter, "amount");
	strcpy(refusal.problem.text, "is \"above\" zero");
	return refusal;
}

static const char *const wants[ERR_COUNT] = {
	[ERR_NONE] = "{}",
	[ERR_INSUFFICIENT_FUNDS] =
		"{\"budget\":\"alice\",\"available\":14950,\"currency\":\"EUR\",\"exp\":2,"
		"\"next_reset\":\"2026-12-01\",\"pool\":\"team/north\",\"pool_usable\":0}",
	[ERR_UNKNOWN_BUDGET] = "{\"budget\":\"alice\"}",
	[ERR_BUDGET_NEEDED] = "{\"budgets\":[\"team/north\",\"team/south\"]}",
	[ERR_BUDGET_EXISTS] = "{\"budget\":\"alice\"}",
	[ERR_BUDGET_CLOSED] = "{\"budget\":\"alice\"}",
	[ERR_UNKNOWN_ENTRY] = "{\"seq\":1042}",
	[ERR_NOT_PERMITTED] = "{\"problem\":\"is \\\"above\\\" zero\"}",
	[ERR_CURRENCY_MISMATCH] = "{\"budget\":\"alice\",\"currency\":\"EUR\",\"exp\":2}",
	[ERR_LIMIT_REACHED] = "{\"budget\":\"alice\",\"limit\":5000,\"left\":17,"
			      "\"currency\":\"EUR\",\"exp\":2}",
	[ERR_OVERFLOW] = "{\"budget\":\"alice\"}",
	[ERR_ID_CONFLICT] = "{\"id\":\"0190a5c2-0000-7000-8000-000000000001\",\"seq\":1042}",
	[ERR_PERIOD_AHEAD] = "{\"period\":\"2026-12\",\"current\":\"2026-11\"}",
	[ERR_MALFORMED] = "{\"parameter\":\"amount\",\"problem\":\"is \\\"above\\\" zero\"}",
	[ERR_UNAVAILABLE] = "{\"problem\":\"is \\\"above\\\" zero\"}",
	[ERR_INTERFACE_NOT_FOUND] = "{\"interface\":\"io.fundd.Ledger.Nope\"}",
	[ERR_METHOD_NOT_FOUND] = "{\"method\":\"io.fundd.Ledger.Nope\"}",
	[ERR_INVALID_PARAMETER] = "{\"parameter\":\"amount\"}",
	[ERR_EXPECTED_MORE] = "{}",
};

static void test_all(void)
{
	for (int code = ERR_NONE; code < ERR_COUNT; code++) {
		struct refusal refusal = full((enum err)code);

		is_json(&refusal, wants[code], err_name((enum err)code));
	}
}

static void test_absent(void)
{
	struct refusal refusal;

	memset(&refusal, 0x55, sizeof(refusal));
	is_int(refuse(&refusal, ERR_INSUFFICIENT_FUNDS), ERR_INSUFFICIENT_FUNDS,
	       "the code comes back");
	is_json(&refusal, "{}", "what is not there is left out");
	refusal.available = 0;
	is_json(&refusal, "{\"available\":0}", "a zero is there");
	refuse(&refusal, ERR_BUDGET_NEEDED);
	is_json(&refusal, "{\"budgets\":[]}", "no budgets are a list all the same");
}

static void test_words(void)
{
	char longest[300];
	struct refusal refusal;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	is_int(refuse_budget(&refusal, ERR_BUDGET_CLOSED, "alice"), ERR_BUDGET_CLOSED, "a budget");
	is_json(&refusal, "{\"budget\":\"alice\"}", "is named");
	refuse_budget(&refusal, ERR_UNKNOWN_BUDGET, longest);
	is_int((int64_t)strlen(refusal.budget), NAME_MAX_LEN, "a name is cut to what fits");
	is_int(refuse_words(&refusal, ERR_MALFORMED, "cap", "is %d", 7), ERR_MALFORMED, "words");
	is_json(&refusal, "{\"parameter\":\"cap\",\"problem\":\"is 7\"}", "say what was wrong");
	refuse_words(&refusal, ERR_UNAVAILABLE, "", "%s", longest);
	ok(strlen(refusal.problem.text) == sizeof(refusal.problem.text) - 1 &&
	   !refusal.problem.parameter[0], "they are cut to what fits, too");
}

int main(void)
{
	test_all();
	test_absent();
	test_words();
	return done_testing();
}

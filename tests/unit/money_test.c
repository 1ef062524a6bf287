#include "common/money.h"
#include "tap.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

static void test_arithmetic(void)
{
	int64_t ret = 7;

	ok(money_add(INT64_MAX - 1, 1, &ret) && ret == INT64_MAX, "adding up to the most");
	ok(money_sub(INT64_MIN + 1, 1, &ret) && ret == INT64_MIN, "taking down to the least");
	ok(money_sub(3, 5, &ret) && ret == -2, "taking more than there is");
	ret = 7;
	ok(!money_add(INT64_MAX, 1, &ret), "over the most");
	ok(!money_add(INT64_MIN, -1, &ret), "under the least");
	ok(!money_sub(INT64_MIN, 1, &ret), "under the least, taking");
	ok(!money_sub(0, INT64_MIN, &ret), "the least has no opposite");
	is_int(ret, 7, "what does not fit leaves the result alone");
}

static void test_currencies(void)
{
	static const struct {
		const char *code;
		int exp;
	} rows[] = {
		{ "EUR", 2 }, { "USD", 2 }, { "JPY", 0 }, { "KRW", 0 }, { "ISK", 0 }, { "VND", 0 },
		{ "KWD", 3 }, { "BHD", 3 }, { "JOD", 3 }, { "TND", 3 }, { "IQD", 3 }, { "LYD", 3 },
		{ "OMR", 3 }, { "CLF", 4 }, { "UYW", 4 }, { "AFN", 2 }, { "ALL", 2 }, { "IRR", 2 },
		{ "LBP", 2 }, { "HUF", 2 }, { "XAF", 0 }, { "XCG", 2 }, { "ZWG", 2 }, { "AED", 2 },
		{ "XAU", -1 }, { "XXX", -1 }, { "XTS", -1 }, { "XDR", -1 }, { "XUA", -1 },
		{ "HRK", -1 }, { "ANG", -1 }, { "DEM", -1 }, { "eur", -1 }, { "Eur", -1 },
		{ "EU", -1 }, { "EURO", -1 }, { "EUR ", -1 }, { " EUR", -1 }, { "", -1 },
		{ "AAA", -1 }, { "ZZZ", -1 }, { "\xe2\x82\xac", -1 },
	};

	for (size_t i = 0; i < SIZE(rows); i++)
		is_int(currency_exp(rows[i].code), rows[i].exp, rows[i].code);
}

/* Every code of three capitals: a sorted table finds all it has, and has what ISO 4217 has. */
static void test_currency_count(void)
{
	int found = 0, exps[MONEY_EXP_MAX + 1] = { 0 };
	char code[4] = "AAA";

	for (int i = 0; i < 26 * 26 * 26; i++) {
		code[0] = (char)('A' + i / (26 * 26));
		code[1] = (char)('A' + i / 26 % 26);
		code[2] = (char)('A' + i % 26);
		if (currency_exp(code) < 0)
			continue;
		found++;
		exps[currency_exp(code)]++;
	}
	is_int(found, 164, "active currencies");
	is_int(exps[0], 17, "without a smaller unit");
	is_int(exps[1], 0, "with one digit");
	is_int(exps[3], 7, "with three digits");
	is_int(exps[4], 2, "with four digits");
}

static void test_parse(void)
{
	static const struct {
		const char *text;
		unsigned exp;
		int64_t want;
	} rows[] = {
		{ "12.50", 2, 1250 }, { "12.5", 2, 1250 }, { "12", 2, 1200 }, { "0.01", 2, 1 },
		{ "0.10", 2, 10 }, { "007", 2, 700 }, { "1500", 0, 1500 }, { "1", 0, 1 },
		{ "1.005", 3, 1005 }, { "1.0", 3, 1000 }, { "0.0001", 4, 1 },
		{ "00000000000000000000000000001", 0, 1 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "92233720368547758.07", 2, INT64_MAX },
		{ "92233720368547758", 2, INT64_MAX - 7 },
		{ "922337203685477.5807", 4, INT64_MAX },
	};
	const char *problem;
	int64_t got;

	for (size_t i = 0; i < SIZE(rows); i++) {
		got = -1;
		problem = NULL;
		ok(!money_parse(rows[i].text, rows[i].exp, &got, &problem) && !problem &&
		   got == rows[i].want, "'%s' with %u digits", rows[i].text, rows[i].exp);
	}
}

/* Each refusal, and a word of the sentence that tells it from the others. */
static void test_parse_refusals(void)
{
	static const struct {
		const char *text;
		unsigned exp;
		const char *says;
	} rows[] = {
		{ "", 2, "missing" },
		{ "0", 2, "zero" }, { "0.00", 2, "zero" }, { "000", 0, "zero" },
		{ "-5", 2, "sign" }, { "+5", 2, "sign" }, { "--5", 2, "sign" }, { "5-", 2, "sign" },
		{ "-0", 2, "sign" }, { "-", 2, "sign" },
		{ "1,234", 2, "separators" }, { "1,5", 2, "separators" },
		{ "1'000", 2, "separators" }, { "1_000", 2, "separators" },
		{ "1.234,50", 2, "separators" },
		{ "1e3", 2, "exponent" }, { "1E3", 2, "exponent" }, { "1e+3", 2, "exponent" },
		{ "1.5e-1", 2, "exponent" },
		{ "10.5", 0, "whole number" }, { "10.0", 0, "whole number" },
		{ "1.005", 2, "at most two" }, { "1.000", 2, "at most two" },
		{ "1.00", 1, "one digit" }, { "1.0005", 3, "at most three" },
		{ "1.00005", 4, "at most four" },
		{ "9999999999999999999", 2, "more than a ledger" },
		{ "9223372036854775808", 0, "more than a ledger" },
		{ "92233720368547758.08", 2, "more than a ledger" },
		{ "92233720368547759", 2, "more than a ledger" },
		{ "922337203685477580700", 0, "more than a ledger" },
		{ "18446744073709551617", 0, "more than a ledger" },
		{ "\xd9\xa3", 2, "digits 0 to 9" }, { "1\xd9\xa3", 2, "digits 0 to 9" },
		{ "\xef\xbc\x95", 2, "digits 0 to 9" }, { "\xe2\x82\xac""5", 2, "digits 0 to 9" },
		{ "$5", 2, "digits 0 to 9" }, { "5%", 2, "digits 0 to 9" },
		{ "1/2", 2, "digits 0 to 9" }, { "\n5", 2, "digits 0 to 9" },
		{ "5\n", 2, "digits 0 to 9" }, { "\xc2\xa0""5", 2, "digits 0 to 9" },
		{ "\xff", 2, "digits 0 to 9" },
		{ ".5", 2, "begin" }, { ".", 2, "begin" }, { "..5", 2, "begin" },
		{ "5.", 2, "missing after the point" }, { "5.", 0, "missing after the point" },
		{ "1.2.3", 2, "one point" }, { "1..2", 2, "one point" }, { "1.2.", 2, "one point" },
		{ " 5", 2, "in front" }, { "5 ", 2, "in front" }, { "1 000", 2, "in front" },
		{ "10.5 JPY", 0, "in front" }, { "5EUR", 2, "in front" }, { "0x10", 2, "in front" },
		{ "nan", 2, "in front" }, { "inf", 2, "in front" }, { "e", 2, "in front" },
	};
	const char *problem;
	int64_t got;

	for (size_t i = 0; i < SIZE(rows); i++) {
		got = 42;
		problem = "(none)";
		if (!ok(money_parse(rows[i].text, rows[i].exp, &got, &problem) == -1 && got == 42 &&
			strstr(problem, rows[i].says), "refusal %zu, '%s'", i, rows[i].says))
			printf("#  '%s': %s\n", rows[i].text, problem);
	}
}

static void test_split(void)
{
	static const struct {
		const char *text, *currency, *amount;
	} rows[] = {
		{ "12.50", "", "12.50" }, { "EUR 12.50", "EUR", "12.50" },
		{ "JPY 1500", "JPY", "1500" },
		{ "", "", "" }, { "-5", "", "-5" }, { "10.5 JPY", "", "10.5 JPY" },
		{ "EUR  5", "EUR", " 5" }, { "EUR ", "EUR", "" }, { "EUR USD 5", "EUR", "USD 5" },
		{ " EUR 5", "", " EUR 5" },
	};
	static const char *const bad[] = {
		"EUR", "EUR12.50", "eur 5", "Eur 5", "EURO 5", "EU 5", "E", "XAU 5", "XXX 5",
		"ZZZ 5",
		"DEM 5", "EUR\t5", ("EUR\xc2\xa0" "5"), "e3",
	};
	const char *amount, *problem = NULL;
	char currency[CURRENCY_LEN + 1];

	for (size_t i = 0; i < SIZE(rows); i++) {
		memset(currency, '#', sizeof(currency));
		ok(!money_split(rows[i].text, currency, &amount, &problem) &&
		   !strcmp(currency, rows[i].currency) && !strcmp(amount, rows[i].amount),
		   "'%s' is '%s' and '%s'", rows[i].text, rows[i].currency, rows[i].amount);
	}
	for (size_t i = 0; i < SIZE(bad); i++) {
		problem = NULL;
		ok(money_split(bad[i], currency, &amount, &problem) == -1 && problem &&
		   strstr(problem, "EUR 12.50"), "no currency, split %zu", i);
	}
}

static void test_format(void)
{
	static const struct {
		int64_t minor;
		unsigned exp;
		const char *want;
	} rows[] = {
		{ 1250, 2, "12.50" }, { -5, 2, "-0.05" }, { 1500, 0, "1500" }, { 0, 2, "0.00" },
		{ 0, 0, "0" }, { 7, 3, "0.007" }, { 100, 2, "1.00" }, { -1250, 2, "-12.50" },
		{ 99, 2, "0.99" }, { 1, 4, "0.0001" }, { 12345, 4, "1.2345" }, { -7, 0, "-7" },
		{ INT64_MAX, 2, "92233720368547758.07" }, { INT64_MAX, 0, "9223372036854775807" },
		{ INT64_MIN, 2, "-92233720368547758.08" },
		{ INT64_MIN, 4, "-922337203685477.5808" },
	};
	char out[MONEY_TEXT_MAX];

	for (size_t i = 0; i < SIZE(rows); i++)
		is_str(money_format(rows[i].minor, rows[i].exp, out), rows[i].want, rows[i].want);
	ok(money_format(1, 2, out) == out, "returns where it wrote");
}

/* What is written is read back as the same amount. */
static void test_round_trip(void)
{
	static const int64_t amounts[] = { 1, 9, 10, 99, 100, 101, 12345, 999999, INT64_MAX };
	char out[MONEY_TEXT_MAX];
	const char *problem;
	bool same = true;
	int64_t got;

	for (size_t i = 0; i < SIZE(amounts); i++) {
		for (unsigned exp = 0; exp <= MONEY_EXP_MAX; exp++) {
			money_format(amounts[i], exp, out);
			same = same && !money_parse(out, exp, &got, &problem) && got == amounts[i];
		}
	}
	ok(same, "written amounts are read back");
}

int main(void)
{
	test_arithmetic();
	test_currencies();
	test_currency_count();
	test_parse();
	test_parse_refusals();
	test_split();
	test_format();
	test_round_trip();
	return done_testing();
}

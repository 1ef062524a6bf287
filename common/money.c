#include "money.h"

#include <assert.h>
#include <string.h>

#define DIGITS "0123456789"
#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool money_add(int64_t a, int64_t b, int64_t *ret)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*ret = sum;
	return true;
}

bool money_sub(int64_t a, int64_t b, int64_t *ret)
{
	int64_t difference;

	if (__builtin_sub_overflow(a, b, &difference))
		return false;
	*ret = difference;
	return true;
}

static int refuse(const char *sentence, const char **problem)
{
	*problem = sentence;
	return -1;
}

/* What to say about the first character that is neither a digit nor a point. */
static const struct {
	const char *bytes, *problem;
} strangers[] = {
	{ "+-", "an amount has no sign: it is always more than zero, as in 12.50" },
	{ ",'_", "write the amount without separators, and with a point: 1234.50" },
	{ " \t" SMALL CAPITALS,
	  "an amount is digits and a point, as in 12.50, and a currency stands in front, "
	  "as in EUR 12.50" },
};

static const char *stranger_problem(const char *at)
{
	if ((*at == 'e' || *at == 'E') && at[1] && strchr("+-" DIGITS, at[1]))
		return "write the number out, without an exponent: 1000, not 1e3";
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		if (strchr(strangers[i].bytes, *at))
			return strangers[i].problem;
	return "write the amount with the digits 0 to 9 and a point only, as in 12.50";
}

/* The shape of an amount: digits, or digits, one point, and no digits too many. */
static const char *shape_problem(const char *text, unsigned exp)
{
	static const char *const too_fine[MONEY_EXP_MAX + 1] = {
		"this currency has no smaller unit: write a whole number, as in 1500",
		"this currency has one digit after the point, as in 12.5",
		"this currency has at most two digits after the point, as in 12.50",
		"this currency has at most three digits after the point, as in 12.500",
		"this currency has at most four digits after the point, as in 12.5000",
	};
	size_t whole = strspn(text, DIGITS), plain = strspn(text, DIGITS "."), minor;

	if (!*text)
		return "the amount is missing: write it as in 12.50";
	if (text[plain])
		return stranger_problem(text + plain);
	if (!whole)
		return "begin the amount with a digit, as in 0.50";
	if (!text[whole])
		return NULL;
	minor = strspn(text + whole + 1, DIGITS);
	if (text[whole + 1 + minor])
		return "an amount has only one point, as in 12.50";
	if (!minor)
		return "digits are missing after the point: write 12 or 12.50";
	return minor > exp ? too_fine[exp] : NULL;
}

/* Appends one decimal digit; false when the value no longer fits. */
static bool add_digit(int64_t *value, int digit)
{
	return !__builtin_mul_overflow(*value, 10, value) &&
	       !__builtin_add_overflow(*value, digit, value);
}

int money_parse(const char *text, unsigned exp, int64_t *ret, const char **problem)
{
	const char *sentence, *point = strchr(text, '.');
	bool fits = true;
	int64_t value = 0;
	size_t missing;

	assert(exp <= MONEY_EXP_MAX);
	sentence = shape_problem(text, exp);
	if (sentence)
		return refuse(sentence, problem);
	missing = exp - (point ? strlen(point + 1) : 0);
	for (; *text && fits; text++)
		if (*text != '.')
			fits = add_digit(&value, *text - '0');
	while (missing-- && fits)
		fits = add_digit(&value, 0);
	if (!fits)
		return refuse("the amount is more than a ledger can count", problem);
	if (!value)
		return refuse("the amount is zero: it must be more than that", problem);
	*ret = value;
	return 0;
}

int money_split(const char *text, char currency[CURRENCY_LEN + 1], const char **amount,
		const char **problem)
{
	char code[CURRENCY_LEN + 1] = "";

	if (*text && strchr(SMALL CAPITALS, *text)) {
		if (strspn(text, CAPITALS) != CURRENCY_LEN || text[CURRENCY_LEN] != ' ')
			return refuse("write the currency as three capitals and a blank before "
				      "the amount, as in EUR 12.50", problem);
		memcpy(code, text, CURRENCY_LEN);
		if (currency_exp(code) < 0)
			return refuse("there is no such currency today: write its ISO 4217 "
				      "code, as in EUR 12.50", problem);
		text += CURRENCY_LEN + 1;
	}
	memcpy(currency, code, sizeof(code));
	*amount = text;
	return 0;
}

char *money_format(int64_t minor, unsigned exp, char out[MONEY_TEXT_MAX])
{
	char digits[MONEY_TEXT_MAX], *p = digits + sizeof(digits);
	uint64_t rest = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
	unsigned written = 0;

	assert(exp <= MONEY_EXP_MAX);
	*--p = '\0';
	do {
		if (exp && written == exp)
			*--p = '.';
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (++written <= exp || rest);
	if (minor < 0)
		*--p = '-';
	return memcpy(out, p, (size_t)(digits + sizeof(digits) - p));
}

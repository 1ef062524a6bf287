#include "money.h"

#include <assert.h>
#include <string.h>

static const char zeros[MONEY_EXP_MAX + 1] = "0000";

#define DIGITS "0123456789"
#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/*@ predicate digit(char c) = '0' <= c <= '9';
    predicate all_digits(char *text, integer len) = \forall integer i; 0 <= i < len ==> digit(text[i]);
    predicate amount_shape(char *text, integer whole, integer minor, integer exp) = whole > 0 &&
	(text[whole] == 0 || (text[whole] == '.' && 0 < minor <= exp && text[whole + 1 + minor] == 0));

    // what `value` becomes when len digits are written behind it
    logic integer number(integer value, char *text, integer len) =
	len <= 0 ? value : 10 * number(value, text, len - 1) + text[len - 1] - '0';

    // the most that is left of an amount of which so many digits are written
    logic integer after_digits(integer count) = count <= 0 ? 9223372036854775808 : after_digits(count - 1) / 10; */

bool money_add(int64_t a, int64_t b, int64_t *ret)
{
	if (b > 0 ? a > INT64_MAX - b : a < INT64_MIN - b)
		return false;
	*ret = a + b;
	return true;
}

bool money_sub(int64_t a, int64_t b, int64_t *ret)
{
	if (b > 0 ? a < INT64_MIN + b : a > INT64_MAX + b)
		return false;
	*ret = a - b;
	return true;
}

/*@ requires \valid(problem);
    assigns *problem;
    ensures \result == -1 && *problem == sentence; */
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

/*@ requires valid_read_string(at) && *at;
    assigns \nothing;
    ensures \result != \null; */
static const char *stranger_problem(const char *at)
{
	if ((*at == 'e' || *at == 'E') && at[1] && strchr("+-" DIGITS, at[1]))
		return "write the number out, without an exponent: 1000, not 1e3";
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		if (strchr(strangers[i].bytes, *at))
			return strangers[i].problem;
	return "write the amount with the digits 0 to 9 and a point only, as in 12.50";
}

/* How many digits the text begins with. */
/*@ requires valid_read_string(text) && strlen(text) < SIZE_MAX;
    assigns \nothing;
    ensures 0 <= \result <= strlen(text);
    ensures all_digits(text, \result) && !digit(text[\result]); */
static size_t digits_len(const char *text)
{
	size_t len = 0;

	/*@ loop invariant 0 <= len <= strlen(text) && all_digits(text, len);
	    loop assigns len;
	    loop variant strlen(text) - len; */
	while (text[len] >= '0' && text[len] <= '9')
		len++;
	return len;
}

/* The shape of an amount: digits, or digits, one point, and no digits too many. */
/*@ requires valid_read_string(text) && exp <= MONEY_EXP_MAX;
    requires 0 <= whole <= strlen(text) && all_digits(text, whole) && !digit(text[whole]);
    requires text[whole] == '.' ==> whole + 1 + minor <= strlen(text);
    requires text[whole] != '.' ==> minor == 0;
    assigns \nothing;
    ensures \result == \null <==> amount_shape(text, whole, minor, exp); */
static const char *shape_problem(const char *text, size_t whole, size_t minor, unsigned exp)
{
	static const char *const too_fine[MONEY_EXP_MAX + 1] = {
		"this currency has no smaller unit: write a whole number, as in 1500",
		"this currency has one digit after the point, as in 12.5",
		"this currency has at most two digits after the point, as in 12.50",
		"this currency has at most three digits after the point, as in 12.500",
		"this currency has at most four digits after the point, as in 12.5000",
	};
	const char *end = text + whole;

	if (!*text)
		return "the amount is missing: write it as in 12.50";
	if (*end == '.')
		end += 1 + minor;
	if (*end && *end != '.')
		return stranger_problem(end);
	if (!whole)
		return "begin the amount with a digit, as in 0.50";
	if (*end)
		return "an amount has only one point, as in 12.50";
	if (text[whole] && !minor)
		return "digits are missing after the point: write 12 or 12.50";
	return minor > exp ? too_fine[exp] : NULL;
}

/* Writes digits behind a value; false when it no longer fits. */
/*@ requires \valid(value) && *value >= 0;
    requires \valid_read(text + (0 .. len - 1)) && all_digits(text, len);
    requires \separated(value, text + (0 .. len - 1));
    assigns *value;
    ensures *value >= 0;
    ensures \result ==> *value == number(\old(*value), text, len);
    ensures !\result ==> \exists integer n; 0 < n <= len && number(\old(*value), text, n) > INT64_MAX; */
static bool digits_take(const char *text, size_t len, int64_t *value)
{
	/*@ loop invariant 0 <= i <= len;
	    loop invariant *value >= 0 && *value == number(\at(*value, Pre), text, i);
	    loop assigns i, *value;
	    loop variant len - i; */
	for (size_t i = 0; i < len; i++) {
		int digit = text[i] - '0';

		if (*value > (INT64_MAX - digit) / 10) {
			//@ assert number(\at(*value, Pre), text, i + 1) > INT64_MAX;
			return false;
		}
		*value = *value * 10 + digit;
	}
	return true;
}

/*@ requires valid_read_string(text) && strlen(text) < SIZE_MAX;
    requires exp <= MONEY_EXP_MAX && \valid(ret) && \valid(problem);
    requires \separated(ret, problem, text + (0 .. strlen(text)));
    assigns *ret, *problem;
    ensures \result == 0 || \result == -1;
    ensures \result == 0 ==> *ret > 0 && \exists integer whole, minor;
	amount_shape(text, whole, minor, exp) &&
	*ret == number(number(number(0, text, whole), text + whole + 1, minor), &zeros[0], exp - minor);
    ensures \result == -1 ==> *ret == \old(*ret); */
int money_parse(const char *text, unsigned exp, int64_t *ret, const char **problem)
{
	size_t whole = digits_len(text), minor = text[whole] == '.' ? digits_len(text + whole + 1) : 0;
	const char *sentence;
	int64_t value = 0;

	assert(exp <= MONEY_EXP_MAX);
	sentence = shape_problem(text, whole, minor, exp);
	if (sentence)
		return refuse(sentence, problem);
	if (!digits_take(text, whole, &value) ||
	    (minor && !digits_take(text + whole + 1, minor, &value)) ||
	    !digits_take(zeros, exp - minor, &value))
		return refuse("the amount is more than a ledger can count", problem);
	if (!value)
		return refuse("the amount is zero: it must be more than that", problem);
	//@ assert value == number(number(number(0, text, whole), text + whole + 1, minor), &zeros[0], exp - minor);
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

/*@ requires exp <= MONEY_EXP_MAX && \valid(out + (0 .. MONEY_TEXT_MAX - 1));
    assigns out[0 .. MONEY_TEXT_MAX - 1];
    ensures \result == out; */
char *money_format(int64_t minor, unsigned exp, char out[MONEY_TEXT_MAX])
{
	char digits[MONEY_TEXT_MAX];
	size_t at = sizeof(digits);
	uint64_t rest = minor < 0 ? (uint64_t)-(minor + 1) + 1 : (uint64_t)minor;
	unsigned written = 0;

	assert(exp <= MONEY_EXP_MAX);
	digits[--at] = '\0';
	/*@ loop invariant written <= 20 && rest <= after_digits(written);
	    loop invariant at == sizeof(digits) - 1 - written - (exp && written > exp ? 1 : 0);
	    loop assigns written, rest, at, digits[0 .. MONEY_TEXT_MAX - 1]; */
	do {
		if (exp && written == exp)
			digits[--at] = '.';
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (++written <= exp || rest);
	if (minor < 0)
		digits[--at] = '-';
	return memcpy(out, digits + at, sizeof(digits) - at);
}

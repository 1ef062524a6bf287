/* An amount: the first byte is the exponent. What is
 * taken reads the same when it is written out. */
#include "common/money.h"
#include "fuzz.h"

static void amount_again(const char *digits, unsigned exp)
{
	char text[MONEY_TEXT_MAX];
	const char *problem = NULL;
	int64_t minor = 42, again;

	if (money_parse(digits, exp, &minor, &problem)) {
		MUST(problem && minor == 42);
		return;
	}
	MUST(minor > 0);
	money_format(minor, exp, text);
	MUST(!money_parse(text, exp, &again, &problem) && again == minor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char currency[CURRENCY_LEN + 1], *text;
	const char *amount, *problem = NULL;

	if (!size)
		return 0;
	text = fuzz_string(data + 1, size - 1);
	amount_again(text, data[0] % (MONEY_EXP_MAX + 1));
	if (!money_split(text, currency, &amount, &problem)) {
		MUST(!*currency || currency_exp(currency) >= 0);
		MUST(amount >= text && amount <= text + strlen(text));
		amount_again(amount, *currency ? (unsigned)currency_exp(currency) : 2);
	} else {
		MUST(problem);
	}
	free(text);
	return 0;
}

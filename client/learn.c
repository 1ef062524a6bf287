#include "learn.h"

#include <string.h>
#include <unistd.h>

#include "refusal.h"
#include "request.h"
#include "tell.h"

/* ---- Amounts ---- */

/* Without a currency only the digits after the point cannot be judged: the most there are, or none to judge. */
const char *amount_problem(const char *text)
{
	char code[CURRENCY_LEN + 1];
	const char *digits, *problem = NULL;
	unsigned exp;
	int64_t minor;

	if (money_split(text, code, &digits, &problem))
		return problem;
	if (*code)
		exp = (unsigned)currency_exp(code);
	else
		exp = strchr(digits, '.') ? MONEY_EXP_MAX : 0;
	return money_parse(digits, exp, &minor, &problem) ? problem : NULL;
}

int amount_read(const char *text, const struct currency *usual, struct amount *ret, const char **problem)
{
	struct currency currency = *usual;
	char code[CURRENCY_LEN + 1];
	const char *digits;

	if (money_split(text, code, &digits, problem))
		return -1;
	if (*code && strcmp(code, currency.code) != 0)
		currency = currency_named(code);
	if (money_parse(digits, (unsigned)currency.exp, &ret->minor, problem))
		return -1;
	ret->currency = currency;
	return 0;
}

enum exit_status amount_take(const char *text, const struct currency *usual, struct amount *ret)
{
	const char *problem;

	if (amount_read(text, usual, ret, &problem) == 0)
		return EXIT_OK;
	tell("%s: %s", text, problem);
	return EXIT_USAGE;
}

const char *amount_words(int argc, char **argv, struct buf *out)
{
	if (argc < 1)
		return "the amount is missing: write it as in 12.50";
	if (argc > 2)
		return "one amount is wanted, as in 12.50 or EUR 12.50; words with blanks need \"quotes\"";
	buf_str(out, argv[0]);
	if (argc == 2)
		buf_printf(out, " %s", argv[1]);
	return amount_problem(out->data);
}

void amount_write(struct buf *out, const struct amount *amount)
{
	json_int(out, "amount", amount->minor);
	json_str(out, "currency", amount->currency.code);
	json_int(out, "exp", amount->currency.exp);
}

/* ---- Currencies ---- */

static struct currency currency_make(const char *code, int64_t exp)
{
	struct currency currency = { .exp = exp };

	strncpy(currency.code, code, CURRENCY_LEN);
	return currency;
}

struct currency currency_of(const struct wire_terms *terms)
{
	return currency_make(terms->currency, terms->exp.value);
}

const char *currency_problem(const char *code)
{
	return currency_exp(code) >= 0 ? NULL : "a currency is its ISO 4217 code in capitals, as in EUR";
}

struct currency currency_named(const char *code)
{
	return currency_make(code, currency_exp(code));
}

enum exit_status learn_currency(struct fund *fund, struct currency *ret)
{
	struct problem problem;
	struct wire_status status;
	struct reply reply;
	enum exit_status result = ask(fund, "Status", &(struct buf)BUF_INIT, &reply);

	if (result != EXIT_OK)
		return result;
	if (wire_status(reply.parameters, &status, &problem))
		*ret = currency_make(status.currency, status.exp.value);
	else
		result = reply_tell_foreign(&problem);
	reply_release(&reply);
	return result;
}

/* ---- Budgets ---- */

static enum exit_status budget_needed(const json_t *budgets)
{
	const char *names[JSON_STRINGS_MAX];
	struct buf sentence = BUF_INIT;
	struct problem problem;
	struct wire_budget budget;
	size_t count, i;

	for (i = count = 0; i < json_array_len(budgets) && count < JSON_STRINGS_MAX; i++)
		if (wire_budget(json_array_at(budgets, i), &budget, &problem))
			names[count++] = budget.name;
	say_budget_needed(&sentence, names, count);
	tell("%s", sentence.data);
	buf_release(&sentence);
	return err_exit_status(ERR_BUDGET_NEEDED);
}

/* One's own before any other; an only one is as good when it may be a pool. */
static enum exit_status budget_pick(const json_t *budgets, bool own, struct wire_budget *ret)
{
	size_t count = json_array_len(budgets), i;
	struct problem problem;

	for (i = 0; i < count; i++) {
		if (!wire_budget(json_array_at(budgets, i), ret, &problem))
			return reply_tell_foreign(&problem);
		if (ret->terms.owner.set && ret->terms.owner.value == geteuid())
			return EXIT_OK;
	}
	if (count == 1 && !own)
		return EXIT_OK;
	return own ? tell("you have no budget of your own; name one: fund topup NAME AMOUNT"), EXIT_REFUSED
		   : budget_needed(budgets);
}

enum exit_status learn_budget(struct fund *fund, const char *name, bool own, struct learned *ret)
{
	struct buf parameters = BUF_INIT;
	const json_t *budgets, *budget;
	struct problem problem;
	enum exit_status status;

	json_open(&parameters, NULL, '{');
	if (name) {
		json_open(&parameters, "budgets", '[');
		json_str(&parameters, NULL, name);
		json_close(&parameters, ']');
	}
	json_close(&parameters, '}');
	status = ask(fund, "Balance", &parameters, &ret->reply);
	buf_release(&parameters);
	if (status != EXIT_OK)
		return status;
	if (!wire_balance(ret->reply.parameters, &budgets, &budget, &problem))
		return reply_tell_foreign(&problem);
	if (!name)
		return budget_pick(budgets, own, &ret->budget);
	if (!wire_budget(json_array_at(budgets, 0), &ret->budget, &problem))
		return reply_tell_foreign(&problem);
	return EXIT_OK;
}

void learned_release(struct learned *learned)
{
	reply_release(&learned->reply);
}

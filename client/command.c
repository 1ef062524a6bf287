#include "command.h"

#include <stdio.h>
#include <string.h>

#include "common/money.h"
#include "common/text.h"
#include "render.h"
#include "tell.h"

#define ID_OF_NOTHING "00000000-0000-4000-8000-000000000001"	/* a dry run uses up no id */

const char *words_option(const char *value)
{
	return words_problem(value);
}

int command_begin(struct fund *fund, const struct command *command, void *options, int argc,
		  char **argv)
{
	int first = options_parse(fund, command, options, argc, argv);

	if (first < 0)
		fund->help = false;
	else if (fund->help)
		command_help(command);
	return fund->help ? -1 : first;
}

enum exit_status command_over(const struct fund *fund)
{
	return fund->help ? EXIT_OK : EXIT_USAGE;
}

bool amount_read(const char *text, const char *currency, int64_t exp, int64_t *ret,
		 struct buf *problem)
{
	char given[CURRENCY_LEN + 1];
	const char *sentence, *digits;

	if (money_split(text, given, &digits, &sentence) < 0 ||
	    (!(*given && strcmp(given, currency)) &&
	     money_parse(digits, (unsigned)exp, ret, &sentence) < 0)) {
		buf_printf(problem, "%s: %s", text, sentence);
		return false;
	}
	if (!*given || !strcmp(given, currency))
		return true;
	buf_printf(problem, "%s: this is kept in %s, not in %s", text, currency, given);
	return false;
}

bool amount_take(const char *text, const char *currency, int64_t exp, int64_t *ret)
{
	struct buf problem = BUF_INIT;
	bool read = amount_read(text, currency, exp, ret, &problem);

	if (!read)
		tell("%s", problem.data);
	buf_release(&problem);
	return read;
}

int amount_words(int argc, char **argv, struct buf *ret)
{
	if (argc > 1 && currency_exp(argv[0]) >= 0) {
		buf_printf(ret, "%s %s", argv[0], argv[1]);
		return 2;
	}
	if (argc > 0)
		buf_str(ret, argv[0]);
	return argc > 0;
}

/* Of several, the one a spend takes: the one with an owner, else the only pool. */
static const json_t *budget_choose(const json_t *budgets, struct wire_budget *ret,
				   struct problem *problem)
{
	size_t count = json_array_len(budgets);

	for (size_t i = 0; i < count; i++) {
		if (!wire_budget(json_array_at(budgets, i), ret, problem))
			return NULL;
		if (ret->terms.owner.set || count == 1)
			return json_array_at(budgets, i);
	}
	return NULL;
}

static enum exit_status tell_needed(const json_t *budgets)
{
	struct wire_budget budget;
	struct problem problem;
	struct buf text = BUF_INIT;
	const char *names[16];
	size_t count = 0, i;

	for (i = 0; i < json_array_len(budgets) && count < 16; i++)
		if (wire_budget(json_array_at(budgets, i), &budget, &problem))
			names[count++] = budget.name;
	say_budget_needed(&text, names, count);
	tell("%s", text.data);
	buf_release(&text);
	return EXIT_REFUSED;
}

enum exit_status budget_fetch(struct fund *fund, const char *name, struct budget_reply *ret)
{
	struct refusal_hint hint = REFUSAL_NO_HINT;
	struct buf parameters = BUF_INIT;
	const json_t *budgets, *one;
	struct problem problem = { .text = "" };
	enum exit_status status;

	json_open(&parameters, NULL, '{');
	if (name) {
		json_open(&parameters, "budgets", '[');
		json_str(&parameters, NULL, name);
		json_close(&parameters, ']');
	}
	json_close(&parameters, '}');
	status = request_read(fund, "Balance", &parameters, &hint, &ret->reply);
	buf_release(&parameters);
	if (status != EXIT_OK)
		return status;
	if (!wire_balance(ret->reply.parameters, &budgets, &one, &problem))
		status = reply_tell_foreign(&problem);
	else if (!budget_choose(budgets, &ret->budget, &problem))
		status = *problem.text ? reply_tell_foreign(&problem) : tell_needed(budgets);
	if (status != EXIT_OK)
		reply_release(&ret->reply);
	return status;
}

enum exit_status currency_fetch(struct fund *fund, char currency[4], int64_t *exp)
{
	struct refusal_hint hint = REFUSAL_NO_HINT;
	struct buf nothing = BUF_INIT;
	struct wire_status says;
	struct problem problem;
	struct reply reply;
	enum exit_status status = request_read(fund, "Status", &nothing, &hint, &reply);

	if (status != EXIT_OK)
		return status;
	if (wire_status(reply.parameters, &says, &problem) &&
	    strlen(says.currency) == CURRENCY_LEN) {
		snprintf(currency, 4, "%s", says.currency);
		*exp = says.exp.value;
	} else {
		status = reply_tell_foreign(&problem);
	}
	reply_release(&reply);
	return status;
}

static enum exit_status stream_print(struct fund *fund, const struct refusal_hint *hint,
				     enum exit_status (*print)(void *context,
							       const struct reply *reply),
				     void *context)
{
	enum exit_status status = EXIT_OK;
	bool more = true;

	while (more && status == EXIT_OK) {
		struct reply reply;

		if (link_read(&fund->link, &reply) != LINK_OK) {
			tell("the answer broke off: %s. Type it again: nothing is done twice.",
			     fund->link.problem);
			return EXIT_UNREACHABLE;
		}
		more = reply.continues;
		status = reply.error ? refusal_tell(&reply, hint) : print(context, &reply);
		reply_release(&reply);
	}
	return status;
}

enum exit_status stream_ask(struct fund *fund, const char *method, struct buf *parameters,
			    enum exit_status (*print)(void *context, const struct reply *reply),
			    void *context)
{
	struct refusal_hint hint = { .line = fund->line, .method = method };
	enum exit_status status = fund_begin(fund);

	if (status == EXIT_OK && link_send(&fund->link, method, parameters, true) != LINK_OK) {
		tell("cannot reach fundd at %s: %s", fund->socket, fund->link.problem);
		status = EXIT_UNREACHABLE;
	}
	buf_release(parameters);
	return status == EXIT_OK ? stream_print(fund, &hint, print, context) : status;
}

/* A dry run's budget is as it still stands; what is said is how it would be. */
static void answer_foresee(struct wire_answer *answer)
{
	const struct wire_entry *entry = &answer->entry;

	if (entry->from && !strcmp(entry->from, answer->budget.name))
		answer->budget.balance = entry->from_after;
	else if (entry->to && !strcmp(entry->to, answer->budget.name))
		answer->budget.balance = entry->to_after;
}

static void answer_print(const struct fund *fund, const struct reply *reply,
			 struct wire_answer *answer, bool dry_run,
			 void (*say)(struct buf *out, const struct wire_answer *answer))
{
	struct buf text = BUF_INIT;

	if (fund->json) {
		print_json(reply->parameters);
		return;
	}
	if (dry_run) {
		answer_foresee(answer);
		buf_str(&text, "Dry run, nothing is recorded: ");
	}
	say(&text, answer);
	if (!dry_run)
		buf_printf(&text, "  (entry %lld%s)", (long long)answer->entry.seq.value,
			   answer->replayed ? ", recorded before" : "");
	buf_char(&text, '\n');
	print_text(&text);
}

/* Who only sees that it failed would ask again, for a second entry. */
static void unheard_tell(const struct wire_answer *answer)
{
	if (!print_flush())
		tell("entry %lld is recorded, only the answer could not be written out: do not ask "
		     "again",
		     (long long)answer->entry.seq.value);
}

/* The parameters with an id, for what keeps none. */
static void dry_parameters(struct buf *parameters)
{
	parameters->len--;
	json_str(parameters, "id", ID_OF_NOTHING);
	json_bool(parameters, "dry_run", true);
	json_close(parameters, '}');
}

enum exit_status change_ask(struct fund *fund, const char *method, struct buf *parameters,
			    const char *id, bool dry_run, const struct refusal_hint *hint,
			    void (*say)(struct buf *out, const struct wire_answer *answer))
{
	struct wire_answer answer;
	struct problem problem;
	struct reply reply;
	enum exit_status status;

	if (dry_run)
		dry_parameters(parameters);
	status = dry_run ? request_read(fund, method, parameters, hint, &reply)
			 : request_ask(fund, method, parameters, id, hint, &reply);
	buf_release(parameters);
	if (status != EXIT_OK)
		return status;
	if (!wire_answer(reply.parameters, &answer, &problem)) {
		status = reply_tell_foreign(&problem);
	} else {
		answer_print(fund, &reply, &answer, dry_run, say);
		if (!dry_run)
			unheard_tell(&answer);
	}
	reply_release(&reply);
	return status;
}

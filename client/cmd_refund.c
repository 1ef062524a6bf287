#include <string.h>

#include "command.h"
#include "common/money.h"
#include "render.h"
#include "tell.h"

struct refund_options {
	const char *reason, *id;
	bool dry_run;
};

static const struct option_row refund_options[] = {
	{ "for", "REASON", offsetof(struct refund_options, reason), words_option, "what it is for" },
	{ "id", "UUID", offsetof(struct refund_options, id), uuid_problem, "the request's own id" },
	{ "dry-run", NULL, offsetof(struct refund_options, dry_run), NULL, "record nothing" },
	OPTIONS_END
};

static void say_refunded(struct buf *out, const struct wire_answer *answer)
{
	const char *to = answer->entry.to;

	buf_str(out, "Refunded ");
	say_money(out, answer->entry.currency, answer->entry.exp.value, answer->entry.amount.value);
	buf_printf(out, " of entry %lld to %s. %s has ", (long long)answer->entry.ref.value,
		   !strcmp(to, "company") ? "the company" : to, answer->budget.name);
	say_left(out, &answer->budget);
	buf_char(out, '.');
}

/* The amount is in the currency of what is refunded: a dry run of the whole refund tells which. */
static enum exit_status amount_fetch(struct fund *fund, long long ref, const char *text,
				     int64_t *ret)
{
	struct refusal_hint hint = { .line = fund->line, .method = "Refund" };
	struct buf parameters = BUF_INIT;
	struct wire_answer answer;
	struct problem problem;
	struct reply reply;
	char id[UUID_LEN + 1];
	enum exit_status status;

	request_new_id(id);
	json_open(&parameters, NULL, '{');
	json_int(&parameters, "ref", ref);
	json_str(&parameters, "id", id);
	json_bool(&parameters, "dry_run", true);
	json_close(&parameters, '}');
	status = request_read(fund, "Refund", &parameters, &hint, &reply);
	buf_release(&parameters);
	if (status != EXIT_OK)
		return status;
	if (!wire_answer(reply.parameters, &answer, &problem))
		status = reply_tell_foreign(&problem);
	else if (!amount_take(text, answer.entry.currency, answer.entry.exp.value, ret))
		status = EXIT_USAGE;
	reply_release(&reply);
	return status;
}

static enum exit_status refund_ask(struct fund *fund, const struct refund_options *options,
				   long long ref, const char *text)
{
	struct refusal_hint hint = { .line = fund->line, .method = "Refund" };
	struct buf parameters = BUF_INIT;
	int64_t amount = 0;
	enum exit_status status = fund_connect(fund);

	if (status == EXIT_OK && text)
		status = amount_fetch(fund, ref, text, &amount);
	if (status != EXIT_OK)
		return status;
	json_open(&parameters, NULL, '{');
	json_int(&parameters, "ref", ref);
	if (text)
		json_int(&parameters, "amount", amount);
	if (options->reason)
		json_str(&parameters, "reason", options->reason);
	json_close(&parameters, '}');
	return change_ask(fund, "Refund", &parameters, options->id, options->dry_run, &hint,
			  say_refunded);
}

static enum exit_status refund_run(struct fund *fund, int argc, char **argv)
{
	struct refund_options options = { NULL };
	struct buf amount = BUF_INIT;
	long long ref = -1;
	int first = command_begin(fund, &cmd_refund, &options, argc, argv), words;
	enum exit_status end;

	if (first < 0)
		return command_over(fund);
	if (first < argc)
		ref = number_parse(argv[first++]);
	words = amount_words(argc - first, argv + first, &amount);
	if (ref < 0)
		end = usage_error(&cmd_refund, "the number of an entry is needed, "
				  "then perhaps an amount");
	else if (words != argc - first)
		end = usage_surplus(&cmd_refund, argv[first + words]);
	else
		end = refund_ask(fund, &options, ref, amount.data);
	buf_release(&amount);
	return end;
}

const struct command cmd_refund = {
	"refund", "SEQ [AMOUNT] [--for REASON] [--id UUID] [--dry-run]",
	"Take a spend or a top-up back, in whole or in part", refund_options, refund_run
};

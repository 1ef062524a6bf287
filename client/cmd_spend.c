#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "command.h"
#include "common/text.h"
#include "render.h"
#include "tell.h"

struct spend_options {
	const char *reason, *customer, *category, *incident, *evidence, *budget, *id, *batch;
	bool dry_run;
};

#define OPTION(...) OPTION_ROW(spend_options, __VA_ARGS__)

static const struct option_row spend_options[] = {
	OPTION("for", reason, "REASON", words_option, "what it is for"),
	OPTION("customer", customer, "REF", words_option, "whom it helps"),
	OPTION("category", category, "TAG", tag_problem, "a tag such as late-delivery"),
	OPTION("incident", incident, "REF", words_option, "the case it belongs to"),
	OPTION("evidence", evidence, "FILE", NULL, "a file: its SHA-256 and name are recorded"),
	OPTION("budget", budget, "NAME", name_problem, "another budget than your own"),
	OPTION("id", id, "UUID", uuid_problem, "the request's own id"),
	OPTION("batch", batch, "FILE", NULL, "a CSV file of spends, - for stdin"),
	OPTION("dry-run", dry_run, NULL, NULL, "say what would happen, record nothing"),
	OPTIONS_END
};

/* "sha256:HEX NAME" of a file. */
static bool evidence_take(const char *path, struct buf *ret)
{
	crypto_hash_sha256_state state;
	unsigned char digest[crypto_hash_sha256_BYTES], bytes[65536];
	char hex[2 * sizeof(digest) + 1];
	const char *slash = strrchr(path, '/');
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	crypto_hash_sha256_init(&state);
	while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
		crypto_hash_sha256_update(&state, bytes, (unsigned long long)n);
	if (n < 0) {
		tell("--evidence %s: %s", path, strerror(errno));
	} else {
		crypto_hash_sha256_final(&state, digest);
		sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
		buf_printf(ret, "sha256:%s %s", hex, slash ? slash + 1 : path);
	}
	if (fd >= 0)
		close(fd);
	if (n >= 0 && words_problem(ret->data)) {
		tell("--evidence %s: the file's name: %s", path, words_problem(ret->data));
		return false;
	}
	return n >= 0;
}

static void say_spent(struct buf *out, const struct wire_answer *answer)
{
	buf_str(out, "Spent ");
	say_money(out, answer->entry.currency, answer->entry.exp.value, answer->entry.amount.value);
	buf_printf(out, " from %s. ", answer->budget.name);
	say_left(out, &answer->budget);
	buf_char(out, '.');
}

static void text_add(struct buf *out, const char *key, const char *value)
{
	if (value)
		json_str(out, key, value);
}

static enum exit_status spend_send(struct fund *fund, const struct spend_options *options,
				   const struct budget_reply *from, int64_t amount,
				   const char *evidence)
{
	struct refusal_hint hint = { .budget = &from->budget, .amount = amount,
				     .line = fund->line, .method = "Spend" };
	struct buf parameters = BUF_INIT;

	json_open(&parameters, NULL, '{');
	json_int(&parameters, "amount", amount);
	json_str(&parameters, "currency", from->budget.terms.currency);
	json_int(&parameters, "exp", from->budget.terms.exp.value);
	json_str(&parameters, "reason", options->reason);
	json_str(&parameters, "budget", from->budget.name);
	text_add(&parameters, "customer", options->customer);
	text_add(&parameters, "incident", options->incident);
	text_add(&parameters, "category", options->category);
	text_add(&parameters, "evidence", evidence);
	json_close(&parameters, '}');
	return change_ask(fund, "Spend", &parameters, options->id, options->dry_run, &hint,
			  say_spent);
}

static enum exit_status spend_one(struct fund *fund, const struct spend_options *options,
				  const char *amount_text)
{
	struct buf evidence = BUF_INIT;
	struct budget_reply from;
	int64_t amount;
	enum exit_status status;

	if (options->evidence && !evidence_take(options->evidence, &evidence)) {
		buf_release(&evidence);
		return EXIT_USAGE;
	}
	status = fund_connect(fund);
	if (status == EXIT_OK)
		status = budget_fetch(fund, options->budget, &from);
	if (status == EXIT_OK) {
		status = EXIT_USAGE;
		if (amount_take(amount_text, from.budget.terms.currency,
				from.budget.terms.exp.value, &amount))
			status = spend_send(fund, options, &from, amount, evidence.data);
		reply_release(&from.reply);
	}
	buf_release(&evidence);
	return status;
}

/* What a batch has in its rows; given beside the file it would be left out unsaid. */
static bool row_options(const struct spend_options *options)
{
	return options->reason || options->customer || options->category || options->incident ||
	       options->evidence || options->id;
}

static enum exit_status spend_run(struct fund *fund, int argc, char **argv)
{
	struct spend_options options = { NULL };
	struct buf amount = BUF_INIT;
	int first = command_begin(fund, &cmd_spend, &options, argc, argv), words;
	enum exit_status end;

	if (first < 0)
		return command_over(fund);
	if (options.batch && argc == first && !row_options(&options))
		return batch_run(fund, options.batch, options.budget, options.dry_run);
	if (options.batch)
		return usage_error(&cmd_spend, "with --batch, all that is said of a "
				   "spend stands in the file; only --budget and "
				   "--dry-run go with it");
	words = amount_words(argc - first, argv + first, &amount);
	if (!words)
		end = usage_error(&cmd_spend, "one amount is needed, such as 12.50");
	else if (words != argc - first)
		end = usage_surplus(&cmd_spend, argv[first + words]);
	else if (!options.reason)
		end = usage_error(&cmd_spend, "say what it is for: --for REASON");
	else
		end = spend_one(fund, &options, amount.data);
	buf_release(&amount);
	return end;
}

const struct command cmd_spend = {
	"spend", "AMOUNT --for REASON [--customer REF] [--category TAG] [--incident REF] "
	"[--evidence FILE] [--budget NAME] [--id UUID] [--dry-run] | --batch FILE",
	"Put a customer's problem right", spend_options, spend_run
};

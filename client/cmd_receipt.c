#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "files.h"
#include "render.h"
#include "tell.h"
#include "wire_proof.h"

struct receipt_options {
	const char *output;
	bool proof;
};

static const struct option_row receipt_options[] = {
	{"output", "FILE", offsetof(struct receipt_options, output), NULL, "into this file", 'o'},
	{"proof", NULL, offsetof(struct receipt_options, proof), NULL,
	 "the bare bundle, for other verifiers"},
	OPTIONS_END};

/* There are words in it: it is as private as the person's other files. */
static int mode_usual(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return (int)(0666 & ~mask);
}

static bool file_put(const char *path, const struct buf *text)
{
	const char *slash = strrchr(path, '/');
	struct buf place = BUF_INIT;
	int dir;
	bool done;

	buf_add(&place, slash ? path : "./", slash ? (size_t)(slash + 1 - path) : 2);
	dir = open(place.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	done = dir >= 0 && file_replace(dir, slash ? slash + 1 : path, text->data, text->len,
					mode_usual(), DURABLE_NOT);
	if (!done)
		tell("%s: %s", path, strerror(errno));
	if (dir >= 0)
		close(dir);
	buf_release(&place);
	return done;
}

/* One that does not hold, or is another entry's, is not shown. That its head is one of this
 * ledger's watch_end says, or ends with EXIT_UNVERIFIED. */
static enum exit_status receipt_put(struct fund *fund, const struct receipt_options *options,
				    const struct reply *reply, int64_t seq)
{
	struct wanted wanted = { .seq = seq };
	struct receipt receipt;
	struct problem problem;
	struct buf text = BUF_INIT;
	enum exit_status status = EXIT_OK;

	if (!wire_receipt(reply->parameters, &receipt, &problem) || !receipt.bundle)
		return reply_tell_foreign(&problem);
	watch_receipt(&fund->watch, reply->parameters, &wanted);
	if (alarm_raised(&fund->watch.alarm))
		return EXIT_UNVERIFIED;
	if (options->proof)
		buf_add(&text, receipt.bundle, receipt.bundle_len);
	else
		receipt_format(&text, &receipt);
	if (options->output && !file_put(options->output, &text))
		status = EXIT_FAILED;
	else if (!options->output && fund->json)
		print_json(reply->parameters);
	else if (!options->output)
		fwrite(text.data, 1, text.len, stdout);
	buf_release(&text);
	return status;
}

static enum exit_status receipt_run(struct fund *fund, int argc, char **argv)
{
	struct receipt_options options = { NULL };
	struct refusal_hint hint = { .line = fund->line, .method = "Prove" };
	struct buf parameters = BUF_INIT;
	struct reply reply;
	int first = command_begin(fund, &cmd_receipt, &options, argc, argv);
	long long seq = first >= 0 && argc - first == 1 ? number_parse(argv[first]) : -1;
	enum exit_status end;

	if (first < 0)
		return command_over(fund);
	if (seq < 0)
		return usage_error(&cmd_receipt, "the number of an entry is needed");
	json_open(&parameters, NULL, '{');
	json_int(&parameters, "seq", seq);
	json_close(&parameters, '}');
	end = fund_begin(fund);
	if (end == EXIT_OK)
		end = request_read(fund, "Prove", &parameters, &hint, &reply);
	buf_release(&parameters);
	if (end != EXIT_OK)
		return end;
	end = receipt_put(fund, &options, &reply, seq);
	reply_release(&reply);
	return end;
}

const struct command cmd_receipt = {"receipt", "SEQ [-o FILE] [--proof]",
				    "The proof of an entry, to be kept or shown", receipt_options,
				    receipt_run};

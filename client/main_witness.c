/*
 * fund witness: sees that the ledger only grows, and signs that it saw it. What it cosigned
 * nobody can rewrite unnoticed, not even who owns the ledger's key and machine.
 *
 * What always holds: a head is cosigned only after it was proven to extend the one that was
 * cosigned before, and after it is on the disk here, so that no crash makes a witness sign two
 * ledgers.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "files.h"
#include "render.h"
#include "tell.h"
#include "witness_key.h"

#define EVERY_S 10

struct witness_options {
	const char *name, *dir, *vkey, *every, *connect;
	bool key, follow;
};

#define OPTION(...) OPTION_ROW(witness_options, __VA_ARGS__)

static const struct option_row witness_options[] = {
	OPTION("key", key, NULL, NULL, "print the witness's verifier key, and nothing else"),
	OPTION("follow", follow, NULL, NULL, "do not end: look again and again"),
	OPTION("every", every, "SECONDS", count_problem,
	       "with --follow: how often; 10 if not given"),
	OPTION("vkey", vkey, "VKEY", ledger_key_problem, "the ledger's key, for the first look"),
	OPTION("name", name, "NAME", origin_problem, "the witness's name, when its key is made"),
	OPTION("dir", dir, "DIR", NULL, "where the key and what was seen are kept"),
	OPTION_CONNECT(witness_options),
	OPTIONS_END
};

static const struct command witness_command = {
	"witness",
	"[--follow [--every SECONDS]] [--vkey VKEY] [--name NAME] [--dir DIR] [--connect COMMAND] "
	"| --key",
	"See that the ledger only grows, and cosign it (auditors)", witness_options, NULL
};

struct witness {
	struct fund *fund;
	const struct witness_options *options;
	struct buf path;
	struct signer signer;
	uint64_t cosigned;		/* entries of the head cosigned last, while following */
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* ---- One look ---- */

/* The head as the ledger signed it, and this witness's line. */
static bool note_make(const struct witness *witness, struct buf *out)
{
	const struct watch *watch = &witness->fund->watch;
	const struct verifier *own = &witness->signer.verifier;
	uint8_t cosignature[COSIGNATURE_SIZE];
	struct note note;

	if (note_parse(watch->note.data, watch->note.len, &note))
		return false;
	buf_add(out, note.text, note.text_len);
	buf_char(out, '\n');
	for (unsigned i = 0; i < note.count; i++)
		for (unsigned k = 0; k < watch->keys.count; k++)
			if (note_signed_as(&note.signature[i], &watch->keys.key[k].verifier))
				note_sign(out, watch->head.origin, note.signature[i].id,
					  note.signature[i].bytes, note.signature[i].len);
	cosignature_make(&witness->signer, note.text, note.text_len, (uint64_t)time(NULL),
			 cosignature);
	note_sign(out, own->name, own->id, cosignature, sizeof(cosignature));
	return true;
}

static enum exit_status cosign_ask(struct fund *fund, const struct buf *parameters)
{
	struct refusal_hint hint = { .method = "Cosign" };
	struct reply reply;
	enum exit_status status = EXIT_OK;

	if (link_call(&fund->link, "Cosign", parameters, false, &reply) != LINK_OK)
		return tell_unreachable(fund);
	if (reply.error) {
		status = refusal_tell(&reply, &hint);
		if (refusal_code(&reply) == ERR_MALFORMED) {
			tell_more(
				"fund witness --key prints the key that [witnesses] of fund.conf must name.");
			status = EXIT_NOT_PERMITTED;
		}
	}
	reply_release(&reply);
	return status;
}

static enum exit_status cosign(const struct witness *witness)
{
	struct buf note = BUF_INIT, parameters = BUF_INIT;
	enum exit_status status = EXIT_FAILED;

	if (note_make(witness, &note)) {
		json_open(&parameters, NULL, '{');
		json_strn(&parameters, "checkpoint", note.data, note.len);
		json_close(&parameters, '}');
		status = cosign_ask(witness->fund, &parameters);
	}
	buf_release(&note);
	buf_release(&parameters);
	return status;
}

static void print_cosigned(const struct witness *witness, uint64_t before)
{
	const struct checkpoint *head = &witness->fund->watch.head;
	struct buf out = BUF_INIT;

	if (witness->fund->json) {
		json_open(&out, NULL, '{');
		json_str(&out, "origin", head->origin);
		json_int(&out, "size", (int64_t)head->size);
		json_int(&out, "before", (int64_t)before);
		json_close(&out, '}');
	} else if (before) {
		buf_printf(&out, "Cosigned %s: %" PRIu64 " entries, %" PRIu64 " more than before.",
			   head->origin, head->size, head->size - before);
	} else {
		buf_printf(&out, "Cosigned %s: %" PRIu64 " entries, seen for the first time.",
			   head->origin, head->size);
	}
	buf_char(&out, '\n');
	print_text(&out);
	fflush(stdout);
}

/* At the first look the key may be known from elsewhere. */
static bool key_expected(const struct witness *witness)
{
	const struct watch *watch = &witness->fund->watch;
	struct verifier wanted;

	if (!witness->options->vkey || ledger_key_parse(witness->options->vkey, &wanted))
		return true;
	for (unsigned i = 0; i < watch->keys.count; i++)
		if (key_same(&watch->keys.key[i].verifier, &wanted))
			return true;
	tell("this ledger is not signed with the key that was given; nothing was cosigned");
	return false;
}

static enum exit_status look(struct witness *witness)
{
	struct watch *watch = &witness->fund->watch;
	uint64_t before;
	enum exit_status status;

	if (!watch_settle(watch))
		return tell_unsettled(witness->fund);
	if (!key_expected(witness)) {
		watch_release(watch);
		return EXIT_UNVERIFIED;
	}
	before = watch->state.note.len ? watch->state.head.size : 0;
	if (witness->options->follow && watch->head.size == witness->cosigned)
		return EXIT_OK;
	if (!watch_remember(watch))
		return alarm_raised(&watch->alarm)
			       ? EXIT_UNVERIFIED
			       : tell("what was seen cannot be kept in %s, so nothing is cosigned",
				      witness->path.data);
	status = cosign(witness);
	if (status != EXIT_OK)
		return status;
	witness->cosigned = watch->head.size;
	print_cosigned(witness, before);
	return EXIT_OK;
}

static enum exit_status look_once(struct witness *witness)
{
	struct fund *fund = witness->fund;
	enum exit_status status;

	fund->watch = (struct watch)WATCH_INIT;
	fund->watch.base = witness->path.data;
	fund->watch.state.durable = DURABLE_NEW;
	status = fund_connect(fund);
	if (status == EXIT_OK)
		status = look(witness);
	status = watch_end(&fund->watch, status);
	watch_release(&fund->watch);
	link_close(&fund->link);
	return status;
}

/* Until a signal, or until the ledger is not what it was: that is not looked past. */
static enum exit_status look_on(struct witness *witness)
{
	const char *every = witness->options->every;
	const struct timespec pause = { every ? (time_t)number_parse(every) : EVERY_S, 0 };
	const struct sigaction action = { .sa_handler = on_signal };
	enum exit_status status = EXIT_OK;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	while (!stopped && (status == EXIT_OK || status == EXIT_UNREACHABLE)) {
		status = look_once(witness);
		if (!stopped && (status == EXIT_OK || status == EXIT_UNREACHABLE))
			nanosleep(&pause, NULL);
	}
	return stopped ? EXIT_OK : status;
}

/* ---- The witness itself ---- */

static enum exit_status key_print(const struct witness *witness, bool made)
{
	char vkey[VKEY_MAX + 1];

	vkey_format(&witness->signer.verifier, vkey);
	if (witness->options->key) {
		puts(vkey);
		return EXIT_OK;
	}
	if (made) {
		tell("a key was made for this witness. For the section [witnesses] of fund.conf:");
		tell_more("require = %s", vkey);
	}
	return witness->options->follow ? look_on((struct witness *)witness)
					: look_once((struct witness *)witness);
}

static enum exit_status witness_run(struct witness *witness, int dir)
{
	enum exit_status status;
	const char *problem;
	bool made;

	if (flock(dir, LOCK_EX | LOCK_NB) && !witness->options->key)
		return tell("another fund witness is at work in %s", witness->path.data);
	problem = witness_key_open(dir, witness->options->name, &witness->signer, &made);
	if (problem)
		return tell("the witness in %s: %s", witness->path.data, problem);
	status = key_print(witness, made);
	signer_close(&witness->signer);
	return status;
}

static bool path_take(struct witness *witness)
{
	if (witness->options->dir) {
		buf_str(&witness->path, witness->options->dir);
		return true;
	}
	if (!home_path(&witness->path))
		return false;
	buf_str(&witness->path, "/witness");
	return true;
}

static enum exit_status run(struct fund *fund, int argc, char **argv)
{
	struct witness_options options = { NULL };
	struct witness witness = { .fund = fund, .options = &options };
	int first = command_begin(fund, &witness_command, &options, argc, argv), dir;
	enum exit_status end;

	if (first < 0)
		return command_over(fund);
	fund->command = options.connect;
	if (first < argc || (options.every && !options.follow))
		return usage_error(&witness_command, first < argc ? "it takes no arguments"
								  : "--every goes with --follow");
	if (!path_take(&witness))
		return tell(
			"neither HOME nor XDG_STATE_HOME says where to keep what was seen; give --dir");
	dir = dir_open(witness.path.data, true);
	end = dir < 0 ? tell("%s: %s", witness.path.data, strerror(errno))
		      : witness_run(&witness, dir);
	if (dir >= 0)
		close(dir);
	buf_release(&witness.path);
	return end;
}

int main(int argc, char **argv)
{
	return fund_main("fund witness", argc, argv, run);
}

/*
 * fund verify: whether the ledger is still what was signed, for people who trust neither the
 * daemon nor its machine.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "command.h"
#include "leaves.h"
#include "progress.h"
#include "render.h"
#include "tell.h"

#define ASIDES_HELD 32	/* proofs asked for at a time */

struct verify_options {
	const char *vkey, *witness, *leaf, *connect;
	bool full;
};

static const char *witness_problem(const char *text)
{
	struct verifier verifier;

	return vkey_parse(text, &verifier) && verifier.type == KEY_COSIGNER
		       ? NULL
		       : "this is not the verifier key of a witness, which fund witness prints";
}

#define OPTION(...) OPTION_ROW(verify_options, __VA_ARGS__)

static const struct option_row verify_options[] = {
	OPTION("full", full, NULL, NULL, "every entry and every balance (managers and auditors)"),
	OPTION("vkey", vkey, "VKEY", ledger_key_problem,
	       "the ledger's key, instead of the remembered one"),
	OPTION("witness", witness, "VKEY", witness_problem,
	       "checkpoints need this witness's cosignature"),
	OPTION("leaf", leaf, "FILE", NULL, "what a bare proof is about"),
	OPTION_CONNECT(verify_options),
	OPTIONS_END
};

static const struct command verify_command = {
	"verify",
	"[--full] [--connect COMMAND] | FILE... [--vkey VKEY] [--witness VKEY] [--leaf FILE]",
	"Check the ledger, or receipts, checkpoints and tiles in files", verify_options, NULL
};

/* ---- Nothing given: mine ---- */

struct mine {
	struct fund *fund;
	struct checkpoint last;		/* the head proven last, not to ask twice */
	uint64_t *seqs;
	size_t count, bad;
};

static const char *receipt_take(struct mine *mine, uint64_t seq, const struct buf *text)
{
	struct watch *watch = &mine->fund->watch;
	struct checkpoint head;
	struct receipt receipt;
	struct bundle bundle;
	struct entry entry;
	const char *problem = receipt_parse(text->data, text->len, &receipt);

	if (!problem)
		problem = keys_receipt(&watch->keys, &receipt, &entry, &head);
	if (!problem)
		problem = bundle_parse(receipt.bundle, receipt.bundle_len, &bundle);
	if (!problem && (uint64_t)entry.seq != seq)
		problem = "it is another entry's";
	if (problem ||
	    (head.size == mine->last.size && !memcmp(head.root, mine->last.root, HASH_SIZE)))
		return problem;
	mine->last = head;
	watch_head(watch, bundle.note, bundle.note_len, &head);
	while (watch->link->asides >= ASIDES_HELD && link_take_aside(watch->link))
		;
	return NULL;
}

static void receipts_take(struct mine *mine)
{
	struct progress progress;

	progress_begin(&progress);
	mine->count = state_receipts(&mine->fund->watch.state, &mine->seqs);
	for (size_t i = 0; i < mine->count; i++) {
		struct buf text = BUF_INIT;
		const char *problem = "it cannot be read";

		if (state_receipt(&mine->fund->watch.state, mine->seqs[i], &text))
			problem = receipt_take(mine, mine->seqs[i], &text);
		if (problem) {
			progress_end(&progress);
			tell("the receipt of entry %" PRIu64 ": %s", mine->seqs[i], problem);
			mine->bad++;
		}
		progress_show(&progress, i, mine->count);
		buf_release(&text);
	}
	progress_end(&progress);
}

static void print_mine(const struct mine *mine, uint64_t before)
{
	const struct watch *watch = &mine->fund->watch;
	struct buf out = BUF_INIT;
	size_t good = mine->count - mine->bad;

	if (mine->fund->json) {
		json_open(&out, NULL, '{');
		json_str(&out, "origin", watch->head.origin);
		json_int(&out, "size", (int64_t)watch->head.size);
		json_int(&out, "before", (int64_t)before);
		json_int(&out, "receipts", (int64_t)good);
		json_close(&out, '}');
		buf_char(&out, '\n');
		print_text(&out);
		return;
	}
	buf_printf(&out, "%s: %" PRIu64 " entries, signed with %s.\n", watch->head.origin,
		   watch->head.size,
		   before ? "the key you know" : "a key that is remembered from now on");
	if (before)
		buf_printf(&out,
			   "The %" PRIu64 " that you saw before are its beginning, unchanged.\n",
			   before);
	if (good)
		buf_printf(&out, "%zu receipt%s of yours: what %s stands in it.\n", good,
			   good == 1 ? "" : "s", good == 1 ? "it says" : "they say");
	print_text(&out);
}

static enum exit_status verify_mine(struct fund *fund)
{
	struct mine mine = { .fund = fund };
	enum exit_status status = fund_connect(fund);
	uint64_t before;

	if (status != EXIT_OK)
		return status;
	if (!watch_settle(&fund->watch))
		return tell_unsettled(fund);
	before = fund->watch.state.note.len ? fund->watch.state.head.size : 0;
	receipts_take(&mine);
	if (!watch_settle(&fund->watch))
		status = tell_unsettled(fund);
	else
		print_mine(&mine, before);
	free(mine.seqs);
	return mine.bad ? EXIT_UNVERIFIED : status;
}

/* ---- --full: all of it ---- */

static enum exit_status bad_entry(uint64_t seq, const char *problem)
{
	tell("entry %" PRIu64 ": %s", seq, problem);
	return EXIT_UNVERIFIED;
}

/* The remembered head, and at the end the head of now, must be those of these leaves. */
static const char *root_problem(const struct tally *tally, const struct checkpoint *head)
{
	uint8_t root[HASH_SIZE];

	if (tally->tree.size != head->size)
		return NULL;
	merkle_root(&tally->tree, root);
	return memcmp(root, head->root, HASH_SIZE)
		       ? "up to it, the leaves are not those that were signed" : NULL;
}

static enum exit_status leaves_tell(struct leaves *leaves, enum leaves_step step)
{
	struct refusal_hint hint = { .method = "Leaves" };
	enum exit_status status = EXIT_UNREACHABLE;

	if (step == LEAVES_REFUSED) {
		status = refusal_tell(&leaves->reply, &hint);
		reply_release(&leaves->reply);
	} else {
		tell("the leaves broke off at entry %" PRIu64 ": %s", leaves->next,
		     leaves->link->problem);
	}
	return status;
}

static enum exit_status leaves_take(struct fund *fund, struct leaves *leaves, struct tally *tally)
{
	const struct watch *watch = &fund->watch;
	const char *leaf, *problem = NULL;
	uint8_t hash[HASH_SIZE];
	enum leaves_step step;
	struct progress progress;
	size_t len;

	progress_begin(&progress);
	while ((step = leaves_next(leaves, &leaf, &len)) == LEAVES_ONE) {
		problem = tally_leaf(tally, leaf, len, hash);
		if (!problem && watch->state.note.len)
			problem = root_problem(tally, &watch->state.head);
		if (!problem)
			problem = root_problem(tally, &watch->head);
		if (problem)
			break;
		if (!(leaves->next & 1023))
			progress_show(&progress, leaves->next, leaves->end);
	}
	progress_end(&progress);
	if (problem)
		return bad_entry(leaves->next - 1, problem);
	return step == LEAVES_END ? EXIT_OK : leaves_tell(leaves, step);
}

/* The key that signs is the one that the entries name. */
static enum exit_status key_compare(const struct fund *fund, const struct tally *tally)
{
	const struct verifier *signs = keys_at(&fund->watch.keys, UINT64_MAX);
	const struct verifier *named = keys_at(&tally->keys, UINT64_MAX);

	if (key_same(signs, named))
		return EXIT_OK;
	tell("the ledger is signed with another key than its entries name");
	return EXIT_UNVERIFIED;
}

static void print_full(const struct fund *fund, const struct tally *tally)
{
	struct buf out = BUF_INIT;

	if (fund->json) {
		json_open(&out, NULL, '{');
		json_str(&out, "origin", tally->origin);
		json_int(&out, "size", (int64_t)tally->tree.size);
		json_tally(&out, tally);
		json_close(&out, '}');
	} else {
		buf_printf(&out,
			   "%s: all %" PRIu64
			   " entries are those that are signed, and every balance comes out.\n",
			   tally->origin, tally->tree.size);
		say_tally(&out, tally);
		buf_char(&out, '.');
	}
	buf_char(&out, '\n');
	print_text(&out);
}

static enum exit_status verify_full(struct fund *fund)
{
	struct tally tally = { .count = 0 };
	struct leaves leaves;
	enum exit_status status = fund_connect(fund);

	if (status != EXIT_OK)
		return status;
	if (!watch_settle(&fund->watch))
		return tell_unsettled(fund);
	if (!leaves_begin(&leaves, &fund->link, 0, fund->watch.head.size))
		return tell_unreachable(fund);
	status = leaves_take(fund, &leaves, &tally);
	if (status == EXIT_OK)
		status = key_compare(fund, &tally);
	if (status == EXIT_OK)
		print_full(fund, &tally);
	leaves_release(&leaves);
	tally_release(&tally);
	return status;
}

/* ---- Files ---- */

static enum exit_status verify_files(struct fund *fund, const struct verify_options *options,
				     int count, char **paths)
{
	struct check check = { .fund = fund, .vkey = options->vkey, .witness = options->witness,
			       .leaf = options->leaf, .state = STATE_INIT };
	enum exit_status status = EXIT_OK, this;

	for (int i = 0; i < count; i++) {
		this = check_path(&check, paths[i]);
		if (this != EXIT_OK && status != EXIT_UNVERIFIED)
			status = this;
	}
	check_release(&check);
	return status;
}

static enum exit_status run(struct fund *fund, int argc, char **argv)
{
	struct verify_options options = { NULL };
	int first = command_begin(fund, &verify_command, &options, argc, argv);
	bool offline = options.vkey || options.witness || options.leaf;

	if (first < 0)
		return command_over(fund);
	fund->command = options.connect;
	if (first < argc && (options.full || options.connect))
		return usage_error(&verify_command, "files are checked without the daemon");
	if (first < argc)
		return verify_files(fund, &options, argc - first, argv + first);
	if (offline)
		return usage_error(&verify_command, "--vkey, --witness and --leaf go with files");
	return options.full ? verify_full(fund) : verify_mine(fund);
}

int main(int argc, char **argv)
{
	return fund_main("fund verify", argc, argv, run);
}

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/memo.h"
#include "common/text.h"
#include "files.h"
#include "render.h"
#include "tell.h"

#define FILE_MAX RECEIPT_MAX

/* ---- With which key ---- */

static const char *given_key(struct check *check, const char *origin)
{
	struct verifier verifier;
	const char *problem = ledger_key_parse(check->vkey, &verifier);

	if (problem)
		return problem;
	if (strcmp(verifier.name, origin))
		return "it is another ledger's than the key that was given";
	/* what is remembered is compared all the same, where it can be read */
	if (state_open(&check->state, NULL, origin, NULL))
		state_close(&check->state);
	check->keys.count = 0;
	return keys_add(&check->keys, 0, &verifier);
}

const char *check_keys(struct check *check, const char *origin)
{
	const char *problem;

	if (check->vkey)
		return given_key(check, origin);
	problem = state_open(&check->state, NULL, origin, NULL);
	keys_copy(&check->keys, &check->state.keys);
	if (!problem && !check->keys.count)
		problem = "no key of this ledger is remembered here; give it with --vkey";
	return problem;
}

/* What is remembered must be on one line with it, as far as that shows without a proof. */
static const char *remembered_differs(const struct check *check, const struct checkpoint *head)
{
	return check->state.note.len && check->state.head.size == head->size &&
			       memcmp(check->state.head.root, head->root, HASH_SIZE)
		       ? "it is another one than the checkpoint that is remembered: the ledger was rewritten or split"
		       : NULL;
}

/* The checkpoint's origin, before anything is known of it. */
static const char *note_origin(const char *bytes, size_t len, struct checkpoint *ret,
			       struct note *note)
{
	const char *problem = note_parse(bytes, len, note);

	return problem ? problem : checkpoint_parse(note->text, note->text_len, ret);
}

/* ---- Printing ---- */

static void say_root(struct buf *out, const uint8_t root[HASH_SIZE])
{
	base64_encode(out, root, HASH_SIZE);
}

static void say_words(struct buf *out, const char *what, const char *words)
{
	if (words)
		buf_printf(out, "  %-9s %s\n", what, words);
}

/* They are what the leaf commits to, but may be written to forge lines here. */
static void say_private(struct buf *out, const char *what, const char *words)
{
	bool fit = !words || !words_problem(words);

	say_words(out, what, fit ? words : "(not shown: control characters are in it)");
}

/* The words, which are what the leaf commits to. */
static void say_memo(struct buf *out, const struct receipt *receipt)
{
	struct buf bytes = BUF_INIT;
	struct memo memo;

	if (!receipt->memo) {
		buf_str(out, "  (its words are not in this receipt)\n");
		return;
	}
	memset(buf_room(&bytes, MEMO_SALT_SIZE), 0, MEMO_SALT_SIZE);
	buf_add(&bytes, receipt->memo, receipt->memo_len);
	if (!memo_parse(bytes.data, bytes.len, &memo)) {
		say_private(out, "for", memo.reason);
		say_private(out, "customer", memo.customer);
		say_private(out, "incident", memo.incident);
		say_private(out, "evidence", memo.evidence);
		say_private(out, "message", memo.message);
		memo_release(&memo);
	}
	buf_release(&bytes);
}

static void say_entry(struct buf *out, const struct entry *entry)
{
	char at[TIMESTAMP_SIZE];

	timestamp_format(entry->at, at);
	buf_printf(out, "entry %" PRId64 ", %s", entry->seq, entry->kind_name);
	if (entry->amount != ABSENT) {
		buf_char(out, ' ');
		say_money(out, entry->currency, entry->exp, entry->amount);
		buf_printf(out, " from %s to %s", entry->from, entry->to);
	}
	buf_str(out, ", ");
	say_time(out, at);
	buf_str(out, ", by ");
	say_user(out, entry->uid);
	buf_char(out, '\n');
}

static void print_receipt(const struct check *check, const char *path,
			  const struct receipt *receipt, const struct entry *entry,
			  const struct checkpoint *head)
{
	struct buf out = BUF_INIT;

	if (check->fund->json) {
		json_open(&out, NULL, '{');
		json_str(&out, "file", path);
		json_str(&out, "kind", "receipt");
		json_str(&out, "origin", head->origin);
		json_int(&out, "size", (int64_t)head->size);
		json_raw(&out, "leaf", receipt->leaf, receipt->leaf_len);
		if (receipt->memo)
			json_raw(&out, "memo", receipt->memo, receipt->memo_len);
		json_close(&out, '}');
		buf_char(&out, '\n');
	} else {
		buf_printf(&out, "%s: ", path);
		say_entry(&out, entry);
		if (entry->category[0])
			say_words(&out, "category", entry->category);
		say_memo(&out, receipt);
		buf_printf(&out,
			   "  It stands among the first %" PRIu64
			   " entries of %s, and is signed.\n",
			   head->size, head->origin);
	}
	print_text(&out);
}

static void print_head(const struct check *check, const char *path, const char *kind,
		       const struct checkpoint *head, const struct tally *tally)
{
	struct buf out = BUF_INIT;

	if (check->fund->json) {
		json_open(&out, NULL, '{');
		json_str(&out, "file", path);
		json_str(&out, "kind", kind);
		json_str(&out, "origin", head->origin);
		json_int(&out, "size", (int64_t)head->size);
		if (tally)
			json_tally(&out, tally);
		json_close(&out, '}');
	} else {
		buf_printf(&out, "%s: %s of %s, %" PRIu64 " entries, root ", path, kind,
			   head->origin, head->size);
		say_root(&out, head->root);
		if (tally) {
			buf_str(&out, "\n  ");
			say_tally(&out, tally);
		}
	}
	buf_char(&out, '\n');
	print_text(&out);
}

static enum exit_status wrong(const struct check *check, const char *path, const char *problem)
{
	struct buf out = BUF_INIT;

	tell("%s: %s", path, problem);
	if (!check->vkey && !strcmp(problem, NOTE_UNSIGNED))
		tell_more("If the ledger's key was changed since you last saw it: fund verify, without a "
			  "file, fetches the new one.");
	if (check->fund->json) {
		json_open(&out, NULL, '{');
		json_str(&out, "file", path);
		json_str(&out, "problem", problem);
		json_close(&out, '}');
		buf_char(&out, '\n');
		print_text(&out);
	}
	return EXIT_UNVERIFIED;
}

/* ---- Kinds of files ---- */

const char *check_cosigned(const struct check *check, const struct note *note)
{
	struct verifier witness;
	uint64_t time;

	if (!check->witness)
		return NULL;
	if (!vkey_parse(check->witness, &witness) || witness.type != KEY_COSIGNER)
		return "the witness's key is none, or signs no cosignatures";
	return cosignature_check(note, &witness, &time);
}

/* A receipt's checkpoint: with which key, and whether what is remembered agrees. */
static const char *receipt_problem(struct check *check, const struct receipt *receipt,
				   struct entry *entry, struct checkpoint *head)
{
	struct bundle bundle;
	struct note note;
	const char *problem = bundle_parse(receipt->bundle, receipt->bundle_len, &bundle);

	if (!problem)
		problem = note_origin(bundle.note, bundle.note_len, head, &note);
	if (!problem)
		problem = check_keys(check, head->origin);
	if (!problem)
		problem = keys_receipt(&check->keys, receipt, entry, head);
	if (!problem)
		problem = check_cosigned(check, &note);
	return problem ? problem : remembered_differs(check, head);
}

static enum exit_status check_receipt(struct check *check, const char *path, const struct buf *text)
{
	struct checkpoint head;
	struct receipt receipt;
	struct entry entry;
	const char *problem = receipt_parse(text->data, text->len, &receipt);

	if (!problem)
		problem = receipt_problem(check, &receipt, &entry, &head);
	if (problem)
		return wrong(check, path, problem);
	print_receipt(check, path, &receipt, &entry, &head);
	return EXIT_OK;
}

/* A bare proof shows nothing but a number: what it is about must be given. */
static enum exit_status check_bundle(struct check *check, const char *path, const struct buf *text)
{
	struct receipt receipt = { .bundle = text->data, .bundle_len = text->len };
	struct buf leaf = BUF_INIT;
	struct checkpoint head;
	struct entry entry;
	const char *problem;

	if (!check->leaf) {
		tell("%s: a bare proof does not hold what it proves; give the leaf with --leaf FILE",
		     path);
		return EXIT_USAGE;
	}
	if (!file_take(AT_FDCWD, check->leaf, ENTRY_LEAF_MAX + 1, &leaf)) {
		tell("%s: %s", check->leaf, strerror(errno));
		return EXIT_FAILED;
	}
	receipt.leaf = leaf.data;
	receipt.leaf_len = leaf.len && leaf.data[leaf.len - 1] == '\n' ? leaf.len - 1 : leaf.len;
	problem = receipt_problem(check, &receipt, &entry, &head);
	if (!problem)
		print_receipt(check, path, &receipt, &entry, &head);
	buf_release(&leaf);
	return problem ? wrong(check, path, problem) : EXIT_OK;
}

static enum exit_status check_note(struct check *check, const char *path, const struct buf *text)
{
	struct checkpoint head;
	struct note note;
	const char *problem = note_origin(text->data, text->len, &head, &note);

	if (!problem)
		problem = check_keys(check, head.origin);
	if (!problem)
		problem = keys_open(&check->keys, text->data, text->len, &head, &note);
	if (!problem)
		problem = check_cosigned(check, &note);
	if (!problem)
		problem = remembered_differs(check, &head);
	if (problem)
		return wrong(check, path, problem);
	print_head(check, path, "checkpoint", &head, NULL);
	return EXIT_OK;
}

static enum exit_status check_tiles(struct check *check, const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tally tally = { .count = 0 };
	struct buf bad = BUF_INIT;
	struct checkpoint head;
	const char *problem;

	if (dir < 0) {
		tell("%s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	problem = tiles_check(check, dir, &tally, &head, &bad);
	if (!problem)
		problem = remembered_differs(check, &head);
	if (problem) {
		buf_printf(&bad, "%s%s", bad.len ? ": " : "", problem);
		wrong(check, path, bad.data);
	} else {
		print_head(check, path, "tiles", &head, &tally);
	}
	tally_release(&tally);
	buf_release(&bad);
	close(dir);
	return problem ? EXIT_UNVERIFIED : EXIT_OK;
}

/* ---- Which kind it is ---- */

static bool has(const struct buf *text, const char *words, bool first)
{
	size_t len = strlen(words);

	return first ? text->len >= len && !memcmp(text->data, words, len)
		     : memmem(text->data, text->len, words, len) != NULL;
}

enum exit_status check_path(struct check *check, const char *path)
{
	struct buf text = BUF_INIT;
	enum exit_status status;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return check_tiles(check, path);
	if (!file_take(AT_FDCWD, path, FILE_MAX, &text)) {
		tell("%s: %s", path,
		     errno == EFBIG ? "it is too long for a receipt or a checkpoint"
				    : strerror(errno));
		return EXIT_FAILED;
	}
	if (!has(&text, "c2sp.org/tlog-proof@", true) && !has(&text, "\n\n— ", false))
		status = wrong(check, path, "it is neither a receipt, nor a proof, nor a signed checkpoint");
	else if (!has(&text, "c2sp.org/tlog-proof@", true))
		status = check_note(check, path, &text);
	else if (has(&text, "\nfundd receipt ", false))
		status = check_receipt(check, path, &text);
	else
		status = check_bundle(check, path, &text);
	buf_release(&text);
	return status;
}

void check_release(struct check *check)
{
	keys_release(&check->keys);
	state_close(&check->state);
}

/* ---- What a whole ledger comes to ---- */

void say_tally(struct buf *out, const struct tally *tally)
{
	buf_printf(out, "%zu budget%s, %zu of them open", tally->count,
		   tally->count == 1 ? "" : "s", tally->open);
	for (unsigned i = 0; i < tally->totals; i++) {
		const struct tally_total *total = &tally->total[i];

		buf_str(out, "; ");
		say_money(out, total->currency, total->exp, total->held);
		buf_str(out, " left, ");
		say_money(out, total->currency, total->exp, total->spent);
		buf_str(out, " spent");
	}
}

void json_tally(struct buf *out, const struct tally *tally)
{
	json_int(out, "budgets", (int64_t)tally->count);
	json_int(out, "open", (int64_t)tally->open);
	json_open(out, "money", '[');
	for (unsigned i = 0; i < tally->totals; i++) {
		json_open(out, NULL, '{');
		json_str(out, "currency", tally->total[i].currency);
		json_int(out, "exp", tally->total[i].exp);
		json_int(out, "left", tally->total[i].held);
		json_int(out, "spent", tally->total[i].spent);
		json_close(out, '}');
	}
	json_close(out, ']');
}

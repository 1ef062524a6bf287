#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "render.h"
#include "tell.h"

#define FILE_MAX RECEIPT_MAX

static enum exit_status wrong(const struct check *check, const char *path, const char *problem)
{
	struct buf out = BUF_INIT;

	tell("%s: %s", path, problem);
	if (!check->vkey && !strcmp(problem, NOTE_UNSIGNED))
		tell_more("If the ledger's key was changed since you last saw it: fund verify, "
			  "without a file, fetches the new one.");
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

static const char *receipt_problem(struct check *check, const struct receipt *receipt,
				   struct entry *entry, struct checkpoint *head)
{
	struct bundle bundle;
	const char *problem = bundle_parse(receipt->bundle, receipt->bundle_len, &bundle);

	if (!problem)
		problem = check_head(check, bundle.note, bundle.note_len, head);
	return problem ? problem : keys_receipt(&check->keys, receipt, entry, head);
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
	check_show_receipt(check, path, &receipt, &entry, &head);
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
		tell("%s: a bare proof does not hold what it proves; give the leaf with --leaf "
		     "FILE",
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
		check_show_receipt(check, path, &receipt, &entry, &head);
	buf_release(&leaf);
	return problem ? wrong(check, path, problem) : EXIT_OK;
}

static enum exit_status check_note(struct check *check, const char *path, const struct buf *text)
{
	struct checkpoint head;
	const char *problem = check_head(check, text->data, text->len, &head);

	if (problem)
		return wrong(check, path, problem);
	check_show_head(check, path, "checkpoint", &head, NULL);
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
	if (problem) {
		buf_printf(&bad, "%s%s", bad.len ? ": " : "", problem);
		wrong(check, path, bad.data);
	} else {
		check_show_head(check, path, "tiles", &head, &tally);
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
		status = wrong(check, path,
			       "it is neither a receipt, nor a proof, nor a signed checkpoint");
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

#include "check.h"

#include <inttypes.h>
#include <string.h>

#include "common/memo.h"
#include "common/text.h"
#include "render.h"

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

/* ---- What stands in a file ---- */

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

void check_show_receipt(const struct check *check, const char *path,
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
			   "  It stands among the first %" PRIu64 " entries of %s, and is signed.\n",
			   head->size, head->origin);
	}
	print_text(&out);
}

void check_show_head(const struct check *check, const char *path, const char *kind,
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

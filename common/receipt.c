#include "receipt.h"

#include <inttypes.h>
#include <string.h>

#include "memo.h"
#include "merkle.h"
#include "text.h"

#define BUNDLE_FIRST "c2sp.org/tlog-proof@v1"
#define RECEIPT_FIRST "\nfundd receipt v1\n"

/* ---- The bundle ---- */

void bundle_format(struct buf *out, uint64_t index, const struct proof *proof, const char *note,
		   size_t note_len)
{
	buf_printf(out, BUNDLE_FIRST "\nindex %" PRIu64 "\n", index);
	for (unsigned i = 0; i < proof->count; i++) {
		base64_encode(out, proof->hash[i], HASH_SIZE);
		buf_char(out, '\n');
	}
	buf_char(out, '\n');
	buf_add(out, note, note_len);
}

/* "word VALUE": the value. */
static bool line_value(const struct span *line, const char *word, struct span *ret)
{
	size_t len = strlen(word);

	if (line->len <= len + 1 || memcmp(line->text, word, len) || line->text[len] != ' ')
		return false;
	*ret = (struct span){ line->text + len + 1, line->len - len - 1 };
	return true;
}

/* Nobody vouches for what is in it, but it must be base64. */
static bool extra_fits(const struct span *value)
{
	uint8_t bytes[RECEIPT_MAX];
	const char *end = value->text + value->len;
	size_t padding = value->len >= 2 ? (size_t)(end[-1] == '=') + (end[-2] == '=') : 0;

	return value->len >= 4 &&
	       base64_decode(value->text, value->len, bytes, value->len / 4 * 3 - padding);
}

static const char *hashes_parse(struct lines *lines, struct proof *ret)
{
	struct span line;

	for (ret->count = 0; lines_next(lines, &line); ret->count++) {
		if (!line.len)
			return NULL;
		if (ret->count == PROOF_MAX)
			return "the proof has more hashes than any tree needs";
		if (line.len != HASH_BASE64 ||
		    !base64_decode(line.text, line.len, ret->hash[ret->count], HASH_SIZE))
			return "a hash of the proof is not the base64 of 32 bytes";
	}
	return "the proof has no blank line and checkpoint behind its hashes";
}

const char *bundle_parse(const char *text, size_t len, struct bundle *ret)
{
	struct lines lines = { text, text + len };
	struct span line, value;
	const char *problem;

	if (len > RECEIPT_MAX)
		return "it is too long for a proof";
	if (!lines_next(&lines, &line) || line.len != sizeof(BUNDLE_FIRST) - 1 ||
	    memcmp(line.text, BUNDLE_FIRST, line.len))
		return "it does not begin with " BUNDLE_FIRST;
	if (!lines_next(&lines, &line))
		return "it ends before the index";
	if (line_value(&line, "extra", &value) &&
	    (!extra_fits(&value) || !lines_next(&lines, &line)))
		return "what stands behind `extra` is not base64";
	if (!line_value(&line, "index", &value) ||
	    !decimal_parse(value.text, value.len, &ret->index))
		return "the index is not a decimal number without leading zeros";
	problem = hashes_parse(&lines, &ret->proof);
	ret->note = lines.p;
	ret->note_len = (size_t)(lines.end - lines.p);
	return problem;
}

/* ---- The receipt ---- */

void receipt_format(struct buf *out, const struct receipt *receipt)
{
	buf_add(out, receipt->bundle, receipt->bundle_len);
	buf_str(out, RECEIPT_FIRST "leaf ");
	buf_add(out, receipt->leaf, receipt->leaf_len);
	if (receipt->memo) {
		buf_str(out, "\nsalt ");
		buf_add(out, receipt->salt, receipt->salt_len);
		buf_str(out, "\nmemo ");
		buf_add(out, receipt->memo, receipt->memo_len);
	}
	buf_char(out, '\n');
}

/* Where the receipt's own lines begin: the last place, for nothing in them looks like it. */
static const char *own_lines(const char *text, size_t len)
{
	static const char mark[] = "\n" RECEIPT_FIRST;
	const char *found = NULL, *next;

	while ((next = memmem(text, len, mark, sizeof(mark) - 1))) {
		found = next;
		len -= (size_t)(next + 1 - text);
		text = next + 1;
	}
	return found;
}

const char *receipt_parse(const char *text, size_t len, struct receipt *ret)
{
	const char *own = len > RECEIPT_MAX ? NULL : own_lines(text, len);
	struct lines lines = { own, text + len };
	struct span line, leaf, salt = { NULL, 0 }, memo = { NULL, 0 };

	if (!own)
		return len > RECEIPT_MAX ? "it is too long for a receipt"
					 : "it has no line `fundd receipt v1` behind its proof";
	lines.p += 1 + sizeof(RECEIPT_FIRST) - 1;
	if (!lines_next(&lines, &line) || !line_value(&line, "leaf", &leaf))
		return "the receipt has no leaf";
	if (lines.p < lines.end &&
	    (!lines_next(&lines, &line) || !line_value(&line, "salt", &salt) ||
	     !lines_next(&lines, &line) || !line_value(&line, "memo", &memo) ||
	     lines.p != lines.end))
		return "behind the leaf stand its salt and its memo, and nothing else";
	*ret = (struct receipt){
		.bundle = text, .bundle_len = (size_t)(own + 1 - text),
		.leaf = leaf.text, .leaf_len = leaf.len,
		.salt = salt.text, .salt_len = salt.len, .memo = memo.text, .memo_len = memo.len,
	};
	return NULL;
}

static const char *memo_check(const struct receipt *receipt, const struct entry *entry)
{
	uint8_t bytes[MEMO_MAX], hash[HASH_SIZE];
	struct memo words;

	if (!receipt->memo)
		return NULL;
	if (receipt->memo_len > sizeof(bytes) - MEMO_SALT_SIZE)
		return "the memo is too long";
	if (!base64_decode(receipt->salt, receipt->salt_len, bytes, MEMO_SALT_SIZE))
		return "the salt is not the base64 of 32 bytes";
	memcpy(bytes + MEMO_SALT_SIZE, receipt->memo, receipt->memo_len);
	memo_commit(bytes, MEMO_SALT_SIZE + receipt->memo_len, hash);
	if (memcmp(hash, entry->memo, HASH_SIZE))
		return "the memo is not the one the leaf commits to";
	if (memo_parse(bytes, MEMO_SALT_SIZE + receipt->memo_len, &words))
		return "the memo is none: fund-ledger(5) says what is in one";
	memo_release(&words);
	return NULL;
}

const char *receipt_check(const struct receipt *receipt, const struct verifier *const *keys,
			  unsigned count, struct entry *ret, struct checkpoint *head)
{
	struct bundle bundle;
	uint8_t leaf[HASH_SIZE];
	const char *problem = bundle_parse(receipt->bundle, receipt->bundle_len, &bundle);

	if (!problem)
		problem = checkpoint_open(bundle.note, bundle.note_len, keys, count, head, NULL);
	if (problem)
		return problem;
	merkle_leaf(receipt->leaf, receipt->leaf_len, leaf);
	problem = proof_check_inclusion(&bundle.proof, bundle.index, head->size, leaf, head->root);
	if (!problem)
		problem = entry_parse(receipt->leaf, receipt->leaf_len, ret);
	if (!problem && (uint64_t)ret->seq != bundle.index)
		problem = "the leaf has another number than the proof";
	return problem ? problem : memo_check(receipt, ret);
}

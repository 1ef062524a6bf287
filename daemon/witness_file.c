#include "witness_file.h"

#include <inttypes.h>
#include <string.h>

#define FILE_FIRST "fundd witnesses v1"

/* ---- Writing ---- */

void witness_file_begin(struct buf *out)
{
	buf_str(out, FILE_FIRST "\n");
}

void witness_file_add(struct buf *out, const struct verifier *key, const struct moved *moved,
		      unsigned count, const struct buf *note)
{
	char vkey[VKEY_MAX + 1];

	vkey_format(key, vkey);
	buf_printf(out, "witness %s\n", vkey);
	for (unsigned i = 0; i < count; i++)
		buf_printf(out, "moved %s %" PRId64 " %" PRId64 "\n", moved[i].currency,
			   moved[i].exp, moved[i].amount);
	buf_printf(out, "note %zu\n", note->len);
	buf_add(out, note->data, note->len);
}

/* ---- Reading ---- */

/* Between two words stands one blank, and behind the last none. */
static bool word_next(struct span *line, struct span *ret)
{
	const char *blank = memchr(line->text, ' ', line->len);

	ret->text = line->text;
	ret->len = blank ? (size_t)(blank - line->text) : line->len;
	line->text += ret->len + (blank != NULL);
	line->len -= ret->len + (blank != NULL);
	return ret->len && (!blank || line->len);
}

static bool word_is(const struct span *word, const char *text)
{
	return word->len == strlen(text) && !memcmp(word->text, text, word->len);
}

static bool moved_parse(struct span *line, struct moved *ret)
{
	struct span currency, exp, amount;
	uint64_t digits, minor;

	if (!word_next(line, &currency) || !word_next(line, &exp) || !word_next(line, &amount) ||
	    line->len || currency.len != CURRENCY_LEN ||
	    !decimal_parse(exp.text, exp.len, &digits) || digits > MONEY_EXP_MAX ||
	    !decimal_parse(amount.text, amount.len, &minor) || minor > INT64_MAX)
		return false;
	*ret = (struct moved){ .exp = (int64_t)digits, .amount = (int64_t)minor };
	memcpy(ret->currency, currency.text, CURRENCY_LEN);
	return true;
}

static bool key_parse(const struct span *line, struct verifier *ret)
{
	char vkey[VKEY_MAX + 1];

	if (line->len > VKEY_MAX)
		return false;
	memcpy(vkey, line->text, line->len);
	vkey[line->len] = '\0';
	return vkey_parse(vkey, ret);
}

bool witness_file_first(struct lines *lines)
{
	struct span line;

	/* a NUL would hide what stands behind it */
	return !memchr(lines->p, '\0', (size_t)(lines->end - lines->p)) &&
	       lines_next(lines, &line) && word_is(&line, FILE_FIRST);
}

bool witness_file_next(struct lines *lines, struct witness_block *ret)
{
	struct span line, word;
	uint64_t len;

	ret->count = 0;
	if (!lines_next(lines, &line) || !word_next(&line, &word) || !word_is(&word, "witness") ||
	    !key_parse(&line, &ret->key))
		return false;
	while (lines_next(lines, &line) && word_next(&line, &word) && word_is(&word, "moved"))
		if (ret->count == MOVED_MAX || !moved_parse(&line, &ret->moved[ret->count++]))
			return false;
	if (!word_is(&word, "note") || !decimal_parse(line.text, line.len, &len) ||
	    len > (uint64_t)(lines->end - lines->p))
		return false;
	ret->note = lines->p;
	ret->note_len = (size_t)len;
	lines->p += len;
	return true;
}

/*
 * value_test [ROUNDS [SEED]]: the parser of the hot path against jansson, on made-up and mangled
 * texts. Both must take the same ones, and read the same from them. The rounds of `make check` take
 * under a second; more find more.
 */
#include <jansson.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/text.h"
#include "tap.h"

#define ROUNDS 30000
#define TEXT_MAX 4096

static uint64_t state;

static unsigned chance(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 20) % n;
}

#define PICK(list) list[chance(sizeof(list) / sizeof(*(list)))]

/* ---- Texts ---- */

static const char *const strings[] = {
	"", "a", "b", "amount", "id", "parcel came late, order 1187", "\xc3\xa4\xe2\x82\xac",
	"\xf0\x9f\x98\x80", "\\u00e4", "\\uD83D\\uDE00", "\\ud83d", "\\ude00\\ud83d", "\\u0000", "\\u000a",
	"\\n\\t\\\"\\\\\\/\\b\\f\\r", "\\x", "\\", "\\u12", "\\uFFFF", "\x7f", "\x01", "\x1f", "\xc0\xaf", "\xed\xa0\x80",
	"\xf4\x90\x80\x80", "\xe2\x82", "{[", "\\u0061", "0193a5b2-7c3e-7f10-9d43-2b8c5d6e7f80",
};

static const char *const scalars[] = {
	"0", "-0", "1", "-1", "01", "-", "+1", "1.", ".5", "1.5", "1e3", "1E+3", "1e-3", "1e", "1e+", "1e999",
	"-1e999", "1e-999", "0.0", "-0.0", "1.0e5", "9223372036854775807", "9223372036854775808",
	"-9223372036854775808", "-9223372036854775809", "99999999999999999999", "true", "false", "null",
	"True", "nul", "truefalse", "true1", "NaN", "Infinity", "0x10", "1 2", "'a'", "//", "",
	"1e308", "1e309", "4.9e-324", "123456789012345678901234567890.5",
};

static const char *const blanks[] = { "", "", "", "", " ", "\n", "\t\r", "\f", "\xc2\xa0" };

static void make_value(struct buf *out, unsigned depth);

static void make_string(struct buf *out)
{
	buf_char(out, '"');
	do
		buf_str(out, chance(8) ? strings[chance(6)] : PICK(strings));
	while (!chance(3));
	buf_char(out, '"');
}

static void make_blank(struct buf *out)
{
	buf_str(out, chance(20) ? "" : PICK(blanks));
}

static void make_inside(struct buf *out, bool object, unsigned depth)
{
	unsigned count = chance(60) ? chance(6) : 20 + chance(30);

	buf_char(out, object ? '{' : '[');
	for (unsigned i = 0; i < count; i++) {
		if (i)
			buf_char(out, ',');
		make_blank(out);
		if (object && chance(3))
			buf_printf(out, "\"k%u\"", chance(4000));
		else if (object)
			make_string(out);
		if (object) {
			make_blank(out);
			buf_char(out, ':');
		}
		make_value(out, depth + 1);
	}
	make_blank(out);
	buf_char(out, object ? '}' : ']');
}

static void make_value(struct buf *out, unsigned depth)
{
	unsigned kind = chance(depth > 10 || out->len > TEXT_MAX ? 4 : 8);

	make_blank(out);
	if (kind < 2)
		make_string(out);
	else if (kind < 4)
		buf_str(out, chance(10) ? scalars[chance(3)] : PICK(scalars));
	else
		make_inside(out, kind < 7, depth);
	make_blank(out);
}

/* A byte changed, taken out, put in, or the end cut off. */
static void mangle(struct buf *text)
{
	static const char bytes[] = "{}[]\",:\\ue0123456789-+.tfn \n\0\xff\x80\xc3";
	size_t at = text->len ? chance((unsigned)text->len) : 0;
	char c = bytes[chance(sizeof(bytes) - 1)];

	switch (text->len ? chance(4) : 2) {
	case 0:
		text->data[at] = c;
		break;
	case 1:
		memmove(text->data + at, text->data + at + 1, text->len-- - at);
		break;
	case 2:
		buf_char(text, ' ');
		memmove(text->data + at + 1, text->data + at, text->len - 1 - at);
		text->data[at] = c;
		break;
	case 3:
		text->len = at;
	}
}

/* ---- Verdicts ---- */

static unsigned levels(const json_t *value)
{
	unsigned most = 0, inner;
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
		most = (inner = levels(item)) > most ? inner : most;
	json_object_foreach((json_t *)value, key, item)
		most = (inner = levels(item)) > most ? inner : most;
	return most + (json_is_array(value) || json_is_object(value));
}

/* It passes over a NUL behind a number, which is no JSON. */
static json_t *jansson_reads(const char *text, size_t len)
{
	json_t *value = NULL;

	if (len && utf8_check(text, len) == len && !memchr(text, '\0', len))
		value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (value && levels(value) > JSON_DEPTH_MAX) {
		json_decref(value);
		return NULL;
	}
	return value;
}

/* Ours, written out and read by jansson, is what jansson read at once, in the same order. */
static bool same_content(const json_t *ours, json_t *theirs)
{
	struct buf text = BUF_INIT;
	json_t *again;
	char *a, *b;
	bool same;

	json_text(ours, &text);
	again = json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
	a = json_dumps(again, JSON_COMPACT | JSON_ENCODE_ANY);
	b = json_dumps(theirs, JSON_COMPACT | JSON_ENCODE_ANY);
	same = a && b && !strcmp(a, b);
	free(a);
	free(b);
	json_decref(again);
	buf_release(&text);
	return same;
}

/* A copy without a NUL behind it, so that a sanitizer sees who reads on. */
static bool agree(const struct buf *text, unsigned *taken)
{
	char *exact = malloc(text->len ? text->len : 1);
	struct problem problem;
	json_t *theirs, *ours;
	bool same;

	if (text->len)
		memcpy(exact, text->data, text->len);
	theirs = jansson_reads(exact, text->len);
	ours = json_parse(exact, text->len, &problem);
	same = !ours == !theirs && (!ours || same_content(ours, theirs)) &&
	       (ours || memchr(exact, '\0', text->len) ||
		strcmp(problem.text, "is no JSON as it is taken here"));
	*taken += ours != NULL;
	json_free(ours);
	json_decref(theirs);
	free(exact);
	return same;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : ROUNDS, taken = 0, i;
	struct buf text = BUF_INIT;
	bool same = true;

	state = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : 0x9e3779b97f4a7c15;
	for (i = 0; i < rounds && same; i++) {
		buf_clear(&text);
		make_value(&text, 0);
		for (unsigned n = chance(3); n; n--)
			mangle(&text);
		same = agree(&text, &taken);
	}
	ok(same, "jansson says the same of %u texts", i);
	for (size_t at = 0; !same && at < text.len; at++)
		printf("%s%02x", at ? " " : "# this one: ", (unsigned char)text.data[at]);
	printf("%s", same ? "" : "\n");
	ok(taken > rounds / 10 && taken < rounds / 10 * 9, "%u of them were taken", taken);
	buf_release(&text);
	return done_testing();
}

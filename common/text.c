#include "text.h"

#include <string.h>

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* ---- UTF-8 ---- */

/* What the first byte of a character promises: how many follow, and the least that needs them. */
static const struct {
	unsigned char mask, lead, more;
	uint32_t least;
} leads[] = {
	{ 0x80, 0x00, 0, 0 },
	{ 0xe0, 0xc0, 1, 0x80 },
	{ 0xf0, 0xe0, 2, 0x800 },
	{ 0xf8, 0xf0, 3, 0x10000 },
};

/* The length of the character there, or 0 when it is not one. */
static size_t utf8_next(const char *text, size_t len, uint32_t *ret)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t kind = 0, i;
	uint32_t c;

	while (kind < SIZE(leads) && (p[0] & leads[kind].mask) != leads[kind].lead)
		kind++;
	if (kind == SIZE(leads) || leads[kind].more >= len)
		return 0;
	c = p[0] & (unsigned char)~leads[kind].mask;
	for (i = 1; i <= leads[kind].more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < leads[kind].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return i;
}

/* How many bytes of ASCII it begins with, eight at a time: at least as far as these go. */
static size_t ascii_run(const char *text, size_t len)
{
	size_t at = 0;
	uint64_t eight;

	for (; len - at >= sizeof(eight); at += sizeof(eight)) {
		memcpy(&eight, text + at, sizeof(eight));
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	return at;
}

size_t utf8_check(const char *text, size_t len)
{
	size_t at = ascii_run(text, len), n = 1;
	uint32_t c;

	while (at < len && n) {
		n = utf8_next(text + at, len - at, &c);
		at += n;
	}
	return at;
}

void text_copy(char *ret, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	memcpy(ret, text, len);
	ret[len] = '\0';
}

void text_mask(char *text, size_t len, bool lines)
{
	size_t at = 0;

	while ((at += utf8_check(text + at, len - at)) < len)
		text[at] = '?';
	for (at = 0; at < len; at++) {
		unsigned char c = (unsigned char)text[at];

		if (c == 0x7f || (c < 0x20 && !(lines && c == '\n')))
			text[at] = '?';
		else if (c == 0xc2 && (unsigned char)text[at + 1] < 0xa0)
			text[at] = text[at + 1] = '?';
	}
}

/* ---- Words ---- */

struct range {
	uint32_t first, last;
	const char *problem;
};

#define TURNS "it holds a character that turns the direction of writing: leave that out"

/* Both sorted. */
static const struct range forbidden[] = {
	{ 0x0000, 0x001f, "it holds a control character: write it on one line, without tabs" },
	{ 0x007f, 0x009f, "it holds a control character: leave that out" },
	{ 0x2028, 0x2029, "it holds a line separator: write it on one line" },
	{ 0x202a, 0x202e, TURNS },
	{ 0x2066, 0x2069, TURNS },
};

/* What shows nothing: blanks, and characters without any width. */
static const struct range blanks[] = {
	{ 0x0020, 0x0020 }, { 0x00a0, 0x00a0 }, { 0x00ad, 0x00ad }, { 0x1680, 0x1680 },
	{ 0x2000, 0x200f }, { 0x202f, 0x202f }, { 0x205f, 0x2060 }, { 0x3000, 0x3000 },
	{ 0xfeff, 0xfeff },
};

static const struct range *range_find(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count && c >= ranges[i].first; i++)
		if (c <= ranges[i].last)
			return &ranges[i];
	return NULL;
}

const char *words_problem(const char *text)
{
	size_t len = strlen(text), n;
	const struct range *bad;
	bool blank = true;
	uint32_t c;

	for (; len; text += n, len -= n) {
		n = 1;
		if (*text > ' ' && *text < 0x7f) {	/* most of it */
			blank = false;
			continue;
		}
		n = utf8_next(text, len, &c);
		if (!n)
			return "it is not valid UTF-8: write it in a UTF-8 terminal or file";
		bad = range_find(forbidden, SIZE(forbidden), c);
		if (bad)
			return bad->problem;
		blank = blank && range_find(blanks, SIZE(blanks), c);
	}
	return blank ? "it is empty: write a few words" : NULL;
}

/* ---- Names and tags ---- */

const char *name_problem(const char *name)
{
	const char *part = name;
	size_t len;

	if (!*name || !strchr(SMALL, *name))
		return "a budget's name begins with a small letter from a to z, as in alice";
	if (strnlen(name, NAME_MAX_LEN + 1) > NAME_MAX_LEN)
		return "a budget's name has at most 64 characters";
	if (!strcmp(name, "company") || !strcmp(name, "spent"))
		return "company and spent are the ledger's own accounts: choose another name";
	for (;; part += len + 1) {
		len = strspn(part, SMALL DIGITS "._-");
		if (part[len] && part[len] != '/')
			return "a budget's name is made of small letters, digits, . _ - and /, "
			       "as in team/north";
		if (!len)
			return "a slash in a budget's name stands between two parts, "
			       "as in team/north";
		if (!part[len])
			return NULL;
	}
}

const char *tag_problem(const char *tag)
{
	size_t len = 0;

	while (len <= TAG_MAX_LEN && ((tag[len] >= 'a' && tag[len] <= 'z') ||
				      (tag[len] >= '0' && tag[len] <= '9') || tag[len] == '-'))
		len++;
	if (!len || len > TAG_MAX_LEN || tag[len])
		return "a category is one to 32 small letters, digits and hyphens, "
		       "as in late-delivery";
	return NULL;
}

/* ---- Lines and numbers ---- */

bool lines_next(struct lines *lines, struct span *ret)
{
	const char *newline = memchr(lines->p, '\n', (size_t)(lines->end - lines->p));

	if (!newline)
		return false;
	*ret = (struct span){ lines->p, (size_t)(newline - lines->p) };
	lines->p = newline + 1;
	return true;
}

bool decimal_parse(const char *text, size_t len, uint64_t *ret)
{
	uint64_t value = 0;

	if (!len || (*text == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return false;
	*ret = value;
	return true;
}

/* ---- UUIDs ---- */

/* Where the two digits of each byte stand. */
static const uint8_t uuid_places[16] = { 0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34 };

/* A hex digit's value plus one; what is none has 0. */
static const uint8_t hex_values[256] = {
	['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	['a'] = 11, 12, 13, 14, 15, 16,
	['A'] = 11, 12, 13, 14, 15, 16,
};

bool uuid_parse(const char *text, uint8_t ret[16])
{
	uint8_t bytes[16], bad = 0;

	if (strnlen(text, UUID_LEN + 1) != UUID_LEN)
		return false;
	if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-')
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		const uint8_t *digits = (const uint8_t *)text + uuid_places[i];
		uint8_t high = hex_values[digits[0]], low = hex_values[digits[1]];

		bad |= !high | !low;
		bytes[i] = (uint8_t)((high - 1u) << 4 | (low - 1u));
	}
	if (!bad)
		memcpy(ret, bytes, sizeof(bytes));
	return !bad;
}

void uuid_format(const uint8_t uuid[16], char out[UUID_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	memcpy(out, "00000000-0000-0000-0000-000000000000", UUID_LEN + 1);
	for (size_t i = 0; i < 16; i++) {
		out[uuid_places[i]] = digits[uuid[i] >> 4];
		out[uuid_places[i] + 1] = digits[uuid[i] & 15];
	}
}

static void uuid_stamp(uint8_t uuid[16], uint8_t version)
{
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | version << 4);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

void uuid_v7(int64_t unix_ms, const uint8_t random[10], uint8_t ret[16])
{
	for (int i = 0; i < 6; i++)
		ret[i] = (uint8_t)((uint64_t)unix_ms >> (40 - 8 * i));
	memcpy(ret + 6, random, 10);
	uuid_stamp(ret, 7);
}

void uuid_v8(const uint8_t digest[16], uint8_t ret[16])
{
	memmove(ret, digest, 16);
	uuid_stamp(ret, 8);
}

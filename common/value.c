#include "value.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"
#include "text.h"

#define ROOM_FIRST 24		/* values, enough for a request, and
				 * few enough for malloc's quick way */
#define PAIRS_MAX 24		/* keys of an object that are compared each with each */

struct parser {
	const char *at, *end;
	char *words;			/* where the next key, string or real is put */
	json_t *values;			/* before the root stands one that keeps `words` */
	uint32_t count, room;
	unsigned depth;			/* levels that may still open */
};

static json_t *value_add(struct parser *p)
{
	if (p->count == p->room) {
		p->room = p->room ? p->room * 2 : ROOM_FIRST;
		p->values = realloc(p->values, p->room * sizeof(*p->values));
		if (!p->values)
			abort();
	}
	return &p->values[p->count++];
}

static char blanks_pass(struct parser *p)
{
	while (p->at < p->end &&
	       (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
		p->at++;
	return p->at < p->end ? *p->at : '\0';
}

/* ---- Strings ---- */

static bool hex4_take(struct parser *p, unsigned *ret)
{
	unsigned value = 0;

	if (p->end - p->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = *p->at++;

		if (c >= '0' && c <= '9')
			value = value << 4 | (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value << 4 | (unsigned)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	*ret = value;
	return true;
}

static char *utf8_put(char *out, unsigned c)
{
	if (c < 0x80) {
		*out++ = (char)c;
		return out;
	}
	if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (c & 0x3f));
	return out;
}

/* Behind \u: four hex digits, or two times four that make one character. */
static char *unicode_take(struct parser *p, char *out)
{
	unsigned c, low;

	if (!hex4_take(p, &c) || c == 0 || (c >= 0xdc00 && c <= 0xdfff))
		return NULL;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (p->end - p->at < 2 || p->at[0] != '\\' || p->at[1] != 'u')
			return NULL;
		p->at += 2;
		if (!hex4_take(p, &low) || low < 0xdc00 || low > 0xdfff)
			return NULL;
		c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
	}
	return utf8_put(out, c);
}

/* Behind a backslash. Never more bytes than were written. */
static char *escape_take(struct parser *p, char *out)
{
	static const char written[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *found;
	char c;

	if (p->at == p->end)
		return NULL;
	c = *p->at++;
	if (c == 'u')
		return unicode_take(p, out);
	found = c ? strchr(written, c) : NULL;
	if (!found)
		return NULL;
	*out++ = meant[found - written];
	return out;
}

/* What stands as it is, eight bytes at a time as long as
 * there are so many: they fit, for `out` is never ahead. */
static char *plain_take(struct parser *p, char *out, uint64_t *all)
{
	size_t plain = 8;
	uint64_t eight;

	while (plain == 8 && p->end - p->at >= 8) {
		eight = eight_load(p->at);
		memcpy(out, p->at, 8);
		plain = eight_plain(eight);
		*all |= plain < 8 ? eight & ((UINT64_C(1) << 8 * plain) - 1) : eight;
		p->at += plain;
		out += plain;
	}
	return out;
}

/* At its opening quote. */
static bool string_take(struct parser *p, const char **ret, uint32_t *len)
{
	char *out = p->words;
	uint64_t all = 0;
	unsigned char c;

	for (p->at++;;) {
		out = plain_take(p, out, &all);
		if (p->at == p->end)
			return false;
		c = (unsigned char)*p->at++;
		if (c == '"')
			break;
		if (c < 0x20)
			return false;
		all |= c;
		if (c != '\\')
			*out++ = (char)c;
		else if (!(out = escape_take(p, out)))
			return false;
	}
	*len = (uint32_t)(out - p->words);
	*ret = p->words;
	if ((all & EIGHT_TIMES(0x80)) && utf8_check(p->words, *len) < *len)
		return false;
	*out = '\0';
	p->words = out + 1;
	return true;
}

/* ---- Numbers and literals ---- */

static bool digits_pass(struct parser *p)
{
	const char *from = p->at;

	while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
		p->at++;
	return p->at > from;
}

static bool integer_take(const char *from, const char *to, int64_t *ret)
{
	bool negative = *from == '-';
	int64_t value = 0;

	for (from += negative; from < to; from++) {
		int digit = *from - '0';

		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, digit, &value))
			return false;
	}
	if (!negative && value == INT64_MIN)
		return false;
	*ret = negative ? value : -value;
	return true;
}

static bool real_take(struct parser *p, const char *from, json_t *value)
{
	size_t len = (size_t)(p->at - from);
	double number;

	memcpy(p->words, from, len);
	p->words[len] = '\0';
	errno = 0;
	number = strtod(p->words, NULL);
	if (errno == ERANGE && fabs(number) == HUGE_VAL)
		return false;
	value->type = VALUE_REAL;
	value->text = p->words;
	value->len = (uint32_t)len;
	p->words += len + 1;
	return true;
}

static bool number_take(struct parser *p, json_t *value)
{
	const char *from = p->at, *digits;
	bool real = false;

	p->at += *p->at == '-';
	digits = p->at;
	if (!digits_pass(p) || (*digits == '0' && p->at > digits + 1))
		return false;
	if (p->at < p->end && *p->at == '.') {
		real = true;
		p->at++;
		if (!digits_pass(p))
			return false;
	}
	if (p->at < p->end && (*p->at | 0x20) == 'e') {
		real = true;
		p->at++;
		p->at += p->at < p->end && (*p->at == '+' || *p->at == '-');
		if (!digits_pass(p))
			return false;
	}
	if (real)
		return real_take(p, from, value);
	value->type = VALUE_INT;
	return integer_take(from, p->at, &value->number);
}

static bool literal_take(struct parser *p, const char *word, enum value_type type, json_t *value)
{
	size_t len = strlen(word);

	if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len))
		return false;
	p->at += len;
	value->type = type;
	return true;
}

/* ---- Objects and lists ---- */

static bool same_key(const json_t *a, const json_t *b)
{
	return a->key_len == b->key_len && !memcmp(a->key, b->key, a->key_len);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of an object with many members: its keys sorted, so that equal ones stand together. */
static bool keys_differ_sorted(const json_t *object)
{
	const char **keys = malloc(object->len * sizeof(*keys));
	const json_t *member = value_first(object);
	bool differ = true;

	if (!keys)
		abort();
	for (uint32_t i = 0; i < object->len; i++, member = value_next(member))
		keys[i] = member->key;
	qsort(keys, object->len, sizeof(*keys), compare_keys);
	for (uint32_t i = 1; i < object->len && differ; i++)
		differ = strcmp(keys[i - 1], keys[i]) != 0;
	free(keys);
	return differ;
}

static bool keys_differ(const json_t *object)
{
	const json_t *a = value_first(object), *b;

	if (object->len > PAIRS_MAX)
		return keys_differ_sorted(object);
	for (uint32_t i = 0; i < object->len; i++, a = value_next(a)) {
		b = value_next(a);
		for (uint32_t j = i + 1; j < object->len; j++, b = value_next(b))
			if (same_key(a, b))
				return false;
	}
	return true;
}

static bool value_take(struct parser *p, const char *key, uint32_t key_len);

/* A key, a colon and what it is the key of. */
static bool member_take(struct parser *p)
{
	const char *key;
	uint32_t len;

	if (blanks_pass(p) != '"' || !string_take(p, &key, &len) || blanks_pass(p) != ':')
		return false;
	p->at++;
	return value_take(p, key, len);
}

/* At its opening bracket. */
static bool inside_take(struct parser *p, uint32_t self, bool object)
{
	char close = object ? '}' : ']', c;
	uint32_t len = 0;

	p->at++;
	if (!p->depth--)
		return false;
	c = blanks_pass(p);
	while (c != close) {
		if (!(object ? member_take(p) : value_take(p, NULL, 0)))
			return false;
		len++;
		c = blanks_pass(p);
		if (c == close)
			break;
		if (c != ',')
			return false;
		p->at++;
	}
	p->at++;
	p->depth++;
	p->values[self].type = object ? VALUE_OBJECT : VALUE_LIST;
	p->values[self].len = len;
	return !object || keys_differ(&p->values[self]);
}

static bool one_take(struct parser *p, uint32_t self)
{
	json_t *value = &p->values[self];
	char c = blanks_pass(p);

	switch (c) {
	case '{':
	case '[':
		return inside_take(p, self, c == '{');
	case '"':
		value->type = VALUE_STRING;
		return string_take(p, &value->text, &value->len);
	case 't':
		return literal_take(p, "true", VALUE_TRUE, value);
	case 'f':
		return literal_take(p, "false", VALUE_FALSE, value);
	case 'n':
		return literal_take(p, "null", VALUE_NULL, value);
	default:
		return (c == '-' || (c >= '0' && c <= '9')) && number_take(p, value);
	}
}

static bool value_take(struct parser *p, const char *key, uint32_t key_len)
{
	uint32_t self = p->count;
	json_t *value = value_add(p);

	value->key = key;
	value->key_len = key_len;
	value->len = 0;
	if (!one_take(p, self))
		return false;
	p->values[self].span = p->count - self;
	return true;
}

json_t *value_parse(const char *text, size_t len, unsigned depth)
{
	struct parser p = { .at = text, .end = text + len, .depth = depth };
	char *words;

	if (len >= UINT32_MAX / 2)
		return NULL;
	words = p.words = malloc(len + 1);
	if (!words)
		abort();
	value_add(&p)->text = words;
	if (value_take(&p, NULL, 0)) {
		blanks_pass(&p);
		if (p.at == p.end)
			return p.values + 1;
	}
	value_free(p.values + 1);
	return NULL;
}

void value_free(json_t *root)
{
	if (!root)
		return;
	free((char *)root[-1].text);
	free(root - 1);
}

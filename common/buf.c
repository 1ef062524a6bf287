#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"

#define DIGITS_MAX 20		/* of an int64, with its sign */

/* Makes len more bytes fit, and a NUL behind them. */
static void grow(struct buf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : 128;

	if (len >= SIZE_MAX / 2 - b->len)
		abort();
	while (cap < b->len + len + 1)
		cap *= 2;
	b->data = realloc(b->data, cap);
	if (!b->data)
		abort();
	b->cap = cap;
}

static inline char *room_take(struct buf *b, size_t len)
{
	char *room;

	if (len >= b->cap - b->len)	/* cap is 0 or above len */
		grow(b, len);
	room = b->data + b->len;
	b->len += len;
	b->data[b->len] = '\0';
	return room;
}

void buf_reserve(struct buf *b, size_t len)
{
	if (len >= b->cap - b->len)
		grow(b, len);
}

char *buf_room(struct buf *b, size_t len)
{
	return room_take(b, len);
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	char *room = room_take(b, len);

	if (len)
		memcpy(room, bytes, len);
}

void buf_str(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
	*room_take(b, 1) = c;
}

/* Two at a time, downwards from `end`. Where they begin. */
static char *digits_put(char *end, int64_t value)
{
	static const char pairs[] =
		"0001020304050607080910111213141516171819202122232425262728293031323334353637383940"
		"4142434445464748495051525354555657585960616263646566676869707172737475767778798081"
		"828384858687888990919293949596979899";
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	for (; rest >= 100; rest /= 100)
		memcpy(end -= 2, pairs + rest % 100 * 2, 2);
	if (rest >= 10)
		memcpy(end -= 2, pairs + rest * 2, 2);
	else
		*--end = (char)('0' + rest);
	if (value < 0)
		*--end = '-';
	return end;
}

void buf_int(struct buf *b, int64_t value)
{
	char digits[DIGITS_MAX], *end = digits + sizeof(digits), *first = digits_put(end, value);

	buf_add(b, first, (size_t)(end - first));
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	char *room;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		abort();
	room = buf_room(b, (size_t)len);
	va_start(args, format);
	vsnprintf(room, (size_t)len + 1, format, args);
	va_end(args);
}

bool buf_same(const struct buf *one, const struct buf *other)
{
	return one->len == other->len && (!one->len || !memcmp(one->data, other->data, one->len));
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

char *buf_detach(struct buf *b)
{
	char *data;

	room_take(b, 0);
	data = b->data;
	data[b->len] = '\0';
	*b = (struct buf)BUF_INIT;
	return data;
}

/* A comma, unless this is the first of its object or array or a value just named; then the key;
 * then room for the value, which is returned. */
static char *value_room(struct buf *b, const char *key, size_t value_len)
{
	char last = b->len ? b->data[b->len - 1] : '\0', *room;
	bool comma = last && last != '{' && last != '[' && last != ':';
	size_t len = key ? strlen(key) : 0;

	room = room_take(b, comma + (key ? len + 3 : 0) + value_len);
	if (comma)
		*room++ = ',';
	if (!key)
		return room;
	*room++ = '"';
	memcpy(room, key, len);
	memcpy(room + len, "\":", 2);
	return room + len + 2;
}

void json_open(struct buf *b, const char *key, char bracket)
{
	*value_room(b, key, 1) = bracket;
}

void json_close(struct buf *b, char bracket)
{
	buf_char(b, bracket);
}

static void json_escape(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"': buf_add(b, "\\\"", 2); break;
	case '\\': buf_add(b, "\\\\", 2); break;
	case '\n': buf_add(b, "\\n", 2); break;
	case '\t': buf_add(b, "\\t", 2); break;
	default: buf_printf(b, "\\u%04x", c);
	}
}

void json_quote(struct buf *b, const char *text, size_t len)
{
	size_t plain;

	buf_char(b, '"');
	for (; (plain = plain_run(text, len)) < len; text += plain + 1, len -= plain + 1) {
		buf_add(b, text, plain);
		json_escape(b, (unsigned char)text[plain]);
	}
	buf_add(b, text, len);
	buf_char(b, '"');
}

void json_strn(struct buf *b, const char *key, const char *value, size_t len)
{
	char *room;

	if (plain_run(value, len) < len) {
		value_room(b, key, 0);
		json_quote(b, value, len);
		return;
	}
	room = value_room(b, key, len + 2);	/* most of them */
	room[0] = room[len + 1] = '"';
	if (len)
		memcpy(room + 1, value, len);
}

void json_str(struct buf *b, const char *key, const char *value)
{
	json_strn(b, key, value, strlen(value));
}

void json_int(struct buf *b, const char *key, int64_t value)
{
	char digits[DIGITS_MAX], *end = digits + sizeof(digits), *first = digits_put(end, value);

	json_raw(b, key, first, (size_t)(end - first));
}

void json_bool(struct buf *b, const char *key, bool value)
{
	json_raw(b, key, value ? "true" : "false", value ? 4 : 5);
}

void json_raw(struct buf *b, const char *key, const char *value, size_t len)
{
	char *room = value_room(b, key, len);

	if (len)
		memcpy(room, value, len);
}

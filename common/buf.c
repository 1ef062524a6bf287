#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void buf_int(struct buf *b, int64_t value)
{
	char digits[24], *p = digits + sizeof(digits);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do
		*--p = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
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

/* A comma, unless this is the first of its object or array or a value just named; then the key. */
static void json_key(struct buf *b, const char *key)
{
	char last = b->len ? b->data[b->len - 1] : '\0', *room;
	bool comma = last && last != '{' && last != '[' && last != ':';
	size_t len;

	if (!key) {
		if (comma)
			buf_char(b, ',');
		return;
	}
	len = strlen(key);
	room = room_take(b, comma + len + 3);
	if (comma)
		*room++ = ',';
	*room++ = '"';
	memcpy(room, key, len);
	memcpy(room + len, "\":", 2);
}

void json_open(struct buf *b, const char *key, char bracket)
{
	json_key(b, key);
	buf_char(b, bracket);
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
	size_t start = 0, i;

	buf_char(b, '"');
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(b, text + start, i - start);
		json_escape(b, c);
		start = i + 1;
	}
	buf_add(b, text + start, len - start);
	buf_char(b, '"');
}

void json_strn(struct buf *b, const char *key, const char *value, size_t len)
{
	json_key(b, key);
	json_quote(b, value, len);
}

void json_str(struct buf *b, const char *key, const char *value)
{
	json_strn(b, key, value, strlen(value));
}

void json_int(struct buf *b, const char *key, int64_t value)
{
	json_key(b, key);
	buf_int(b, value);
}

void json_bool(struct buf *b, const char *key, bool value)
{
	json_key(b, key);
	buf_str(b, value ? "true" : "false");
}

void json_raw(struct buf *b, const char *key, const char *value, size_t len)
{
	json_key(b, key);
	buf_add(b, value, len);
}

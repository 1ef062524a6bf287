/*
 * Text looked at eight bytes at a time, for what must be escaped in a JSON string: quotes,
 * backslashes, control characters.
 */
#ifndef COMMON_PLAIN_H
#define COMMON_PLAIN_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EIGHT_TIMES(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t eight_load(const char *text)
{
	uint64_t eight;

	memcpy(&eight, text, sizeof(eight));
	return le64toh(eight);
}

/* Bytes that are zero get their highest bit, and it is right up to the lowest of them. */
static inline uint64_t eight_zero(uint64_t eight)
{
	return (eight - EIGHT_TIMES(1)) & ~eight & EIGHT_TIMES(0x80);
}

/* How many of the eight, 0 to 8, stand before the first that must be escaped. */
static inline size_t eight_plain(uint64_t eight)
{
	uint64_t special = eight_zero(eight ^ EIGHT_TIMES('"')) |
			   eight_zero(eight ^ EIGHT_TIMES('\\')) |
			   ((eight - EIGHT_TIMES(0x20)) & ~eight & EIGHT_TIMES(0x80));

	return special ? (size_t)__builtin_ctzll(special) / 8 : 8;
}

/* The same of a text. */
static inline size_t plain_run(const char *text, size_t len)
{
	size_t at = 0, plain = 8;

	for (; plain == 8 && len - at >= 8; at += plain)
		plain = eight_plain(eight_load(text + at));
	while (plain == 8 && at < len && (unsigned char)text[at] >= 0x20 && text[at] != '"' &&
	       text[at] != '\\')
		at++;
	return at;
}

#endif

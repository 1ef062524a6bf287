/*
 * What text from outside must look like before it is taken: UTF-8, names,
 * tags, lines, numbers, UUIDs. Pure; each "problem" is a static sentence.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_MAX_LEN 64		/* budget names, in bytes */
#define TAG_MAX_LEN 32		/* categories */
#define UUID_LEN 36

/* Strict UTF-8 (no overlong forms, surrogates, or beyond U+10FFFF). Returns the offset of the
 * first bad byte, or `len` when all is well. */
size_t utf8_check(const char *text, size_t len);

/* Copies what fits, with a NUL behind it, into `size` bytes. */
void text_copy(char *ret, size_t size, const char *text);

/* Makes it fit for a terminal: `?` for bytes that are no UTF-8 and for the control characters C0
 * (a line feed may stay, with `lines`), DEL and C1. */
void text_mask(char *text, size_t len, bool lines);

/* NULL when `text` is fit for a ledger's words: valid UTF-8, not empty or all blank, no control
 * characters (C0, DEL, C1), no line or paragraph separators, no bidi overrides or isolates.
 * Otherwise a sentence saying what is wrong. */
const char *words_problem(const char *text);

/* NULL when `name` is a budget name: [a-z][a-z0-9._-]*(/[a-z0-9._-]+)*, at most 64 bytes,
 * not the reserved `company` or `spent`. Otherwise a sentence that says what would be right. */
const char *name_problem(const char *name);

/* NULL for [a-z0-9-]{1,32}, otherwise a sentence. */
const char *tag_problem(const char *tag);

/* A line or a part of one, borrowed: not NUL-ended. */
struct span {
	const char *text;
	size_t len;
};

/* Text that is taken line by line. */
struct lines {
	const char *p, *end;
};

/* The next line, without its newline; false at the end, and for a last line that has none. */
bool lines_next(struct lines *lines, struct span *ret);

/* A decimal number as formats write it: digits alone, no leading zero, within uint64. */
bool decimal_parse(const char *text, size_t len, uint64_t *ret);

/* The 36 characters 8-4-4-4-12 of hex digits, either case, to 16 bytes; false for anything else. */
bool uuid_parse(const char *text, uint8_t ret[16]);

/* Lower case, NUL-ended. */
void uuid_format(const uint8_t uuid[16], char out[UUID_LEN + 1]);

/* A fresh UUIDv7 (RFC 9562): the given Unix milliseconds, then 74 of the given random bits. */
void uuid_v7(int64_t unix_ms, const uint8_t random[10], uint8_t ret[16]);

/* A UUIDv8 of 16 bytes of a digest: version and variant bits are set, the rest stays. */
void uuid_v8(const uint8_t digest[16], uint8_t ret[16]);

#endif

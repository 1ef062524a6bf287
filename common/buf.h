/*
 * A growable run of bytes, and compact JSON written into it.
 *
 * What always holds: data is NULL or NUL-ended, len <= cap. Exhausted memory
 * ends the process (a half-written answer or ledger row must never get out).
 * All zero is a valid empty buf.
 */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;
	size_t len, cap;
};

#define BUF_INIT { NULL, 0, 0 }

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_str(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_int(struct buf *b, int64_t value);
void buf_printf(struct buf *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Allocates for len more bytes, which need not come. */
void buf_reserve(struct buf *b, size_t len);

/* Makes room for len more bytes and returns where they go; len grows by it. */
char *buf_room(struct buf *b, size_t len);

/* Have both the same bytes? */
bool buf_same(const struct buf *one, const struct buf *other);

/* Empties it, keeping the memory. */
void buf_clear(struct buf *b);

/* Frees the memory; the buf is empty and usable again. */
void buf_release(struct buf *b);

/* Hands the bytes to the caller, who frees them; the buf is empty again. */
char *buf_detach(struct buf *b);

/*
 * JSON: no blanks, keys in the order written. A NULL key means an array's
 * element. Strings must be valid UTF-8; what JSON wants escaped is escaped.
 */
void json_open(struct buf *b, const char *key, char bracket);	/* '{' or '[' */
void json_close(struct buf *b, char bracket);			/* '}' or ']' */
void json_str(struct buf *b, const char *key, const char *value);
void json_strn(struct buf *b, const char *key, const char *value, size_t len);
/* the string alone, quoted: whatever stands around it is the caller's */
void json_quote(struct buf *b, const char *text, size_t len);
void json_int(struct buf *b, const char *key, int64_t value);
void json_bool(struct buf *b, const char *key, bool value);
/* value is already JSON text */
void json_raw(struct buf *b, const char *key, const char *value, size_t len);

#endif

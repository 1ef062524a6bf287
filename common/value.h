/*
 * JSON text as a tree of values, for the hot path: one strict pass, two allocations, nothing kept
 * of the text. Private to json.c and message.c, which give it its limits and its words; json.h is
 * what the rest sees.
 *
 * What always holds: a value is followed by those in it, in the order they were written, and spans
 * them all: the next one beside it is `value + value->span`. Keys and strings are valid UTF-8
 * without NUL, ended by NUL. Everything lives until value_free() of the root.
 */
#ifndef COMMON_VALUE_H
#define COMMON_VALUE_H

#include <stddef.h>
#include <stdint.h>

enum value_type {
	VALUE_OBJECT, VALUE_LIST, VALUE_STRING, VALUE_INT,
	VALUE_REAL,		/* with a fraction or an exponent: `text` is as it was written */
	VALUE_TRUE, VALUE_FALSE, VALUE_NULL,
	VALUE_TYPES
};

typedef struct json_t {
	enum value_type type;
	uint32_t span;		/* values, itself included */
	const char *key;	/* of an object's member; NULL elsewhere */
	uint32_t key_len;
	uint32_t len;		/* bytes of a text, values directly in an object or list */
	union {
		const char *text;
		int64_t number;
	};
} json_t;

/*
 * The value that exactly `len` bytes hold, or NULL: no JSON (RFC 8259), nested deeper than `depth`,
 * invalid UTF-8, a key twice in one object, a NUL in a string, an integer that is no int64, a real
 * that is no double.
 */
json_t *value_parse(const char *text, size_t len, unsigned depth);
void value_free(json_t *root);

/* The first value in an object or list that is not empty. */
static inline const json_t *value_first(const json_t *value)
{
	return value + 1;
}

static inline const json_t *value_next(const json_t *value)
{
	return value + value->span;
}

#endif

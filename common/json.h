/*
 * JSON from outside into structs, by a table of fields. Values are value.h's; what is no JSON is
 * told in jansson's words (syntax.h).
 *
 * Strict: unknown and duplicate keys, wrong types, numbers that are no int64, and words that are
 * too long are refused with the parameter's name and a sentence. `null` means absent.
 * Decoded strings belong to the json_t they came from and live as long as it.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "problem.h"

typedef struct json_t json_t;

/* Depth of nesting and number of strings in a list that are taken at most. */
#define JSON_DEPTH_MAX 8
#define JSON_STRINGS_MAX 256

struct json_int {
	int64_t value;
	bool set;
};

struct json_strings {
	const char *item[JSON_STRINGS_MAX];
	size_t count;
	bool set;
};

enum field_type {
	FIELD_INT,		/* struct json_int */
	FIELD_BOOL,		/* bool; absent is false */
	FIELD_STRING,		/* const char *; NULL when absent */
	FIELD_STRINGS,		/* struct json_strings */
	FIELD_OBJECT,		/* const json_t *, borrowed, decoded later; NULL when absent */
	FIELD_JSON,		/* the same, and may be an array too */
};

enum field_flag {
	FIELD_REQUIRED = 1,
	FIELD_WORDS = 2,	/* the string passes words_problem() */
	FIELD_TAG = 4,		/* the string passes tag_problem() */
	FIELD_APART = 8,	/* left out of the request's content and its digest (id, dry_run) */
	FIELD_POSITIVE = 16,	/* the integer is > 0 */
	FIELD_NATURAL = 32,	/* the integer is >= 0 */
	FIELD_FULL = 64,	/* the string is not empty; so are required ones */
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset;		/* offsetof() in the struct to fill */
	unsigned flags;
	size_t max;		/* of a string, in bytes; 0: no limit of its own */
};

#define FIELDS_END { NULL, 0, 0, 0, 0 }

/*
 * Fills `out` (zeroed first, `size` bytes) from an object. NULL and an empty object are the same.
 * 0, or -1 with *problem. With `lenient`, unknown keys are passed over (a client reading a newer
 * daemon's reply). A table has at most 64 fields; its order is the one that decodes fastest.
 */
int json_decode(const json_t *object, const struct field *fields, void *out, size_t size,
		bool lenient, struct problem *problem);

/*
 * The request's content in one canonical line, from which its digest is made: the given fields in
 * the table's order without those flagged FIELD_APART, as JSON. FIELD_OBJECT and FIELD_JSON are
 * not supported here. A bool that is false counts as not given.
 */
void json_content(const struct field *fields, const void *in, struct buf *out);

/*
 * Parses one JSON value from exactly `len` bytes, with the strictness said above. NULL with
 * *problem (its parameter the key it is about, as it was written, or "message" when there is none);
 * otherwise the caller frees it with json_free, which takes NULL.
 */
json_t *json_parse(const char *text, size_t len, struct problem *problem);
void json_free(json_t *value);

/* Elements of an array; 0 and NULL for anything else. */
size_t json_array_len(const json_t *array);
const json_t *json_array_at(const json_t *array, size_t index);

/* Appends the value as compact JSON text, keys in the order they came. */
void json_text(const json_t *value, struct buf *out);

#endif

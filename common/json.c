#include "json.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "syntax.h"
#include "text.h"
#include "value.h"

/* ---- text to values ---- */

json_t *json_parse(const char *text, size_t len, struct problem *problem)
{
	json_t *value = value_parse(text, len, JSON_DEPTH_MAX);

	if (!value)
		syntax_problem(text, len, JSON_DEPTH_MAX, problem);
	return value;
}

void json_free(json_t *value)
{
	value_free(value);
}

/* ---- values to structs ---- */

static int wrong_type(const char *name, const json_t *value, const char *wanted,
		      struct problem *problem)
{
	static const char *const types[] = {
		[VALUE_OBJECT] = "an object",
		[VALUE_LIST] = "a list",
		[VALUE_STRING] = "a string",
		[VALUE_INT] = "a whole number",
		[VALUE_REAL] = "a number with a fraction or an exponent",
		[VALUE_TRUE] = "true",
		[VALUE_FALSE] = "false",
		[VALUE_NULL] = "null",
	};

	problem_set(problem, name, "is %s; %s is needed", types[value->type], wanted);
	return -1;
}

typedef int decoder(const struct field *field, const json_t *value, void *out,
		    struct problem *problem);

static int decode_int(const struct field *field, const json_t *value, void *out,
		      struct problem *problem)
{
	struct json_int *ret = out;
	long long number;

	if (value->type != VALUE_INT)
		return wrong_type(field->name, value, "a whole number", problem);
	number = value->number;
	if ((field->flags & FIELD_POSITIVE) && number <= 0) {
		problem_set(problem, field->name, "is %lld; a number above zero is needed", number);
		return -1;
	}
	if ((field->flags & FIELD_NATURAL) && number < 0) {
		problem_set(problem, field->name, "is %lld; zero or more is needed", number);
		return -1;
	}
	*ret = (struct json_int){ number, true };
	return 0;
}

static int decode_bool(const struct field *field, const json_t *value, void *out,
		       struct problem *problem)
{
	bool *ret = out;

	if (value->type != VALUE_TRUE && value->type != VALUE_FALSE)
		return wrong_type(field->name, value, "true or false", problem);
	*ret = value->type == VALUE_TRUE;
	return 0;
}

static const char *string_problem(const struct field *field, const char *text)
{
	if (field->flags & FIELD_WORDS)
		return words_problem(text);
	if (field->flags & FIELD_TAG)
		return tag_problem(text);
	if ((field->flags & (FIELD_REQUIRED | FIELD_FULL)) && !*text)
		return "is empty; some text is needed";
	return NULL;
}

/* The string itself, or NULL with *problem; `name` is the field's or its element's. */
static const char *string_take(const char *name, const struct field *field, const json_t *value,
			       struct problem *problem)
{
	const char *wrong;

	if (value->type != VALUE_STRING) {
		wrong_type(name, value, "a string", problem);
		return NULL;
	}
	if (field->max && value->len > field->max) {
		problem_set(problem, name, "is %u bytes long; at most %zu are taken", value->len,
			    field->max);
		return NULL;
	}
	wrong = string_problem(field, value->text);
	if (wrong) {
		problem_set(problem, name, "%s", wrong);
		return NULL;
	}
	return value->text;
}

static int decode_string(const struct field *field, const json_t *value, void *out,
			 struct problem *problem)
{
	const char **ret = out;

	*ret = string_take(field->name, field, value, problem);
	return *ret ? 0 : -1;
}

/* Elements are named like "budgets[2]", counted from 0. */
static int decode_strings(const struct field *field, const json_t *value, void *out,
			  struct problem *problem)
{
	struct json_strings *ret = out;
	size_t count = value->len, i;
	char name[sizeof(problem->parameter)];
	const json_t *item;

	if (value->type != VALUE_LIST)
		return wrong_type(field->name, value, "a list of strings", problem);
	if (count > JSON_STRINGS_MAX) {
		problem_set(problem, field->name, "has %zu strings; at most %d are taken", count,
			    JSON_STRINGS_MAX);
		return -1;
	}
	for (i = 0, item = value_first(value); i < count; i++, item = value_next(item)) {
		snprintf(name, sizeof(name), "%s[%zu]", field->name, i);
		ret->item[i] = string_take(name, field, item, problem);
		if (!ret->item[i])
			return -1;
	}
	ret->count = count;
	ret->set = true;
	return 0;
}

static int decode_object(const struct field *field, const json_t *value, void *out,
			 struct problem *problem)
{
	const json_t **ret = out;

	if (value->type != VALUE_OBJECT)
		return wrong_type(field->name, value, "an object", problem);
	*ret = value;
	return 0;
}

static int decode_json(const struct field *field, const json_t *value, void *out,
		       struct problem *problem)
{
	const json_t **ret = out;

	if (value->type != VALUE_OBJECT && value->type != VALUE_LIST)
		return wrong_type(field->name, value, "an object or a list", problem);
	*ret = value;
	return 0;
}

static decoder *const decoders[] = {
	[FIELD_INT] = decode_int,
	[FIELD_BOOL] = decode_bool,
	[FIELD_STRING] = decode_string,
	[FIELD_STRINGS] = decode_strings,
	[FIELD_OBJECT] = decode_object,
	[FIELD_JSON] = decode_json,
};

/* Senders mostly keep to the table's order, so the search begins where the last one ended. */
static const struct field *field_find(const struct field *fields, const struct field *next,
				      const char *key)
{
	const struct field *field;

	for (field = next; field->name; field++)
		if (!strcmp(field->name, key))
			return field;
	for (field = fields; field != next; field++)
		if (!strcmp(field->name, key))
			return field;
	return NULL;
}

static int unknown_key(const struct field *fields, const char *key, struct problem *problem)
{
	struct buf known = BUF_INIT;

	for (; fields->name; fields++)
		buf_printf(&known, "%s%s", known.len ? ", " : "; known are ", fields->name);
	problem_set(problem, key, "is not known here%s",
		    known.len ? known.data : "; nothing is taken");
	buf_release(&known);
	return -1;
}

static int required_check(const struct field *fields, uint64_t seen, struct problem *problem)
{
	const struct field *field;

	for (field = fields; field->name; field++) {
		if (!(field->flags & FIELD_REQUIRED) || seen & UINT64_C(1) << (field - fields))
			continue;
		problem_set(problem, field->name, "is missing");
		return -1;
	}
	return 0;
}

int json_decode(const json_t *object, const struct field *fields, void *out, size_t size,
		bool lenient, struct problem *problem)
{
	const struct field *next = fields, *field;
	const json_t *value;
	uint64_t seen = 0;
	uint32_t count;

	memset(out, 0, size);
	if (object && object->type != VALUE_OBJECT)
		return wrong_type(WHOLE_MESSAGE, object, "an object", problem);
	count = object ? object->len : 0;
	for (value = count ? value_first(object) : NULL; count--; value = value_next(value)) {
		field = field_find(fields, next, value->key);
		if (!field && !lenient)
			return unknown_key(fields, value->key, problem);
		if (!field || value->type == VALUE_NULL)
			continue;
		if (decoders[field->type](field, value, (char *)out + field->offset, problem) < 0)
			return -1;
		seen |= UINT64_C(1) << (field - fields);
		next = field + 1;
	}
	return required_check(fields, seen, problem);
}

/* ---- structs to canonical text ---- */

typedef void writer(struct buf *out, const char *key, const void *in);

static void write_int(struct buf *out, const char *key, const void *in)
{
	const struct json_int *number = in;

	if (number->set)
		json_int(out, key, number->value);
}

static void write_bool(struct buf *out, const char *key, const void *in)
{
	const bool *yes = in;

	if (*yes)
		json_bool(out, key, true);
}

static void write_string(struct buf *out, const char *key, const void *in)
{
	const char *const *text = in;

	if (*text)
		json_str(out, key, *text);
}

static void write_strings(struct buf *out, const char *key, const void *in)
{
	const struct json_strings *list = in;
	size_t i;

	if (!list->set)
		return;
	json_open(out, key, '[');
	for (i = 0; i < list->count; i++)
		json_str(out, NULL, list->item[i]);
	json_close(out, ']');
}

static writer *const writers[] = {
	[FIELD_INT] = write_int,
	[FIELD_BOOL] = write_bool,
	[FIELD_STRING] = write_string,
	[FIELD_STRINGS] = write_strings,
	[FIELD_OBJECT] = NULL,
	[FIELD_JSON] = NULL,
};

void json_content(const struct field *fields, const void *in, struct buf *out)
{
	const struct field *field;

	buf_char(out, '{');
	for (field = fields; field->name; field++) {
		if (field->flags & FIELD_APART)
			continue;
		assert(writers[field->type]);
		writers[field->type](out, field->name, (const char *)in + field->offset);
	}
	buf_char(out, '}');
}

/* ---- values as they are ---- */

size_t json_array_len(const json_t *array)
{
	return array && array->type == VALUE_LIST ? array->len : 0;
}

const json_t *json_array_at(const json_t *array, size_t index)
{
	const json_t *item;

	if (index >= json_array_len(array))
		return NULL;
	for (item = value_first(array); index--; item = value_next(item))
		;
	return item;
}

static void value_text(const json_t *value, struct buf *out);

static void inside_text(const json_t *value, struct buf *out)
{
	const json_t *item = value_first(value);

	for (uint32_t i = 0; i < value->len; i++, item = value_next(item)) {
		if (i)
			buf_char(out, ',');
		if (item->key) {
			json_quote(out, item->key, item->key_len);
			buf_char(out, ':');
		}
		value_text(item, out);
	}
}

static void value_text(const json_t *value, struct buf *out)
{
	static const char *const words[VALUE_TYPES] = {
		[VALUE_OBJECT] = "{", [VALUE_LIST] = "[",
		[VALUE_TRUE] = "true", [VALUE_FALSE] = "false", [VALUE_NULL] = "null",
	};

	if (words[value->type])
		buf_str(out, words[value->type]);
	if (value->type == VALUE_STRING)
		json_quote(out, value->text, value->len);
	else if (value->type == VALUE_INT)
		buf_int(out, value->number);
	else if (value->type == VALUE_REAL)
		buf_add(out, value->text, value->len);
	else if (value->type <= VALUE_LIST)
		inside_text(value, out);
	if (value->type <= VALUE_LIST)
		buf_char(out, value->type == VALUE_OBJECT ? '}' : ']');
}

void json_text(const json_t *value, struct buf *out)
{
	if (value)
		value_text(value, out);
}

#include "json.h"

#include <assert.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define WHOLE_MESSAGE "message"		/* the parameter of what concerns no single one */

/* ---- problems ---- */

/* Cut to whole characters, and fit for a terminal. */
static void tidy(char *text)
{
	text[utf8_check(text, strlen(text))] = '\0';
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

void problem_set(struct problem *problem, const char *parameter, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem->text, sizeof(problem->text), format, args);
	va_end(args);
	snprintf(problem->parameter, sizeof(problem->parameter), "%s", parameter);
	tidy(problem->text);
	tidy(problem->parameter);
}

/* ---- text to values ---- */

/* jansson recurses for each level, so the levels are counted before it sees the text. */
static bool nests_too_deep(const char *text, size_t len)
{
	size_t depth = 0, i;
	bool quoted = false;

	for (i = 0; i < len; i++) {
		char c = text[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']') && depth)
			depth--;
		if (depth > JSON_DEPTH_MAX)
			return true;
	}
	return false;
}

/* The inside of the string whose closing quote is the last of the `end` bytes. */
static struct span string_before(const char *text, size_t end)
{
	size_t close = end - 1, at = close, run;

	while (at > 0) {
		if (text[--at] != '"')
			continue;
		for (run = 0; run < at && text[at - 1 - run] == '\\'; run++)
			;
		if (run % 2 == 0)
			break;
	}
	return (struct span){ text + at + 1, close - at - 1 };
}

static size_t blanks_before(const char *text, size_t end)
{
	while (end > 0 && strchr(" \t\r\n", text[end - 1]))
		end--;
	return end;
}

/* The key of the value that begins at `start`; empty for the element of a list. */
static struct span key_before(const char *text, size_t start)
{
	size_t end = blanks_before(text, start);

	if (end == 0 || text[end - 1] != ':')
		return (struct span){ text, 0 };
	return string_before(text, blanks_before(text, end - 1));
}

/* What jansson's codes mean to the sender. The token it stopped at ends at the error's position. */
enum token { TOKEN_KEY, TOKEN_STRING, TOKEN_NUMBER };

static const struct refusal {
	enum json_error_code code;
	enum token token;
	const char *sentence;
} refusals[] = {
	{ json_error_duplicate_key, TOKEN_KEY, "is given twice; once is right" },
	{ json_error_null_byte_in_key, TOKEN_KEY,
	  "is a key with \\u0000 in it; that is never taken" },
	{ json_error_null_character, TOKEN_STRING, "has \\u0000 in it; that is never taken" },
	{ json_error_numeric_overflow, TOKEN_NUMBER,
	  "is too large a number; whole ones of at most 9223372036854775807, "
	  "either side of zero, are taken" },
};

static struct span token_key(const char *text, size_t end, enum token token)
{
	struct span string;

	if (token == TOKEN_NUMBER) {
		while (end > 0 && strchr("0123456789+-.eE", text[end - 1]))
			end--;
		return key_before(text, end);
	}
	string = string_before(text, end);
	if (token == TOKEN_STRING)
		return key_before(text, (size_t)(string.text - 1 - text));
	return string;
}

static void syntax_problem(const char *text, const json_error_t *error, struct problem *problem)
{
	enum json_error_code code = json_error_code(error);
	size_t end = (size_t)error->position, i;
	char name[sizeof(problem->parameter)];
	struct span key;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].code != code)
			continue;
		key = token_key(text, end, refusals[i].token);
		snprintf(name, sizeof(name), "%.*s",
			 (int)(key.len < sizeof(name) ? key.len : sizeof(name)), key.text);
		problem_set(problem, key.len ? name : WHOLE_MESSAGE, "%s", refusals[i].sentence);
		return;
	}
	problem_set(problem, WHOLE_MESSAGE, "is no JSON, at byte %zu: %s", end, error->text);
}

json_t *json_parse(const char *text, size_t len, struct problem *problem)
{
	size_t valid = utf8_check(text, len);
	json_error_t error;
	json_t *value = NULL;

	if (len == 0)
		problem_set(problem, WHOLE_MESSAGE, "is empty; JSON is needed");
	else if (valid < len)
		problem_set(problem, WHOLE_MESSAGE, "is no UTF-8, at byte %zu", valid + 1);
	else if (nests_too_deep(text, len))
		problem_set(problem, WHOLE_MESSAGE, "nests too deep; at most %d levels are taken",
			    JSON_DEPTH_MAX);
	else if (!(value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error)))
		syntax_problem(text, &error, problem);
	return value;
}

void json_free(json_t *value)
{
	json_decref(value);
}

/* ---- values to structs ---- */

static int wrong_type(const char *name, const json_t *value, const char *wanted,
		      struct problem *problem)
{
	static const char *const types[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "a list",
		[JSON_STRING] = "a string",
		[JSON_INTEGER] = "a whole number",
		[JSON_REAL] = "a number with a fraction or an exponent",
		[JSON_TRUE] = "true",
		[JSON_FALSE] = "false",
		[JSON_NULL] = "null",
	};

	problem_set(problem, name, "is %s; %s is needed", types[json_typeof(value)], wanted);
	return -1;
}

typedef int decoder(const struct field *field, const json_t *value, void *out,
		    struct problem *problem);

static int decode_int(const struct field *field, const json_t *value, void *out,
		      struct problem *problem)
{
	struct json_int *ret = out;
	long long number;

	if (!json_is_integer(value))
		return wrong_type(field->name, value, "a whole number", problem);
	number = json_integer_value(value);
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

	if (!json_is_boolean(value))
		return wrong_type(field->name, value, "true or false", problem);
	*ret = json_is_true(value);
	return 0;
}

static const char *string_problem(const struct field *field, const char *text)
{
	if (field->flags & FIELD_WORDS)
		return words_problem(text);
	if (field->flags & FIELD_TAG)
		return tag_problem(text);
	if ((field->flags & FIELD_REQUIRED) && !*text)
		return "is empty; some text is needed";
	return NULL;
}

/* The string itself, or NULL with *problem; `name` is the field's or its element's. */
static const char *string_take(const char *name, const struct field *field, const json_t *value,
			       struct problem *problem)
{
	const char *text = json_string_value(value), *wrong;

	if (!text) {
		wrong_type(name, value, "a string", problem);
		return NULL;
	}
	if (field->max && json_string_length(value) > field->max) {
		problem_set(problem, name, "is %zu bytes long; at most %zu are taken",
			    json_string_length(value), field->max);
		return NULL;
	}
	wrong = string_problem(field, text);
	if (wrong) {
		problem_set(problem, name, "%s", wrong);
		return NULL;
	}
	return text;
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
	size_t count = json_array_size(value), i;
	char name[sizeof(problem->parameter)];

	if (!json_is_array(value))
		return wrong_type(field->name, value, "a list of strings", problem);
	if (count > JSON_STRINGS_MAX) {
		problem_set(problem, field->name, "has %zu strings; at most %d are taken", count,
			    JSON_STRINGS_MAX);
		return -1;
	}
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s[%zu]", field->name, i);
		ret->item[i] = string_take(name, field, json_array_get(value, i), problem);
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

	if (!json_is_object(value))
		return wrong_type(field->name, value, "an object", problem);
	*ret = value;
	return 0;
}

static int decode_json(const struct field *field, const json_t *value, void *out,
		       struct problem *problem)
{
	const json_t **ret = out;

	if (!json_is_object(value) && !json_is_array(value))
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
	json_t *o = (json_t *)object;		/* jansson's iterators are not const */
	const struct field *next = fields, *field;
	uint64_t seen = 0;
	void *it;

	memset(out, 0, size);
	if (object && !json_is_object(object))
		return wrong_type(WHOLE_MESSAGE, object, "an object", problem);
	for (it = json_object_iter(o); it; it = json_object_iter_next(o, it)) {
		const char *key = json_object_iter_key(it);
		const json_t *value = json_object_iter_value(it);

		field = field_find(fields, next, key);
		if (!field && !lenient)
			return unknown_key(fields, key, problem);
		if (!field || json_is_null(value))
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
	return json_array_size(array);
}

const json_t *json_array_at(const json_t *array, size_t index)
{
	return json_array_get(array, index);
}

static int text_add(const char *bytes, size_t len, void *out)
{
	buf_add(out, bytes, len);
	return 0;
}

void json_text(const json_t *value, struct buf *out)
{
	/* It fails only where text_add does, and for NULL, which is nothing to append. */
	json_dump_callback(value, text_add, out, JSON_COMPACT | JSON_ENCODE_ANY);
}

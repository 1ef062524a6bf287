#include "syntax.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* jansson recurses for each level, so the levels are counted before it sees the text. */
static bool nests_too_deep(const char *text, size_t len, size_t most)
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
		if (depth > most)
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

static void parser_problem(const char *text, const json_error_t *error, struct problem *problem)
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

void syntax_problem(const char *text, size_t len, unsigned depth, struct problem *problem)
{
	size_t valid = utf8_check(text, len);
	json_error_t error;
	json_t *value;

	if (len == 0) {
		problem_set(problem, WHOLE_MESSAGE, "is empty; JSON is needed");
	} else if (valid < len) {
		problem_set(problem, WHOLE_MESSAGE, "is no UTF-8, at byte %zu", valid + 1);
	} else if (nests_too_deep(text, len, depth)) {
		problem_set(problem, WHOLE_MESSAGE, "nests too deep; at most %u levels are taken",
			    depth);
	} else {
		value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
		if (value)
			problem_set(problem, WHOLE_MESSAGE, "is no JSON as it is taken here");
		else
			parser_problem(text, &error, problem);
		json_decref(value);
	}
}

#include <stdlib.h>

#include "common/json.h"
#include "tap.h"

struct sample {
	struct json_int amount, plus, any;
	const char *reason, *category, *id, *free;
	bool dry_run, loud;
	struct json_strings names, tags;
	const json_t *object, *inner;
};

#define AT(member) offsetof(struct sample, member)

static const struct field sample_fields[] = {
	{ "amount", FIELD_INT, AT(amount), FIELD_REQUIRED | FIELD_POSITIVE, 0 },
	{ "plus", FIELD_INT, AT(plus), FIELD_NATURAL, 0 },
	{ "any", FIELD_INT, AT(any), 0, 0 },
	{ "reason", FIELD_STRING, AT(reason), FIELD_WORDS, 1200 },
	{ "category", FIELD_STRING, AT(category), FIELD_TAG, 0 },
	{ "id", FIELD_STRING, AT(id), FIELD_REQUIRED | FIELD_APART, 0 },
	{ "free", FIELD_STRING, AT(free), 0, 0 },
	{ "dry_run", FIELD_BOOL, AT(dry_run), FIELD_APART, 0 },
	{ "loud", FIELD_BOOL, AT(loud), 0, 0 },
	{ "names", FIELD_STRINGS, AT(names), 0, 8 },
	{ "tags", FIELD_STRINGS, AT(tags), FIELD_TAG, 0 },
	{ "object", FIELD_OBJECT, AT(object), FIELD_APART, 0 },
	{ "inner", FIELD_JSON, AT(inner), FIELD_APART, 0 },
	FIELDS_END
};

static const struct field no_fields[] = { FIELDS_END };

#define KNOWN "; known are amount, plus, any, reason, category, id, free, dry_run, loud, " \
	"names, tags, object, inner"
#define RANGE "is too large a number; whole ones of at most 9223372036854775807, " \
	"either side of zero, are taken"

static json_t *parsed(const char *text)
{
	struct problem problem;
	json_t *value = json_parse(text, strlen(text), &problem);

	if (!value) {
		printf("Bail out! %s: %s %s\n", text, problem.parameter, problem.text);
		exit(1);
	}
	return value;
}

/* ---- json_parse ---- */

static const struct {
	const char *text, *parameter, *problem;
} unparsable[] = {
	{ "", "message", "is empty; JSON is needed" },
	{ " ", "message", NULL },
	{ "{", "message", NULL },
	{ "{\"a\":", "message", NULL },
	{ "{\"a\":1,}", "message", NULL },
	{ "{\"a\":01}", "message", NULL },
	{ "{\"a\":+1}", "message", NULL },
	{ "{\"a\":0x10}", "message", NULL },
	{ "{\"a\":NaN}", "message", NULL },
	{ "{\"a\":'b'}", "message", NULL },
	{ "{a:1}", "message", "is no JSON, at byte 2: string or '}' expected near 'a'" },
	{ "{} {}", "message", NULL },
	{ "{}}", "message", NULL },
	{ "// hello\n{}", "message", NULL },
	{ "\xef\xbb\xbf{}", "message", NULL },
	{ "{\"a\":\"\x01\"}", "message", NULL },
	{ "{\"a\":\"\n\"}", "message", NULL },
	{ "{\"a\":\"\\ud800\"}", "message", NULL },
	{ "{\"a\":\"\\udc00\\ud800\"}", "message", NULL },
	{ "{\"a\":\"\\x\"}", "message", NULL },
	{ "{\"a\":\"\x80\"}", "message", "is no UTF-8, at byte 7" },
	{ "\xff", "message", "is no UTF-8, at byte 1" },
	{ "{\"\xc3\xa4\":\"\xc0\xaf\"}", "message", "is no UTF-8, at byte 8" },
	{ "{\"a\":\"\xed\xa0\x80\"}", "message", "is no UTF-8, at byte 7" },
	{ "{\"a\":\"\xf4\x90\x80\x80\"}", "message", "is no UTF-8, at byte 7" },
	{ "{\"a\":\"\xe2\x82\"}", "message", "is no UTF-8, at byte 7" },
	{ "{\"a\":\"x\\u0000y\"}", "a", "has \\u0000 in it; that is never taken" },
	{ "{\"q\\\"\" : \"x\\\"\\u0000\"}", "q\\\"", "has \\u0000 in it; that is never taken" },
	{ "{\"a\":[\"\\u0000\"]}", "message", "has \\u0000 in it; that is never taken" },
	{ "{\"a\\u0000b\":1}", "a\\u0000b", "is a key with \\u0000 in it; that is never taken" },
	{ "{\"a\":1,\"a\":2}", "a", "is given twice; once is right" },
	{ "{\"a\":1,\"b\":2, \"a\":null}", "a", "is given twice; once is right" },
	{ "{\"\\u0061\":1,\"a\":2}", "a", "is given twice; once is right" },
	{ "{\"\":1,\"\":2}", "message", "is given twice; once is right" },
	{ "{\"\\\\\":1,\"\\\\\":2}", "\\\\", "is given twice; once is right" },
	{ "{\"p\":[{\"q\":{\"deep\":1,\"deep\":1}}]}", "deep", "is given twice; once is right" },
	{ "{\"a\":9223372036854775808}", "a", RANGE },
	{ "{\"\xc3\xa4\":1,\"b\" :\n 9223372036854775808 }", "b", RANGE },
	{ "{\"a\":-9223372036854775809}", "a", RANGE },
	{ "{\"a\":99999999999999999999999999999999}", "a", RANGE },
	{ "{\"a\":1e999}", "a", RANGE },
	{ "[1,9223372036854775808]", "message", RANGE },
	{ "9223372036854775808", "message", RANGE },
};

static void test_unparsable(void)
{
	struct problem problem;
	size_t i;

	for (i = 0; i < sizeof(unparsable) / sizeof(unparsable[0]); i++) {
		const char *text = unparsable[i].text;
		json_t *value = json_parse(text, strlen(text), &problem);

		ok(!value, "refused, row %zu", i);
		json_free(value);
		is_str(problem.parameter, unparsable[i].parameter, "... naming the parameter");
		if (unparsable[i].problem)
			is_str(problem.text, unparsable[i].problem, "... saying what is wrong");
		else
			ok(!strncmp(problem.text, "is no JSON, at byte ", 20), "... %s",
			   problem.text);
	}
}

static void test_exact_length(void)
{
	struct problem problem;
	json_t *value = json_parse("{}garbage", 2, &problem);

	ok(value, "only the given bytes are read");
	json_free(value);
	value = json_parse("{\"a\":1}", 6, &problem);
	ok(!value, "a value cut short is refused though the rest lies behind it");
	json_free(value);
	value = json_parse("{}\0", 3, &problem);
	ok(!value, "a NUL among the bytes is refused");
	json_free(value);
	json_free(NULL);
}

/* `levels` lists or objects within each other, then whatever closes them. */
static char *nest(size_t levels, const char *open, const char *inside, char close)
{
	struct buf text = BUF_INIT;
	size_t i;

	for (i = 0; i < levels; i++)
		buf_str(&text, open);
	buf_str(&text, inside);
	for (i = 0; close && i < levels; i++)
		buf_char(&text, close);
	return buf_detach(&text);
}

static void check_nesting(char *text, bool taken, const char *name)
{
	struct problem problem = { 0 };
	json_t *value = json_parse(text, strlen(text), &problem);

	ok(!!value == taken, "%s", name);
	if (!taken)
		is_str(problem.text, "nests too deep; at most 8 levels are taken", "... is said");
	json_free(value);
	free(text);
}

static void test_depth(void)
{
	check_nesting(nest(JSON_DEPTH_MAX, "[", "", ']'), true, "lists as deep as taken");
	check_nesting(nest(JSON_DEPTH_MAX + 1, "[", "", ']'), false, "lists one deeper");
	check_nesting(nest(JSON_DEPTH_MAX, "{\"a\":", "1", '}'), true, "objects as deep as taken");
	check_nesting(nest(JSON_DEPTH_MAX + 1, "{\"a\":", "1", '}'), false, "objects one deeper");
	check_nesting(nest(1000000, "[", "", 0), false, "a bomb of lists");
	check_nesting(nest(1000000, "{\"a\":[", "", 0), false, "a bomb of objects and lists");
	check_nesting(nest(1, "[", "[],[],[],[],[],[],[],[],[],[]", ']'), true,
		      "many beside each other are not deep");
	check_nesting(nest(1, "[\"", "[[[[[[[[[[{{{{{{{{{{\\\"[[[[[[[[\\\\\"", ']'), true,
		      "brackets in a string do not count");
	check_nesting(nest(JSON_DEPTH_MAX + 1, "[\"]\\\"]\",", "1", ']'), false,
		      "closing brackets in a string do not count either");
	check_nesting(nest(JSON_DEPTH_MAX + 1, "[\"\\\\\",", "1", ']'), false,
		      "an escaped backslash does not escape the quote");
}

/* ---- json_decode ---- */

static const struct {
	const char *text, *parameter, *problem;
} undecodable[] = {
	{ "[]", "message", "is a list; an object is needed" },
	{ "null", "message", "is null; an object is needed" },
	{ "5", "message", "is a whole number; an object is needed" },
	{ "{}", "amount", "is missing" },
	{ "{\"amount\":null,\"id\":\"x\"}", "amount", "is missing" },
	{ "{\"amount\":1}", "id", "is missing" },
	{ "{\"amount\":1,\"id\":\"\"}", "id", "is empty; some text is needed" },
	{ "{\"amount\":1,\"id\":7}", "id", "is a whole number; a string is needed" },
	{ "{\"amount\":1,\"id\":{}}", "id", "is an object; a string is needed" },
	{ "{\"amount\":\"1\",\"id\":\"x\"}", "amount", "is a string; a whole number is needed" },
	{ "{\"amount\":1.5,\"id\":\"x\"}", "amount",
	  "is a number with a fraction or an exponent; a whole number is needed" },
	{ "{\"amount\":1e3,\"id\":\"x\"}", "amount",
	  "is a number with a fraction or an exponent; a whole number is needed" },
	{ "{\"amount\":1.0,\"id\":\"x\"}", "amount",
	  "is a number with a fraction or an exponent; a whole number is needed" },
	{ "{\"amount\":true,\"id\":\"x\"}", "amount", "is true; a whole number is needed" },
	{ "{\"amount\":[1],\"id\":\"x\"}", "amount", "is a list; a whole number is needed" },
	{ "{\"amount\":0}", "amount", "is 0; a number above zero is needed" },
	{ "{\"amount\":-0}", "amount", "is 0; a number above zero is needed" },
	{ "{\"amount\":-5}", "amount", "is -5; a number above zero is needed" },
	{ "{\"amount\":-9223372036854775808}", "amount",
	  "is -9223372036854775808; a number above zero is needed" },
	{ "{\"plus\":-1}", "plus", "is -1; zero or more is needed" },
	{ "{\"dry_run\":1}", "dry_run", "is a whole number; true or false is needed" },
	{ "{\"dry_run\":\"true\"}", "dry_run", "is a string; true or false is needed" },
	{ "{\"names\":\"alice\"}", "names", "is a string; a list of strings is needed" },
	{ "{\"names\":{}}", "names", "is an object; a list of strings is needed" },
	{ "{\"names\":[\"alice\",false]}", "names[1]", "is false; a string is needed" },
	{ "{\"names\":[null]}", "names[0]", "is null; a string is needed" },
	{ "{\"names\":[\"alice\",\"ninebytes\"]}", "names[1]",
	  "is 9 bytes long; at most 8 are taken" },
	{ "{\"inner\":\"x\"}", "inner", "is a string; an object or a list is needed" },
	{ "{\"object\":[]}", "object", "is a list; an object is needed" },
	{ "{\"object\":false}", "object", "is false; an object is needed" },
	{ "{\"inner\":1}", "inner", "is a whole number; an object or a list is needed" },
	{ "{\"amuont\":1}", "amuont", "is not known here" KNOWN },
	{ "{\"Amount\":1}", "Amount", "is not known here" KNOWN },
	{ "{\"amount\":1,\"id\":\"x\",\"\":1}", "\"\"", "is not known here" KNOWN },
	{ "{\"unknown\":null}", "unknown", "is not known here" KNOWN },
	{ "{\"esc\\u001b[2J\\u007f\":1}", "esc?[2J?", "is not known here" KNOWN },
};

static void test_undecodable(void)
{
	struct problem problem;
	struct sample sample;
	size_t i;

	for (i = 0; i < sizeof(undecodable) / sizeof(undecodable[0]); i++) {
		json_t *value = parsed(undecodable[i].text);
		int error = json_decode(value, sample_fields, &sample, sizeof(sample), false,
					&problem);

		is_int(error, -1, undecodable[i].text);
		is_str(problem.parameter, undecodable[i].parameter, "... naming the parameter");
		is_str(problem.text, undecodable[i].problem, "... saying what is wrong");
		json_free(value);
	}
}

static int decode_text(const char *text, json_t **root, struct sample *sample,
		       struct problem *problem)
{
	*root = parsed(text);
	memset(sample, 0xa5, sizeof(*sample));
	return json_decode(*root, sample_fields, sample, sizeof(*sample), false, problem);
}

static void test_everything(void)
{
	struct problem problem;
	struct sample s;
	json_t *root;

	is_int(decode_text("{\"amount\":2500,\"plus\":0,\"any\":-7,\"reason\":\"parcel \\u00e4\","
			   "\"category\":\"late\",\"id\":\"x\",\"free\":\"\",\"dry_run\":true,"
			   "\"loud\":false,\"names\":[\"alice\",\"eightby8\"],\"tags\":[],"
			   "\"inner\":[1,2],\"object\":{}}", &root, &s, &problem), 0, "all fields");
	ok(s.amount.set && s.amount.value == 2500, "an integer");
	ok(s.plus.set && s.plus.value == 0, "zero where zero may be");
	ok(s.any.set && s.any.value == -7, "a negative one where that may be");
	is_str(s.reason, "parcel \xc3\xa4", "words, unescaped");
	is_str(s.category, "late", "a tag");
	is_str(s.id, "x", "a string");
	is_str(s.free, "", "an empty string that nothing forbids");
	ok(s.dry_run && !s.loud, "true and false");
	ok(s.names.set && s.names.count == 2, "a list of strings");
	is_str(s.names.item[0], "alice", "... its first");
	is_str(s.names.item[1], "eightby8", "... its second, as long as taken");
	ok(s.tags.set && s.tags.count == 0, "an empty list is there, and empty");
	ok(s.inner && json_array_len(s.inner) == 2, "a list, untouched");
	ok(s.object && json_array_len(s.object) == 0, "an object, untouched");
	json_free(root);
}

static void test_absent(void)
{
	struct problem problem;
	struct sample s;
	json_t *root;

	is_int(decode_text("{\"id\":\"x\",\"plus\":null,\"reason\":null,\"names\":null,"
			   "\"inner\":null,\"loud\":null,\"amount\":1}", &root, &s, &problem), 0,
	       "another order, and null for whatever may be absent");
	ok(!s.plus.set && !s.any.set, "absent integers are not set");
	ok(!s.reason && !s.free, "absent strings are NULL");
	ok(!s.loud && !s.dry_run, "absent booleans are false");
	ok(!s.names.set && s.names.count == 0, "an absent list is not set");
	ok(!s.inner, "an absent object is NULL");
	json_free(root);
}

static void test_integer_limits(void)
{
	struct problem problem;
	struct sample s;
	json_t *root;

	is_int(decode_text("{\"id\":\"x\",\"amount\":9223372036854775807,"
			   "\"any\":-9223372036854775808,\"plus\":9007199254740993}",
			   &root, &s, &problem), 0, "the ends of int64");
	is_int(s.amount.value, INT64_MAX, "... the largest");
	is_int(s.any.value, INT64_MIN, "... the smallest");
	is_int(s.plus.value, INT64_C(9007199254740993), "... and one that no double holds");
	json_free(root);
}

static void test_nothing_given(void)
{
	struct json_int untouched = { 7, true };
	struct problem problem;
	struct sample s;
	json_t *empty = parsed("{}"), *more = parsed("{\"x\":1}");

	is_int(json_decode(NULL, no_fields, &untouched, 0, false, &problem), 0,
	       "no object for no fields");
	is_int(json_decode(empty, no_fields, &untouched, 0, false, &problem), 0,
	       "an empty object for no fields");
	is_int(untouched.value, 7, "size 0 touches nothing");
	is_int(json_decode(NULL, sample_fields, &s, sizeof(s), true, &problem), -1,
	       "no object where something is required");
	is_str(problem.parameter, "amount", "... names the first that is missing");
	is_int(json_decode(more, no_fields, &untouched, 0, false, &problem), -1,
	       "a key where none is known");
	is_str(problem.text, "is not known here; nothing is taken", "... says so");
	json_free(empty);
	json_free(more);
}

static void test_lenient(void)
{
	struct problem problem;
	struct sample s;
	json_t *value = parsed("{\"new\":{\"x\":1.5},\"amount\":3,\"newer\":1,\"id\":\"x\"}");
	json_t *wrong = parsed("{\"new\":1,\"amount\":\"3\"}");

	is_int(json_decode(value, sample_fields, &s, sizeof(s), true, &problem), 0,
	       "lenient passes over what it does not know");
	is_int(s.amount.value, 3, "... and takes what it does");
	is_int(json_decode(wrong, sample_fields, &s, sizeof(s), true, &problem), -1,
	       "lenient is still strict about types");
	json_free(value);
	json_free(wrong);
}

/* ---- strings that are checked ---- */

static int decode_reason(size_t len, struct problem *problem)
{
	struct buf text = BUF_INIT;
	struct sample s;
	json_t *root;
	int error;

	buf_str(&text, "{\"amount\":1,\"id\":\"x\",\"reason\":\"");
	memset(buf_room(&text, len), 'a', len);
	buf_str(&text, "\"}");
	error = decode_text(text.data, &root, &s, problem);
	json_free(root);
	buf_release(&text);
	return error;
}

static void check_words(const char *text, const char *parameter, const char *name)
{
	struct problem problem = { 0 };
	struct sample s;
	json_t *root;

	is_int(decode_text(text, &root, &s, &problem), -1, name);
	is_str(problem.parameter, parameter, "... naming the parameter");
	ok(problem.text[0], "... because it %s", problem.text);
	json_free(root);
}

static void test_words(void)
{
	struct problem problem;

	is_int(decode_reason(1200, &problem), 0, "words as long as taken");
	is_int(decode_reason(1201, &problem), -1, "words one byte longer");
	is_str(problem.text, "is 1201 bytes long; at most 1200 are taken", "... says so");
	is_int(decode_reason(5000, &problem), -1, "words of 5000 bytes");
	is_str(problem.text, "is 5000 bytes long; at most 1200 are taken", "... says so");
	check_words("{\"reason\":\"\"}", "reason", "empty words");
	check_words("{\"reason\":\"a\\u0007b\"}", "reason", "words with a control character");
	check_words("{\"category\":\"Late!\"}", "category", "a tag that is none");
	check_words("{\"category\":\"\"}", "category", "an empty tag");
	check_words("{\"tags\":[\"ok\",\"Not\"]}", "tags[1]", "a tag in a list that is none");
}

static int decode_names(size_t count, struct sample *s, json_t **root, struct problem *problem)
{
	struct buf text = BUF_INIT;
	int error;

	buf_str(&text, "{\"amount\":1,\"id\":\"x\"");
	json_open(&text, "names", '[');
	while (count--)
		json_str(&text, NULL, "a");
	buf_str(&text, "]}");
	error = decode_text(text.data, root, s, problem);
	buf_release(&text);
	return error;
}

static void test_list_limit(void)
{
	struct problem problem;
	struct sample s;
	json_t *root;

	is_int(decode_names(JSON_STRINGS_MAX, &s, &root, &problem), 0, "as many strings as taken");
	is_int((int64_t)s.names.count, JSON_STRINGS_MAX, "... are all there");
	json_free(root);
	is_int(decode_names(JSON_STRINGS_MAX + 1, &s, &root, &problem), -1, "one string more");
	is_str(problem.text, "has 257 strings; at most 256 are taken", "... says so");
	json_free(root);
}

/* ---- problem_set ---- */

static void test_problem_cut(void)
{
	char text[400];
	struct problem problem;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	problem_set(&problem, text, "%s", text);
	is_int((int64_t)strlen(problem.parameter), sizeof(problem.parameter) - 1,
	       "a long name is cut");
	is_int((int64_t)strlen(problem.text), sizeof(problem.text) - 1, "a long text is cut");
	memcpy(text + 61, "\xe2\x82\xac", 3);
	problem_set(&problem, text, "%.61s\n\x1b[31m", text);
	is_int((int64_t)strlen(problem.parameter), 61, "cut before a character that does not fit");
	is_str(problem.text + 61, "??[31m", "control characters are made harmless");
	memcpy(text + 60, "\xe2\x82\xac", 3);
	problem_set(&problem, text, "%s", "");
	is_int((int64_t)strlen(problem.parameter), 63, "not before one that just fits");
}

/* ---- json_content, json_text, arrays ---- */

static void check_content(const char *text, const char *want, const char *name)
{
	struct buf out = BUF_INIT;
	struct problem problem;
	struct sample s;
	json_t *root;

	is_int(decode_text(text, &root, &s, &problem), 0, name);
	json_content(sample_fields, &s, &out);
	is_str(out.data, want, "... its content");
	buf_release(&out);
	json_free(root);
}

static void test_content(void)
{
	check_content("{\"amount\":1,\"id\":\"x\"}", "{\"amount\":1}", "the least");
	check_content("{\"id\":\"y\",\"dry_run\":true,\"inner\":{},\"amount\":1}", "{\"amount\":1}",
		      "what stands apart");
	check_content(" { \"names\" : [ \"b\", \"a\\\"\" ], \"loud\":true, \"tags\":[],\n"
		      "\"reason\":\"\\u00e4 \\\\ \\u0041\", \"id\":\"x\", "
		      "\"any\":-3, \"amount\":2 }",
		      "{\"amount\":2,\"any\":-3,\"reason\":\"\xc3\xa4 \\\\ A\",\"loud\":true,"
		      "\"names\":[\"b\",\"a\\\"\"],\"tags\":[]}", "another order and spelling");
	check_content("{\"amount\":1,\"loud\":false,\"plus\":null,\"id\":\"x\"}", "{\"amount\":1}",
		      "false and null are not given");
}

static void test_content_appends(void)
{
	struct buf out = BUF_INIT;
	struct sample s = { .plus = { 0, true }, .free = "" };

	buf_str(&out, "before");
	json_content(sample_fields, &s, &out);
	is_str(out.data, "before{\"plus\":0,\"free\":\"\"}", "content is appended as it is");
	buf_release(&out);
}

static void check_text(const char *text, const char *want)
{
	struct buf out = BUF_INIT;
	json_t *value = parsed(text);

	json_text(value, &out);
	is_str(out.data, want, "text of a value");
	json_free(value);
	buf_release(&out);
}

static void test_text(void)
{
	struct buf out = BUF_INIT;

	check_text("{ \"z\" : 1 , \"a\" : [ true, null, \"\\u00e4\\\"\\n\" ], \"m\":{} }",
		   "{\"z\":1,\"a\":[true,null,\"\xc3\xa4\\\"\\n\"],\"m\":{}}");
	check_text("\"alone\"", "\"alone\"");
	check_text("[-9223372036854775808,9223372036854775807]",
		   "[-9223372036854775808,9223372036854775807]");
	json_text(NULL, &out);
	is_int((int64_t)out.len, 0, "nothing for NULL");
	buf_release(&out);
}

static void test_arrays(void)
{
	json_t *list = parsed("[{\"amount\":5,\"id\":\"x\"},2]"), *object = parsed("{\"a\":1}");
	const json_t *first = json_array_at(list, 0), *second = json_array_at(list, 1);
	struct problem problem;
	struct sample s;

	is_int((int64_t)json_array_len(list), 2, "elements of a list");
	is_int(json_decode(first, sample_fields, &s, sizeof(s), false, &problem), 0,
	       "an element is decoded like any object");
	is_int(s.amount.value, 5, "... with its values");
	is_int(json_decode(second, sample_fields, &s, sizeof(s), false, &problem), -1,
	       "an element that is no object is refused");
	ok(!json_array_at(list, 2) && !json_array_at(list, SIZE_MAX), "nothing behind the last");
	ok(json_array_len(object) == 0 && !json_array_at(object, 0), "an object has no elements");
	ok(json_array_len(NULL) == 0 && !json_array_at(NULL, 0), "nor has NULL");
	json_free(list);
	json_free(object);
}

int main(void)
{
	test_unparsable();
	test_exact_length();
	test_depth();
	test_undecodable();
	test_everything();
	test_absent();
	test_integer_limits();
	test_nothing_given();
	test_lenient();
	test_words();
	test_list_limit();
	test_problem_cut();
	test_content();
	test_content_appends();
	test_text();
	test_arrays();
	return done_testing();
}

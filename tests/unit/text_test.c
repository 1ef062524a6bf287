#include "common/text.h"
#include "tap.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

static void test_utf8(void)
{
	static const struct {
		const char *what, *text;
		size_t len, bad_at;
	} rows[] = {
		{ "nothing", "", 0, 0 },
		{ "ASCII", "abc", 3, 3 },
		{ "a NUL within", "a\0b", 3, 3 },
		{ "U+0080", "\xc2\x80", 2, 2 },
		{ "U+07FF", "\xdf\xbf", 2, 2 },
		{ "U+0800", "\xe0\xa0\x80", 3, 3 },
		{ "U+D7FF", "\xed\x9f\xbf", 3, 3 },
		{ "U+E000", "\xee\x80\x80", 3, 3 },
		{ "U+FFFF", "\xef\xbf\xbf", 3, 3 },
		{ "U+10000", "\xf0\x90\x80\x80", 4, 4 },
		{ "U+10FFFF", "\xf4\x8f\xbf\xbf", 4, 4 },
		{ "U+110000", "\xf4\x90\x80\x80", 4, 0 },
		{ "a lead byte above F4", "a\xf5\x80\x80\x80", 5, 1 },
		{ "five bytes", "\xf8\x88\x80\x80\x80", 5, 0 },
		{ "six bytes", "\xfc\x84\x80\x80\x80\x80", 6, 0 },
		{ "FE", "ab\xfe", 3, 2 },
		{ "FF", "ab\xff", 3, 2 },
		{ "an overlong NUL", "\xc0\x80", 2, 0 },
		{ "an overlong slash", "ab\xc0\xaf", 4, 2 },
		{ "an overlong U+007F", "\xc1\xbf", 2, 0 },
		{ "an overlong U+07FF", "\xe0\x9f\xbf", 3, 0 },
		{ "an overlong U+FFFF", "\xf0\x8f\xbf\xbf", 4, 0 },
		{ "the first surrogate", "\xed\xa0\x80", 3, 0 },
		{ "the last surrogate", "\xed\xbf\xbf", 3, 0 },
		{ "a lone continuation", "a\x80", 2, 1 },
		{ "a lone BF", "\xbf", 1, 0 },
		{ "two bytes, cut", "a\xc3", 2, 1 },
		{ "three bytes, cut", "\xe2\x82", 2, 0 },
		{ "four bytes, cut", "\xf0\x9f\x98", 3, 0 },
		{ "a character broken by ASCII", "\xe2\x82""a", 3, 0 },
		{ "a character broken by another", "\xe2\xc3\xa9", 3, 0 },
		{ "good up to the bad byte", "\xc3\xa9\xe2\x82\xac\xff", 6, 5 },
		{ "the length and not the NUL ends it", "\xc3\xa9", 1, 0 },
	};

	for (size_t i = 0; i < SIZE(rows); i++)
		is_int((int64_t)utf8_check(rows[i].text, rows[i].len), (int64_t)rows[i].bad_at,
		       rows[i].what);
}

/* A word the problem must hold; NULL where there must be none. */
struct verdict {
	const char *text, *says;
};

static void test_verdicts(const char *what, const char *(*problem_of)(const char *text),
			  const struct verdict *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *problem = problem_of(rows[i].text);
		bool right = rows[i].says ? problem && strstr(problem, rows[i].says) : !problem;

		if (!ok(right, "%s %zu: %s", what, i, rows[i].says ? rows[i].says : "fit"))
			printf("#  '%s': %s\n", rows[i].text, problem ? problem : "(no problem)");
	}
}

static const struct verdict words[] = {
	{ "parcel came late, order 1187", NULL },
	{ "x", NULL },
	{ " x ", NULL },
	{ "\"quoted\" \\ and; |odd|", NULL },
	{ "Gr\xc3\xbc\xc3\x9f""e, \xe2\x82\xac 5", NULL },
	{ "\xe6\xb3\xa8\xe6\x96\x87 1187", NULL },
	{ "\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7", NULL },
	{ "\xf0\x9f\x8e\x81", NULL },
	{ "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80", NULL },
	{ "a\xe2\x80\x8e""b, with a mark", NULL },
	{ "", "empty" },
	{ " ", "empty" },
	{ "    ", "empty" },
	{ "\xc2\xa0", "empty" },
	{ "\xe3\x80\x80 \xe2\x80\x83", "empty" },
	{ "\xe2\x80\x8b\xe2\x80\x8d", "empty" },
	{ "\xef\xbb\xbf", "empty" },
	{ "\xe2\x81\xa0\xc2\xad", "empty" },
	{ "a\tb", "control" },
	{ "a\nb", "control" },
	{ "a\rb", "control" },
	{ "\x01", "control" },
	{ "\x1b[31mred", "control" },
	{ "a\x1f", "control" },
	{ "a\x7f", "control" },
	{ "a\xc2\x80", "control" },
	{ "a\xc2\x85", "control" },
	{ "a\xc2\x9b""31m", "control" },
	{ "a\xc2\x9f", "control" },
	{ "a\xe2\x80\xa8", "separator" },
	{ "a\xe2\x80\xa9", "separator" },
	{ "a\xe2\x80\xaa", "direction" },
	{ "a\xe2\x80\xab", "direction" },
	{ "a\xe2\x80\xac", "direction" },
	{ "a\xe2\x80\xad", "direction" },
	{ "a\xe2\x80\xae""b", "direction" },
	{ "a\xe2\x81\xa6", "direction" },
	{ "a\xe2\x81\xa9", "direction" },
	{ "a\xe2\x80\xa7", NULL },
	{ "a\xe2\x80\xaf", NULL },
	{ "a\xe2\x81\xa5", NULL },
	{ "a\xe2\x81\xaa", NULL },
	{ "\xff", "UTF-8" },
	{ "good\xc3", "UTF-8" },
	{ "\xed\xa0\x80", "UTF-8" },
	{ "\xc0\x8a", "UTF-8" },
};

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

static const struct verdict names[] = {
	{ "alice", NULL },
	{ "a", NULL },
	{ "team/north", NULL },
	{ "a/b/c/d", NULL },
	{ "a.b_c-d9", NULL },
	{ "a/9", NULL },
	{ "a/-", NULL },
	{ "a/.hidden", NULL },
	{ "a/..", NULL },
	{ "a.", NULL },
	{ "companyx", NULL },
	{ "company/x", NULL },
	{ "x/spent", NULL },
	{ "spent-more", NULL },
	{ SIXTY "1234", NULL },
	{ SIXTY "12345", "64" },
	{ SIXTY "1/34", NULL },
	{ SIXTY SIXTY SIXTY, "64" },
	{ "company", "own accounts" },
	{ "spent", "own accounts" },
	{ "", "begins" },
	{ "Alice", "begins" },
	{ "9a", "begins" },
	{ ".a", "begins" },
	{ "-a", "begins" },
	{ "_a", "begins" },
	{ "/a", "begins" },
	{ "/", "begins" },
	{ " alice", "begins" },
	{ "\xc3\xa9", "begins" },
	{ "a//b", "slash" },
	{ "a/", "slash" },
	{ "a/b/", "slash" },
	{ "a///", "slash" },
	{ "alicE", "made of" },
	{ "al ice", "made of" },
	{ "alice\n", "made of" },
	{ "a\\b", "made of" },
	{ "a:b", "made of" },
	{ "a/B", "made of" },
	{ "a/ b", "made of" },
	{ "a\xc3\xa9", "made of" },
	{ "a\x80", "made of" },
};

static const struct verdict tags[] = {
	{ "late-delivery", NULL },
	{ "9", NULL },
	{ "-", NULL },
	{ "abcdefghijklmnopqrstuvwxyz-01234", NULL },
	{ "abcdefghijklmnopqrstuvwxyz-012345", "32" },
	{ "", "one to 32" },
	{ "Late", "small letters" },
	{ "late delivery", "small letters" },
	{ "late_delivery", "small letters" },
	{ "a/b", "small letters" },
	{ "a.b", "small letters" },
	{ "\xc3\xa9", "small letters" },
	{ "late\n", "small letters" },
};

static void test_uuid_text(void)
{
	static const char text[] = "0192f3a4-b5c6-7d8e-9f01-23456789abcd";
	static const uint8_t bytes[16] = {
		0x01, 0x92, 0xf3, 0xa4, 0xb5, 0xc6, 0x7d, 0x8e,
		0x9f, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd,
	};
	char out[UUID_LEN + 1];
	uint8_t uuid[16];

	ok(uuid_parse(text, uuid) && !memcmp(uuid, bytes, 16), "a UUID is read");
	memset(uuid, 0, sizeof(uuid));
	ok(uuid_parse("0192F3A4-B5C6-7D8E-9F01-23456789ABCD", uuid) && !memcmp(uuid, bytes, 16),
	   "in capitals too");
	uuid_format(bytes, out);
	is_str(out, text, "and written in small letters");
}

static void test_bad_uuids(void)
{
	static const char *const bad[] = {
		"", "0192f3a4", "0192f3a4-b5c6-7d8e-9f01-23456789abc",
		"0192f3a4-b5c6-7d8e-9f01-23456789abcde", "0192f3a4b5c67d8e9f0123456789abcd",
		"0192f3a4-b5c6-7d8e-9f01-23456789abcg", "0192f3a4-b5c6-7d8e-9f01_23456789abcd",
		"{0192f3a4-b5c6-7d8e-9f01-23456789abcd}", "0192f3a4-b5c6-7d8e-9f012-3456789abcd",
		" 192f3a4-b5c6-7d8e-9f01-23456789abcd", "0x92f3a4-b5c6-7d8e-9f01-23456789abcd",
		"0192f3a4-b5c6-7d8e-9f01-23456789abcd ", "------------------------------------",
		"0192f3a4-b5c6-7d8e-9f01-23456789ab\xd9\xa3",
		"+192f3a4-b5c6-7d8e-9f01-23456789abcd",
	};
	uint8_t uuid[16] = { 42 }, same[16] = { 42 };

	for (size_t i = 0; i < SIZE(bad); i++)
		ok(!uuid_parse(bad[i], uuid) && !memcmp(uuid, same, 16), "'%s' is no UUID", bad[i]);
}

/* The example of RFC 9562, appendix A.6, and what is at the ends. */
static void test_uuid_v7(void)
{
	static const uint8_t random[10] = {
		0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f,
	};
	uint8_t ones[10], zeros[10] = { 0 }, uuid[16];
	char out[UUID_LEN + 1];

	memset(ones, 0xff, sizeof(ones));
	uuid_v7(INT64_C(0x017f22e279b0), random, uuid);
	uuid_format(uuid, out);
	is_str(out, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "the UUIDv7 of RFC 9562");
	uuid_v7(INT64_C(0xffffffffffff), ones, uuid);
	uuid_format(uuid, out);
	is_str(out, "ffffffff-ffff-7fff-bfff-ffffffffffff", "74 random bits, all set");
	uuid_v7(0, zeros, uuid);
	uuid_format(uuid, out);
	is_str(out, "00000000-0000-7000-8000-000000000000", "and none set");
}

static void test_uuid_v8(void)
{
	uint8_t digest[16], zeros[16] = { 0 }, uuid[16];
	char out[UUID_LEN + 1];

	memset(digest, 0xff, sizeof(digest));
	uuid_v8(digest, uuid);
	uuid_format(uuid, out);
	is_str(out, "ffffffff-ffff-8fff-bfff-ffffffffffff", "a UUIDv8 keeps all but six bits");
	uuid_v8(zeros, uuid);
	uuid_format(uuid, out);
	is_str(out, "00000000-0000-8000-8000-000000000000", "which it sets");
	uuid_v8(digest, digest);
	uuid_format(digest, out);
	is_str(out, "ffffffff-ffff-8fff-bfff-ffffffffffff", "also in place");
}

static void test_lines(void)
{
	static const char text[] = "one\n\nthree\nrest";
	struct lines lines = { text, text + sizeof(text) - 1 };
	struct span line;

	ok(lines_next(&lines, &line) && line.len == 3 && !memcmp(line.text, "one", 3), "a line");
	ok(lines_next(&lines, &line) && line.len == 0, "an empty one");
	ok(lines_next(&lines, &line) && line.len == 5, "another");
	ok(!lines_next(&lines, &line) && !strcmp(lines.p, "rest"), "what does not end is no line");
}

static void test_decimal(void)
{
	static const char *const bad[] = { "", "00", "01", "-1", "+1", " 1", "1 ", "1e3", "0x1", "1.0",
					   "18446744073709551616", "99999999999999999999" };
	uint64_t value = 42;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(!decimal_parse(bad[i], strlen(bad[i]), &value), "'%s' is no decimal number here",
		   bad[i]);
	ok(value == 42, "what was there before is untouched");
	ok(decimal_parse("0", 1, &value) && value == 0, "zero");
	ok(decimal_parse("18446744073709551615", 20, &value) && value == UINT64_MAX, "the largest");
	ok(decimal_parse("123", 2, &value) && value == 12, "as many digits as are said");
}

static void test_mask(void)
{
	char text[] = "a\x1b[2J\tb\n\x7f\xc2\x9b\xff\xc3\xa9 z\xc2", lines[sizeof(text)];

	memcpy(lines, text, sizeof(text));
	text_mask(text, strlen(text), false);
	is_str(text, "a?[2J?b?????\xc3\xa9 z?", "nothing that a terminal acts upon is left");
	text_mask(lines, strlen(lines), true);
	is_str(lines, "a?[2J?b\n????\xc3\xa9 z?", "but lines, where there are some");
}

int main(void)
{
	test_mask();
	test_lines();
	test_decimal();
	test_utf8();
	test_verdicts("words", words_problem, words, SIZE(words));
	test_verdicts("name", name_problem, names, SIZE(names));
	test_verdicts("tag", tag_problem, tags, SIZE(tags));
	test_uuid_text();
	test_bad_uuids();
	test_uuid_v7();
	test_uuid_v8();
	return done_testing();
}

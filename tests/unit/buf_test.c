#include "common/buf.h"
#include "tap.h"

#include <stdlib.h>

/* Compares the whole content, and what always holds. */
static void is_buf(const struct buf *b, const char *want, const char *name)
{
	is_str(b->data ? b->data : "", want, name);
	ok(b->len == strlen(want) && b->len <= b->cap && (!b->data || !b->data[b->len]),
	   "and its length and end");
}

static void test_bytes(void)
{
	struct buf b = BUF_INIT;

	is_buf(&b, "", "empty at first");
	buf_add(&b, NULL, 0);
	is_buf(&b, "", "nothing added");
	buf_str(&b, "abc");
	buf_char(&b, '-');
	buf_add(&b, "defg", 3);
	is_buf(&b, "abc-def", "text, a character, bytes");
	buf_printf(&b, "%s=%d", " x", -7);
	is_buf(&b, "abc-def x=-7", "a format");
	memcpy(buf_room(&b, 2), "yz", 2);
	is_buf(&b, "abc-def x=-7yz", "room to write into");
	buf_clear(&b);
	is_buf(&b, "", "cleared");
	buf_add(&b, "a\0b", 3);
	ok(b.len == 3 && !memcmp(b.data, "a\0b", 4), "a NUL is a byte like others");
	buf_release(&b);
	ok(!b.data && !b.len && !b.cap, "released");
	buf_str(&b, "again");
	is_buf(&b, "again", "and usable again");
	buf_release(&b);
	buf_clear(&b);
	buf_release(&b);
	is_buf(&b, "", "cleared and released when empty");
}

static void test_growth(void)
{
	struct buf b = BUF_INIT;
	bool right = true;

	for (size_t i = 0; i < 100000; i++) {
		buf_char(&b, (char)('a' + i % 26));
		right = right && b.len == i + 1 && b.len < b.cap && !b.data[b.len];
	}
	ok(right, "ends in NUL after each of 100000 bytes");
	for (size_t i = 0; i < b.len; i++)
		right = right && b.data[i] == (char)('a' + i % 26);
	ok(right, "and keeps them all");
	buf_clear(&b);
	for (size_t i = 1; i <= 300; i++) {
		buf_printf(&b, "%*d", (int)i, 1);
		right = right && b.len == i * (i + 1) / 2;
	}
	ok(right, "formats of any length");
	buf_release(&b);
}

static void test_detach(void)
{
	struct buf b = BUF_INIT;
	char *text = buf_detach(&b);

	is_str(text, "", "what is taken from an empty one is an empty text");
	free(text);
	buf_str(&b, "mine");
	text = buf_detach(&b);
	is_str(text, "mine", "taken");
	ok(!b.data && !b.len && !b.cap, "and nothing left");
	free(text);
}

static void test_ints(void)
{
	static const struct {
		int64_t value;
		const char *want;
	} rows[] = {
		{ 0, "0" }, { 7, "7" }, { -7, "-7" }, { 10, "10" }, { 1234567890, "1234567890" },
		{ INT64_MAX, "9223372036854775807" }, { INT64_MIN, "-9223372036854775808" },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		buf_int(&b, rows[i].value);
		is_buf(&b, rows[i].want, rows[i].want);
	}
	buf_release(&b);
}

static void test_json(void)
{
	struct buf b = BUF_INIT;

	json_open(&b, NULL, '{');
	json_str(&b, "a", "x");
	json_int(&b, "b", -1);
	json_bool(&b, "c", true);
	json_bool(&b, "d", false);
	json_open(&b, "e", '[');
	json_int(&b, NULL, 1);
	json_str(&b, NULL, "two");
	json_open(&b, NULL, '{');
	json_close(&b, '}');
	json_open(&b, NULL, '[');
	json_close(&b, ']');
	json_close(&b, ']');
	json_raw(&b, "f", "{\"g\":null}", 10);
	json_open(&b, "h", '{');
	json_close(&b, '}');
	json_strn(&b, "i", "cutoff", 3);
	json_close(&b, '}');
	is_buf(&b, "{\"a\":\"x\",\"b\":-1,\"c\":true,\"d\":false,\"e\":[1,\"two\",{},[]],"
	       "\"f\":{\"g\":null},\"h\":{},\"i\":\"cut\"}", "an object of everything");
	buf_release(&b);
}

static void test_json_strings(void)
{
	static const struct {
		const char *value, *want, *name;
	} rows[] = {
		{ "", "\"\"", "an empty string" },
		{ "plain", "\"plain\"", "nothing to escape" },
		{ "\"", "\"\\\"\"", "a quote" },
		{ "\\", "\"\\\\\"", "a backslash" },
		{ "/", "\"/\"", "a slash stays" },
		{ "a\nb\tc", "\"a\\nb\\tc\"", "line feed and tab" },
		{ "\r\b\f\x01\x1f", "\"\\u000d\\u0008\\u000c\\u0001\\u001f\"", "other controls" },
		{ "\x7f\xc3\xbc\xf0\x9f\x8e\x81",
		"\"\x7f\xc3\xbc\xf0\x9f\x8e\x81\"", "UTF-8 stays" },
		{ "\"\"a\"\"", "\"\\\"\\\"a\\\"\\\"\"", "quotes at both ends" },
		{ "{[,:", "\"{[,:\"", "JSON's own marks" },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		json_str(&b, NULL, rows[i].value);
		is_buf(&b, rows[i].want, rows[i].name);
	}
	buf_clear(&b);
	json_strn(&b, NULL, "a\0b", 3);
	is_buf(&b, "\"a\\u0000b\"", "a NUL within");
	buf_release(&b);
}

/* Each byte at each place of a text that is looked at eight bytes at a time. */
static void test_json_places(void)
{
	struct buf b = BUF_INIT, want = BUF_INIT;
	unsigned wrong = 0;

	for (unsigned char c = 255; c; c--)
		for (size_t at = 0; at < 20; at++) {
			char text[] = "abcdefghijklmnopqrst";

			text[at] = (char)c;
			buf_clear(&b);
			buf_clear(&want);
			buf_printf(&want, "\"%.*s", (int)at, text);
			if (c < 0x20 && c != '\n' && c != '\t')
				buf_printf(&want, "\\u%04x", c);
			else if (c < 0x20 || c == '"' || c == '\\')
				buf_printf(&want, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : c);
			else
				buf_char(&want, (char)c);
			buf_printf(&want, "%s\"", text + at + 1);
			json_str(&b, NULL, text);
			wrong += strcmp(b.data, want.data) != 0;
		}
	is_int(wrong, 0, "each byte, wherever it stands");
	buf_release(&b);
	buf_release(&want);
}

/* A comma belongs between elements, whatever their last character. */
static void test_json_commas(void)
{
	static const char *const values[] = { "{", "[", ":", ",", "" };
	struct buf b = BUF_INIT;

	json_open(&b, NULL, '[');
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		json_str(&b, NULL, values[i]);
	json_close(&b, ']');
	is_buf(&b, "[\"{\",\"[\",\":\",\",\",\"\"]", "elements that look like JSON's marks");
	buf_release(&b);
}

int main(void)
{
	test_bytes();
	test_growth();
	test_detach();
	test_ints();
	test_json();
	test_json_strings();
	test_json_places();
	test_json_commas();
	return done_testing();
}

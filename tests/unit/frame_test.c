#include <event2/buffer.h>
#include <stdlib.h>

#include "common/frame.h"
#include "tap.h"

#define MAX 16

static struct evbuffer *buffer(const char *bytes, size_t len)
{
	struct evbuffer *in = evbuffer_new();

	if (!in || evbuffer_add(in, bytes, len) < 0)
		abort();
	return in;
}

static void chain_free(const void *bytes, size_t len, void *copy)
{
	(void)bytes;
	(void)len;
	free(copy);
}

/* Adds the bytes as a chain of their own, with something else lying behind them. */
static void add_chain(struct evbuffer *in, const char *bytes, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		abort();
	memcpy(copy, bytes, len);
	copy[len] = 'X';
	if (evbuffer_add_reference(in, copy, len, chain_free, copy) < 0)
		abort();
}

/* Of plain bytes that end where they are said to. */
static void check_find(const char *bytes, size_t have, enum frame want)
{
	char *exact = malloc(have ? have : 1);
	size_t len = SIZE_MAX;

	if (!exact)
		abort();
	memcpy(exact, bytes, have);
	is_int(frame_find(have ? exact : NULL, have, MAX, &len), want, "... the same of plain bytes");
	ok(len == (want == FRAME_WHOLE ? strlen(bytes) : SIZE_MAX), "... with its length or none");
	free(exact);
}

static void check_peek(const char *bytes, size_t have, enum frame want, const char *name)
{
	struct evbuffer *in = buffer(bytes, have);
	const char *text = NULL;
	size_t len = SIZE_MAX;

	is_int(frame_peek(in, MAX, &text, &len), want, name);
	is_int((int64_t)evbuffer_get_length(in), (int64_t)have, "... and nothing is taken out");
	if (want == FRAME_WHOLE) {
		is_int((int64_t)len, (int64_t)strlen(bytes), "... of the right length");
		is_str(text, bytes, "... with its bytes and the NUL");
	} else {
		ok(!text && len == SIZE_MAX, "... and nothing is set");
	}
	evbuffer_free(in);
	check_find(bytes, have, want);
}

static void test_kinds(void)
{
	check_peek("", 0, FRAME_PARTIAL, "nothing at all");
	check_peek("{", 1, FRAME_PARTIAL, "a beginning");
	check_peek("{}", 3, FRAME_WHOLE, "a message");
	check_peek("{}\0{\"a\"", 7, FRAME_WHOLE, "a message with more behind it");
	check_peek("\0", 1, FRAME_EMPTY, "a NUL alone");
	check_peek("\0{}\0", 4, FRAME_EMPTY, "a NUL before a message");
	check_peek("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, FRAME_EMPTY, "a flood of NULs");
}

static void test_limit(void)
{
	check_peek("0123456789abcde", 15, FRAME_PARTIAL, "under the limit, no NUL");
	check_peek("0123456789abcdef", 16, FRAME_PARTIAL, "at the limit, no NUL");
	check_peek("0123456789abcdefg", 17, FRAME_TOO_LONG, "over the limit, no NUL");
	check_peek("0123456789abcde", 16, FRAME_WHOLE, "under the limit, whole");
	check_peek("0123456789abcdef", 17, FRAME_WHOLE, "at the limit, whole");
	check_peek("0123456789abcdefg", 18, FRAME_TOO_LONG, "over the limit, whole");
	check_peek("{}\0" "0123456789abcdefghijklmnop", 29, FRAME_WHOLE,
		   "a short one before one over the limit");
}

/* Reads all messages into "[a][b]", with "[]" for an empty one and "?" where its NUL is missing. */
static char *frames_read(struct evbuffer *in)
{
	char *all = calloc(1, 256);
	const char *text = "";
	size_t len = 0;
	enum frame frame;

	while ((frame = frame_peek(in, MAX, &text, &len)) == FRAME_WHOLE || frame == FRAME_EMPTY) {
		if (frame == FRAME_EMPTY)
			len = 0;
		else if (text[len] != '\0')
			strcat(all, "?");
		sprintf(all + strlen(all), "[%.*s]", (int)len, text);
		frame_drop(in, len);
	}
	if (frame == FRAME_TOO_LONG)
		strcat(all, "!");
	sprintf(all + strlen(all), "+%zu", evbuffer_get_length(in));
	return all;
}

static const char stream[] = "{\"a\":1}\0\0{\"method\":\"b\"}\0{}\0tail";
#define STREAM_LEN (sizeof(stream) - 1)
#define STREAM_FRAMES "[{\"a\":1}][][{\"method\":\"b\"}][{}]+4"

/* Every way to cut the stream into three chains. */
static void test_chains(void)
{
	size_t i, j;
	int wrong = 0;

	for (i = 0; i <= STREAM_LEN; i++) {
		for (j = i; j <= STREAM_LEN; j++) {
			struct evbuffer *in = evbuffer_new();
			char *all;

			if (i)
				add_chain(in, stream, i);
			if (j > i)
				add_chain(in, stream + i, j - i);
			if (j < STREAM_LEN)
				add_chain(in, stream + j, STREAM_LEN - j);
			all = frames_read(in);
			wrong += !!strcmp(all, STREAM_FRAMES);
			free(all);
			evbuffer_free(in);
		}
	}
	is_int(wrong, 0, "bytes cut anywhere give the same messages");
}

static void test_chain_for_each_byte(void)
{
	struct evbuffer *in = evbuffer_new();
	char *all;
	size_t i;

	for (i = 0; i < STREAM_LEN; i++)
		add_chain(in, stream + i, 1);
	all = frames_read(in);
	is_str(all, STREAM_FRAMES, "a chain for each byte gives the same messages");
	free(all);
	evbuffer_free(in);
}

/* A byte arrives, and whatever is whole is read, as from a slow sender. */
static void test_byte_by_byte(void)
{
	struct evbuffer *in = evbuffer_new();
	char got[256] = "", *all;
	size_t i;

	for (i = 0; i < STREAM_LEN; i++) {
		evbuffer_add(in, stream + i, 1);
		all = frames_read(in);
		strncat(got, all, strcspn(all, "+"));
		free(all);
	}
	is_str(got, "[{\"a\":1}][][{\"method\":\"b\"}][{}]", "so do bytes one after the other");
	is_int((int64_t)evbuffer_get_length(in), 4, "... and what is not whole stays");
	evbuffer_free(in);
}

static void check_limit_over_chains(size_t len, bool ended, const char *want)
{
	static const char bytes[] = "0123456789abcdefg";
	struct evbuffer *in = evbuffer_new();
	char *all;
	size_t i;

	for (i = 0; i < len; i++)
		add_chain(in, bytes + i, 1);
	if (ended)
		add_chain(in, "", 1);
	all = frames_read(in);
	is_str(all, want, "the limit holds across chains");
	free(all);
	evbuffer_free(in);
}

static void test_limit_over_chains(void)
{
	check_limit_over_chains(MAX, false, "+16");
	check_limit_over_chains(MAX + 1, false, "!+17");
	check_limit_over_chains(MAX, true, "[0123456789abcdef]+0");
	check_limit_over_chains(MAX + 1, true, "!+18");
}

int main(void)
{
	test_kinds();
	test_limit();
	test_chains();
	test_chain_for_each_byte();
	test_byte_by_byte();
	test_limit_over_chains();
	return done_testing();
}

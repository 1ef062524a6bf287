#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/frame.h"
#include "tap.h"

#define MAX 16

/* Of bytes that end where they are said to. */
static void check_find(const char *bytes, size_t have, enum frame want, const char *name)
{
	char *exact = malloc(have ? have : 1);
	size_t len = SIZE_MAX;

	if (!exact)
		abort();
	memcpy(exact, bytes, have);
	is_int(frame_find(have ? exact : NULL, have, MAX, &len), want, name);
	ok(len == (want == FRAME_WHOLE ? strlen(bytes) : SIZE_MAX), "... with its length or none");
	free(exact);
}

static void test_kinds(void)
{
	check_find("", 0, FRAME_PARTIAL, "nothing at all");
	check_find("{", 1, FRAME_PARTIAL, "a beginning");
	check_find("{}", 3, FRAME_WHOLE, "a message");
	check_find("{}\0{\"a\"", 7, FRAME_WHOLE, "a message with more behind it");
	check_find("\0", 1, FRAME_EMPTY, "a NUL alone");
	check_find("\0{}\0", 4, FRAME_EMPTY, "a NUL before a message");
	check_find("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, FRAME_EMPTY, "a flood of NULs");
}

static void test_limit(void)
{
	check_find("0123456789abcde", 15, FRAME_PARTIAL, "under the limit, no NUL");
	check_find("0123456789abcdef", 16, FRAME_PARTIAL, "at the limit, no NUL");
	check_find("0123456789abcdefg", 17, FRAME_TOO_LONG, "over the limit, no NUL");
	check_find("0123456789abcde", 16, FRAME_WHOLE, "under the limit, whole");
	check_find("0123456789abcdef", 17, FRAME_WHOLE, "at the limit, whole");
	check_find("0123456789abcdefg", 18, FRAME_TOO_LONG, "over the limit, whole");
	check_find("{}\0" "0123456789abcdefghijklmnop", 29, FRAME_WHOLE,
		   "a short one before one over the limit");
}

/* Appends what is whole, as "[a][b]", with "[]" for an empty one. Returns how far it got. */
static size_t frames_read(const char *bytes, size_t have, struct buf *seen)
{
	size_t at = 0, len = 0;
	enum frame frame;

	while ((frame = frame_find(bytes + at, have - at, MAX, &len)) == FRAME_WHOLE ||
	       frame == FRAME_EMPTY) {
		if (frame == FRAME_EMPTY)
			len = 0;
		buf_printf(seen, "[%.*s]", (int)len, bytes + at);
		at += len + 1;
	}
	return at;
}

static const char stream[] = "{\"a\":1}\0\0{\"method\":\"b\"}\0{}\0tail";
#define STREAM_LEN (sizeof(stream) - 1)
#define STREAM_FRAMES "[{\"a\":1}][][{\"method\":\"b\"}][{}]"

/* Whatever is whole is read at each of two cuts and at the end. */
static void test_cuts(void)
{
	size_t i, j;
	int wrong = 0;

	for (i = 0; i <= STREAM_LEN; i++) {
		for (j = i; j <= STREAM_LEN; j++) {
			struct buf seen = BUF_INIT;
			size_t at = frames_read(stream, i, &seen);

			at += frames_read(stream + at, j - at, &seen);
			at += frames_read(stream + at, STREAM_LEN - at, &seen);
			wrong += strcmp(seen.data, STREAM_FRAMES) || at != STREAM_LEN - 4;
			buf_release(&seen);
		}
	}
	is_int(wrong, 0, "bytes cut anywhere give the same messages");
}

/* As from a slow sender. */
static void test_byte_by_byte(void)
{
	struct buf seen = BUF_INIT;
	size_t at = 0, i;

	for (i = 1; i <= STREAM_LEN; i++)
		at += frames_read(stream + at, i - at, &seen);
	is_str(seen.data, STREAM_FRAMES, "so do bytes one after the other");
	is_int((int64_t)at, (int64_t)STREAM_LEN - 4, "... and what is not whole stays");
	buf_release(&seen);
}

int main(void)
{
	test_kinds();
	test_limit();
	test_cuts();
	test_byte_by_byte();
	return done_testing();
}

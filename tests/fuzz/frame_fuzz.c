/* Frames: the same bytes, in one piece or split wherever
 * the first byte says, give the same messages. */
#include "common/buf.h"
#include "common/frame.h"
#include "fuzz.h"

#define FRAME_MAX 300

/* Takes what is whole of the bytes from *at on, noting kind and bytes. false: nothing more can come
 * of this connection. */
static bool frames_take(const uint8_t *data, size_t have, size_t *at, struct buf *seen)
{
	size_t len = 0;

	for (;;) {
		const char *text = (const char *)data + *at;
		enum frame frame = frame_find(text, have - *at, FRAME_MAX, &len);

		if (frame == FRAME_PARTIAL)
			return true;
		buf_printf(seen, "%d:", frame);
		if (frame == FRAME_TOO_LONG)
			return false;
		if (frame == FRAME_WHOLE)
			buf_add(seen, text, len);
		*at += frame == FRAME_WHOLE ? len + 1 : 1;
	}
}

static void feed(const uint8_t *data, size_t size, size_t step, struct buf *seen)
{
	size_t at = 0, have = 0;

	do
		have = size - have < step ? size : have + step;
	while (frames_take(data, have, &at, seen) && have < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT, split = BUF_INIT;

	if (size < 2)
		return 0;
	feed(data + 1, size - 1, size, &whole);
	feed(data + 1, size - 1, 1 + data[0] % 64, &split);
	MUST(whole.len == split.len && (!whole.len || !memcmp(whole.data, split.data, whole.len)));
	buf_release(&whole);
	buf_release(&split);
	return 0;
}

/* Frames: the same bytes, in one piece or split wherever the first byte says, give the same messages. */
#include <event2/buffer.h>

#include "common/buf.h"
#include "common/frame.h"
#include "fuzz.h"

#define FRAME_MAX 300

/* Takes what is whole, noting kind and bytes. false: nothing more can come of this connection. */
static bool frames_take(struct evbuffer *in, struct buf *seen)
{
	const char *text;
	size_t len = 0;

	for (;;) {
		enum frame frame = frame_peek(in, FRAME_MAX, &text, &len);

		if (frame == FRAME_PARTIAL)
			return true;
		buf_printf(seen, "%d:", frame);
		if (frame == FRAME_TOO_LONG)
			return false;
		if (frame == FRAME_WHOLE)
			buf_add(seen, text, len);
		frame_drop(in, frame == FRAME_WHOLE ? len : 0);
	}
}

static void feed(const uint8_t *data, size_t size, size_t step, struct buf *seen)
{
	struct evbuffer *in = evbuffer_new();
	bool alive = true;

	for (size_t at = 0; at < size && alive; at += step) {
		evbuffer_add(in, data + at, size - at < step ? size - at : step);
		alive = frames_take(in, seen);
	}
	evbuffer_free(in);
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

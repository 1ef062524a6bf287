/*
 * The framing of Varlink: messages in a stream, each ended by one NUL byte.
 */
#ifndef COMMON_FRAME_H
#define COMMON_FRAME_H

#include <stddef.h>

struct evbuffer;

enum frame {
	FRAME_PARTIAL,		/* no NUL yet, and not over the limit */
	FRAME_WHOLE,
	FRAME_EMPTY,		/* a NUL with nothing before it */
	FRAME_TOO_LONG,		/* more than `max` bytes, with a NUL behind them or not */
};

/* The same of plain bytes: what the first `have` of them begin with. *len is set on FRAME_WHOLE alone. */
enum frame frame_find(const char *bytes, size_t have, size_t max, size_t *len);

/*
 * Looks at the first message in `in`, removing nothing. On FRAME_WHOLE, *text (contiguous, ended by
 * the NUL) and *len (without the NUL) are valid until `in` changes; otherwise they are untouched.
 */
enum frame frame_peek(struct evbuffer *in, size_t max, const char **text, size_t *len);

/* Removes the message just peeked: len bytes and the NUL. FRAME_EMPTY is dropped with len 0. */
void frame_drop(struct evbuffer *in, size_t len);

#endif

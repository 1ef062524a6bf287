/*
 * The framing of Varlink: messages in a stream, each ended by one NUL byte.
 */
#ifndef COMMON_FRAME_H
#define COMMON_FRAME_H

#include <stddef.h>

enum frame {
	FRAME_PARTIAL,		/* no NUL yet, and not over the limit */
	FRAME_WHOLE,
	FRAME_EMPTY,		/* a NUL with nothing before it */
	FRAME_TOO_LONG,		/* more than `max` bytes, with a NUL behind them or not */
};

/* What the first `have` bytes begin with. *len, without the NUL, is set on FRAME_WHOLE alone;
 * behind FRAME_EMPTY the next begins one byte further. */
enum frame frame_find(const char *bytes, size_t have, size_t max, size_t *len);

#endif

#include "frame.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

enum frame frame_find(const char *bytes, size_t have, size_t max, size_t *len)
{
	const char *nul = have ? memchr(bytes, '\0', have < max + 1 ? have : max + 1) : NULL;

	if (!nul)
		return have > max ? FRAME_TOO_LONG : FRAME_PARTIAL;
	if (nul == bytes)
		return FRAME_EMPTY;
	*len = (size_t)(nul - bytes);
	return FRAME_WHOLE;
}

enum frame frame_peek(struct evbuffer *in, size_t max, const char **text, size_t *len)
{
	struct evbuffer_ptr nul = evbuffer_search(in, "", 1, NULL);
	unsigned char *bytes;

	if (nul.pos < 0)
		return evbuffer_get_length(in) > max ? FRAME_TOO_LONG : FRAME_PARTIAL;
	if ((size_t)nul.pos > max)
		return FRAME_TOO_LONG;
	if (nul.pos == 0)
		return FRAME_EMPTY;
	bytes = evbuffer_pullup(in, nul.pos + 1);
	if (!bytes)
		abort();	/* out of memory, as everywhere */
	*text = (const char *)bytes;
	*len = (size_t)nul.pos;
	return FRAME_WHOLE;
}

void frame_drop(struct evbuffer *in, size_t len)
{
	evbuffer_drain(in, len + 1);
}

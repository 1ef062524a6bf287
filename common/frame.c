#include "frame.h"

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

/* Controls of fuzz.t: the harness of frames with one of two
 * bugs planted in what it tries, as $FUZZ_CONTROL says. */
#include "common/frame.h"
#include "fuzz.h"

enum frame __real_frame_find(const char *bytes, size_t have, size_t max, size_t *len);
enum frame __wrap_frame_find(const char *bytes, size_t have, size_t max, size_t *len);

/* Where it looked in vain, and how far. */
static const char *looked_at;
static size_t looked;

/* `beyond`: it looks at the byte behind what has come; `split`:
 * a NUL that comes as the first after a pause is missed. */
enum frame __wrap_frame_find(const char *bytes, size_t have, size_t max, size_t *len)
{
	const char *bug = getenv("FUZZ_CONTROL");
	enum frame frame = __real_frame_find(bytes, have, max, len);
	volatile char beyond;

	MUST(bug);
	if (!strcmp(bug, "beyond"))
		beyond = bytes[have];
	(void)beyond;
	if (!strcmp(bug, "split") && frame == FRAME_WHOLE && bytes == looked_at && *len == looked)
		return FRAME_PARTIAL;
	looked_at = frame == FRAME_PARTIAL ? bytes : NULL;
	looked = have;
	return frame;
}

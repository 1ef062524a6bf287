/* A checkpoint's text: what is taken is written the same again. */
#include "common/checkpoint.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct checkpoint checkpoint;
	struct buf out = BUF_INIT;

	if (checkpoint_parse((const char *)data, size, &checkpoint))
		return 0;
	checkpoint_text(&out, checkpoint.origin, checkpoint.size, checkpoint.root);
	MUST(out.len == size && !memcmp(out.data, data, size));
	buf_release(&out);
	return 0;
}

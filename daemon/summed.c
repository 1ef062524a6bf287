#include "summed.h"

#include <string.h>

#include "checksum.h"
#include "common/bytes.h"
#include "common/hash.h"

void summed_end(struct buf *text)
{
	uint8_t sum[CHECKSUM_SIZE];

	put_be64(sum, checksum(0, text->data, text->len));
	base64_encode(text, sum, sizeof(sum));
	buf_char(text, '\n');
}

size_t summed_len(const char *bytes, size_t len)
{
	const char *line = len > 1 ? memrchr(bytes, '\n', len - 1) : NULL;
	struct buf again = BUF_INIT;
	size_t text = line ? (size_t)(line + 1 - bytes) : 0;

	buf_add(&again, bytes, text);
	summed_end(&again);
	if (again.len != len || memcmp(again.data, bytes, len))
		text = 0;
	buf_release(&again);
	return text;
}

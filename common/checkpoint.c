#include "checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "bytes.h"

void checkpoint_text(struct buf *out, const char *origin, uint64_t size,
		     const uint8_t root[HASH_SIZE])
{
	buf_printf(out, "%s\n%" PRIu64 "\n", origin, size);
	base64_encode(out, root, HASH_SIZE);
	buf_char(out, '\n');
}

void note_signature(struct buf *out, const char *name, uint32_t id,
		    const uint8_t signature[SIGNATURE_SIZE])
{
	uint8_t bytes[4 + SIGNATURE_SIZE];

	put_be32(bytes, id);
	memcpy(bytes + 4, signature, SIGNATURE_SIZE);
	buf_printf(out, "\xe2\x80\x94 %s ", name);
	base64_encode(out, bytes, sizeof(bytes));
	buf_char(out, '\n');
}

/*
 * The file of the witnesses: what is taken whole is written the same again.
 */
#include "daemon/witness_file.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct witness_block block;
	struct lines lines = { (const char *)data, (const char *)data + size };
	struct buf out = BUF_INIT;
	bool whole = witness_file_first(&lines);

	witness_file_begin(&out);
	while (whole && lines.p < lines.end) {
		whole = witness_file_next(&lines, &block);
		if (!whole)
			break;
		MUST(block.note + block.note_len == lines.p);
		witness_file_add(&out, &block.key, block.moved, block.count,
				 &(struct buf){ (char *)block.note, block.note_len, 0 });
	}
	if (whole)
		MUST(out.len == size && !memcmp(out.data, data, size));
	buf_release(&out);
	return 0;
}

/* A proof bundle: what is taken without an `extra` line is written the same again. */
#include "common/receipt.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = BUF_INIT;
	struct bundle bundle;

	if (bundle_parse((const char *)data, size, &bundle))
		return 0;
	MUST(bundle.proof.count <= PROOF_MAX);
	bundle_format(&out, bundle.index, &bundle.proof, bundle.note, bundle.note_len);
	MUST(memmem(data, size, "extra ", 6) || (out.len == size && !memcmp(out.data, data, size)));
	buf_release(&out);
	return 0;
}

/* A note with a witness's line in it, of any bytes: no cosignature is made up. */
#include "common/checkpoint.h"
#include "fuzz.h"

static const char text[] = "fund.example.com\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct verifier witness = { .name = "witness.example", .type = KEY_COSIGNER, .id = 2 };
	struct buf bytes = BUF_INIT;
	struct note note;
	uint64_t time;

	if (size > NOTE_SIGNATURE_MAX)
		return 0;
	buf_printf(&bytes, "%s\n", text);
	note_sign(&bytes, witness.name, witness.id, data, size);
	buf_add(&bytes, data, size);
	if (size && !note_parse(bytes.data, bytes.len - size, &note))
		MUST(cosignature_check(&note, &witness, &time));
	if (!note_parse(bytes.data, bytes.len, &note))
		MUST(cosignature_check(&note, &witness, &time));
	buf_release(&bytes);
	return 0;
}

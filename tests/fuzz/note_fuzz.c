/* A signed note: text and signatures are the input again,
 * and what is signed by nobody known is refused. */
#include "common/note.h"
#include "fuzz.h"

static void written_again(const struct note *note, const uint8_t *data, size_t size)
{
	struct buf out = BUF_INIT;

	buf_add(&out, note->text, note->text_len);
	buf_char(&out, '\n');
	for (unsigned i = 0; i < note->count; i++) {
		const struct note_signature *signature = &note->signature[i];
		char name[NOTE_MAX];

		if (signature->len > NOTE_SIGNATURE_MAX)
			goto longer;
		memcpy(name, signature->name, signature->name_len);
		name[signature->name_len] = '\0';
		note_sign(&out, name, signature->id, signature->bytes, signature->len);
	}
	MUST(out.len == size && !memcmp(out.data, data, size));
longer:
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct verifier nobody = { .name = "fund.example.com", .id = 1 };
	const struct verifier *keys[] = { &nobody };
	struct note note;

	if (note_parse((const char *)data, size, &note))
		return 0;
	MUST(note.count && note.count <= NOTE_SIGNATURES_MAX);
	written_again(&note, data, size);
	MUST(note_check(&note, keys, 1, NULL));
	return 0;
}

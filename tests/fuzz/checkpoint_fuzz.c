/*
 * A checkpoint's text: what is taken is written the same again; signed and cosigned by keys that
 * are known, it opens as what it is, and no longer when one bit of it is another.
 */
#include "common/checkpoint.h"
#include "fuzz.h"

static void is_checked(const struct buf *note, const struct verifier *ledger,
		       const struct verifier *witness, bool whole)
{
	const struct verifier *keys[] = { ledger };
	struct checkpoint head;
	struct note parsed;
	uint64_t time = 0;

	MUST(!checkpoint_open(note->data, note->len, keys, 1, &head, &parsed) == whole);
	if (whole)
		MUST(!cosignature_check(&parsed, witness, &time) && time == 1780000000);
}

static void signed_and_cosigned(const struct checkpoint *checkpoint, const char *text, size_t size)
{
	static const uint8_t seeds[2][SEED_SIZE] = { { 1 }, { 2 } };
	uint8_t signature[SIGNATURE_SIZE], cosignature[COSIGNATURE_SIZE];
	struct signer ledger, witness;
	struct buf note = BUF_INIT;

	MUST(sign_start());
	signer_open(&ledger, checkpoint->origin, KEY_ED25519, seeds[0]);
	signer_open(&witness, "witness.example/w1", KEY_COSIGNER, seeds[1]);
	signer_sign(&ledger, text, size, signature);
	cosignature_make(&witness, text, size, 1780000000, cosignature);
	buf_add(&note, text, size);
	buf_char(&note, '\n');
	note_sign(&note, ledger.verifier.name, ledger.verifier.id, signature, sizeof(signature));
	note_sign(&note, witness.verifier.name, witness.verifier.id, cosignature,
		  sizeof(cosignature));
	is_checked(&note, &ledger.verifier, &witness.verifier, true);
	note.data[checkpoint->root[0] % size] ^= 1;
	is_checked(&note, &ledger.verifier, &witness.verifier, false);
	signer_close(&ledger);
	signer_close(&witness);
	buf_release(&note);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct checkpoint checkpoint;
	struct buf out = BUF_INIT;

	if (checkpoint_parse((const char *)data, size, &checkpoint))
		return 0;
	checkpoint_text(&out, checkpoint.origin, checkpoint.size, checkpoint.root);
	MUST(out.len == size && !memcmp(out.data, data, size));
	signed_and_cosigned(&checkpoint, out.data, out.len);
	buf_release(&out);
	return 0;
}

#include "checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "bytes.h"
#include "text.h"

void checkpoint_text(struct buf *out, const char *origin, uint64_t size,
		     const uint8_t root[HASH_SIZE])
{
	buf_printf(out, "%s\n%" PRIu64 "\n", origin, size);
	base64_encode(out, root, HASH_SIZE);
	buf_char(out, '\n');
}

const char *checkpoint_parse(const char *text, size_t len, struct checkpoint *ret)
{
	struct lines lines = { text, text + len };
	struct span origin, size, root;

	if (!lines_next(&lines, &origin) || !lines_next(&lines, &size) ||
	    !lines_next(&lines, &root))
		return "a checkpoint has three lines: origin, size and root";
	if (lines.p != lines.end)
		return "a checkpoint of this ledger has no lines behind its root";
	if (origin.len > ORIGIN_MAX)
		return "the origin is too long";
	memcpy(ret->origin, origin.text, origin.len);
	ret->origin[origin.len] = '\0';
	if (origin_problem(ret->origin) || strlen(ret->origin) != origin.len)
		return "the origin is none that a ledger can have";
	if (!decimal_parse(size.text, size.len, &ret->size))
		return "the size is not a decimal number without leading zeros";
	if (root.len != HASH_BASE64 || !base64_decode(root.text, root.len, ret->root, HASH_SIZE))
		return "the root is not the base64 of 32 bytes";
	return NULL;
}

const char *checkpoint_read(const char *bytes, size_t len, struct checkpoint *ret,
			    struct note *note)
{
	struct note own;
	const char *problem;

	if (!note)
		note = &own;
	problem = note_parse(bytes, len, note);
	return problem ? problem : checkpoint_parse(note->text, note->text_len, ret);
}

const char *checkpoint_open(const char *bytes, size_t len, const struct verifier *const *keys,
			    unsigned count, struct checkpoint *ret, struct note *note)
{
	struct note own;
	const char *problem;

	if (!note)
		note = &own;
	problem = checkpoint_read(bytes, len, ret, note);
	if (!problem)
		problem = note_check(note, keys, count, NULL);
	if (!problem && strcmp(ret->origin, keys[0]->name))
		problem = "the checkpoint is another ledger's";
	return problem;
}

/* ---- Cosignatures ---- */

static void cosigned_text(struct buf *out, const char *text, size_t len, uint64_t time)
{
	buf_printf(out, "cosignature/v1\ntime %" PRIu64 "\n", time);
	buf_add(out, text, len);
}

void cosignature_make(const struct signer *witness, const char *text, size_t len, uint64_t time,
		      uint8_t ret[COSIGNATURE_SIZE])
{
	struct buf out = BUF_INIT;

	cosigned_text(&out, text, len, time);
	put_be64(ret, time);
	signer_sign(witness, out.data, out.len, ret + 8);
	buf_release(&out);
}

static bool cosignature_holds(const struct note *note, const struct note_signature *signature,
			      const struct verifier *witness)
{
	struct buf out = BUF_INIT;
	bool holds;

	if (signature->len != COSIGNATURE_SIZE)
		return false;
	cosigned_text(&out, note->text, note->text_len, get_be64(signature->bytes));
	holds = verifier_check(witness, out.data, out.len, signature->bytes + 8);
	buf_release(&out);
	return holds;
}

const char *cosignature_check(const struct note *note, const struct verifier *witness,
			      uint64_t *time)
{
	for (unsigned i = 0; i < note->count; i++) {
		const struct note_signature *signature = &note->signature[i];

		if (!note_signed_as(signature, witness))
			continue;
		if (!cosignature_holds(note, signature, witness))
			return "the witness's cosignature does not hold";
		*time = get_be64(signature->bytes);
		return NULL;
	}
	return "the witness did not cosign it";
}

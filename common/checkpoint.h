/*
 * A checkpoint (C2SP tlog-checkpoint@v1.0.0): the text whose signed note is a ledger's head; and a
 * witness's cosignature of it (C2SP tlog-cosignature, cosignature/v1).
 */
#ifndef COMMON_CHECKPOINT_H
#define COMMON_CHECKPOINT_H

#include <stdint.h>

#include "buf.h"
#include "hash.h"
#include "note.h"
#include "sign.h"

struct checkpoint {
	char origin[ORIGIN_MAX + 1];
	uint64_t size;			/* leaves */
	uint8_t root[HASH_SIZE];
};

/* Appends the text that is signed: origin, size and base64 root, a line each. */
void checkpoint_text(struct buf *out, const char *origin, uint64_t size,
		     const uint8_t root[HASH_SIZE]);

/* Takes exactly what checkpoint_text writes. NULL, or a static sentence. */
const char *checkpoint_parse(const char *text, size_t len, struct checkpoint *ret);

/* A note, taken apart: its text is a checkpoint. Whether the signatures hold is not looked at.
 * NULL, or a static sentence. `note` may be NULL; it borrows from `bytes`. */
const char *checkpoint_read(const char *bytes, size_t len, struct checkpoint *ret,
			    struct note *note);

/* The same, and it is one of the keys' name, signed by at
 * least one of the keys and by none of them wrongly. */
const char *checkpoint_open(const char *bytes, size_t len, const struct verifier *const *keys,
			    unsigned count, struct checkpoint *ret, struct note *note);

/* ---- Cosignatures: keys of type KEY_COSIGNER; time in Unix seconds ---- */

#define COSIGNATURE_SIZE (8 + SIGNATURE_SIZE)

/* The bytes that stand in the witness's signature line
 * behind its key id. `text` is the checkpoint's. */
void cosignature_make(const struct signer *witness, const char *text, size_t len, uint64_t time,
		      uint8_t ret[COSIGNATURE_SIZE]);

/* NULL with *time when the note holds that witness's
 * good cosignature; otherwise a static sentence. */
const char *cosignature_check(const struct note *note, const struct verifier *witness,
			      uint64_t *time);

#endif

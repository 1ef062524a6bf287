/*
 * A checkpoint (C2SP tlog-checkpoint@v1.0.0) as a signed note: what is signed, and the note around it.
 */
#ifndef COMMON_CHECKPOINT_H
#define COMMON_CHECKPOINT_H

#include <stdint.h>

#include "buf.h"
#include "hash.h"
#include "sign.h"

/* Appends the text that is signed: origin, size and base64 root, a line each. */
void checkpoint_text(struct buf *out, const char *origin, uint64_t size,
		     const uint8_t root[HASH_SIZE]);

/* Appends one signature line: the dash, the key's name, base64(key id || signature). */
void note_signature(struct buf *out, const char *name, uint32_t id,
		    const uint8_t signature[SIGNATURE_SIZE]);

#endif

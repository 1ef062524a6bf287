/*
 * Signed notes (C2SP signed-note): a text, a blank line, and a signature a line. What is taken here
 * is exactly what the specification lets stand: UTF-8 without control characters but the newline,
 * the last blank line divides, names without blanks or `+`, base64 padded and strict.
 *
 * Signatures by keys nobody here knows are passed over; a wrong one by a known key refuses the
 * whole note.
 */
#ifndef COMMON_NOTE_H
#define COMMON_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "sign.h"

#define NOTE_MAX 16384			/* bytes of a note */
#define NOTE_SIGNATURES_MAX 32		/* lines taken; the specification asks for 16 */
#define NOTE_SIGNATURE_MAX 128

struct note_signature {
	const char *name;		/* borrowed, name_len bytes, no NUL */
	size_t name_len;
	uint32_t id;
	size_t len;			/* of the signature, without its key id */
	uint8_t bytes[NOTE_SIGNATURE_MAX];	/* its first ones: no key known
						 * here makes longer ones */
};

struct note {
	const char *text;		/* borrowed; ends in its newline */
	size_t text_len;
	struct note_signature signature[NOTE_SIGNATURES_MAX];
	unsigned count;
};

/* Takes a note apart. NULL, or a static sentence that
 * says what is wrong. The note points into `bytes`. */
const char *note_parse(const char *bytes, size_t len, struct note *ret);

#define NOTE_UNSIGNED "none of the known keys signed it"

/*
 * Is it signed by one of these keys (type KEY_ED25519)? NULL when at least one of them signed and
 * none of them wrongly; NOTE_UNSIGNED when none did; otherwise another static sentence. *by, when
 * not NULL, gets the bit of each key that signed (count <= 32).
 */
const char *note_check(const struct note *note, const struct verifier *const *keys, unsigned count,
		       uint32_t *by);

/* Is it a signature by that key, going by name and key id? */
bool note_signed_as(const struct note_signature *signature, const struct verifier *key);

/* Appends a signature line: the dash, the key's name,
 * base64(key id || signature); len <= NOTE_SIGNATURE_MAX. */
void note_sign(struct buf *out, const char *name, uint32_t id, const void *signature, size_t len);

#endif

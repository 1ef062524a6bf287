#include "note.h"

#include <string.h>

#include "bytes.h"
#include "hash.h"
#include "text.h"

#define DASH "\xe2\x80\x94 "		/* U+2014 and a blank */
#define DASH_LEN (sizeof(DASH) - 1)
#define KEY_ID_SIZE 4

/* ---- Taking apart ---- */

/* What Unicode calls a blank, beyond ASCII, in UTF-8. */
static const char *const blanks[] = {
	"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82",
	"\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88",
	"\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
	"\xe3\x80\x80",
};

static const char *bytes_problem(const char *bytes, size_t len)
{
	if (len > NOTE_MAX)
		return "the note is too long: at most 16384 bytes are taken";
	if (utf8_check(bytes, len) != len)
		return "the note is not UTF-8";
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] < 0x20 && bytes[i] != '\n')
			return "the note has a control character in it";
	if (!len || bytes[len - 1] != '\n')
		return "the note's last line does not end";
	return NULL;
}

static const char *name_wrong(const char *name, size_t len)
{
	if (!len || memchr(name, '+', len))
		return "a signature's key has no name, or one with a + in it";
	for (size_t i = 0; i < sizeof(blanks) / sizeof(*blanks); i++)
		if (memmem(name, len, blanks[i], strlen(blanks[i])))
			return "a signature's key has a blank in its name";
	return NULL;
}

/* base64(key id || signature); of a signature too long
 * for any key known here only the length is kept. */
static const char *signature_decode(const char *base64, size_t len, struct note_signature *ret)
{
	uint8_t bytes[NOTE_MAX];
	size_t padding = len >= 2 ? (base64[len - 1] == '=') + (base64[len - 2] == '=') : 0;
	size_t size = len / 4 * 3 - padding;

	if (len < 8 || size <= KEY_ID_SIZE || !base64_decode(base64, len, bytes, size))
		return "a signature is not the base64 of a key id and a signature";
	ret->id = get_be32(bytes);
	ret->len = size - KEY_ID_SIZE;
	memcpy(ret->bytes, bytes + KEY_ID_SIZE,
	       ret->len < NOTE_SIGNATURE_MAX ? ret->len : NOTE_SIGNATURE_MAX);
	return NULL;
}

static const char *signature_parse(const char *line, size_t len, struct note_signature *ret)
{
	const char *blank, *problem;

	if (len < DASH_LEN || memcmp(line, DASH, DASH_LEN))
		return "a signature line does not begin with a dash (U+2014) and a blank";
	line += DASH_LEN;
	len -= DASH_LEN;
	blank = memchr(line, ' ', len);
	if (!blank)
		return "a signature line has no signature";
	ret->name = line;
	ret->name_len = (size_t)(blank - line);
	problem = name_wrong(ret->name, ret->name_len);
	return problem ? problem : signature_decode(blank + 1, len - ret->name_len - 1, ret);
}

const char *note_parse(const char *bytes, size_t len, struct note *ret)
{
	const char *problem = bytes_problem(bytes, len), *p = bytes + len, *end = p;

	if (problem)
		return problem;
	while (p - bytes >= 2 && memcmp(p - 2, "\n\n", 2))
		p--;
	if (p - bytes < 2 || p == end)
		return "the note has no blank line between its text and its signatures";
	ret->text = bytes;
	ret->text_len = (size_t)(p - 1 - bytes);
	ret->count = 0;
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));

		if (ret->count == NOTE_SIGNATURES_MAX)
			return "the note has more than 32 signatures";
		problem = signature_parse(p, (size_t)(newline - p), &ret->signature[ret->count++]);
		if (problem)
			return problem;
		p = newline + 1;
	}
	return NULL;
}

/* ---- Checking ---- */

bool note_signed_as(const struct note_signature *signature, const struct verifier *key)
{
	return signature->id == key->id && signature->name_len == strlen(key->name) &&
	       !memcmp(signature->name, key->name, signature->name_len);
}

const char *note_check(const struct note *note, const struct verifier *const *keys, unsigned count,
		       uint32_t *by)
{
	uint32_t good = 0;

	for (unsigned i = 0; i < note->count; i++) {
		const struct note_signature *signature = &note->signature[i];

		for (unsigned k = 0; k < count; k++) {
			if (good & 1u << k || !note_signed_as(signature, keys[k]))
				continue;
			if (signature->len != SIGNATURE_SIZE ||
			    !verifier_check(keys[k], note->text, note->text_len, signature->bytes))
				return "the signature by a known key does not hold";
			good |= 1u << k;
		}
	}
	if (!good)
		return NOTE_UNSIGNED;
	if (by)
		*by = good;
	return NULL;
}

void note_sign(struct buf *out, const char *name, uint32_t id, const void *signature, size_t len)
{
	uint8_t bytes[KEY_ID_SIZE + NOTE_SIGNATURE_MAX];

	put_be32(bytes, id);
	memcpy(bytes + KEY_ID_SIZE, signature, len);
	buf_printf(out, DASH "%s ", name);
	base64_encode(out, bytes, KEY_ID_SIZE + len);
	buf_char(out, '\n');
}

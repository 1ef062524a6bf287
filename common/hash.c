#include "hash.h"

#include <sodium.h>

void base64_encode(struct buf *out, const void *bytes, size_t len)
{
	size_t size = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);
	char *room = buf_room(out, size);

	sodium_bin2base64(room, size, bytes, len, sodium_base64_VARIANT_ORIGINAL);
	out->len--;	/* the NUL that it wrote */
}

bool base64_decode(const char *text, size_t len, void *ret, size_t size)
{
	size_t got;
	const char *end;

	if (len != sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL) - 1)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] & 0x80)	/* which libsodium would take for a slash */
			return false;
	return sodium_base642bin(ret, size, text, len, NULL, &got, &end,
				 sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       got == size && end == text + len;
}

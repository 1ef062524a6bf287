#include "hash.h"

#include <sodium.h>

void base64_encode(struct buf *out, const void *bytes, size_t len)
{
	size_t size = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);
	char *room = buf_room(out, size);

	sodium_bin2base64(room, size, bytes, len, sodium_base64_VARIANT_ORIGINAL);
	out->len--;	/* the NUL that it wrote */
}

/* A digit's value plus one; what is no digit has 0. */
static const uint8_t digit_values[256] = {
	['A'] = 1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
	22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
	48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, ['+'] = 63, ['/'] = 64,
};

/* `count` digits, 2 to 4, as a number of 24 bits. */
static bool digits_take(const uint8_t *text, unsigned count, uint32_t *ret)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned value = i < count ? digit_values[text[i]] : 1;

		if (!value || (i >= count && text[i] != '='))
			return false;
		bits = bits << 6 | (value - 1);
	}
	*ret = bits;
	return true;
}

bool base64_decode(const char *text, size_t len, void *ret, size_t size)
{
	const uint8_t *p = (const uint8_t *)text;
	uint8_t *out = ret;
	uint32_t bits;

	if (len != (size + 2) / 3 * 4)
		return false;
	for (; size >= 3; size -= 3, p += 4) {
		if (!digits_take(p, 4, &bits))
			return false;
		*out++ = (uint8_t)(bits >> 16);
		*out++ = (uint8_t)(bits >> 8);
		*out++ = (uint8_t)bits;
	}
	if (!size)
		return true;
	if (!digits_take(p, (unsigned)size + 1, &bits) || bits << (8 + 8 * size))
		return false;
	for (; size; size--, bits <<= 8)
		*out++ = (uint8_t)(bits >> 16);
	return true;
}

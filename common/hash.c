#include "hash.h"

#include <sodium.h>

/* Hashes, keys and signatures are no secrets: a table is quicker than libsodium's constant time. */
void base64_encode(struct buf *out, const void *bytes, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = bytes;
	char *room = buf_room(out, (len + 2) / 3 * 4);

	for (; len >= 3; p += 3, len -= 3, room += 4) {
		room[0] = digits[p[0] >> 2];
		room[1] = digits[(p[0] & 3) << 4 | p[1] >> 4];
		room[2] = digits[(p[1] & 15) << 2 | p[2] >> 6];
		room[3] = digits[p[2] & 63];
	}
	if (!len)
		return;
	room[0] = digits[p[0] >> 2];
	room[1] = digits[(p[0] & 3) << 4 | (len == 2 ? p[1] >> 4 : 0)];
	room[2] = len == 2 ? digits[(p[1] & 15) << 2] : '=';
	room[3] = '=';
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

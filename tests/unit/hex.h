/*
 * Bytes and hexadecimal digits, for known answers.
 */
#ifndef TESTS_UNIT_HEX_H
#define TESTS_UNIT_HEX_H

#include <stdlib.h>

#include "tap.h"

/* Reads pairs of digits; returns how many bytes they make. */
static inline size_t from_hex(const char *digits, uint8_t *ret)
{
	size_t len = strlen(digits) / 2;

	for (size_t i = 0; i < len; i++) {
		char pair[] = { digits[2 * i], digits[2 * i + 1], '\0' };

		ret[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return len;
}

/* `size` bytes, at most 64. */
static inline bool is_hex(const uint8_t *got, size_t size, const char *want, const char *name)
{
	char digits[129] = "";

	for (size_t i = 0; i < size; i++)
		snprintf(digits + 2 * i, 3, "%02x", got[i]);
	return is_str(digits, want, name);
}

#endif

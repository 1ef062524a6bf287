/*
 * What the fuzz harnesses share. Each is one parser: it must neither crash nor leak, and what it
 * takes must be what its own writer makes of it again. Seeds stand in tests/fuzz/seeds/NAME/.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must be so whatever the input is. */
#define MUST(condition) do { if (!(condition)) abort(); } while (0)

/* The input as a string of its own: NUL-ended, cut at its first NUL. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

#endif

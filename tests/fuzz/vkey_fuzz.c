/* A verifier key: what is taken is written the same again. */
#include "common/sign.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), again[VKEY_MAX + 1];
	struct verifier verifier;

	if (vkey_parse(text, &verifier)) {
		vkey_format(&verifier, again);
		MUST(!strcmp(text, again));
		MUST(!origin_problem(verifier.name));
	}
	free(text);
	return 0;
}

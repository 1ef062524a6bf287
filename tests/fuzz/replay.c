/*
 * A harness without libFuzzer: runs each file that is named, once. For `make coverage`, and to look
 * at one input in a debugger.
 */
#include <stdio.h>

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int file_run(const char *path)
{
	static uint8_t bytes[1 << 20];
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file) {
		perror(path);
		return 1;
	}
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	return LLVMFuzzerTestOneInput(bytes, len);
}

int main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize && LLVMFuzzerInitialize(&argc, &argv))
		return 1;
	for (int i = 1; i < argc; i++)
		if (file_run(argv[i]))
			return 1;
	return 0;
}

#include "checksum.h"

#include <xxhash.h>

uint64_t checksum(uint64_t seed, const void *bytes, size_t len)
{
	return XXH64(bytes, len, seed);
}

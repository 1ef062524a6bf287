/* Proofs of any shape: never a crash, and none that was not made is taken. */
#include "common/proof.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t leaf[HASH_SIZE] = { 1 }, root[HASH_SIZE] = { 2 };
	struct proof proof = { .count = 0 };
	uint64_t a, b;

	if (size < 17)
		return 0;
	memcpy(&a, data, 8);
	memcpy(&b, data + 8, 8);
	proof.count = data[16] % (PROOF_MAX + 1);
	size -= 17;
	memcpy(proof.hash, data + 17, size < sizeof(proof.hash) ? size : sizeof(proof.hash));
	MUST(proof_check_inclusion(&proof, a, b, leaf, root));
	MUST(proof_check_consistency(&proof, a, leaf, b, root));
	return 0;
}

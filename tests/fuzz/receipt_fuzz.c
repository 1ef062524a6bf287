/* A receipt: what is taken is written the same again, and no input holds under a key that never signed. */
#include "common/receipt.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct verifier nobody = { .name = "fund.example.com", .id = 1 };
	const struct verifier *keys[] = { &nobody };
	struct buf out = BUF_INIT;
	struct checkpoint head;
	struct receipt receipt;
	struct entry entry;

	if (receipt_parse((const char *)data, size, &receipt))
		return 0;
	receipt_format(&out, &receipt);
	MUST(out.len == size && !memcmp(out.data, data, size));
	MUST(receipt_check(&receipt, keys, 1, &entry, &head));
	buf_release(&out);
	return 0;
}

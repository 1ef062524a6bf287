#include "stored.h"

#include <string.h>


const char *stored_read(struct reader *reader, uint64_t seq, struct row *row, struct stored *ret)
{
	const void *bytes;
	size_t size;
	const char *problem;

	if (reader_row(reader, seq, &bytes, &size))
		return "the row cannot be read";
	problem = row_parse(seq, bytes, size, row);
	if (!problem)
		problem = entry_parse((const char *)row->leaf.bytes, row->leaf.len, &ret->entry);
	if (problem)
		return problem;
	if ((uint64_t)ret->entry.seq != seq)
		return "the leaf stands under another number";
	ret->memo = (struct memo){ 0 };
	return NULL;
}

const char *stored_open(const struct row *row, struct keyring *keyring, struct stored *stored)
{
	struct buf plain = BUF_INIT;
	uint8_t commitment[HASH_SIZE];
	const char *problem = NULL;

	switch (keyring_unseal(keyring, (uint64_t)stored->entry.seq, stored->entry.memo,
			       row->memo.bytes, row->memo.len, &plain)) {
	case UNSEAL_OK:
		memo_commit(plain.data, plain.len, commitment);
		if (memcmp(commitment, stored->entry.memo, sizeof(commitment)))
			problem = "the memo is not the one the leaf commits to";
		else
			problem = memo_parse(plain.data, plain.len, &stored->memo);
		break;
	case UNSEAL_ERASED:
		break;
	case UNSEAL_DAMAGED:
		problem = "the memo does not open under its key";
	}
	buf_release(&plain);
	return problem;
}

void stored_release(struct stored *stored)
{
	memo_release(&stored->memo);
}

/*
 * Rows of a made-up ledger, for tests of where they are stored: row `seq` is always the same, and
 * none like another.
 */
#ifndef TESTS_UNIT_MADE_ROW_H
#define TESTS_UNIT_MADE_ROW_H

#include <stdio.h>

#include "common/buf.h"
#include "common/merkle.h"
#include "daemon/row.h"

#define MADE_MEMO_MAX 1000

/* With a memo of so many bytes. Its bytes last until the next call. */
static inline const uint8_t *made_row(uint64_t seq, size_t memo, size_t *size)
{
	static struct buf out;
	static uint8_t bytes[MERKLE_LEVELS * HASH_SIZE + MADE_MEMO_MAX];
	char leaf[64];
	struct row row = { .leaf = { (uint8_t *)leaf, 0 },
			   .hashes = { bytes, merkle_completed(seq) * HASH_SIZE },
			   .memo = { bytes, memo } };

	row.leaf.len = (size_t)snprintf(leaf, sizeof(leaf), "{\"v\":1,\"seq\":%llu}",
					(unsigned long long)seq);
	buf_clear(&out);
	row_begin(seq, &row, &out);
	*size = row_size(out.len, 0);
	buf_room(&out, *size - out.len);
	row_finish(seq, (uint8_t *)out.data, *size, NULL, 0);
	return (const uint8_t *)out.data;
}

#endif

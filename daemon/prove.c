#include "prove.h"

#include <string.h>

#include "common/memo.h"
#include "common/receipt.h"
#include "head.h"
#include "stored.h"

static const char *row_read(struct reader *reader, uint64_t seq, struct row *ret)
{
	const void *bytes;
	size_t size;

	if (reader_row(reader, seq, &bytes, &size))
		return "the row cannot be read";
	return row_parse(seq, bytes, size, ret);
}

bool prove_node(void *reader, unsigned level, uint64_t index, uint8_t ret[HASH_SIZE])
{
	struct row row;

	if (row_read(reader, ((index + 1) << level) - 1, &row))
		return false;
	memcpy(ret, row.hashes.bytes + (size_t)level * HASH_SIZE, HASH_SIZE);
	return true;
}

/* ---- Heads ---- */

const char *prove_head(struct reader *reader, const char *origin, uint64_t size, struct head *ret)
{
	uint8_t root[HASH_SIZE];
	const char *problem;
	struct row row;

	for (uint64_t seq = size - 1; seq < reader->size; seq++) {
		problem = row_read(reader, seq, &row);
		if (problem)
			return problem;
		if (!row.heads.len)
			continue;
		if (!proof_root(seq + 1, prove_node, reader, root))
			return "a node of the tree cannot be read";
		*ret = (struct head){ .size = seq + 1 };
		head_note(&ret->note, origin, ret->size, root, &row.heads);
		return NULL;
	}
	return "the ledger's last entry is not signed";
}

const char *prove_extends(struct reader *reader, const struct checkpoint *checkpoint)
{
	uint8_t root[HASH_SIZE];

	if (checkpoint->size > reader->size)
		return "is of more entries than the ledger has";
	if (!proof_root(checkpoint->size, prove_node, reader, root))
		return "cannot be compared with the ledger, which is damaged";
	return memcmp(root, checkpoint->root, HASH_SIZE) ? "has another root than the ledger had at that size"
							 : NULL;
}

/* ---- Receipts ---- */

/* Erased words, and damaged ones, are left out: the proof holds without them. */
static void words_add(struct keyring *keyring, uint64_t seq, const struct row *row,
		      const uint8_t commitment[HASH_SIZE], struct buf *out)
{
	struct buf plain = BUF_INIT, salt = BUF_INIT;

	if (keyring_unseal(keyring, seq, commitment, row->memo.bytes, row->memo.len, &plain) == UNSEAL_OK &&
	    plain.len > MEMO_SALT_SIZE) {
		base64_encode(&salt, plain.data, MEMO_SALT_SIZE);
		json_strn(out, "salt", salt.data, salt.len);
		json_strn(out, "memo", plain.data + MEMO_SALT_SIZE, plain.len - MEMO_SALT_SIZE);
	}
	buf_release(&plain);
	buf_release(&salt);
}

const char *prove_receipt(struct reader *reader, struct keyring *keyring, uint64_t seq,
			  const struct head *head, struct buf *out)
{
	struct buf bundle = BUF_INIT;
	struct stored stored;
	struct proof proof;
	struct row row;
	const char *problem;

	if (!proof_inclusion(seq, head->size, prove_node, reader, &proof))
		return "a node of the tree cannot be read";
	problem = stored_read(reader, seq, &row, &stored);
	if (problem)
		return problem;
	bundle_format(&bundle, seq, &proof, head->note.data, head->note.len);
	json_open(out, NULL, '{');
	json_strn(out, "proof", bundle.data, bundle.len);
	json_strn(out, "leaf", (const char *)row.leaf.bytes, row.leaf.len);
	words_add(keyring, seq, &row, stored.entry.memo, out);
	json_close(out, '}');
	buf_release(&bundle);
	return NULL;
}

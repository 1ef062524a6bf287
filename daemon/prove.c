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
	return memcmp(root, checkpoint->root, HASH_SIZE)
		       ? "has another root than the ledger had at that size"
		       : NULL;
}

/* ---- Receipts ---- */

/* Where nodes are looked up, those of `nodes` first. */
struct lookup {
	struct reader *reader;
	struct nodes *nodes;
};

/* A row's node of that level: levels of one row lie side by side. */
static struct node *node_place(struct nodes *nodes, uint64_t row, unsigned level)
{
	return &nodes->kept[(row + level) % NODES_KEPT];
}

static void nodes_keep(struct nodes *nodes, uint64_t seq, const struct row *row)
{
	unsigned count = (unsigned)(row->hashes.len / HASH_SIZE);

	for (unsigned level = 0; level < count; level++) {
		struct node *node = node_place(nodes, seq, level);

		node->row = seq + 1;
		node->level = (uint8_t)level;
		memcpy(node->hash, row->hashes.bytes + (size_t)level * HASH_SIZE, HASH_SIZE);
	}
}

/* A proof_node. */
static bool node_find(void *context, unsigned level, uint64_t index, uint8_t ret[HASH_SIZE])
{
	struct lookup *lookup = context;
	uint64_t seq = ((index + 1) << level) - 1;
	const struct node *node = node_place(lookup->nodes, seq, level);
	struct row row;

	if (node->row == seq + 1 && node->level == level) {
		memcpy(ret, node->hash, HASH_SIZE);
		return true;
	}
	if (row_read(lookup->reader, seq, &row))
		return false;
	nodes_keep(lookup->nodes, seq, &row);
	memcpy(ret, row.hashes.bytes + (size_t)level * HASH_SIZE, HASH_SIZE);
	return true;
}

/* Erased words, and damaged ones, are left out: the proof holds without them. */
static void words_add(struct keyring *keyring, uint64_t seq, const struct row *row,
		      const uint8_t commitment[HASH_SIZE], struct buf *out)
{
	struct buf plain = BUF_INIT, salt = BUF_INIT;

	if (keyring_unseal(keyring, seq, commitment, row->memo.bytes, row->memo.len,
			   &plain) == UNSEAL_OK && plain.len > MEMO_SALT_SIZE) {
		base64_encode(&salt, plain.data, MEMO_SALT_SIZE);
		json_strn(out, "salt", salt.data, salt.len);
		json_strn(out, "memo", plain.data + MEMO_SALT_SIZE, plain.len - MEMO_SALT_SIZE);
	}
	buf_release(&plain);
	buf_release(&salt);
}

static void receipt_add(struct keyring *keyring, uint64_t seq, const struct row *row,
			const struct entry *entry, const struct proof *proof,
			const struct head *head, struct buf *out)
{
	struct buf bundle = BUF_INIT;

	bundle_format(&bundle, seq, proof, head->note.data, head->note.len);
	json_open(out, NULL, '{');
	json_strn(out, "proof", bundle.data, bundle.len);
	json_strn(out, "leaf", (const char *)row->leaf.bytes, row->leaf.len);
	words_add(keyring, seq, row, entry->memo, out);
	json_close(out, '}');
	buf_release(&bundle);
}

const char *prove_receipt(struct reader *reader, struct nodes *nodes, struct keyring *keyring,
			  uint64_t seq, const struct head *head, struct buf *out)
{
	struct lookup lookup = { reader, nodes };
	struct stored stored;
	struct proof proof;
	struct row row;
	const char *problem = stored_read(reader, seq, &row, &stored);

	if (problem)
		return problem;
	nodes_keep(nodes, seq, &row);
	if (!proof_inclusion(seq, head->size, node_find, &lookup, &proof))
		return "a node of the tree cannot be read";
	receipt_add(keyring, seq, &row, &stored.entry, &proof, head, out);
	return NULL;
}

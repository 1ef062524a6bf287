/*
 * What the stored ledger proves: its tree's nodes, its signed heads as notes, and the receipts of
 * its entries. All of it is looked up in rows, each checked by its checksum; no leaf is hashed
 * again.
 */
#ifndef DAEMON_PROVE_H
#define DAEMON_PROVE_H

#include "common/buf.h"
#include "common/checkpoint.h"
#include "common/proof.h"
#include "keyring.h"
#include "ledger.h"
#include "row.h"

/* Nodes for common/proof.h: the context is a struct reader. */
bool prove_node(void *reader, unsigned level, uint64_t index, uint8_t ret[HASH_SIZE]);

/* A head as it was signed. */
struct head {
	uint64_t size;
	struct buf note;	/* the signed checkpoint */
};

/* The first head of at least `size` entries, which is not over the reader's. NULL with *ret,
 * whose note the caller releases; or a static sentence. */
const char *prove_head(struct reader *reader, const char *origin, uint64_t size, struct head *ret);

/* Is the ledger one that goes on from this checkpoint of it? NULL, or a static sentence that
 * says what the checkpoint is: "is of ...", "has another ...". */
const char *prove_extends(struct reader *reader, const struct checkpoint *checkpoint);

/* Nodes looked up lately: the receipts of one commit have most of theirs in common. A node
 * never changes, so all that is in it stays good for ever. All zero is empty. */
#define NODES_KEPT 2048

struct nodes {
	struct node {
		uint64_t row;		/* plus one; 0: empty */
		uint8_t level;
		uint8_t hash[HASH_SIZE];
	} kept[NODES_KEPT];
};

/* Appends the Receipt of entry `seq`, below head->size, as JSON, with its words unless they
 * were erased. NULL, or a static sentence and nothing appended. */
const char *prove_receipt(struct reader *reader, struct nodes *nodes, struct keyring *keyring,
			  uint64_t seq, const struct head *head, struct buf *out);

#endif

/*
 * What the daemon answers about proofs, as structs. As in wire.h, strings belong to the reply.
 */
#ifndef CLIENT_WIRE_PROOF_H
#define CLIENT_WIRE_PROOF_H

#include "common/json.h"
#include "common/proof.h"
#include "common/receipt.h"

struct wire_head {
	const char *checkpoint, *vkey;
	struct json_int key;		/* the entry that named it */
};

struct wire_leaf {
	struct json_int seq;		/* not set: the end */
	const char *leaf;
};

/* Each: false when it is not what the interface promises; *problem says what. */
bool wire_head(const json_t *json, struct wire_head *ret, struct problem *problem);
bool wire_leaf(const json_t *json, struct wire_leaf *ret, struct problem *problem);
bool wire_hashes(const json_t *json, struct proof *ret, struct problem *problem);

/* The member `receipt` of a reply; without one, ret->bundle is NULL. */
bool wire_receipt(const json_t *json, struct receipt *ret, struct problem *problem);

#endif

/*
 * The keys that a ledger's heads were signed with, one after the other: the one that was pinned
 * first, then those that took over by a `key` entry which the key before had signed.
 *
 * What always holds: all have the ledger's origin as their name and sign notes; `from` rises. The
 * key in force for a tree of `size` leaves is the last whose key entry is in it: an old key that
 * gets out later signs nothing newer.
 */
#ifndef CLIENT_KEYS_H
#define CLIENT_KEYS_H

#include <stdint.h>

#include "common/checkpoint.h"
#include "common/receipt.h"
#include "common/sign.h"

#define KEYS_MAX 1024	/* one a week for twenty years */

struct known_key {
	uint64_t from;		/* the number of its key entry; 0 of the first */
	struct verifier verifier;
};

/* All zero is none. */
struct keys {
	struct known_key *key;
	unsigned count, room;
};

void keys_copy(struct keys *to, const struct keys *from);
void keys_release(struct keys *keys);

bool key_same(const struct verifier *one, const struct verifier *other);

/* NULL when `text` is the verifier key of a ledger; otherwise a static sentence. */
const char *ledger_key_parse(const char *text, struct verifier *ret);

/* For option tables: the same, without the key. */
const char *ledger_key_problem(const char *text);

/* Adds one. NULL, or a static sentence. */
const char *keys_add(struct keys *keys, uint64_t from, const struct verifier *verifier);

/* As a file: the first vkey alone on its line, then `number vkey` of the others. */
void keys_format(const struct keys *keys, struct buf *out);
const char *keys_parse(const char *text, size_t len, struct keys *ret);

/* The one in force for a tree of so many leaves; of the newest: UINT64_MAX. The keys are not
 * empty. */
const struct verifier *keys_at(const struct keys *keys, uint64_t size);

/* A signed checkpoint, checked with the key in force; as checkpoint_open. */
const char *keys_open(const struct keys *keys, const char *note, size_t len,
		      struct checkpoint *ret);

/* A receipt, likewise; as receipt_check. */
const char *keys_receipt(const struct keys *keys, const struct receipt *receipt, struct entry *ret,
			 struct checkpoint *head);

#endif

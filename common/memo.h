/*
 * The private words of an entry. The leaf holds only the commitment
 *
 *   SHA-256("fundd memo v1\n" || 32-byte random salt || memo JSON)
 *
 * and the memo itself, salt || JSON, lives sealed beside the leaf. The JSON is an object of the
 * fields below in this order, without blanks, absent ones left out; {} when there are no words.
 */
#ifndef COMMON_MEMO_H
#define COMMON_MEMO_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "hash.h"
#include "json.h"

#define MEMO_SALT_SIZE 32
#define MEMO_WORDS_MAX 1200	/* bytes of all words together */
#define MEMO_MAX 4096		/* bytes of a memo, salt included */

struct memo {
	const char *reason, *customer, *incident, *evidence, *message;
	const char *filter;		/* of an audit entry: what was looked for */
	struct json_int customer_prev;	/* the customer's previous entry */
	const char *request;		/* base64 of the digest of the request's content */
	json_t *root;			/* set by memo_parse, which owns the strings then */
};

/* Salt (fresh from `salt`) and JSON, as they are sealed and committed to. */
void memo_format(const struct memo *memo, const uint8_t salt[MEMO_SALT_SIZE], struct buf *out);

void memo_commit(const void *bytes, size_t len, uint8_t ret[HASH_SIZE]);

/* Takes what memo_format wrote. NULL, or a static sentence and nothing to release. */
const char *memo_parse(const void *bytes, size_t len, struct memo *ret);
void memo_release(struct memo *memo);

#endif

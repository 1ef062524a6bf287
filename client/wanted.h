/*
 * What a receipt that comes must be of. A receipt that holds may still be another entry's: of an
 * earlier spend, say, or of one with other words than were typed.
 */
#ifndef CLIENT_WANTED_H
#define CLIENT_WANTED_H

#include "common/entry.h"
#include "common/json.h"
#include "common/receipt.h"

struct wanted {
	int64_t seq;			/* of this entry; or, where there
					 * is an id, of the reply's */
	const char *id;			/* the request's; NULL: only the receipt was asked for */
	const char *parameters;		/* the request's, as JSON */
};

/* NULL, or what of a receipt that holds, and whose entry is `entry`, is not what was wanted. */
const char *wanted_problem(const struct wanted *wanted, const json_t *reply,
			   const struct receipt *receipt, const struct entry *entry);

/* The entry of which the reply says that it was recorded; -1: of none. */
int64_t wanted_seq(const struct wanted *wanted, const json_t *reply);

#endif

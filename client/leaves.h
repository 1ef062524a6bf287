/*
 * The leaves of a ledger as the daemon streams them (Leaves), in order and without a gap.
 *
 * The replies have one form, which is taken apart by hand: this is what a full verification waits
 * for. A reply of another form is parsed as JSON.
 */
#ifndef CLIENT_LEAVES_H
#define CLIENT_LEAVES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/message.h"
#include "link.h"

struct leaves {
	struct link *link;
	uint64_t next, end;		/* numbers */
	struct reply reply;		/* when it is an error: the caller's to tell and release */
	struct buf leaf;		/* the one just taken, when it had to be unescaped */
};

/* Asks for those from `from` to before `to`. The link has nothing else outstanding. false: the
 * link is lost. */
bool leaves_begin(struct leaves *leaves, struct link *link, uint64_t from, uint64_t to);

enum leaves_step { LEAVES_ONE, LEAVES_END, LEAVES_REFUSED, LEAVES_LOST };

/* The next: its bytes are valid until the next call. LEAVES_LOST with link->problem. */
enum leaves_step leaves_next(struct leaves *leaves, const char **leaf, size_t *len);

void leaves_release(struct leaves *leaves);

#endif

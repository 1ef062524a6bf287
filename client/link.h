/*
 * The connection to the daemon: calls out, replies in, on a blocking socket with time-outs.
 *
 * What always holds: after LINK_UNSENT the daemon cannot have acted on the call, for it never got
 * the whole of it; after LINK_LOST nobody here knows. Either way the link is closed and says why.
 */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/message.h"

struct evbuffer;

#define LINK_PATIENCE_MS 10000		/* for an answer */
#define LINK_REPLY_MAX ((size_t)1 << 20)

enum link_outcome { LINK_OK, LINK_UNSENT, LINK_LOST };

struct link {
	int fd;				/* -1: closed */
	struct evbuffer *in;
	char problem[128];		/* why the last thing failed */
};

#define LINK_INIT { .fd = -1 }

/* Connects, waiting at most so long for this and for each later read and write. false with link->problem. */
bool link_open(struct link *link, const char *path, int patience_ms);
void link_close(struct link *link);

/*
 * Sends one call of LEDGER_INTERFACE's `method`; parameters is the text of an object. LINK_OK means it left whole.
 * Several may be sent before the first reply is read: replies come in the same order.
 */
enum link_outcome link_send(struct link *link, const char *method, const struct buf *parameters, bool more);

/* The next reply, to be released by the caller. LINK_OK or LINK_LOST. */
enum link_outcome link_read(struct link *link, struct reply *ret);

/* Both. */
enum link_outcome link_call(struct link *link, const char *method, const struct buf *parameters,
			    bool more, struct reply *ret);

#endif

/*
 * The connection to the daemon: calls out, replies in, on a blocking socket with time-outs: for
 * each piece of a reply so many seconds, and for all of them together a minute and what the
 * replies make up for, so that nobody who answers drop by drop holds a program for ever.
 *
 * What always holds: after LINK_UNSENT the daemon cannot have acted on the call, for it never got
 * the whole of it; after LINK_LOST nobody here knows. Either way the link is closed and says why.
 *
 * A call aside goes out together with the next one; its reply, when it is next, goes to who asked
 * for it and not to the reader of the link. So proofs cost a command no round trip.
 */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/message.h"

#define LINK_PATIENCE_MS 10000		/* for an answer */
#define LINK_REPLY_MAX ((size_t)1 << 20)

enum link_outcome { LINK_OK, LINK_UNSENT, LINK_LOST };

#define LINK_ASIDES 64

/* Gets the reply, or NULL when there will be none. It may send, but not read. */
typedef void link_handler(void *context, const struct reply *reply);

struct link {
	int fd;				/* -1: closed */
	struct buf in;			/* read; from `at` on not taken yet */
	size_t at;
	struct buf out;			/* calls aside that wait for the
					 * next one, or for who reads */
	pid_t child;			/* of link_open_command */
	int64_t waited_us;		/* for what came to be read */
	uint64_t replies;		/* that came */
	char problem[128];		/* why the last thing failed */
	uint64_t sent, answered;	/* calls not aside */
	struct {
		uint64_t after;		/* how many of them are answered before it */
		link_handler *handler;
		void *context;
	} aside[LINK_ASIDES];		/* oldest first */
	unsigned asides;
};

#define LINK_INIT { .fd = -1 }

/* Connects, waiting at most so long for this and for each later read and write. false with
 * link->problem. */
bool link_open(struct link *link, const char *path, int patience_ms);
void link_close(struct link *link);

/* The same over the standard input and output of a shell's command: ssh, socat. */
bool link_open_command(struct link *link, const char *command, int patience_ms);

/*
 * Sends one call of LEDGER_INTERFACE's `method`; parameters is the text of an object. LINK_OK
 * means it left whole. Several may be sent before the first reply is read: replies come in the
 * same order.
 */
enum link_outcome link_send(struct link *link, const char *method, const struct buf *parameters,
			    bool more);

/* The next reply, to be released by the caller. LINK_OK or LINK_LOST. */
enum link_outcome link_read(struct link *link, struct reply *ret);

/* Has a call sent aside. false: it will not be sent, and the handler not be called. */
bool link_aside(struct link *link, const char *method, const struct buf *parameters,
		link_handler *handler, void *context);

/* Reads the reply that is next if it is one aside; false when it is not, or the link is lost. */
bool link_take_aside(struct link *link);

/* For who takes the replies apart: the next one's text without its NUL, to be changed at will,
 * valid until the next. NULL: the link is lost. Whoever takes a last reply so counts it in
 * link->answered. */
char *link_text(struct link *link, size_t *len);

/* Closes the link and says why. */
enum link_outcome link_fail(struct link *link, enum link_outcome outcome, const char *problem);

/* Both. */
enum link_outcome link_call(struct link *link, const char *method, const struct buf *parameters,
			    bool more, struct reply *ret);

#endif

/*
 * One connection: bytes in, calls run one at a time and in order, answers out. It knows frames
 * and messages but not what methods do, and nothing of sockets being accepted.
 *
 * What always holds: answers stand in `held` until what they were computed from is durable
 * (conn_flush), and only then move to `out`; holes in them (method.h) are filled on the way. At
 * most one call is under way; a job keeps the calls behind it waiting.
 */
#ifndef DAEMON_CONN_H
#define DAEMON_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "method.h"
#include "policy.h"

#define CONN_IN_FLIGHT_MAX 64			/* calls of one turn that wait for its commit */
#define CONN_OUT_STOP ((size_t)256 << 10)	/* bytes unsent: no more calls are taken */
#define CONN_OUT_MAX ((size_t)1 << 20)		/* bytes unsent: the connection is closed */
#define CONN_OUT_LOW ((size_t)64 << 10)		/* bytes unsent: streams go on below this */
#define CONN_FIRST_US 5000000			/* the first message is whole within */
#define CONN_PARTIAL_US 10000000		/* a begun message is whole within */
#define CONN_IDLE_US 300000000

#define CONN_HOLE ((size_t)4 << 10)		/* bytes that a hole counts as until it is filled */

struct event_base;
struct server;

struct conn {
	int fd;
	bool partial;			/* a message has begun and is not whole */
	bool closing;			/* after what is unsent */
	bool gone;			/* the peer is away: to be freed */
	bool queued, paused, is_dirty;	/* for the server's turn */
	const struct actor *actor;
	struct exchange *exchange;	/* NULL: nothing is under way */
	uint64_t watermark;		/* entries the held answers were computed from */
	int64_t deadline;		/* monotonic microseconds */
	struct server *server;
	TAILQ_ENTRY(conn) all, ready, dirty;
};

TAILQ_HEAD(conn_list, conn);

/* Takes over the descriptor. The actor outlives the connection. `on_io` is a libevent
 * callback, with the conn. */
struct conn *conn_new(struct event_base *base, int fd, const struct actor *actor, int64_t now,
		      void (*on_io)(int fd, short what, void *conn));
void conn_free(struct conn *conn, struct service *service);

/* Reads what is there. */
void conn_read(struct conn *conn, struct service *service, int64_t now);

/* Is there a call to run, or a stream to go on with? `committed`: durable entries. */
bool conn_ready(struct conn *conn, uint64_t committed);

/* Whether a job gives its replies now, turn by turn. */
bool conn_streams(const struct conn *conn);

/* Runs one call, or one turn of the job. */
void conn_run(struct conn *conn, struct service *service);

/* Lets out what was computed from durable entries, and sends what the socket takes. */
void conn_flush(struct conn *conn, struct service *service, int64_t now);

/* The open batch came to nothing: what was held becomes Unavailable, once for each call. */
void conn_undo(struct conn *conn, const char *problem);

#endif

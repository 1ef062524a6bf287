/*
 * What a connection needs only while something is on its way: bytes that came, answers that are
 * held or unsent, a stream. Between calls it has none, so that an idle connection costs little;
 * who comes next gets one that was left, with the room it had grown.
 */
#ifndef DAEMON_EXCHANGE_H
#define DAEMON_EXCHANGE_H

#include <stdbool.h>

#include "common/buf.h"

/* Bytes that are used up from the front. */
struct flow {
	struct buf bytes;
	size_t used;
};

size_t flow_left(const struct flow *flow);
const char *flow_front(const struct flow *flow);	/* NULL when nothing ever was in it */
void flow_use(struct flow *flow, size_t len);
void flow_add(struct flow *flow, const char *bytes, size_t len);

struct event;
struct hole;
struct job;

struct exchange {
	struct flow in, out;
	struct buf held;		/* answers that wait for a commit */
	unsigned held_calls;		/* calls whose last answer is in `held` */
	unsigned hole_count;
	struct hole *holes;		/* in `held`, in order; NULL: there never was one */
	struct job *job;
	struct event *write;		/* made when the socket first takes no more */
	bool oneway, more;		/* of the call under way; oneway: nothing is answered */
	struct exchange *next;		/* of the spare ones */
};

/* Those that nobody needs just now, a few. All zero: none. */
struct exchanges {
	struct exchange *spare;
	unsigned count;
};

void exchanges_release(struct exchanges *exchanges);

struct exchange *exchange_take(struct exchanges *exchanges);		/* empty */

/* Nothing is in it, and no job under way. */
bool exchange_over(const struct exchange *exchange);

/* Gives back large room that nothing is in. */
void exchange_rest(struct exchange *exchange);

/* Gives it up, job and event ended: for who comes next, if few are spare. */
void exchange_leave(struct exchange *exchange, struct exchanges *exchanges);

#endif

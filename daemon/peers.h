/*
 * Who is connected, by uid, and the line in which their calls wait: each user in turn, each of a
 * user's connections in turn, one call each. While several users call, none of them has more than a
 * share of a turn, so that the calls of one make the others wait about as long as a commit does.
 */
#ifndef DAEMON_PEERS_H
#define DAEMON_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "conn.h"

TAILQ_HEAD(peer_list, peer);

struct peers {
	struct peer *by_uid;
	struct peer_list ready;		/* with a call to run */
	struct peer_list resting;	/* who had their share of this turn */
	unsigned turn;
	int64_t turn_begun;		/* monotonic microseconds, as the next */
	int64_t shared_until;
	int64_t last_uid;		/* whose call was the last */
	unsigned share;			/* calls in this turn */
};

void peers_init(struct peers *peers);

/* How many connections a user has. */
unsigned peers_conns(const struct peers *peers, int64_t uid);

/* One more connection of this actor, or one less, which waits for nothing. Its groups are taken
 * over; what is returned is the connection's, and is one for all connections of a user that have
 * the same groups. */
const struct actor *peers_join(struct peers *peers, struct actor *actor);
void peers_leave(struct peers *peers, const struct actor *actor);

/* The roles of all of them, anew (actor_roles). */
void peers_roles(struct peers *peers, const struct config *config, int64_t daemon_uid);

/* ---- The line ---- */

/* A turn begins, the last commit having taken so long. Who rested has a share again. */
void peers_turn(struct peers *peers, int64_t now, int64_t commit_us);

/* Is anybody in the line, or resting? */
bool peers_waiting(const struct peers *peers);

/* Puts a connection with something to run into the line, or takes it out. It is there once. */
void peers_queue(struct peers *peers, struct conn *conn);
void peers_unqueue(struct conn *conn);

/* Takes the next one out of the line. NULL: there is none that may run a call in this turn. */
struct conn *peers_next(struct peers *peers);

/* It ran a call, or a stream gave some replies. */
void peers_ran(struct peers *peers, const struct conn *conn, bool stream);

#endif

#include "peers.h"

#include <stdlib.h>

#include "common/hashed.h"

#define SHARED_US 1000000	/* after calls of two users, each has a share of a turn: */
#define SHARE_CALL_US 16	/* a call for so much of a commit's time, */
#define SHARE_CALLS_MIN 4	/* but so many at least */

/* Who is asking, for all connections of a uid that have the same groups. */
struct badge {
	struct actor actor;		/* the first: who has it has the badge */
	struct peer *peer;
	unsigned conns;
	SLIST_ENTRY(badge) link;
};

/* Everybody of one uid. */
struct peer {
	int64_t uid;
	unsigned conns;
	SLIST_HEAD(, badge) badges;
	struct conn_list ready;
	bool queued, rests;
	unsigned turn, calls;		/* run in that turn */
	TAILQ_ENTRY(peer) link;		/* in the list of the ready or of the resting */
	UT_hash_handle hh;
};

void peers_init(struct peers *peers)
{
	*peers = (struct peers){ .by_uid = NULL };
	TAILQ_INIT(&peers->ready);
	TAILQ_INIT(&peers->resting);
}

static struct badge *badge_of(const struct actor *actor)
{
	return (struct badge *)actor;
}

static void *zeros(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		abort();
	return memory;
}

/* ---- Coming and going ---- */

static struct peer *peer_find(const struct peers *peers, int64_t uid)
{
	struct peer *peer;

	HASH_FIND(hh, peers->by_uid, &uid, sizeof(uid), peer);
	return peer;
}

unsigned peers_conns(const struct peers *peers, int64_t uid)
{
	const struct peer *peer = peer_find(peers, uid);

	return peer ? peer->conns : 0;
}

static struct peer *peer_add(struct peers *peers, int64_t uid)
{
	struct peer *peer = zeros(sizeof(*peer));

	peer->uid = uid;
	TAILQ_INIT(&peer->ready);
	HASH_ADD(hh, peers->by_uid, uid, sizeof(peer->uid), peer);
	return peer;
}

static struct badge *badge_find(const struct peer *peer, const struct actor *actor)
{
	struct badge *badge;

	SLIST_FOREACH(badge, &peer->badges, link)
		if (actor_same(&badge->actor, actor))
			break;
	return badge;
}

static struct badge *badge_add(struct peer *peer, const struct actor *actor)
{
	struct badge *badge = zeros(sizeof(*badge));

	badge->actor = *actor;
	badge->peer = peer;
	SLIST_INSERT_HEAD(&peer->badges, badge, link);
	return badge;
}

const struct actor *peers_join(struct peers *peers, struct actor *actor)
{
	struct peer *peer = peer_find(peers, actor->uid);
	struct badge *badge = peer ? badge_find(peer, actor) : NULL;

	if (!peer)
		peer = peer_add(peers, actor->uid);
	if (badge)
		actor_release(actor);
	else
		badge = badge_add(peer, actor);
	peer->conns++;
	badge->conns++;
	return &badge->actor;
}

static void peer_free(struct peers *peers, struct peer *peer)
{
	if (peer->queued)
		TAILQ_REMOVE(peer->rests ? &peers->resting : &peers->ready, peer, link);
	HASH_DELETE(hh, peers->by_uid, peer);
	free(peer);
}

void peers_leave(struct peers *peers, const struct actor *actor)
{
	struct badge *badge = badge_of(actor);
	struct peer *peer = badge->peer;

	if (!--badge->conns) {
		SLIST_REMOVE(&peer->badges, badge, badge, link);
		actor_release(&badge->actor);
		free(badge);
	}
	if (!--peer->conns)
		peer_free(peers, peer);
}

void peers_roles(struct peers *peers, const struct config *config, int64_t daemon_uid)
{
	struct badge *badge;

	for (struct peer *peer = peers->by_uid; peer; peer = peer->hh.next)
		SLIST_FOREACH(badge, &peer->badges, link)
			actor_roles(&badge->actor, config, daemon_uid);
}

/* ---- The line ---- */

static void peer_queue(struct peers *peers, struct peer *peer, bool rests)
{
	peer->queued = true;
	peer->rests = rests;
	TAILQ_INSERT_TAIL(rests ? &peers->resting : &peers->ready, peer, link);
}

void peers_turn(struct peers *peers, int64_t now, int64_t commit_us)
{
	struct peer *peer;

	while ((peer = TAILQ_FIRST(&peers->resting))) {
		TAILQ_REMOVE(&peers->resting, peer, link);
		peer_queue(peers, peer, false);
	}
	peers->turn++;
	peers->turn_begun = now;
	peers->share = (unsigned)(commit_us / SHARE_CALL_US);
	if (peers->share < SHARE_CALLS_MIN)
		peers->share = SHARE_CALLS_MIN;
}

bool peers_waiting(const struct peers *peers)
{
	return !TAILQ_EMPTY(&peers->ready) || !TAILQ_EMPTY(&peers->resting);
}

void peers_queue(struct peers *peers, struct conn *conn)
{
	struct peer *peer = badge_of(conn->actor)->peer;

	if (conn->queued)
		return;
	conn->queued = true;
	TAILQ_INSERT_TAIL(&peer->ready, conn, ready);
	if (!peer->queued)
		peer_queue(peers, peer, false);
}

void peers_unqueue(struct conn *conn)
{
	if (conn->queued)
		TAILQ_REMOVE(&badge_of(conn->actor)->peer->ready, conn, ready);
	conn->queued = false;
}

/* Nobody rests while nobody else calls: many calls in a commit are cheap. */
static bool share_had(const struct peers *peers, const struct peer *peer)
{
	return peer->turn == peers->turn && peers->turn_begun < peers->shared_until &&
	       peer->calls >= peers->share;
}

struct conn *peers_next(struct peers *peers)
{
	struct peer *peer;

	while ((peer = TAILQ_FIRST(&peers->ready))) {
		struct conn *conn = TAILQ_FIRST(&peer->ready);

		TAILQ_REMOVE(&peers->ready, peer, link);
		peer->queued = false;
		if (!conn)
			continue;
		if (share_had(peers, peer)) {
			peer_queue(peers, peer, true);
			continue;
		}
		peers_unqueue(conn);
		if (!TAILQ_EMPTY(&peer->ready))
			peer_queue(peers, peer, false);
		return conn;
	}
	return NULL;
}

/* A stream makes nobody else's share small: its rows are few in a turn. */
void peers_ran(struct peers *peers, const struct conn *conn, bool stream)
{
	struct peer *peer = badge_of(conn->actor)->peer;

	if (!stream && peers->last_uid != peer->uid) {
		peers->shared_until = peers->turn_begun + SHARED_US;
		peers->last_uid = peer->uid;
	}
	peer->calls = peer->turn == peers->turn ? peer->calls + 1 : 1;
	peer->turn = peers->turn;
}

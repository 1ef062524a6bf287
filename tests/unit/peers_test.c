#include "daemon/peers.h"

#include <stdlib.h>

#include "tap.h"

#define SECOND 1000000

enum { ALICE = 1001, BOB = 1002 };

static struct peers peers;

/* A connection that always has something to run. */
static struct conn conn_of(int64_t uid, gid_t group)
{
	gid_t *groups = malloc(sizeof(*groups));
	struct actor actor = { .uid = uid, .groups = groups, .group_count = 1 };

	if (!groups)
		abort();
	*groups = group;
	return (struct conn){ .actor = peers_join(&peers, &actor) };
}

static void leave(struct conn *conn)
{
	peers_unqueue(conn);
	peers_leave(&peers, conn->actor);
}

/* Who runs, one call each, until nobody may: everybody goes on. */
static unsigned run(struct conn *const *conns, unsigned count, unsigned most, char *ret)
{
	struct conn *conn;
	unsigned ran = 0;

	while (ran < most && (conn = peers_next(&peers))) {
		for (unsigned i = 0; i < count; i++)
			if (conns[i] == conn)
				ret[ran] = (char)('a' + i);
		ran++;
		peers_ran(&peers, conn, false);
		peers_queue(&peers, conn);
	}
	ret[ran] = '\0';
	return ran;
}

static void test_badges(void)
{
	static const struct config config = {
		.grants = { { ROLE_MANAGER, true, 7 } }, .grant_count = 1, .found = true,
	};
	struct conn one = conn_of(ALICE, 5), same = conn_of(ALICE, 5), other = conn_of(ALICE, 7);

	ok(one.actor == same.actor, "connections of the same groups are of one actor");
	ok(one.actor != other.actor, "and of other groups of another");
	is_int(peers_conns(&peers, ALICE), 3, "all are the user's");
	is_int(peers_conns(&peers, BOB), 0, "and nobody else's");
	peers_roles(&peers, &config, 0);
	is_int(one.actor->roles, 0, "roles are given anew,");
	is_int(other.actor->roles, ROLE_MANAGER, "to each of them");
	leave(&one);
	is_int(peers_conns(&peers, ALICE), 2, "one leaves,");
	is_int((int64_t)same.actor->groups[0], 5, "and the other stays who it is");
	leave(&same);
	leave(&other);
	is_int(peers_conns(&peers, ALICE), 0, "nobody is left");
}

static void test_line(void)
{
	struct conn a = conn_of(ALICE, 5), b = conn_of(ALICE, 5), c = conn_of(BOB, 5);
	struct conn *const conns[] = { &a, &b, &c };
	char order[16];

	peers_turn(&peers, SECOND, 0);
	ok(!peers_waiting(&peers) && !peers_next(&peers), "nobody waits");
	peers_queue(&peers, &a);
	peers_queue(&peers, &b);
	ok(peers_next(&peers) == &a && peers_next(&peers) == &b && !peers_next(&peers),
	   "two of one user run one after the other");
	for (int i = 0; i < 3; i++)
		peers_queue(&peers, conns[i]);
	peers_queue(&peers, &a);
	run(conns, 3, 7, order);
	is_str(order, "acbcacb", "each user in turn, each of a user's connections in turn");
	leave(&a);
	leave(&c);
	peers_turn(&peers, SECOND + 1, 0);
	ok(peers_next(&peers) == &b, "who left waits no more");
	ok(!peers_next(&peers), "and who is taken out is there once");
	leave(&b);
	ok(!peers_waiting(&peers), "the line is empty");
}

static void test_share(void)
{
	struct conn a = conn_of(ALICE, 5), b = conn_of(BOB, 5);
	struct conn *const conns[] = { &a, &b };
	char order[128];

	peers_turn(&peers, 10 * SECOND, 160);
	peers_queue(&peers, &a);
	is_int(run(conns, 2, 100, order), 100, "who calls alone has all of a turn");
	peers_queue(&peers, &b);
	run(conns, 2, 100, order);
	is_str(order, "abbbbbbbbbb", "when somebody else calls, each a share: a call for 16 us of a commit");
	ok(peers_waiting(&peers) && !peers_next(&peers), "who had it waits for the next turn");
	peers_turn(&peers, 10 * SECOND + 1, 0);
	run(conns, 2, 100, order);
	is_str(order, "abababab", "where each has another, of four calls at least");
	peers_unqueue(&b);
	peers_turn(&peers, 12 * SECOND, 0);
	is_int(run(conns, 2, 100, order), 4, "so it is for a second from the first call after another's");
	peers_turn(&peers, 13 * SECOND, 0);
	is_int(run(conns, 2, 100, order), 100, "and then a turn is all one's own");
	leave(&a);
	leave(&b);
}

int main(void)
{
	peers_init(&peers);
	test_badges();
	test_line();
	test_share();
	return done_testing();
}

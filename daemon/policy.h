/*
 * Who is asking: what the kernel says of the peer, and which roles the config gives it. Numbers
 * only.
 */
#ifndef DAEMON_POLICY_H
#define DAEMON_POLICY_H

#include "config.h"
#include "plan.h"

/* Takes the peer's uid and groups from SO_PEERCRED and SO_PEERGROUPS. 0, or -1 with errno. The
 * groups are allocated: actor_release. */
int actor_of_socket(int fd, struct actor *ret);
void actor_release(struct actor *actor);

/* Of the same uid and the same groups, in the same order. */
bool actor_same(const struct actor *actor, const struct actor *other);

/* Sets the roles. uid 0 is a manager always; without
 * a config file, `daemon_uid` has all of them. */
void actor_roles(struct actor *actor, const struct config *config, int64_t daemon_uid);

#endif

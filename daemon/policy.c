#include "policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROLES_ALL (ROLE_MANAGER | ROLE_CRON | ROLE_AUDITOR)

int actor_of_socket(int fd, struct actor *ret)
{
	struct ucred peer;
	socklen_t size = sizeof(peer), groups_size = 0;
	gid_t *groups = NULL;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &groups_size) < 0 && errno != ERANGE)
		return -1;
	groups = malloc(sizeof(gid_t) + groups_size);
	if (!groups)
		abort();
	groups[0] = peer.gid;
	if (groups_size &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &groups_size) < 0) {
		free(groups);
		return -1;
	}
	*ret = (struct actor){ .uid = peer.uid, .groups = groups,
			       .group_count = 1 + groups_size / sizeof(gid_t) };
	return 0;
}

void actor_release(struct actor *actor)
{
	free((gid_t *)actor->groups);
	actor->groups = NULL;
}

bool actor_same(const struct actor *actor, const struct actor *other)
{
	return actor->uid == other->uid && actor->group_count == other->group_count &&
	       !memcmp(actor->groups, other->groups, actor->group_count * sizeof(*actor->groups));
}

static bool granted(const struct actor *actor, const struct grant *grant)
{
	if (!grant->group)
		return actor->uid == grant->id;
	for (size_t i = 0; i < actor->group_count; i++)
		if (actor->groups[i] == grant->id)
			return true;
	return false;
}

void actor_roles(struct actor *actor, const struct config *config, int64_t daemon_uid)
{
	actor->roles = actor->uid == 0 ? ROLE_MANAGER : 0;
	actor->unrestricted = !config->found && actor->uid == daemon_uid;
	if (actor->unrestricted)
		actor->roles = ROLES_ALL;
	for (unsigned i = 0; i < config->grant_count; i++)
		if (granted(actor, &config->grants[i]))
			actor->roles |= config->grants[i].role;
}

/*
 * Places that nobody else can turn elsewhere: where the socket is, and the config that says who has
 * which role.
 */
#ifndef DAEMON_TRUSTED_H
#define DAEMON_TRUSTED_H

#include <limits.h>

/*
 * NULL, or who else could put something in the path's place, as words behind the name of what is
 * theirs (`culprit`). The path, the links on the way and every directory above belong to root or to
 * who runs this, and not everybody may write there, unless nobody may take away what is others'
 * (the sticky bit, as of /tmp). What a group may write is the group's by intention. A path that is
 * not there is for the caller to find out.
 */
const char *trusted_problem(const char *path, char culprit[PATH_MAX]);

#endif

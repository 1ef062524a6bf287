/*
 * Root becomes the ledger's owner before it looks into a ledger: what is made beside it must stay
 * the owner's.
 */
#ifndef DAEMON_OWNER_H
#define DAEMON_OWNER_H

#include <stdbool.h>

/* Of the open directory; false with errno. Whoever is not root stays who they are. */
bool owner_become(int dir);

/* The same by path. */
bool owner_become_of(const char *path);

#endif

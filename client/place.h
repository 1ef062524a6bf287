/*
 * Which ledger was found where: a socket, or a command that leads to one. So that another ledger
 * in its place is not taken for one that is met for the first time.
 *
 * BASE/served/HASH holds the origin and the place, a line each; HASH is made from the place.
 */
#ifndef CLIENT_PLACE_H
#define CLIENT_PLACE_H

#include <stdbool.h>

#include "common/sign.h"

/* The origin of the ledger that was found there last; base NULL: the caller's own. false: none
 * is remembered. */
bool place_origin(const char *base, const char *place, char ret[ORIGIN_MAX + 1]);

/* Remembers it, where that can be. */
void place_keep(const char *base, const char *place, const char *origin);

#endif

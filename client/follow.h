/*
 * From what is remembered to what is there now, where that is not the same key or not the same
 * ledger: each key must have been named by an entry that the key before signed, and a ledger in
 * another's place must go on from that one.
 */
#ifndef CLIENT_FOLLOW_H
#define CLIENT_FOLLOW_H

#include "heads.h"

/* Asks for the entries that say so, and then has the head checked, or raises the alarm. The
 * link is idle. */
void watch_follow(struct watch *watch);

#endif

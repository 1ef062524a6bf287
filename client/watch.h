/*
 * The watch over the ledger. Whenever a program talks to the daemon, its signed head is asked for
 * beside the program's own calls and must extend the one that is remembered (state.h): the same
 * key or one that took over from it, no fewer entries, and the old ones unchanged. Another ledger
 * in its place must say in its genesis that it goes on from it. What does not is an alarm: both
 * signed checkpoints are kept as evidence, nothing remembered is replaced, and the program ends
 * with EXIT_UNVERIFIED.
 *
 * What always holds: nothing is remembered that was not proven, and money is not sent where the
 * head is known to be wrong (watch_ready). What is asked aside is answered at the latest in
 * watch_end.
 */
#ifndef CLIENT_WATCH_H
#define CLIENT_WATCH_H

#include <stdbool.h>

#include "common/err.h"
#include "common/json.h"
#include "heads.h"
#include "wanted.h"

/* Asks for the head, beside what the program will ask. `socket` is what people call the daemon. */
void watch_start(struct watch *watch, struct link *link, const char *socket);

/* Reads what is needed to know the head. false: there is an alarm, which watch_end will tell;
 * send no money. */
bool watch_ready(struct watch *watch);

/* A receipt will come: what can be done for it while it is awaited. */
void watch_expect_receipt(struct watch *watch);

/* Checks that the receipt in a reply holds and is the wanted one, keeps it, and has its head
 * proven. Says so when there is none. */
void watch_receipt(struct watch *watch, const json_t *reply, const struct wanted *wanted);

/* Reads what is still to come. false: there is an alarm, or the proofs did not come. Nothing
 * is remembered yet. */
bool watch_settle(struct watch *watch);

/* Settles and remembers the newest head. false: there is an alarm, or it could not be proven
 * or kept. */
bool watch_remember(struct watch *watch);

/* Settles, remembers the newest head, and tells. Returns how the program ends: `status` when
 * all is well. */
enum exit_status watch_end(struct watch *watch, enum exit_status status);

void watch_release(struct watch *watch);

#endif

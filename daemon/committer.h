/*
 * A thread that commits what the loop sent off, while the loop goes on reading, adding and answering.
 *
 * What always holds: one flight at a time; from committer_send() to committer_take() the thread alone touches the
 * ledger's write side and the file's end, and nothing else that the loop changes.
 */
#ifndef DAEMON_COMMITTER_H
#define DAEMON_COMMITTER_H

#include "batch.h"

struct committer;

/* NULL when no thread can be had. */
struct committer *committer_start(struct batch *batch, struct ledger *ledger);

/* Nothing may be in flight. Takes NULL. */
void committer_stop(struct committer *committer);

/* Becomes readable when the flight is over. */
int committer_fd(const struct committer *committer);

/* Are so many entries worth it? Fewer are sooner committed in the loop. */
bool committer_worth(unsigned entries);

/* Sends the open part off. */
void committer_send(struct committer *committer);

/* Waits for the end of the flight, and says how much room there was: batch_land() is next. */
enum room committer_take(struct committer *committer);

#endif

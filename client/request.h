/*
 * A request that carries an id: kept until its answer is known, asked for again under the same id
 * when the answer is lost, and never doubled by being typed again.
 */
#ifndef CLIENT_REQUEST_H
#define CLIENT_REQUEST_H

#include "fund.h"
#include "pending.h"
#include "refusal.h"

#define REQUEST_RETRY_S 10

/*
 * Asks with `parameters` (the text of an object, without the id). `id` may be NULL: the id of the
 * same request that is still pending, or a fresh one. EXIT_OK with *ret to be released; otherwise
 * it has been told.
 */
enum exit_status request_ask(struct fund *fund, const char *method, const struct buf *parameters,
			     const char *id, const struct refusal_hint *hint, struct reply *ret);

/* Without an id kept or a lost answer asked for again: reads, and dry runs. */
enum exit_status request_read(struct fund *fund, const char *method, const struct buf *parameters,
			      const struct refusal_hint *hint, struct reply *ret);

/* After watch_ready said no; what is wrong is told
 * when the program ends. Returns EXIT_UNVERIFIED. */
enum exit_status tell_unsafe(void);

/* A fresh UUIDv7. */
void request_new_id(char ret[UUID_LEN + 1]);

/* Finishes what is fresh and was sent to this socket, says so, and speaks of what is older. */
void request_finish(struct fund *fund);

/* Sends one pending request again; drops it when there is an answer, which is told. */
enum exit_status request_again(struct fund *fund, struct pending *pending);

#endif

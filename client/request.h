/*
 * Asking the daemon, so that nothing is done twice and nobody is left guessing.
 *
 * A request that moves money or terms has an id and is kept (pending.h) until its answer is known. Never fully
 * sent: nothing was recorded. Answer lost: the same id is sent again for some seconds; then the
 * outcome is unknown, and the same command typed again takes up the same id.
 */
#ifndef CLIENT_REQUEST_H
#define CLIENT_REQUEST_H

#include <stdbool.h>

#include "common/message.h"
#include "fund.h"
#include "learn.h"
#include "pending.h"
#include "refusal.h"
#include "wire.h"

struct request {
	const char *method;
	const char *id;			/* given by the caller, or NULL */
	bool dry_run;
	const void *options;		/* the command's own */

	/* Learns what it needs on the open connection and writes the members of the parameters, without
	 * id and dry_run, into an open object. */
	enum exit_status (*write)(struct fund *fund, struct request *request, struct buf *parameters);

	/* What was done, in a sentence or two: "Spent EUR 25.00 from alice." */
	void (*say)(struct buf *out, const struct request *request, const struct wire_answer *answer);

	struct refusal_hint hint;	/* filled by write, for refusals */
	struct learned learned;		/* likewise; released by request_run */
};

/* The whole of it, from connecting to what is printed. */
enum exit_status request_run(struct fund *fund, struct request *request);

/*
 * One question without an id: the reply is to be released when it is EXIT_OK; otherwise it has been told why not.
 * An empty `parameters` is none.
 */
enum exit_status ask(struct fund *fund, const char *method, const struct buf *parameters, struct reply *ret);

/* A question with many replies: `each` gets their parameters, until it returns something else than EXIT_OK. */
enum exit_status ask_stream(struct fund *fund, const char *method, const struct buf *parameters,
			    enum exit_status (*each)(void *context, const json_t *parameters), void *context);

/* Sends what is kept under p's id once more and tells the outcome; p is released. */
enum exit_status request_finish(struct fund *fund, struct pending *p);

/* The socket's path as it is kept with a request. Freed by the caller. */
char *socket_identity(const char *path);

/* A fresh UUIDv7. */
void id_make(char out[UUID_LEN + 1]);

#endif

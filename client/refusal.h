/*
 * What the daemon refuses, as a sentence that says what is so and what works instead.
 */
#ifndef CLIENT_REFUSAL_H
#define CLIENT_REFUSAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/message.h"
#include "wire.h"

/* What the caller knows of the request; each may be absent (NULL, 0). */
struct refusal_hint {
	const struct wire_budget *budget;	/* as it was just before */
	int64_t amount;				/* what was to be spent */
	const char *line;			/* the command, to be typed again after help */
	const char *method;
};

#define REFUSAL_NO_HINT ((struct refusal_hint){ .budget = NULL })

/* Appends one sentence on a reply that is an error. */
void refusal_say(struct buf *out, const struct reply *reply, const struct refusal_hint *hint);

/* Tells it, with the commands that help. Returns what `fund` ends with. */
enum exit_status refusal_tell(const struct reply *reply, const struct refusal_hint *hint);

/* ERR_NONE for an error this `fund` has no name for. */
enum err refusal_code(const struct reply *reply);

/* "A manager opens one: fund open eve --owner eve --allowance 100", for whoever runs this. */
void say_opening(struct buf *out);

/* Which budget is meant? Appends the sentence for no budget at all, or for several. */
void say_budget_needed(struct buf *out, const char *const *names, size_t count);

/* A reply that is not what the interface promises. Returns EXIT_FAILED. */
enum exit_status reply_tell_foreign(const struct problem *problem);

#endif

/*
 * The methods: a table of name, who may, and what it does. A method answers at once, or hands back
 * a job that the connection pulls replies from, one after the other.
 */
#ifndef DAEMON_METHOD_H
#define DAEMON_METHOD_H

#include "common/message.h"
#include "service.h"

enum step {
	STEP_ROW,	/* one reply, more follow */
	STEP_PAUSE,	/* enough for this turn */
	STEP_LAST,	/* the last reply */
	STEP_REFUSED,	/* the refusal is the last reply */
};

/* Where a reply leaves room for what can only be said after the commit: the receipt of an entry. */
struct hole {
	bool open;
	int64_t seq;
	size_t at;			/* bytes of the reply before it */
};

struct request {
	struct service *service;
	const struct actor *actor;
	const json_t *parameters;
	bool more;
	struct buf *reply;		/* gets the reply's parameters, a JSON object */
	struct refusal *refusal;
	struct hole hole;		/* set when the reply has one, in its outermost object */
	struct job *job;		/* set when the method hands back a job instead */
};

/* What streams. Lives until released, over many turns; owns what it needs. */
struct job {
	/* Fills request->reply for STEP_ROW and STEP_LAST, request->refusal for STEP_REFUSED. */
	enum step (*step)(struct job *job, struct request *request);
	void (*pause)(struct job *job);	/* nothing more is pulled this turn; NULL: nothing to do */
	void (*release)(struct job *job);
	uint64_t watermark;		/* entries that must be durable before the first step */
};

/* Runs a call: ERR_NONE with the reply or the job set, or the refusal's code. */
enum err method_run(const char *name, struct request *request);

/* Appends what fills the hole of that entry, now that it
 * is durable: a Receipt, or null when none can be made. */
void method_fill(struct service *service, int64_t seq, struct buf *out);

/* ---- For the files that implement methods ---- */

typedef enum err method_handler(struct request *request);

method_handler method_spend, method_topup, method_refund, method_open, method_adjust, method_close;
method_handler method_reset, method_balance, method_audit, method_report, method_checkpoint;
method_handler method_status;
method_handler method_prove, method_consistency, method_leaves, method_cosign;

/* Status's fields of what no witness has seen yet. */
void answer_window(struct request *request);

/* Decodes the parameters or refuses as Malformed. */
enum err request_decode(struct request *request, const struct field *fields, void *out,
			size_t size);

#endif

#include "request.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/text.h"
#include "render.h"
#include "tell.h"

void request_new_id(char ret[UUID_LEN + 1])
{
	uint8_t random[10], uuid[16];
	randombytes_buf(random, sizeof(random));
	uuid_v7(clock_us(CLOCK_REALTIME) / 1000, random, uuid);
	uuid_format(uuid, ret);
}

/* These answer with a receipt when they are asked for one. */
static bool gives_receipt(const char *method)
{
	return !strcmp(method, "Spend") || !strcmp(method, "TopUp") || !strcmp(method, "Refund");
}

static void with_id(const struct pending *p, struct buf *out)
{
	const char *parameters = p->request.parameters;

	buf_add(out, parameters, strlen(parameters) - 1);	/* without its last brace */
	json_str(out, "id", p->id);
	if (gives_receipt(p->request.method))
		json_bool(out, "receipt", true);
	json_close(out, '}');
}

/* The answer, however often the connection has to be made anew, for some seconds. */
static enum link_outcome ask_patiently(struct fund *fund, const char *method,
				       const struct buf *parameters, struct reply *ret)
{
	const struct timespec pause = { 0, 200000000 };
	enum link_outcome outcome = link_send(&fund->link, method, parameters, false);
	time_t until = time(NULL) + REQUEST_RETRY_S;

	if (outcome == LINK_OK && gives_receipt(method))
		watch_expect_receipt(&fund->watch);
	if (outcome == LINK_OK)
		outcome = link_read(&fund->link, ret);
	while (outcome == LINK_LOST && time(NULL) < until) {
		nanosleep(&pause, NULL);
		if (link_open(&fund->link, fund->socket, LINK_PATIENCE_MS / 2) &&
		    link_call(&fund->link, method, parameters, false, ret) == LINK_OK)
			return LINK_OK;
	}
	return outcome;
}

static enum exit_status tell_unsent(const struct fund *fund)
{
	tell("cannot reach fundd at %s: %s. Nothing was recorded.",
	     fund->socket, fund->link.problem);
	return EXIT_UNREACHABLE;
}

static enum exit_status tell_lost(const struct fund *fund)
{
	tell("the outcome is unknown: the request was sent, but no answer came from %s (%s).",
	     fund->socket, fund->link.problem);
	tell_more("Type the same command again within the hour: it will not be doubled.");
	return EXIT_UNREACHABLE;
}

enum exit_status tell_unsafe(void)
{
	tell("nothing was sent: this is not the ledger you know.");
	return EXIT_UNVERIFIED;
}

/* Sends p, whose file is kept and locked. The file goes with any definite answer: that it could not
 * be sent now is none for what was sent before. */
static enum exit_status pending_ask(struct fund *fund, struct pending *p,
				    const struct refusal_hint *hint, struct reply *ret)
{
	struct wanted wanted = { .id = p->id, .parameters = p->request.parameters };
	struct buf parameters = BUF_INIT;
	enum link_outcome outcome;
	enum exit_status status = EXIT_OK;

	with_id(p, &parameters);
	outcome = ask_patiently(fund, p->request.method, &parameters, ret);
	buf_release(&parameters);
	if (outcome == LINK_LOST || (outcome == LINK_UNSENT && p->asked)) {
		pending_release(p);
		return tell_lost(fund);
	}
	if (outcome == LINK_UNSENT) {
		status = tell_unsent(fund);
	} else if (ret->error) {
		status = refusal_tell(ret, hint);
		reply_release(ret);
	} else if (gives_receipt(p->request.method)) {
		watch_receipt(&fund->watch, ret->parameters, &wanted);
	}
	pending_drop(p);
	return status;
}

static bool same_request(const struct pending *p, const struct fund *fund, const char *method,
			 const char *parameters)
{
	return pending_fresh(p) && !strcmp(p->request.socket, fund->socket) &&
	       !strcmp(p->request.method, method) && !strcmp(p->request.parameters, parameters);
}

/* The same request, typed before and not answered yet. */
static bool pending_find(const struct fund *fund, const char *method, const char *parameters,
			 struct pending *ret)
{
	struct problem problem;
	char **ids;
	size_t count = pending_list(&ids), i;
	bool found = false;

	for (i = 0; i < count && !found; i++) {
		enum pending_state state = pending_load(ids[i], ret, &problem);

		if (state == PENDING_GONE)
			continue;
		found = state != PENDING_DAMAGED && same_request(ret, fund, method, parameters) &&
			(state == PENDING_LOADED || pending_wait(ret) == PENDING_LOADED);
		if (!found)
			pending_release(ret);
	}
	pending_list_free(ids, count);
	return found;
}

enum exit_status request_ask(struct fund *fund, const char *method, const struct buf *parameters,
			     const char *id, const struct refusal_hint *hint, struct reply *ret)
{
	struct pending p = { .fd = -1 };

	if (!watch_ready(&fund->watch))
		return tell_unsafe();
	if (!id && pending_find(fund, method, parameters->data, &p)) {
		tell("the answer to this was lost before: asking for it again, nothing is doubled");
		return pending_ask(fund, &p, hint, ret);
	}
	if (id)
		snprintf(p.id, sizeof(p.id), "%s", id);
	else
		request_new_id(p.id);
	p.request = (struct pending_request){ .method = method, .parameters = parameters->data,
					      .socket = fund->socket, .line = fund->line,
					      .at = { .value = time(NULL), .set = true } };
	pending_keep(&p);
	return pending_ask(fund, &p, hint, ret);
}

enum exit_status request_read(struct fund *fund, const char *method, const struct buf *parameters,
			      const struct refusal_hint *hint, struct reply *ret)
{
	enum exit_status status;

	if (link_call(&fund->link, method, parameters, false, ret) != LINK_OK) {
		tell("cannot reach fundd at %s: %s. Nothing was recorded.",
		     fund->socket, fund->link.problem);
		return EXIT_UNREACHABLE;
	}
	if (!ret->error)
		return EXIT_OK;
	status = refusal_tell(ret, hint);
	reply_release(ret);
	return status;
}

enum exit_status request_again(struct fund *fund, struct pending *pending)
{
	struct refusal_hint hint = REFUSAL_NO_HINT;
	struct wire_answer answer;
	struct problem problem;
	struct buf line = BUF_INIT;
	struct reply reply;
	enum exit_status status;

	if (fund->link.fd < 0)		/* the one before lost its answer again */
		link_open(&fund->link, fund->socket, LINK_PATIENCE_MS);
	if (!watch_ready(&fund->watch)) {
		pending_release(pending);
		return tell_unsafe();
	}
	buf_str(&line, pending->request.line);
	status = pending_ask(fund, pending, &hint, &reply);
	if (status == EXIT_OK) {
		if (wire_answer(reply.parameters, &answer, &problem))
			tell("finished first, as its answer was lost: %s  (entry %lld%s)",
			     line.data,
			     (long long)answer.entry.seq.value,
			     answer.replayed ? ", recorded before" : "");
		else
			status = reply_tell_foreign(&problem);
		reply_release(&reply);
	}
	buf_release(&line);
	return status;
}

void request_finish(struct fund *fund)
{
	struct problem problem;
	struct pending p;
	char **ids;
	size_t count = pending_list(&ids), i, old = 0;

	for (i = 0; i < count; i++) {
		enum pending_state state = pending_load(ids[i], &p, &problem);

		if (state == PENDING_GONE)
			continue;
		if (state == PENDING_DAMAGED)
			tell("pending request %s is damaged (%s); it is not sent",
			     ids[i], problem.text);
		if (state == PENDING_LOADED && strcmp(p.request.socket, fund->socket)) {
			pending_release(&p);
		} else if (state == PENDING_LOADED && pending_fresh(&p)) {
			request_again(fund, &p);
			if (fund->link.fd < 0)
				link_open(&fund->link, fund->socket, LINK_PATIENCE_MS);
		} else {
			old += state == PENDING_LOADED;
			pending_release(&p);
		}
	}
	pending_list_free(ids, count);
	if (old)
		tell("%zu older request%s without an answer: fund pending shows what to do", old,
		     old == 1 ? " is" : "s are");
}

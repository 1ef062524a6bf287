#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "render.h"
#include "tell.h"

#define RESEND_MS 10000
#define RESEND_STEP_MS 200

void id_make(char out[UUID_LEN + 1])
{
	uint8_t random[10], uuid[16];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		abort();
	uuid_v7(now.tv_sec * 1000LL + now.tv_nsec / 1000000, random, uuid);
	uuid_format(uuid, out);
}

char *socket_identity(const char *path)
{
	char *real = realpath(path, NULL);

	if (!real)
		real = strdup(path);
	if (!real)
		abort();
	return real;
}

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* ---- Questions ---- */

static enum exit_status tell_no_answer(const struct fund *fund)
{
	tell("no answer from fundd at %s: %s. Nothing was changed; try again.", fund->socket,
	     fund->link.problem);
	return EXIT_UNREACHABLE;
}

enum exit_status ask(struct fund *fund, const char *method, const struct buf *parameters, struct reply *ret)
{
	enum exit_status status;

	if (link_call(&fund->link, method, parameters, false, ret) != LINK_OK)
		return tell_no_answer(fund);
	if (!ret->error)
		return EXIT_OK;
	status = refusal_tell(ret, &REFUSAL_NO_HINT);
	reply_release(ret);
	return status;
}

enum exit_status ask_stream(struct fund *fund, const char *method, const struct buf *parameters,
			    enum exit_status (*each)(void *context, const json_t *parameters), void *context)
{
	enum exit_status status = EXIT_OK;
	struct reply reply;
	bool continues = true;

	if (link_send(&fund->link, method, parameters, true) != LINK_OK)
		return tell_no_answer(fund);
	while (continues && status == EXIT_OK) {
		if (link_read(&fund->link, &reply) != LINK_OK)
			return tell_no_answer(fund);
		continues = reply.continues;
		status = reply.error ? refusal_tell(&reply, &REFUSAL_NO_HINT)
				     : each(context, reply.parameters);
		reply_release(&reply);
	}
	return status;
}

/* ---- Requests with an id ---- */

/* {"id":"…", and the members kept. */
static void text_with_id(const struct pending *p, bool dry_run, struct buf *out)
{
	json_open(out, NULL, '{');
	json_str(out, "id", p->id);
	if (dry_run)
		json_bool(out, "dry_run", true);
	buf_char(out, ',');
	buf_str(out, p->request.parameters + 1);
}

/*
 * Sends p until there is an answer or time is up. `unknown`: it may have been recorded before, so neither a failure to
 * send nor Unavailable says that it was not.
 */
static enum link_outcome deliver(struct fund *fund, const struct pending *p, bool unknown, struct reply *ret)
{
	const struct timespec step = { 0, RESEND_STEP_MS * 1000000L };
	struct buf text = BUF_INIT;
	enum link_outcome outcome;
	int64_t until;

	text_with_id(p, false, &text);
	outcome = link_call(&fund->link, p->request.method, &text, false, ret);
	until = monotonic_ms() + RESEND_MS;
	while (outcome == LINK_LOST || (outcome == LINK_UNSENT && unknown)) {
		unknown = true;
		nanosleep(&step, NULL);
		if (monotonic_ms() >= until) {
			outcome = LINK_LOST;
			break;
		}
		if (link_open(&fund->link, fund->socket, (int)(until - monotonic_ms() + 1)))
			outcome = link_call(&fund->link, p->request.method, &text, false, ret);
	}
	buf_release(&text);
	if (outcome == LINK_OK && unknown && ret->error && refusal_code(ret) == ERR_UNAVAILABLE) {
		snprintf(fund->link.problem, sizeof(fund->link.problem), "it cannot say at the moment");
		reply_release(ret);
		return LINK_LOST;
	}
	return outcome;
}

enum exit_status request_finish(struct fund *fund, struct pending *p)
{
	struct buf sentence = BUF_INIT;
	struct problem problem;
	struct wire_answer answer;
	struct reply reply;

	if (deliver(fund, p, true, &reply) != LINK_OK) {
		tell("still no answer to: %s  (%s)", p->request.line, fund->link.problem);
		tell_more("It is kept; fund pending shows it.");
		pending_release(p);
		return EXIT_UNREACHABLE;
	}
	if (reply.error) {
		refusal_say(&sentence, &reply, &REFUSAL_NO_HINT);
		tell("asked again for what had no answer: %s", p->request.line);
		tell_more("refused, nothing was recorded: %s", sentence.data);
	} else if (wire_answer(reply.parameters, &answer, &problem)) {
		tell("asked again for what had no answer: %s", p->request.line);
		tell_more("%s as entry %lld.", answer.replayed ? "It was recorded then," : "It is recorded now,",
			  (long long)answer.entry.seq.value);
	} else {
		reply_tell_foreign(&problem);
	}
	buf_release(&sentence);
	reply_release(&reply);
	pending_drop(p);
	return EXIT_OK;
}

/* What a kept request is to the one at hand. */
static bool same_request(const struct pending_request *kept, const struct pending_request *wanted)
{
	return strcmp(kept->line, wanted->line) == 0 ||
	       (wanted->parameters && strcmp(kept->method, wanted->method) == 0 &&
		strcmp(kept->parameters, wanted->parameters) == 0);
}

/* ---- What is kept from before ---- */

static void tell_damaged(const char *id, const struct problem *problem)
{
	struct buf path = BUF_INIT;

	if (pending_path(&path))
		tell("the kept request %s/%s is damaged (%s %s). It is not sent; "
		     "fund audit shows whether it was recorded, fund pending --drop removes it.",
		     path.data, id, problem->parameter, problem->text);
	buf_release(&path);
}

static void tell_waiting(const struct pending *p)
{
	struct buf time = BUF_INIT;
	char at[TIMESTAMP_SIZE];

	timestamp_format(p->request.at.value * 1000000, at);
	say_time(&time, at);
	tell("without an answer since %s: %s", time.data, p->request.line);
	tell_more("fund pending --send asks again, fund pending --drop forgets it.");
	buf_release(&time);
}

/* Finds the fresh request that is the same as `wanted`, and locks it. False when there is none. */
static bool kept_find(const struct pending_request *wanted, struct pending *ret, bool *busy)
{
	enum pending_state state = PENDING_GONE;
	struct problem problem;
	bool found = false;
	size_t count, i;
	char **ids;

	count = pending_list(&ids);
	for (i = 0; i < count && !found; i++) {
		state = pending_load(ids[i], ret, &problem);
		if (state == PENDING_GONE)
			continue;
		found = state != PENDING_DAMAGED && pending_fresh(ret) &&
			strcmp(ret->request.socket, wanted->socket) == 0 &&
			same_request(&ret->request, wanted);
		if (found && state == PENDING_BUSY)
			state = pending_wait(ret);
		if (!found)
			pending_release(ret);
	}
	pending_list_free(ids, count);
	*busy = found && state == PENDING_BUSY;
	return found && state != PENDING_GONE;
}

/* Finishes what has no answer yet, but `except`. */
static enum exit_status kept_finish(struct fund *fund, const char *except)
{
	char *socket = socket_identity(fund->socket), **ids;
	enum exit_status status = EXIT_OK;
	size_t count = pending_list(&ids), i;
	struct problem problem;
	struct pending p;

	for (i = 0; i < count && status == EXIT_OK; i++) {
		enum pending_state state = strcmp(ids[i], except) == 0 ? PENDING_GONE
					   : pending_load(ids[i], &p, &problem);

		if (state == PENDING_GONE)
			continue;
		if (state == PENDING_DAMAGED)
			tell_damaged(ids[i], &problem);
		else if (strcmp(p.request.socket, socket) != 0 || state == PENDING_BUSY)
			;
		else if (pending_fresh(&p))
			status = request_finish(fund, &p);
		else
			tell_waiting(&p);
		pending_release(&p);
	}
	pending_list_free(ids, count);
	free(socket);
	return status;
}

enum exit_status fund_begin(struct fund *fund)
{
	enum exit_status status = fund_connect(fund);

	return status == EXIT_OK ? kept_finish(fund, "") : status;
}

/* ---- The request at hand ---- */

static enum exit_status answer_show(struct fund *fund, const struct request *request, const struct reply *reply)
{
	struct buf text = BUF_INIT;
	struct problem problem;
	struct wire_answer answer;

	if (!wire_answer(reply->parameters, &answer, &problem))
		return reply_tell_foreign(&problem);
	if (fund->json) {
		print_json(reply->parameters);
		return EXIT_OK;
	}
	if (answer.replayed)
		buf_str(&text, "Recorded already, not doubled. ");
	request->say(&text, request, &answer);
	if (request->dry_run)
		buf_str(&text, "  (nothing recorded)\n");
	else
		buf_printf(&text, "  (entry %lld)\n", (long long)answer.entry.seq.value);
	print_text(&text);
	return EXIT_OK;
}

static enum exit_status reply_show(struct fund *fund, struct request *request, struct reply *reply)
{
	enum exit_status status;

	request->hint.line = fund->line;
	request->hint.method = request->method;
	status = reply->error ? refusal_tell(reply, &request->hint) : answer_show(fund, request, reply);
	reply_release(reply);
	return status;
}

static enum exit_status dry_run(struct fund *fund, struct request *request, struct pending *p)
{
	struct buf text = BUF_INIT;
	enum link_outcome outcome;
	struct reply reply;

	text_with_id(p, true, &text);
	outcome = link_call(&fund->link, request->method, &text, false, &reply);
	buf_release(&text);
	return outcome == LINK_OK ? reply_show(fund, request, &reply) : tell_no_answer(fund);
}

static enum exit_status tell_unknown(const struct fund *fund, const struct pending *p, bool repeatable)
{
	tell("outcome unknown: the answer to this request was lost (%s).", fund->link.problem);
	if (repeatable)
		tell_more("Type the same command again within the hour: it will not be doubled.");
	else
		tell_more("See fund audit first, or repeat it with: --id %s", p->id);
	return EXIT_UNREACHABLE;
}

/* Sends what p holds; when it `unknown`ly may have been sent before, that is remembered. */
static enum exit_status send_kept(struct fund *fund, struct request *request, struct pending *p, bool unknown)
{
	bool repeatable = p->fd >= 0 || request->id;
	enum exit_status status;
	struct reply reply;

	switch (deliver(fund, p, unknown, &reply)) {
	case LINK_OK:
		status = reply_show(fund, request, &reply);
		pending_drop(p);
		return status;
	case LINK_UNSENT:
		tell("fundd at %s: %s. Nothing was recorded.", fund->socket, fund->link.problem);
		pending_drop(p);
		return EXIT_UNREACHABLE;
	default:
		status = tell_unknown(fund, p, repeatable);
		pending_release(p);
		return status;
	}
}

static void id_take(const struct request *request, struct pending *p)
{
	uint8_t uuid[16];

	if (request->id && uuid_parse(request->id, uuid))
		uuid_format(uuid, p->id);
	else
		id_make(p->id);
}

static enum exit_status send_new(struct fund *fund, struct request *request, struct pending_request *wanted)
{
	struct pending p = { .fd = -1 };
	enum exit_status status;
	bool busy = false;

	if (!request->dry_run && !request->id && kept_find(wanted, &p, &busy))
		return busy ? tell_busy(&p) : send_kept(fund, request, &p, true);
	p = (struct pending){ .fd = -1, .request = *wanted };
	id_take(request, &p);
	status = kept_finish(fund, p.id);
	if (status != EXIT_OK)
		return status;
	if (request->dry_run)
		return dry_run(fund, request, &p);
	pending_keep(&p);
	return send_kept(fund, request, &p, false);
}

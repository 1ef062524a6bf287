#include "conn.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/frame.h"
#include "common/log.h"

#define READ_MAX 65536

struct conn *conn_new(struct event_base *base, int fd, const struct actor *actor, int64_t now,
		      void (*on_io)(int fd, short what, void *conn))
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		abort();
	conn->fd = fd;
	conn->actor = *actor;
	conn->read = event_new(base, fd, EV_READ | EV_PERSIST, on_io, conn);
	conn->write = event_new(base, fd, EV_WRITE, on_io, conn);
	conn->in = evbuffer_new();
	conn->out = evbuffer_new();
	conn->held = evbuffer_new();
	if (!conn->read || !conn->write || !conn->in || !conn->out || !conn->held)
		abort();
	conn->deadline = now + CONN_FIRST_US;
	event_add(conn->read, NULL);
	return conn;
}

static void job_end(struct conn *conn)
{
	if (conn->job)
		conn->job->release(conn->job);
	conn->job = NULL;
}

void conn_free(struct conn *conn)
{
	job_end(conn);
	event_free(conn->read);
	event_free(conn->write);
	evbuffer_free(conn->in);
	evbuffer_free(conn->out);
	evbuffer_free(conn->held);
	free(conn->holes);
	actor_release(&conn->actor);
	close(conn->fd);
	free(conn);
}

void conn_read(struct conn *conn, int64_t now)
{
	int n = evbuffer_read(conn->in, conn->fd, READ_MAX);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn->gone = true;
		event_del(conn->read);
		return;
	}
	if (conn->closing)
		evbuffer_drain(conn->in, evbuffer_get_length(conn->in));
	if (!conn->partial)
		conn->deadline = now + CONN_IDLE_US;
	/* enough is waiting: the socket's own buffer holds the rest */
	if (evbuffer_get_length(conn->in) > READ_MAX)
		event_del(conn->read);
}

static size_t unsent(const struct conn *conn)
{
	return evbuffer_get_length(conn->out) + evbuffer_get_length(conn->held) +
	       conn->hole_count * CONN_HOLE;
}

bool conn_ready(struct conn *conn, uint64_t committed)
{
	const char *text;
	size_t len;

	if (conn->gone || conn->closing)
		return false;
	if (conn->job)
		return conn->job->watermark <= committed && unsent(conn) < CONN_OUT_LOW;
	return conn->held_calls < CONN_IN_FLIGHT_MAX && unsent(conn) < CONN_OUT_STOP &&
	       frame_peek(conn->in, MESSAGE_MAX, &text, &len) != FRAME_PARTIAL;
}

/* ---- Answers ---- */

static void hold(struct conn *conn, struct buf *message)
{
	evbuffer_add(conn->held, message->data, message->len);
}

static void hole_add(struct conn *conn, const struct hole *hole, size_t parameters, size_t message)
{
	struct hole *held;

	if (!conn->holes && !(conn->holes = calloc(CONN_IN_FLIGHT_MAX, sizeof(*conn->holes))))
		abort();
	/* behind the parameters stand the message's closing brace and its NUL */
	held = &conn->holes[conn->hole_count++];
	*held = *hole;
	held->at += evbuffer_get_length(conn->held) + message - 2 - parameters;
}

static void answer_reply(struct conn *conn, const struct buf *parameters, const struct hole *hole,
			 bool continues)
{
	struct buf message = BUF_INIT;

	if (conn->oneway)
		return;
	conn->held_calls += !continues;
	reply_write(&message, parameters, continues);
	if (hole && hole->open)
		hole_add(conn, hole, parameters->len, message.len);
	hold(conn, &message);
	buf_release(&message);
}

static void holes_drop(struct conn *conn)
{
	free(conn->holes);
	conn->holes = NULL;
	conn->hole_count = 0;
}

static void answer_refusal(struct conn *conn, const struct refusal *refusal)
{
	struct buf message = BUF_INIT, parameters = BUF_INIT;

	if (conn->oneway)
		return;
	conn->held_calls++;
	refusal_format(refusal, &parameters);
	reply_write_error(&message, err_name(refusal->code), &parameters);
	hold(conn, &message);
	buf_release(&message);
	buf_release(&parameters);
}

/* What is no message ends the connection: nobody can tell where the next one would begin. */
static void answer_garbage(struct conn *conn, const char *parameter, const char *problem)
{
	struct refusal refusal;

	refuse_words(&refusal, ERR_MALFORMED, parameter, "%s", problem);
	conn->oneway = false;
	answer_refusal(conn, &refusal);
	conn->closing = true;
}

/* ---- Running ---- */

static void job_run(struct conn *conn, struct service *service)
{
	struct buf reply = BUF_INIT;
	struct refusal refusal;
	struct request request = { .service = service, .actor = &conn->actor, .more = conn->more,
				   .reply = &reply, .refusal = &refusal };
	enum step step = STEP_ROW;

	while (step == STEP_ROW && unsent(conn) < CONN_OUT_LOW) {
		buf_clear(&reply);
		step = conn->job->step(conn->job, &request);
		if (step == STEP_ROW || step == STEP_LAST)
			answer_reply(conn, &reply, NULL, step == STEP_ROW);
		else if (step == STEP_REFUSED)
			answer_refusal(conn, &refusal);
	}
	if (conn->job->pause)
		conn->job->pause(conn->job);
	if (step == STEP_LAST || step == STEP_REFUSED)
		job_end(conn);
	conn->paused = conn->job;
	buf_release(&reply);
}

static void call_run(struct conn *conn, struct service *service, const struct call *call)
{
	struct buf reply = BUF_INIT;
	struct refusal refusal;
	struct request request = { .service = service, .actor = &conn->actor,
				   .parameters = call->parameters, .more = call->more,
				   .reply = &reply, .refusal = &refusal };
	enum err err = call->upgrade ? refuse_words(&refusal, ERR_MALFORMED, "upgrade",
						    "no method here upgrades the connection")
				     : method_run(call->method, &request);

	conn->oneway = call->oneway;
	conn->more = call->more;
	if (err)
		answer_refusal(conn, &refusal);
	else if (!request.job)
		answer_reply(conn, &reply, &request.hole, false);
	conn->job = request.job;
	conn->paused = conn->job;
	buf_release(&reply);
}

static void frame_run(struct conn *conn, struct service *service)
{
	struct problem problem;
	struct call call;
	const char *text;
	size_t len;

	switch (frame_peek(conn->in, MESSAGE_MAX, &text, &len)) {
	case FRAME_WHOLE:
		if (call_parse(text, len, &call, &problem) < 0) {
			answer_garbage(conn, problem.parameter, problem.text);
			return;
		}
		frame_drop(conn->in, len);
		conn->partial = false;	/* what follows has its own time */
		call_run(conn, service, &call);
		call_release(&call);
		break;
	case FRAME_EMPTY:
		answer_garbage(conn, "message", "is empty: a JSON object and a NUL make a message");
		break;
	case FRAME_TOO_LONG:
		answer_garbage(conn, "message", "is too long: at most 16384 bytes are taken");
		break;
	case FRAME_PARTIAL:
		break;
	}
}

void conn_run(struct conn *conn, struct service *service)
{
	if (conn->job)
		job_run(conn, service);
	else
		frame_run(conn, service);
	conn->watermark = batch_size(&service->batch);
}

/* ---- Out ---- */

void conn_undo(struct conn *conn, const char *problem)
{
	unsigned calls = conn->held_calls + (conn->job && !conn->oneway);
	struct refusal refusal;

	refuse_words(&refusal, ERR_UNAVAILABLE, "", "%s; nothing was recorded", problem);
	evbuffer_drain(conn->held, evbuffer_get_length(conn->held));
	job_end(conn);
	conn->held_calls = 0;
	holes_drop(conn);
	conn->watermark = 0;
	conn->oneway = false;
	while (calls--)
		answer_refusal(conn, &refusal);
}

/* A message that has begun must be whole soon; between messages there is time. */
static void deadline_note(struct conn *conn, int64_t now)
{
	const char *text;
	size_t len;
	bool partial = evbuffer_get_length(conn->in) && !conn->job &&
		       frame_peek(conn->in, MESSAGE_MAX, &text, &len) == FRAME_PARTIAL;

	if (partial && !conn->partial)
		conn->deadline = now + CONN_PARTIAL_US;
	else if (!partial && conn->partial)
		conn->deadline = now + CONN_IDLE_US;
	conn->partial = partial;
}

/* What is held goes out, its holes filled. */
static void release(struct conn *conn, struct service *service)
{
	struct buf filling = BUF_INIT;
	size_t moved = 0;

	for (unsigned i = 0; i < conn->hole_count; i++) {
		const struct hole *hole = &conn->holes[i];

		evbuffer_remove_buffer(conn->held, conn->out, hole->at - moved);
		moved = hole->at;
		buf_clear(&filling);
		method_fill(service, hole->seq, &filling);
		evbuffer_add(conn->out, filling.data, filling.len);
	}
	evbuffer_add_buffer(conn->out, conn->held);
	holes_drop(conn);
	conn->held_calls = 0;
	buf_release(&filling);
}

void conn_flush(struct conn *conn, struct service *service, int64_t now)
{
	if (conn->watermark <= batch_committed(&service->batch))
		release(conn, service);
	if (evbuffer_get_length(conn->out)) {
		int n = evbuffer_write(conn->out, conn->fd);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			conn->gone = true;
		if (n > 0)
			conn->deadline = now + CONN_IDLE_US;
	}
	deadline_note(conn, now);
	if (unsent(conn) > CONN_OUT_MAX) {
		log_notice("uid %lld reads too slowly: closed", (long long)conn->actor.uid);
		conn->gone = true;
	}
	if (conn->closing && !unsent(conn))
		conn->gone = true;
	if (conn->gone)
		return;
	if (evbuffer_get_length(conn->out))
		event_add(conn->write, NULL);
	if (!conn->closing && evbuffer_get_length(conn->in) <= READ_MAX)
		event_add(conn->read, NULL);
}

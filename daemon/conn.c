#include "conn.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/frame.h"
#include "common/log.h"

#define READ_MAX 65536
#define FLOW_TIDY 4096		/* bytes used up at the front before the rest is moved there */

/* ---- Flows ---- */

static size_t flow_left(const struct flow *flow)
{
	return flow->bytes.len - flow->used;
}

static const char *flow_front(const struct flow *flow)
{
	return flow->used ? flow->bytes.data + flow->used : flow->bytes.data;
}

static void flow_use(struct flow *flow, size_t len)
{
	flow->used += len;
	if (flow->used < flow->bytes.len)
		return;
	buf_clear(&flow->bytes);
	flow->used = 0;
}

static void flow_add(struct flow *flow, const char *bytes, size_t len)
{
	size_t left = flow_left(flow);

	if (flow->used >= FLOW_TIDY && left < flow->used) {
		memcpy(flow->bytes.data, flow_front(flow), left);
		flow->bytes.len = left;
		flow->used = 0;
	}
	buf_add(&flow->bytes, bytes, len);
}

static enum frame flow_frame(const struct flow *flow, size_t *len)
{
	return frame_find(flow_front(flow), flow_left(flow), MESSAGE_MAX, len);
}

/* Empty buffers are given back at once: who comes next uses them, so that many idle connections cost little. */
static void buffers_rest(struct conn *conn)
{
	if (!conn->in.bytes.len)
		buf_release(&conn->in.bytes);
	if (!conn->out.bytes.len)
		buf_release(&conn->out.bytes);
	if (!conn->held.len)
		buf_release(&conn->held);
}

/* ---- Coming and going ---- */

struct conn *conn_new(struct event_base *base, int fd, const struct actor *actor, int64_t now,
		      void (*on_io)(int fd, short what, void *conn))
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		abort();
	conn->fd = fd;
	conn->actor = *actor;
	conn->read = event_new(base, fd, EV_READ | EV_PERSIST, on_io, conn);
	if (!conn->read)
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
	if (conn->write)
		event_free(conn->write);
	buf_release(&conn->in.bytes);
	buf_release(&conn->out.bytes);
	buf_release(&conn->held);
	free(conn->holes);
	actor_release(&conn->actor);
	close(conn->fd);
	free(conn);
}

void conn_read(struct conn *conn, int64_t now)
{
	static char bytes[READ_MAX];	/* of the loop's thread, the only one that reads */
	ssize_t n = read(conn->fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn->gone = true;
		event_del(conn->read);
		return;
	}
	if (!conn->closing)
		flow_add(&conn->in, bytes, (size_t)n);
	if (!conn->partial)
		conn->deadline = now + CONN_IDLE_US;
	/* enough is waiting: the socket's own buffer holds the rest */
	if (flow_left(&conn->in) > READ_MAX)
		event_del(conn->read);
}

static size_t unsent(const struct conn *conn)
{
	return flow_left(&conn->out) + conn->held.len + conn->hole_count * CONN_HOLE;
}

bool conn_ready(struct conn *conn, uint64_t committed)
{
	size_t len;

	if (conn->gone || conn->closing)
		return false;
	if (conn->job)
		return conn->job->watermark <= committed && unsent(conn) < CONN_OUT_LOW;
	return conn->held_calls < CONN_IN_FLIGHT_MAX && unsent(conn) < CONN_OUT_STOP &&
	       flow_frame(&conn->in, &len) != FRAME_PARTIAL;
}

/* ---- Answers ---- */

/* Behind the parameters, which stand last in `held`, are the message's closing brace and its NUL. */
static void hole_add(struct conn *conn, const struct hole *hole, size_t parameters)
{
	struct hole *held;

	if (!conn->holes && !(conn->holes = calloc(CONN_IN_FLIGHT_MAX, sizeof(*conn->holes))))
		abort();
	held = &conn->holes[conn->hole_count++];
	*held = *hole;
	held->at += conn->held.len - 2 - parameters;
}

static void answer_reply(struct conn *conn, const struct buf *parameters, const struct hole *hole,
			 bool continues)
{
	if (conn->oneway)
		return;
	conn->held_calls += !continues;
	reply_write(&conn->held, parameters, continues);
	if (hole && hole->open)
		hole_add(conn, hole, parameters->len);
}

static void holes_drop(struct conn *conn)
{
	free(conn->holes);
	conn->holes = NULL;
	conn->hole_count = 0;
}

static void answer_refusal(struct conn *conn, const struct refusal *refusal)
{
	struct buf parameters = BUF_INIT;

	if (conn->oneway)
		return;
	conn->held_calls++;
	refusal_format(refusal, &parameters);
	reply_write_error(&conn->held, err_name(refusal->code), &parameters);
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
	flow_use(&conn->in, flow_left(&conn->in));
}

/* ---- Running ---- */

static void job_run(struct conn *conn, struct service *service)
{
	struct buf *reply = &service->reply;
	struct refusal refusal;
	struct request request = { .service = service, .actor = &conn->actor, .more = conn->more,
				   .reply = reply, .refusal = &refusal };
	enum step step = STEP_ROW;
	unsigned rows = 0;

	while (step == STEP_ROW && unsent(conn) < CONN_OUT_LOW &&
	       (!service->job_rows || rows++ < service->job_rows)) {
		buf_clear(reply);
		step = conn->job->step(conn->job, &request);
		if (step == STEP_ROW || step == STEP_LAST)
			answer_reply(conn, reply, NULL, step == STEP_ROW);
		else if (step == STEP_REFUSED)
			answer_refusal(conn, &refusal);
	}
	if (conn->job->pause)
		conn->job->pause(conn->job);
	if (step == STEP_LAST || step == STEP_REFUSED)
		job_end(conn);
	conn->paused = conn->job;
}

static void call_run(struct conn *conn, struct service *service, const struct call *call)
{
	struct buf *reply = &service->reply;
	struct refusal refusal;
	struct request request = { .service = service, .actor = &conn->actor,
				   .parameters = call->parameters, .more = call->more,
				   .reply = reply, .refusal = &refusal };
	enum err err;

	buf_clear(reply);
	err = call->upgrade ? refuse_words(&refusal, ERR_MALFORMED, "upgrade",
					   "no method here upgrades the connection")
			    : method_run(call->method, &request);
	conn->oneway = call->oneway;
	conn->more = call->more;
	if (err)
		answer_refusal(conn, &refusal);
	else if (!request.job)
		answer_reply(conn, reply, &request.hole, false);
	conn->job = request.job;
	conn->paused = conn->job;
}

static void frame_run(struct conn *conn, struct service *service)
{
	struct problem problem;
	struct call call;
	size_t len;

	switch (flow_frame(&conn->in, &len)) {
	case FRAME_WHOLE:
		if (call_parse(flow_front(&conn->in), len, &call, &problem) < 0) {
			answer_garbage(conn, problem.parameter, problem.text);
			return;
		}
		flow_use(&conn->in, len + 1);
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
	buf_clear(&conn->held);
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
	size_t len;
	bool partial = flow_left(&conn->in) && !conn->job &&
		       flow_frame(&conn->in, &len) == FRAME_PARTIAL;

	if (partial && !conn->partial)
		conn->deadline = now + CONN_PARTIAL_US;
	else if (!partial && conn->partial)
		conn->deadline = now + CONN_IDLE_US;
	conn->partial = partial;
}

static void held_becomes_out(struct conn *conn)
{
	struct buf spare = conn->out.bytes;

	conn->out = (struct flow){ .bytes = conn->held };
	conn->held = spare;
}

/* What is held goes out, its holes filled. */
static void release(struct conn *conn, struct service *service)
{
	struct buf *filling = &service->reply;
	size_t moved = 0;

	for (unsigned i = 0; i < conn->hole_count; i++) {
		const struct hole *hole = &conn->holes[i];

		flow_add(&conn->out, conn->held.data + moved, hole->at - moved);
		moved = hole->at;
		buf_clear(filling);
		method_fill(service, hole->seq, filling);
		flow_add(&conn->out, filling->data, filling->len);
	}
	if (conn->hole_count)
		holes_drop(conn);
	if (!flow_left(&conn->out) && !moved)
		held_becomes_out(conn);
	else
		flow_add(&conn->out, conn->held.data + moved, conn->held.len - moved);
	buf_clear(&conn->held);
	conn->held_calls = 0;
}

static void send_out(struct conn *conn, int64_t now)
{
	ssize_t n = send(conn->fd, flow_front(&conn->out), flow_left(&conn->out), MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		conn->gone = true;
	if (n <= 0)
		return;
	flow_use(&conn->out, (size_t)n);
	conn->deadline = now + CONN_IDLE_US;
}

/* What the socket does not take now waits until it does. */
static void write_wait(struct conn *conn)
{
	if (!conn->write) {
		conn->write = event_new(event_get_base(conn->read), conn->fd, EV_WRITE,
					event_get_callback(conn->read), conn);
		if (!conn->write)
			abort();
	}
	event_add(conn->write, NULL);
}

void conn_flush(struct conn *conn, struct service *service, int64_t now)
{
	if (conn->held.len && conn->watermark <= batch_committed(&service->batch))
		release(conn, service);
	if (flow_left(&conn->out))
		send_out(conn, now);
	deadline_note(conn, now);
	if (unsent(conn) > CONN_OUT_MAX) {
		log_notice("uid %lld reads too slowly: closed", (long long)conn->actor.uid);
		conn->gone = true;
	}
	if (conn->closing && !unsent(conn))
		conn->gone = true;
	if (conn->gone)
		return;
	if (flow_left(&conn->out))
		write_wait(conn);
	buffers_rest(conn);
	if (!conn->closing && flow_left(&conn->in) <= READ_MAX)
		event_add(conn->read, NULL);
}

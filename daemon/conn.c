#include "conn.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/frame.h"
#include "common/log.h"

#define READ_MAX 65536

static enum frame flow_frame(const struct flow *flow, size_t *len)
{
	return frame_find(flow_front(flow), flow_left(flow), MESSAGE_MAX, len);
}

/* ---- Coming and going ---- */

/* The event of reading stands behind the connection, in one piece of memory with it. */
static struct event *reading(struct conn *conn)
{
	return (struct event *)(conn + 1);
}

struct conn *conn_new(struct event_base *base, int fd, const struct actor *actor, int64_t now,
		      void (*on_io)(int fd, short what, void *conn))
{
	struct conn *conn = calloc(1, sizeof(*conn) + event_get_struct_event_size());

	if (!conn)
		abort();
	conn->fd = fd;
	conn->actor = actor;
	conn->deadline = now + CONN_FIRST_US;
	event_assign(reading(conn), base, fd, EV_READ | EV_PERSIST, on_io, conn);
	event_add(reading(conn), NULL);
	return conn;
}

static void job_end(struct exchange *exchange)
{
	if (exchange->job)
		exchange->job->release(exchange->job);
	exchange->job = NULL;
}

static void exchange_end(struct conn *conn, struct service *service)
{
	struct exchange *exchange = conn->exchange;

	if (!exchange)
		return;
	job_end(exchange);
	if (exchange->write)
		event_free(exchange->write);
	exchange_leave(exchange, &service->exchanges);
	conn->exchange = NULL;
}

void conn_free(struct conn *conn, struct service *service)
{
	exchange_end(conn, service);
	event_del(reading(conn));
	event_debug_unassign(reading(conn));
	close(conn->fd);
	free(conn);
}

static size_t unread(const struct conn *conn)
{
	return conn->exchange ? flow_left(&conn->exchange->in) : 0;
}

static size_t unsent(const struct conn *conn)
{
	const struct exchange *exchange = conn->exchange;

	return exchange ? flow_left(&exchange->out) + exchange->held.len +
			  exchange->hole_count * CONN_HOLE : 0;
}

static void take_in(struct conn *conn, struct service *service, const char *bytes, size_t len)
{
	if (!conn->exchange)
		conn->exchange = exchange_take(&service->exchanges);
	flow_add(&conn->exchange->in, bytes, len);
}

void conn_read(struct conn *conn, struct service *service, int64_t now)
{
	static char bytes[READ_MAX];	/* of the loop's thread, the only one that reads */
	ssize_t n = read(conn->fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn->gone = true;
		event_del(reading(conn));
		return;
	}
	if (!conn->closing)
		take_in(conn, service, bytes, (size_t)n);
	if (!conn->partial)
		conn->deadline = now + CONN_IDLE_US;
	/* enough is waiting: the socket's own buffer holds the rest */
	if (unread(conn) > READ_MAX)
		event_del(reading(conn));
}

bool conn_ready(struct conn *conn, uint64_t committed)
{
	const struct exchange *exchange = conn->exchange;
	size_t len;

	if (conn->gone || conn->closing || !exchange)
		return false;
	if (exchange->job)
		return exchange->job->watermark <= committed && unsent(conn) < CONN_OUT_LOW;
	return exchange->held_calls < CONN_IN_FLIGHT_MAX && unsent(conn) < CONN_OUT_STOP &&
	       flow_frame(&exchange->in, &len) != FRAME_PARTIAL;
}

/* ---- Answers ---- */

/* Behind the parameters, which stand last in `held`, are the message's closing brace and its
 * NUL. */
static void hole_add(struct exchange *exchange, const struct hole *hole, size_t parameters)
{
	struct hole *held;

	if (!exchange->holes)
		exchange->holes = calloc(CONN_IN_FLIGHT_MAX, sizeof(*exchange->holes));
	if (!exchange->holes)
		abort();
	held = &exchange->holes[exchange->hole_count++];
	*held = *hole;
	held->at += exchange->held.len - 2 - parameters;
}

static void answer_reply(struct exchange *exchange, const struct buf *parameters,
			 const struct hole *hole, bool continues)
{
	if (exchange->oneway)
		return;
	exchange->held_calls += !continues;
	reply_write(&exchange->held, parameters, continues);
	if (hole && hole->open)
		hole_add(exchange, hole, parameters->len);
}

static void answer_refusal(struct exchange *exchange, const struct refusal *refusal)
{
	struct buf parameters = BUF_INIT;

	if (exchange->oneway)
		return;
	exchange->held_calls++;
	refusal_format(refusal, &parameters);
	reply_write_error(&exchange->held, err_name(refusal->code), &parameters);
	buf_release(&parameters);
}

/* What is no message ends the connection: nobody can tell where the next one would begin. */
static void answer_garbage(struct conn *conn, const char *parameter, const char *problem)
{
	struct refusal refusal;

	refuse_words(&refusal, ERR_MALFORMED, parameter, "%s", problem);
	conn->exchange->oneway = false;
	answer_refusal(conn->exchange, &refusal);
	conn->closing = true;
	flow_use(&conn->exchange->in, flow_left(&conn->exchange->in));
}

/* ---- Running ---- */

static void job_run(struct conn *conn, struct service *service)
{
	struct exchange *exchange = conn->exchange;
	struct buf *reply = &service->reply;
	struct refusal refusal;
	struct request request = { .service = service, .actor = conn->actor, .more = exchange->more,
				   .reply = reply, .refusal = &refusal };
	enum step step = STEP_ROW;
	unsigned rows = 0;

	while (step == STEP_ROW && unsent(conn) < CONN_OUT_LOW &&
	       (!service->job_rows || rows++ < service->job_rows)) {
		buf_clear(reply);
		step = exchange->job->step(exchange->job, &request);
		if (step == STEP_ROW || step == STEP_LAST)
			answer_reply(exchange, reply, NULL, step == STEP_ROW);
		else if (step == STEP_REFUSED)
			answer_refusal(exchange, &refusal);
	}
	if (exchange->job->pause)
		exchange->job->pause(exchange->job);
	if (step == STEP_LAST || step == STEP_REFUSED)
		job_end(exchange);
	conn->paused = exchange->job;
}

static void call_run(struct conn *conn, struct service *service, const struct call *call)
{
	struct exchange *exchange = conn->exchange;
	struct buf *reply = &service->reply;
	struct refusal refusal;
	struct request request = { .service = service, .actor = conn->actor,
				   .parameters = call->parameters, .more = call->more,
				   .reply = reply, .refusal = &refusal };
	enum err err;

	buf_clear(reply);
	err = call->upgrade ? refuse_words(&refusal, ERR_MALFORMED, "upgrade",
					   "no method here upgrades the connection")
			    : method_run(call->method, &request);
	exchange->oneway = call->oneway;
	exchange->more = call->more;
	if (err)
		answer_refusal(exchange, &refusal);
	else if (!request.job)
		answer_reply(exchange, reply, &request.hole, false);
	exchange->job = request.job;
	conn->paused = exchange->job;
}

static void frame_run(struct conn *conn, struct service *service)
{
	struct flow *in = &conn->exchange->in;
	struct problem problem;
	struct call call;
	size_t len;

	switch (flow_frame(in, &len)) {
	case FRAME_WHOLE:
		if (call_parse(flow_front(in), len, &call, &problem) < 0) {
			answer_garbage(conn, problem.parameter, problem.text);
			return;
		}
		flow_use(in, len + 1);
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

bool conn_streams(const struct conn *conn)
{
	return conn->exchange && conn->exchange->job;
}

void conn_run(struct conn *conn, struct service *service)
{
	if (conn->exchange->job)
		job_run(conn, service);
	else
		frame_run(conn, service);
	conn->watermark = batch_size(&service->batch);
}

/* ---- Out ---- */

void conn_undo(struct conn *conn, const char *problem)
{
	struct exchange *exchange = conn->exchange;
	unsigned calls = exchange->held_calls + (exchange->job && !exchange->oneway);
	struct refusal refusal;

	refuse_words(&refusal, ERR_UNAVAILABLE, "", "%s; nothing was recorded", problem);
	buf_clear(&exchange->held);
	job_end(exchange);
	exchange->held_calls = 0;
	exchange->hole_count = 0;
	conn->watermark = 0;
	exchange->oneway = false;
	while (calls--)
		answer_refusal(exchange, &refusal);
}

/* A message that has begun must be whole soon; between messages there is time. */
static void deadline_note(struct conn *conn, int64_t now)
{
	size_t len;
	bool partial = unread(conn) && !conn->exchange->job &&
		       flow_frame(&conn->exchange->in, &len) == FRAME_PARTIAL;

	if (partial && !conn->partial)
		conn->deadline = now + CONN_PARTIAL_US;
	else if (!partial && conn->partial)
		conn->deadline = now + CONN_IDLE_US;
	conn->partial = partial;
}

static void held_becomes_out(struct exchange *exchange)
{
	struct buf spare = exchange->out.bytes;

	exchange->out = (struct flow){ .bytes = exchange->held };
	exchange->held = spare;
}

/* What is held goes out, its holes filled. */
static void release(struct exchange *exchange, struct service *service)
{
	struct buf *filling = &service->reply;
	size_t moved = 0;

	for (unsigned i = 0; i < exchange->hole_count; i++) {
		const struct hole *hole = &exchange->holes[i];

		flow_add(&exchange->out, exchange->held.data + moved, hole->at - moved);
		moved = hole->at;
		buf_clear(filling);
		method_fill(service, hole->seq, filling);
		flow_add(&exchange->out, filling->data, filling->len);
	}
	exchange->hole_count = 0;
	if (!flow_left(&exchange->out) && !moved)
		held_becomes_out(exchange);
	else
		flow_add(&exchange->out, exchange->held.data + moved, exchange->held.len - moved);
	buf_clear(&exchange->held);
	exchange->held_calls = 0;
}

static void send_out(struct conn *conn, int64_t now)
{
	struct flow *out = &conn->exchange->out;
	ssize_t n = send(conn->fd, flow_front(out), flow_left(out), MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		conn->gone = true;
	if (n <= 0)
		return;
	flow_use(out, (size_t)n);
	conn->deadline = now + CONN_IDLE_US;
}

/* What the socket does not take now waits until it does. */
static void write_wait(struct conn *conn)
{
	struct event *read = reading(conn), **write = &conn->exchange->write;

	if (!*write)
		*write = event_new(event_get_base(read), conn->fd, EV_WRITE,
				   event_get_callback(read), conn);
	if (!*write)
		abort();
	event_add(*write, NULL);
}

static void let_out(struct conn *conn, struct service *service, int64_t now)
{
	struct exchange *exchange = conn->exchange;

	if (exchange->held.len && conn->watermark <= batch_committed(&service->batch))
		release(exchange, service);
	if (flow_left(&exchange->out))
		send_out(conn, now);
}

/* At the end of a turn. */
static void exchange_pause(struct conn *conn, struct service *service)
{
	if (flow_left(&conn->exchange->out))
		write_wait(conn);
	if (exchange_over(conn->exchange))
		exchange_end(conn, service);
	else
		exchange_rest(conn->exchange);
}

void conn_flush(struct conn *conn, struct service *service, int64_t now)
{
	if (conn->exchange)
		let_out(conn, service, now);
	deadline_note(conn, now);
	if (unsent(conn) > CONN_OUT_MAX) {
		log_notice("uid %lld reads too slowly: closed", (long long)conn->actor->uid);
		conn->gone = true;
	}
	if (conn->closing && !unsent(conn))
		conn->gone = true;
	if (conn->gone)
		return;
	if (conn->exchange)
		exchange_pause(conn, service);
	if (!conn->closing && unread(conn) <= READ_MAX)
		event_add(reading(conn), NULL);
}

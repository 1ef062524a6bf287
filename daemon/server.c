#include "server.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "peers.h"

#define ACCEPTS_A_TURN 4
#define CALLS_A_TURN 1024
#define JOB_ROWS 3	/* that a stream gives in a turn while others wait for commits, */
#define PRESSED_US 5000		/* or were answered just now, and will call again */
#define TURN_US 500		/* answers wait for the turn's end: it comes soon, */
				/* or takes no longer than the commit before it */

struct server {
	struct service *service;
	struct event_base *base;
	int64_t pressed_until;		/* something was to be committed a short while ago */
	struct event *accept, *second, *term, *interrupt, *hangup;
	bool accept_paused;
	int listener;
	struct peers peers;
	struct conn_list all, dirty;
	bool stopping;
	unsigned calls;			/* run in this turn */
	bool reaped;			/* in this turn */
	int64_t turn_end;		/* monotonic: when no more are begun */
	int64_t commit_us;		/* how long the last commit took */
	unsigned seconds;
	bool (*reload)(struct config *ret);
};

/* ---- Connections ---- */

static void conn_dirty(struct server *server, struct conn *conn)
{
	if (conn->is_dirty)
		return;
	conn->is_dirty = true;
	TAILQ_INSERT_TAIL(&server->dirty, conn, dirty);
}

/* Puts it in the line when there is something to run. */
static void conn_queue(struct server *server, struct conn *conn)
{
	if (!conn->queued && !conn->paused &&
	    conn_ready(conn, batch_committed(&server->service->batch)))
		peers_queue(&server->peers, conn);
}

static void conn_leave(struct server *server, struct conn *conn)
{
	const struct actor *actor = conn->actor;

	peers_unqueue(conn);
	if (conn->is_dirty)
		TAILQ_REMOVE(&server->dirty, conn, dirty);
	TAILQ_REMOVE(&server->all, conn, all);
	server->service->connections--;
	conn_free(conn, server->service);
	peers_leave(&server->peers, actor);
}

static void on_io(int fd, short what, void *context)
{
	struct conn *conn = context;
	struct server *server = conn->server;

	(void)fd;
	if (what & EV_READ)
		conn_read(conn, server->service, clock_us(CLOCK_MONOTONIC));
	conn_dirty(server, conn);
	conn_queue(server, conn);
}

/* A refusal for who cannot even connect, as far as the socket takes it at once. */
static void turn_away(int fd, const char *problem)
{
	struct buf message = BUF_INIT, parameters = BUF_INIT;
	struct refusal refusal;

	refuse_words(&refusal, ERR_UNAVAILABLE, "", "%s", problem);
	refusal_format(&refusal, &parameters);
	reply_write_error(&message, err_name(refusal.code), &parameters);
	if (send(fd, message.data, message.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_info("a connection was turned away");
	buf_release(&message);
	buf_release(&parameters);
	close(fd);
}

static const char *admission_problem(const struct server *server, const struct actor *actor)
{
	unsigned most = SERVER_CONNS_MAX;

	if (!(actor->roles & (ROLE_MANAGER | ROLE_CRON)))
		most -= SERVER_CONNS_KEPT;
	if (server->service->connections >= most)
		return "too many connections at the moment; try again";
	if (peers_conns(&server->peers, actor->uid) >= SERVER_CONNS_UID)
		return "64 connections of this user are open already";
	return NULL;
}

/* Connections that were hung up, but whose events come after the accept's, leave first. Once a
 * turn: a user at the limit makes us look at all of theirs. */
static void reap(struct server *server, int64_t uid)
{
	struct conn *conn, *next;
	char byte;

	if (server->reaped)
		return;
	server->reaped = true;
	for (conn = TAILQ_FIRST(&server->all); conn; conn = next) {
		next = TAILQ_NEXT(conn, all);
		if (conn->actor->uid == uid &&
		    recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
			conn_leave(server, conn);
	}
}

static void admit(struct server *server, int fd)
{
	struct service *service = server->service;
	struct actor actor;
	struct conn *conn;
	const char *problem;

	if (actor_of_socket(fd, &actor) < 0) {
		close(fd);
		return;
	}
	actor_roles(&actor, &service->config, service->uid);
	if (peers_conns(&server->peers, actor.uid) >= SERVER_CONNS_UID)
		reap(server, actor.uid);
	problem = admission_problem(server, &actor);
	if (problem) {
		turn_away(fd, problem);
		actor_release(&actor);
		return;
	}
	conn = conn_new(server->base, fd, peers_join(&server->peers, &actor),
			clock_us(CLOCK_MONOTONIC), on_io);
	conn->server = server;
	service->connections++;
	TAILQ_INSERT_TAIL(&server->all, conn, all);
}

static void on_accept(int listener, short what, void *context)
{
	struct server *server = context;

	(void)what;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			admit(server, fd);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
			log_warning("accepting pauses for a second: %s", strerror(errno));
			event_del(server->accept);
			server->accept_paused = true;
		}
		return;
	}
}

/* ---- A turn ---- */

static bool turn_full(const struct server *server)
{
	return server->calls >= CALLS_A_TURN || batch_full(&server->service->batch) ||
	       clock_us(CLOCK_MONOTONIC) >= server->turn_end;
}

/* One call of whoever is next, again and again, until the turn is full. */
static bool run_ready(struct server *server)
{
	struct service *service = server->service;
	struct conn *conn;
	bool ran = false;

	while (!turn_full(server) && (conn = peers_next(&server->peers))) {
		if (conn_ready(conn, batch_committed(&service->batch))) {
			bool stream = conn_streams(conn);

			conn_run(conn, service);
			conn_dirty(server, conn);
			peers_ran(&server->peers, conn, stream || conn_streams(conn));
			server->calls++;
			ran = true;
		}
		conn_queue(server, conn);
	}
	return ran;
}

/* After the commit: lets answers out, frees who is gone, and sees who goes on in the next turn. */
static void answer_all(struct server *server)
{
	int64_t now = clock_us(CLOCK_MONOTONIC);
	struct conn_list dirty = TAILQ_HEAD_INITIALIZER(dirty);
	struct conn *conn;

	TAILQ_CONCAT(&dirty, &server->dirty, dirty);
	while ((conn = TAILQ_FIRST(&dirty))) {
		TAILQ_REMOVE(&dirty, conn, dirty);
		conn->is_dirty = false;
		conn->paused = false;
		conn_flush(conn, server->service, now);
		if (conn->gone)
			conn_leave(server, conn);
		else
			conn_queue(server, conn);
	}
}

static void undo_all(struct server *server, const char *problem)
{
	struct conn *conn;

	TAILQ_FOREACH(conn, &server->dirty, dirty)
		if (conn->watermark > batch_committed(&server->service->batch))
			conn_undo(conn, problem);
}

static void commit(struct server *server)
{
	int64_t began = clock_us(CLOCK_MONOTONIC);
	const char *problem;

	if (!batch_open(&server->service->batch))
		return;
	switch (service_commit(server->service, &problem)) {
	case COMMIT_DONE:
		server->commit_us = clock_us(CLOCK_MONOTONIC) - began;
		server->pressed_until = began + server->commit_us + PRESSED_US;
		break;
	case COMMIT_UNDONE:
		log_error("nothing could be recorded: %s", problem);
		undo_all(server, problem);
		break;
	case COMMIT_UNKNOWN:
		log_error("it is unknown whether the last entries were recorded: %s. Leaving, "
			  "unanswered; the next start finds out", problem);
		_exit(EXIT_FAILED);
	}
}

/* Where nothing can be read any more, and where what was
 * read is not to be relied on, nothing must get out. */
static void sources_rely(struct server *server)
{
	struct service *service = server->service;

	if (ledger_lost(&service->ledger)) {
		log_error("the ledger can be read no more. Leaving, unanswered; what was answered "
			  "before is there, and the next start goes on from it");
		_exit(EXIT_FAILED);
	}
	if (!fold_damaged(&service->fold))
		return;
	index_remove(service->config.dir);
	log_error("the index is damaged. Leaving, unanswered; the next start makes it again from "
		  "the ledger");
	_exit(EXIT_FAILED);
}

static void turn(struct server *server)
{
	int flags = EVLOOP_ONCE;
	int64_t now;

	if (peers_waiting(&server->peers))
		flags |= EVLOOP_NONBLOCK;
	event_base_loop(server->base, flags);
	service_turn(server->service);
	now = clock_us(CLOCK_MONOTONIC);
	server->calls = 0;
	server->reaped = false;
	peers_turn(&server->peers, now, server->commit_us);
	server->service->job_rows = now < server->pressed_until ? JOB_ROWS : 0;
	server->turn_end = now + (server->commit_us > TURN_US ? server->commit_us : TURN_US);
	/* drain the sockets until nothing new arrives: the
	 * more there is in a commit, the cheaper it is */
	while (run_ready(server) && !turn_full(server))
		event_base_loop(server->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	sources_rely(server);
	commit(server);
	answer_all(server);
}

/* ---- Timer and signals ---- */

static void on_second(int fd, short what, void *context)
{
	struct server *server = context;
	int64_t now = clock_us(CLOCK_MONOTONIC);
	struct conn *conn;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(conn, &server->all, all) {
		if (now < conn->deadline)
			continue;
		conn->gone = true;
		conn_dirty(server, conn);
	}
	if (server->accept_paused) {
		server->accept_paused = false;
		event_add(server->accept, NULL);
	}
	if (++server->seconds % 60 == 0)
		ledger_tidy(&server->service->ledger);
	service_second(server->service);
}

static void on_term(int fd, short what, void *context)
{
	struct server *server = context;

	(void)fd;
	(void)what;
	server->stopping = true;
}

static void on_hangup(int fd, short what, void *context)
{
	struct server *server = context;
	struct config fresh;

	(void)fd;
	(void)what;
	if (!server->reload(&fresh)) {
		log_error("the roles and the witnesses stay as they were");
		return;
	}
	service_reload(server->service, &fresh);
	peers_roles(&server->peers, &server->service->config, server->service->uid);
	log_notice("the roles and the witnesses were read again");
}

static void *allocate(size_t size)
{
	void *bytes = malloc(size);

	if (!bytes)
		abort();
	return bytes;
}

static void *reallocate(void *old, size_t size)
{
	void *bytes = realloc(old, size);

	if (!bytes && size)
		abort();
	return bytes;
}

static bool events_open(struct server *server)
{
	static const struct timeval second = { 1, 0 };

	/* without memory an answer could be left out of a buffer, and the next be taken for it */
	event_set_mem_functions(allocate, reallocate, free);
	server->base = event_base_new();
	if (!server->base)
		return false;
	server->accept = event_new(server->base, server->listener, EV_READ | EV_PERSIST, on_accept,
				   server);
	server->second = event_new(server->base, -1, EV_PERSIST, on_second, server);
	server->term = evsignal_new(server->base, SIGTERM, on_term, server);
	server->interrupt = evsignal_new(server->base, SIGINT, on_term, server);
	server->hangup = evsignal_new(server->base, SIGHUP, on_hangup, server);
	return server->accept && server->second && server->term && server->interrupt &&
	       server->hangup && !event_add(server->accept, NULL) &&
	       !event_add(server->second, &second) && !event_add(server->term, NULL) &&
	       !event_add(server->interrupt, NULL) && !event_add(server->hangup, NULL);
}

static void events_close(struct server *server)
{
	struct event *events[] = { server->accept, server->second, server->term,
				   server->interrupt, server->hangup };
	struct conn *conn;

	while ((conn = TAILQ_FIRST(&server->all)))
		conn_leave(server, conn);
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		event_free(events[i]);
	event_base_free(server->base);
}

int server_run(struct service *service, int listener, bool (*reload)(struct config *ret))
{
	struct server server = { .service = service, .listener = listener, .reload = reload };

	peers_init(&server.peers);
	TAILQ_INIT(&server.all);
	TAILQ_INIT(&server.dirty);
	signal(SIGPIPE, SIG_IGN);
	if (!events_open(&server)) {
		log_error("cannot set up the event loop");
		return EXIT_FAILED;
	}
	sd_notify(0, "READY=1\nSTATUS=Ready.");
	while (!server.stopping)
		turn(&server);
	sd_notify(0, "STOPPING=1");
	events_close(&server);
	log_notice("stopped; the ledger has %llu entries",
		   (unsigned long long)batch_committed(&service->batch));
	return EXIT_OK;
}

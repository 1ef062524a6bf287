#include "world.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "daemon/policy.h"
#include "disk.h"
#include "episode.h"
#include "memory.h"
#include "people.h"
#include "sim.h"

#define FD_FIRST (WORLD_LISTENER + 1)
#define WORLD_BEGINS INT64_C(1767225600000000)	/* 2026-01-01T00:00:00Z */
#define HONEST_US 4000000	/* a client that is slower may be hung up on */
#define EVENTS_MAX 1024

struct socket {
	bool used, accepted, client_gone, daemon_gone;
	unsigned who;
	char *up;			/* towards the daemon: */
	size_t up_len, up_through, up_read, up_room;
	uint64_t dropped;		/* bytes of the stream before up[0] */
	size_t down;			/* bytes that the client has not read */
	unsigned dribble, deaf;
	bool slow;			/* was ever slow to send or to read, or silent for long */
	int64_t heard;			/* boot time at which bytes got through last */
};

/* libevent's, as far as the daemon uses it. */
struct event {
	int fd;
	short what;
	event_callback_fn call;
	void *context;
	bool added, timer;
};

static struct {
	int64_t wall, boot, told, second;
	unsigned long tellings;
	struct socket sockets[SOCKETS];
	int waiting[SOCKETS];		/* to be accepted */
	unsigned waiting_count;
	struct event *events[EVENTS_MAX];
	unsigned event_count;
	unsigned crash;
	bool no_files;
	uint64_t signals;		/* a bit each */
	bool quiet;			/* nothing more arrives in this turn */
} world;

/* ---- Clocks ---- */

int __wrap_clock_gettime(clockid_t id, struct timespec *ret);

int __wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
	int64_t now = id == CLOCK_REALTIME ? world.wall : world.boot;

	if (id == CLOCK_REALTIME) {
		world.told = now;
		world.tellings++;
	}
	*ret = (struct timespec){ now / 1000000, now % 1000000 * 1000 };
	return 0;
}

void clocks_later(int64_t us)
{
	world.wall += us;
	world.boot += us;
}

void clocks_jump(int64_t us)
{
	if (world.wall + us > WORLD_BEGINS / 2)
		world.wall += us;
}

int64_t clock_wall(void)
{
	return world.wall;
}

int64_t clock_boot(void)
{
	return world.boot;
}

int64_t clock_told(void)
{
	return world.told;
}

void clock_tell_again(int64_t us)
{
	world.told = us;
	world.tellings--;
}

unsigned long clock_tellings(void)
{
	return world.tellings;
}

/* ---- Faults ---- */

void crash_at(unsigned calls)
{
	world.crash = calls;
}

void crash_point(void)
{
	if (world.crash && !--world.crash)
		daemon_dies();
}

void accept_fails(void)
{
	world.no_files = true;
}

void signal_send(int number)
{
	world.signals |= UINT64_C(1) << number;
}

/* There is one thread: who cannot start another does the work itself. */
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*run)(void *), void *context);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*run)(void *), void *context)
{
	(void)thread;
	(void)attributes;
	(void)run;
	(void)context;
	return EAGAIN;
}

void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status)
{
	if (!disk_failed())
		found("the daemon left with status %d: %s", status, last_log());
	daemon_dies();
}

/* ---- Sockets, from the clients' side ---- */

static void socket_free(struct socket *socket)
{
	own_free(socket->up);
	*socket = (struct socket){ .used = false };
}

static void socket_tidy(struct socket *socket)
{
	if (socket->used && socket->client_gone && socket->daemon_gone)
		socket_free(socket);
}

int socket_connect(unsigned who)
{
	for (int i = 0; i < SOCKETS; i++) {
		if (world.sockets[i].used)
			continue;
		world.sockets[i] = (struct socket){ .used = true, .who = who, .heard = world.boot };
		world.waiting[world.waiting_count++] = i;
		return i;
	}
	return -1;
}

static struct socket *socket_at(int index)
{
	return &world.sockets[index];
}

void socket_send(int index, const char *bytes, size_t len)
{
	struct socket *socket = socket_at(index);

	if (socket->up_read == socket->up_len) {
		socket->dropped += socket->up_len;
		socket->up_len = socket->up_through = socket->up_read = 0;
	}
	if (socket->up_room < socket->up_len + len) {
		socket->up_room = 2 * (socket->up_len + len);
		socket->up = own_resize(socket->up, socket->up_room);
	}
	memcpy(socket->up + socket->up_len, bytes, len);
	socket->up_len += len;
}

uint64_t socket_sent(int index)
{
	return socket_at(index)->dropped + socket_at(index)->up_len;
}

void socket_vanish(int index)
{
	struct socket *socket = socket_at(index);

	socket->client_gone = true;
	socket_tidy(socket);
}

void socket_dribble(int index, unsigned bytes)
{
	socket_at(index)->dribble = bytes;
	socket_at(index)->slow |= bytes;
}

void socket_deaf(int index, unsigned how)
{
	socket_at(index)->deaf = how;
	socket_at(index)->slow |= how;
}

void sockets_behave(void)
{
	for (int i = 0; i < SOCKETS; i++)
		world.sockets[i].dribble = world.sockets[i].deaf = 0;
}

/* Bytes on their way get through, bytes that arrived are read. */
static void socket_moves(int index)
{
	struct socket *socket = socket_at(index);
	size_t rest = socket->up_len - socket->up_through;

	if (!socket->used || socket->client_gone)
		return;
	if (socket->dribble && rest > socket->dribble)
		rest = socket->dribble;
	socket->up_through += rest;
	socket->slow |= world.boot - socket->heard >= HONEST_US;
	if (rest) {
		socket->heard = world.boot;
		people_got_through(index, socket->dropped + socket->up_through);
	}
	if (!socket->deaf)
		socket->down = 0;
	else if (socket->deaf == 2)
		socket->down -= socket->down < 100 ? socket->down : 100;
}

/* ---- Sockets, from the daemon's side ---- */

int __wrap_accept4(int listener, struct sockaddr *address, socklen_t *len, int flags);
int __wrap_actor_of_socket(int fd, struct actor *ret);
ssize_t __wrap_read(int fd, void *bytes, size_t len);
ssize_t __real_read(int fd, void *bytes, size_t len);
ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags);
int __wrap_close(int fd);
int __real_close(int fd);

static struct socket *socket_of(int fd)
{
	return socket_at(fd - FD_FIRST);
}

int __wrap_accept4(int listener, struct sockaddr *address, socklen_t *len, int flags)
{
	int index = world.waiting[0];

	(void)listener;
	(void)address;
	(void)len;
	(void)flags;
	crash_point();
	errno = EAGAIN;
	if (!world.waiting_count)
		return -1;
	errno = EMFILE;
	if (world.no_files) {
		world.no_files = false;
		return -1;
	}
	memmove(world.waiting, world.waiting + 1, --world.waiting_count * sizeof(*world.waiting));
	socket_at(index)->accepted = true;
	return FD_FIRST + index;
}

int __wrap_actor_of_socket(int fd, struct actor *ret)
{
	*ret = people_actor(socket_of(fd)->who);
	return 0;
}

ssize_t __wrap_read(int fd, void *bytes, size_t len)
{
	struct socket *socket;
	size_t n;

	if (fd < FD_FIRST)
		return __real_read(fd, bytes, len);
	crash_point();
	socket = socket_of(fd);
	n = socket->up_through - socket->up_read;
	if (n > len)
		n = len;
	errno = EAGAIN;
	if (!n)
		return socket->client_gone ? 0 : -1;
	memcpy(bytes, socket->up + socket->up_read, n);
	socket->up_read += n;
	return (ssize_t)n;
}

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
	struct socket *socket = socket_of(fd);
	size_t room = SOCKET_ROOM - socket->down;

	crash_point();
	if (!(flags & MSG_NOSIGNAL))
		found("a client that goes away would end the daemon by SIGPIPE");
	errno = EPIPE;
	if (socket->client_gone)
		return -1;
	errno = EAGAIN;
	if (!room)
		return -1;
	if (len > room)
		len = room;
	socket->down += len;
	people_hear(fd - FD_FIRST, bytes, len);
	return (ssize_t)len;
}

/* Nobody who behaves is hung up on. */
int __wrap_close(int fd)
{
	struct socket *socket;

	if (fd < FD_FIRST)
		return __real_close(fd);
	socket = socket_of(fd);
	socket->daemon_gone = true;
	if (!socket->client_gone && !socket->slow && !episode_stopping() &&
	    world.boot - socket->heard < HONEST_US && !people_may_be_hung_up_on(fd - FD_FIRST))
		found("the daemon hung up on an honest client");
	people_hung_up(fd - FD_FIRST);
	socket_tidy(socket);
	return 0;
}

/* ---- The event loop ---- */

struct event_base *event_base_new(void)
{
	world.second = world.boot + 1000000;
	return (struct event_base *)&world;
}

void event_base_free(struct event_base *base)
{
	(void)base;
}

size_t event_get_struct_event_size(void)
{
	return sizeof(struct event);
}

int event_assign(struct event *event, struct event_base *base, int fd, short what,
		 event_callback_fn call, void *context)
{
	(void)base;
	*event = (struct event){ fd, what, call, context, false, fd < 0 };
	for (unsigned i = 0; i < EVENTS_MAX; i++) {
		if (world.events[i])
			continue;
		world.events[i] = event;
		if (i >= world.event_count)
			world.event_count = i + 1;
		return 0;
	}
	found("more events than the simulation has room for");
}

void event_debug_unassign(struct event *event)
{
	for (unsigned i = 0; i < world.event_count; i++)
		if (world.events[i] == event)
			world.events[i] = NULL;
}

struct event *event_new(struct event_base *base, int fd, short what, event_callback_fn call,
			void *context)
{
	struct event *event = calloc(1, sizeof(*event));

	event_assign(event, base, fd, what, call, context);
	return event;
}

void event_free(struct event *event)
{
	event_debug_unassign(event);
	free(event);
}

struct event_base *event_get_base(const struct event *event)
{
	(void)event;
	return (struct event_base *)&world;
}

event_callback_fn event_get_callback(const struct event *event)
{
	return event->call;
}

int event_add(struct event *event, const struct timeval *timeout)
{
	(void)timeout;
	event->added = true;
	return 0;
}

int event_del(struct event *event)
{
	event->added = false;
	return 0;
}

static short happening(const struct event *event)
{
	const struct socket *socket;

	if (event->what & EV_SIGNAL)
		return world.signals >> event->fd & 1 ? EV_SIGNAL : 0;
	if (event->timer)
		return world.boot >= world.second ? EV_TIMEOUT : 0;
	if (event->fd == WORLD_LISTENER)
		return world.waiting_count ? EV_READ : 0;
	socket = socket_of(event->fd);
	if (event->what & EV_READ && (socket->up_through > socket->up_read || socket->client_gone))
		return EV_READ;
	return event->what & EV_WRITE && (socket->down < SOCKET_ROOM || socket->client_gone)
		       ? EV_WRITE
		       : 0;
}

static void event_happens(struct event *event, short what)
{
	if (what == EV_TIMEOUT)
		world.second = world.boot + 1000000;
	if (what == EV_SIGNAL)
		world.signals &= ~(UINT64_C(1) << event->fd);
	if (!(event->what & EV_PERSIST))
		event->added = false;
	event->call(event->fd, what, event->context);
}

static bool events_run(void)
{
	bool ran = false;

	for (unsigned i = 0; i < world.event_count; i++) {
		struct event *event = world.events[i];
		short what = event && event->added ? happening(event) : 0;

		if (!what)
			continue;
		event_happens(event, what);
		ran = true;
	}
	return ran;
}

/* The daemon waits: now the script goes on, up to its next turn. */
int event_base_loop(struct event_base *base, int flags)
{
	(void)base;
	if (flags & EVLOOP_NONBLOCK && world.quiet) {
		world.quiet = false;
		return 0;
	}
	clocks_later(97);
	world.quiet = !episode_goes_on();
	for (int i = 0; i < SOCKETS; i++)
		socket_moves(i);
	if (!events_run() && !(flags & EVLOOP_NONBLOCK))
		episode_idle();
	return 0;
}

/* ---- Beginnings and ends ---- */

void world_reset(void)
{
	for (int i = 0; i < SOCKETS; i++)
		socket_free(socket_at(i));
	memset(&world, 0, sizeof(world));
	world.wall = WORLD_BEGINS;
	world.boot = 5000000;
}

void world_daemon_gone(void)
{
	memset(world.events, 0, sizeof(world.events));
	world.event_count = 0;
	world.crash = 0;
	world.signals = 0;
	for (int i = 0; i < SOCKETS; i++) {
		struct socket *socket = socket_at(i);

		if (!socket->accepted || socket->daemon_gone)
			continue;
		socket->daemon_gone = true;
		people_hung_up(i);
		socket_tidy(socket);
	}
}

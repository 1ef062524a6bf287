#include "link.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/frame.h"

#define READ_LEAST 4096	/* bytes that there is room for at least */
#define WAIT_US INT64_C(60000000)	/* in all, and so much more for each reply */
#define WAIT_A_REPLY_US INT64_C(20000)

enum link_outcome link_fail(struct link *link, enum link_outcome outcome, const char *problem)
{
	snprintf(link->problem, sizeof(link->problem), "%s", problem);
	link_close(link);
	return outcome;
}

static const char *errno_text(void)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return "it does not answer";
	return errno == EPIPE ? "it hung up" : strerror(errno);
}

static bool patience_set(int fd, int patience_ms)
{
	struct timeval patience = { patience_ms / 1000, patience_ms % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0;
}

/* The oldest call aside is done with. */
static void aside_drop(struct link *link)
{
	memmove(link->aside, link->aside + 1, --link->asides * sizeof(*link->aside));
}

bool link_open(struct link *link, const char *path, int patience_ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	link_close(link);
	if (strlen(path) >= sizeof(address.sun_path)) {
		link_fail(link, LINK_UNSENT, "the path is too long for a socket");
		return false;
	}
	strcpy(address.sun_path, path);
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->fd < 0 || !patience_set(link->fd, patience_ms) ||
	    connect(link->fd, (struct sockaddr *)&address, sizeof(address))) {
		link_fail(link, LINK_UNSENT, errno_text());
		return false;
	}
	return true;
}

/* The child's end becomes its standard input and output; what it says on stderr is everybody's
 * to see. */
static void command_exec(int fd, const char *command)
{
	signal(SIGPIPE, SIG_DFL);
	if (dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

bool link_open_command(struct link *link, const char *command, int patience_ms)
{
	int ends[2];

	link_close(link);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		link_fail(link, LINK_UNSENT, errno_text());
		return false;
	}
	link->fd = ends[0];
	link->child = fork();
	if (link->child == 0)
		command_exec(ends[1], command);
	close(ends[1]);
	if (link->child < 0 || !patience_set(link->fd, patience_ms)) {
		link_fail(link, LINK_UNSENT, errno_text());
		return false;
	}
	return true;
}

void link_close(struct link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	buf_release(&link->in);
	buf_release(&link->out);
	if (link->child > 0) {
		kill(link->child, SIGTERM);
		waitpid(link->child, NULL, 0);
	}
	link->fd = -1;
	link->at = 0;
	link->child = 0;
	link->sent = link->answered = link->replies = 0;
	link->waited_us = 0;
	while (link->asides) {
		link_handler *handler = link->aside[0].handler;
		void *context = link->aside[0].context;

		aside_drop(link);
		handler(context, NULL);
	}
}

static void call_add(struct link *link, const char *method, const struct buf *parameters, bool more)
{
	struct buf name = BUF_INIT;

	buf_printf(&name, "%s.%s", LEDGER_INTERFACE, method);
	call_write(&link->out, name.data, parameters, more);
	buf_release(&name);
}

/* All that waits to be sent. */
static enum link_outcome link_flush(struct link *link)
{
	size_t sent = 0;
	ssize_t n;

	while (link->fd >= 0 && sent < link->out.len) {
		n = send(link->fd, link->out.data + sent, link->out.len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return link_fail(link, LINK_UNSENT, errno_text());
		sent += n < 0 ? 0 : (size_t)n;
	}
	buf_clear(&link->out);
	return link->fd < 0 ? LINK_UNSENT : LINK_OK;
}

enum link_outcome link_send(struct link *link, const char *method, const struct buf *parameters,
			    bool more)
{
	enum link_outcome outcome;

	call_add(link, method, parameters, more);
	outcome = link_flush(link);
	if (outcome == LINK_OK)
		link->sent++;
	return outcome;
}

bool link_aside(struct link *link, const char *method, const struct buf *parameters,
		link_handler *handler, void *context)
{
	if (link->fd < 0 || link->asides == LINK_ASIDES)
		return false;
	call_add(link, method, parameters, false);
	link->aside[link->asides].after = link->sent;
	link->aside[link->asides].handler = handler;
	link->aside[link->asides++].context = context;
	return true;
}

/* As read(2), counting how long it took. */
static ssize_t wait_read(struct link *link, char *bytes, size_t size)
{
	int64_t began = clock_us(CLOCK_MONOTONIC);
	ssize_t n;

	do
		n = read(link->fd, bytes, size);
	while (n < 0 && errno == EINTR);
	link->waited_us += clock_us(CLOCK_MONOTONIC) - began;
	return n;
}

/* Waits for more bytes. */
static enum link_outcome link_fill(struct link *link)
{
	struct buf *in = &link->in;
	ssize_t n;

	if (link_flush(link) != LINK_OK)
		return LINK_LOST;
	if (link->at)
		memmove(in->data, in->data + link->at, in->len -= link->at);
	link->at = 0;
	buf_reserve(in, READ_LEAST);
	n = wait_read(link, in->data + in->len, in->cap - in->len - 1);
	if (n <= 0)
		return link_fail(link, LINK_LOST, n == 0 ? "it hung up" : errno_text());
	if (link->waited_us > WAIT_US + (int64_t)link->replies * WAIT_A_REPLY_US)
		return link_fail(link, LINK_LOST, "it answers, but too slowly to wait for");
	in->len += (size_t)n;
	return LINK_OK;
}

char *link_text(struct link *link, size_t *len)
{
	enum frame frame = FRAME_PARTIAL;
	char *text = NULL;

	while (link->fd >= 0) {
		text = link->in.data ? link->in.data + link->at : NULL;
		frame = frame_find(text, link->in.len - link->at, LINK_REPLY_MAX, len);
		if (frame != FRAME_PARTIAL || link_fill(link) != LINK_OK)
			break;
	}
	if (frame == FRAME_PARTIAL)
		return NULL;
	if (frame != FRAME_WHOLE) {
		link_fail(link, LINK_LOST, "what it answers is no Varlink reply");
		return NULL;
	}
	link->at += *len + 1;
	link->replies++;
	return text;
}

/* The reply that is next, whosever it is. */
static enum link_outcome reply_read(struct link *link, struct reply *ret)
{
	struct problem problem;
	size_t len;
	char *text = link_text(link, &len);

	if (!text)
		return LINK_LOST;
	if (reply_parse(text, len, ret, &problem))
		return link_fail(link, LINK_LOST, "what it answers is no Varlink reply");
	return LINK_OK;
}

bool link_take_aside(struct link *link)
{
	link_handler *handler;
	void *context;
	struct reply reply;

	if (!link->asides || link->aside[0].after != link->answered ||
	    reply_read(link, &reply) != LINK_OK)
		return false;
	handler = link->aside[0].handler;
	context = link->aside[0].context;
	aside_drop(link);
	handler(context, &reply);
	reply_release(&reply);
	return true;
}

enum link_outcome link_read(struct link *link, struct reply *ret)
{
	while (link_take_aside(link))
		;
	if (reply_read(link, ret) != LINK_OK)
		return LINK_LOST;
	link->answered += !ret->continues;
	return LINK_OK;
}

enum link_outcome link_call(struct link *link, const char *method, const struct buf *parameters,
			    bool more, struct reply *ret)
{
	enum link_outcome outcome = link_send(link, method, parameters, more);

	return outcome == LINK_OK ? link_read(link, ret) : outcome;
}

#include "link.h"

#include <errno.h>
#include <event2/buffer.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/frame.h"

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

static void link_begin(struct link *link)
{
	link->in = evbuffer_new();
	if (!link->in)
		abort();
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
	link_begin(link);
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
	link_begin(link);
	return true;
}

void link_close(struct link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	if (link->in)
		evbuffer_free(link->in);
	if (link->child > 0) {
		kill(link->child, SIGTERM);
		waitpid(link->child, NULL, 0);
	}
	link->fd = -1;
	link->in = NULL;
	link->child = 0;
	link->sent = link->answered = 0;
	while (link->asides) {
		link_handler *handler = link->aside[0].handler;
		void *context = link->aside[0].context;

		aside_drop(link);
		handler(context, NULL);
	}
}

static enum link_outcome call_send(struct link *link, const char *method,
				   const struct buf *parameters, bool more)
{
	struct buf name = BUF_INIT, out = BUF_INIT;
	size_t sent = 0;
	ssize_t n = 0;

	buf_printf(&name, "%s.%s", LEDGER_INTERFACE, method);
	call_write(&out, name.data, parameters, more);
	buf_release(&name);
	while (link->fd >= 0 && sent < out.len) {
		n = send(link->fd, out.data + sent, out.len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	n = sent == out.len;
	buf_release(&out);
	if (n)
		return LINK_OK;
	return link->fd < 0 ? LINK_UNSENT : link_fail(link, LINK_UNSENT, errno_text());
}

enum link_outcome link_send(struct link *link, const char *method, const struct buf *parameters,
			    bool more)
{
	enum link_outcome outcome = call_send(link, method, parameters, more);

	if (outcome == LINK_OK)
		link->sent++;
	return outcome;
}

bool link_aside(struct link *link, const char *method, const struct buf *parameters,
		link_handler *handler, void *context)
{
	if (link->asides == LINK_ASIDES || call_send(link, method, parameters, false) != LINK_OK)
		return false;
	link->aside[link->asides].after = link->sent;
	link->aside[link->asides].handler = handler;
	link->aside[link->asides++].context = context;
	return true;
}

/* Waits for more bytes. */
static enum link_outcome link_fill(struct link *link)
{
	int n;

	do
		n = evbuffer_read(link->in, link->fd, -1);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return LINK_OK;
	return link_fail(link, LINK_LOST, n == 0 ? "it hung up" : errno_text());
}

/* The reply that is next, whosever it is. */
static enum link_outcome reply_read(struct link *link, struct reply *ret)
{
	struct problem problem;
	const char *text;
	enum frame frame;
	size_t len;

	if (link->fd < 0)
		return LINK_LOST;
	while ((frame = frame_peek(link->in, LINK_REPLY_MAX, &text, &len)) == FRAME_PARTIAL)
		if (link_fill(link) != LINK_OK)
			return LINK_LOST;
	if (frame != FRAME_WHOLE || reply_parse(text, len, ret, &problem))
		return link_fail(link, LINK_LOST, "what it answers is no Varlink reply");
	frame_drop(link->in, len);
	return LINK_OK;
}

ssize_t link_bytes(struct link *link, char *bytes, size_t size)
{
	ssize_t n;

	if (link->fd < 0)
		return -1;
	n = evbuffer_remove(link->in, bytes, size);
	if (n > 0)
		return n;
	do
		n = read(link->fd, bytes, size);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		link_fail(link, LINK_LOST, n == 0 ? "it hung up" : errno_text());
	return n;
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

#include "listener.h"

#include <errno.h>
#include <event2/util.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/log.h"
#include "trusted.h"

/* Connections that wait to be accepted. Few: whoever connects and vanishes fills any line, and
 * everybody else would stand behind it; where it is short, the kernel lets those who come wait
 * for a place in it in turn. */
#define BACKLOG 4

static int socket_from_systemd(void)
{
	int count = sd_listen_fds(1);

	if (count == 1 && sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) > 0 &&
	    evutil_make_socket_nonblocking(SD_LISTEN_FDS_START) == 0 &&
	    listen(SD_LISTEN_FDS_START, BACKLOG) == 0)
		return SD_LISTEN_FDS_START;
	if (count)
		log_error("systemd gave %d sockets; one listening Unix stream socket is wanted",
			  count);
	return -1;
}

/* Somebody answers there already, or a socket that nobody listens on is in the way and goes. */
static bool path_free(const struct sockaddr_un *address)
{
	struct stat st;
	int fd, error;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return false;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	error = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0
		       ? errno
		       : EADDRINUSE;
	close(fd);
	errno = error;
	return error == ECONNREFUSED && unlink(address->sun_path) == 0;
}

/* Who owns a directory above, or may write there, could
 * take the socket away and listen in its place. */
static bool place_safe(const char *path)
{
	char *copy = strdup(path), *dir = copy ? dirname(copy) : NULL;
	char culprit[PATH_MAX];
	const char *problem = dir ? trusted_problem(dir, culprit) : NULL;

	if (problem)
		log_error("the socket's place is not safe: %s %s, who could listen in fundd's "
			  "place; take that away with chown and chmod, or listen elsewhere",
			  culprit, problem);
	free(copy);
	return !problem;
}

int listener_open(const char *path, bool *made)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd;

	*made = false;
	if (sd_listen_fds(0) > 0)
		return socket_from_systemd();
	if (strlen(path) >= sizeof(address.sun_path)) {
		log_error("the socket's path is longer than 107 bytes: %s", path);
		return -1;
	}
	if (!place_safe(path))
		return -1;
	strcpy(address.sun_path, path);
	if (!path_free(&address)) {
		log_error("cannot listen at %s: %s", path, strerror(errno));
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0111);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		log_error("cannot listen at %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	umask(mask);
	*made = fd >= 0;
	return fd;
}

/*
 * The loop: accept, read, run calls fairly by uid, commit once a turn, answer.
 */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include "service.h"

#define SERVER_CONNS_MAX 1024
#define SERVER_CONNS_KEPT 16		/* of them for managers and cron */
#define SERVER_CONNS_UID 64

/* The socket: systemd's when it gave one, otherwise made at `path` with mode 0666. -1 after logging. */
int server_socket(const char *path, bool *made);

/*
 * Serves until SIGTERM or SIGINT; SIGHUP calls `reload`, which reads the config again. Returns the exit status: 0,
 * or 1 when a commit's outcome is unknown and only a restart can tell.
 */
int server_run(struct service *service, int listener, bool (*reload)(struct config *ret));

#endif

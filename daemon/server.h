/*
 * The loop: accept, read, run calls fairly by uid, commit once a turn, answer.
 */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include "service.h"

#define SERVER_CONNS_MAX 1024
#define SERVER_CONNS_KEPT 16		/* of them for managers and cron */
#define SERVER_CONNS_UID 64

/*
 * Serves who connects to the listener until SIGTERM or SIGINT; SIGHUP calls `reload`, which reads
 * the config again. Returns the exit status. Where only a restart can tell what is recorded, it
 * ends the process instead.
 */
int server_run(struct service *service, int listener, bool (*reload)(struct config *ret));

#endif

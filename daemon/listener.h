/*
 * The socket that people connect to.
 */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include <stdbool.h>

/*
 * systemd's when it gave one, otherwise made at `path`, for everybody to connect to: *made says so,
 * and then the file is the caller's to remove. A socket that nobody listens on any more is
 * replaced. The descriptor, or -1 after logging.
 */
int listener_open(const char *path, bool *made);

#endif

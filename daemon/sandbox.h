/*
 * What the daemon gives up before it serves: with systemd's unit or without it, a hole in it is
 * worth little.
 *
 * After sandbox_enter(), for this process and all its threads, for good: only the system calls that
 * serving needs (no exec, no fork, no ptrace, no mount, sockets of the Unix domain alone; anything
 * else gets EPERM); no memory that can be written and executed; no file but below the ledger's
 * directory to write, and below that, the config's directory and the places of time zones, users
 * and groups to read (Landlock, kernel 5.13 and later); no new privileges; not dumpable.
 *
 * EPERM and not death: a library that was updated may try a call that is new, and falls back.
 * Whoever took over the process gains nothing by trying again.
 */
#ifndef DAEMON_SANDBOX_H
#define DAEMON_SANDBOX_H

/* Directories, as they are at the moment; what lies at these names later does not count. */
struct sandbox {
	const char *ledger;		/* to read and write */
	const char *socket;		/* of this file the directory: to remove it */
	const char *config;		/* of this file the directory: to read; NULL: none */
};

/* While there are no other threads: Landlock is passed on to those to come. Logs what could not be
 * given up, and goes on: an old kernel is no reason to keep nobody's books. */
void sandbox_enter(const struct sandbox *sandbox);

#endif

/*
 * The machine around the daemon: its clocks, its sockets, and the event loop that it waits in.
 *
 * A socket is a stream of bytes to the daemon, of which some have got through, and a count of bytes
 * from it that nobody has read yet: what the daemon says is heard by people.h when it leaves the
 * daemon.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stddef.h>
#include <stdint.h>

#define SOCKETS 256
#define WORLD_LISTENER 99999	/* the descriptor that the daemon accepts
				 * from; those of sockets follow */
#define SOCKET_ROOM 16000	/* bytes that the kernel keeps for who does not read */

/* Everything as it is before the first daemon. */
void world_reset(void);

/* The daemon is gone, in order or not: so are its events and its ends of the sockets. */
void world_daemon_gone(void);

/* ---- Clocks, in microseconds ---- */

void clocks_later(int64_t us);		/* all of them */
void clocks_jump(int64_t us);		/* the wall clock alone */
int64_t clock_wall(void);
int64_t clock_boot(void);
int64_t clock_told(void);		/* the wall clock as the daemon looked at it last */
void clock_tell_again(int64_t us);	/* the last look was none: what it
					 * saw is what it saw before */
unsigned long clock_tellings(void);	/* how often it looked: once a turn */

/* ---- Sockets, from the clients' side ---- */

int socket_connect(unsigned who);	/* -1: there are too many */
void socket_send(int socket, const char *bytes, size_t len);
uint64_t socket_sent(int socket);	/* bytes, from its beginning on */
void socket_vanish(int socket);
void socket_dribble(int socket, unsigned bytes);
void socket_deaf(int socket, unsigned how);	/* 0: reads all, 1: nothing, 2: a little */
void sockets_behave(void);		/* all get through, all read */

/* ---- Faults and signals ---- */

void crash_at(unsigned calls);		/* system calls from here; 0: not */
void crash_point(void);			/* a system call */
void accept_fails(void);		/* once */
void signal_send(int number);

#endif

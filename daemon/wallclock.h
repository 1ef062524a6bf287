/*
 * Whether the wall clock can be trusted with money: not while it is behind the ledger's last entry
 * of before the start, nor when it has run ahead of the clock that cannot jump. Until an operator
 * says that it is right as it is: `fundd --accept-clock` leaves a file in the ledger's directory,
 * which is heard once.
 *
 * Times are microseconds.
 */
#ifndef DAEMON_WALLCLOCK_H
#define DAEMON_WALLCLOCK_H

#include <stdint.h>

struct wallclock {
	const char *problem;		/* why it cannot be trusted; NULL: it can */
	const char *told;		/* the one that was logged last */
	int64_t wall, boot;		/* when it was trusted last, by both clocks */
	int64_t last_at;		/* of the last entry before the
					 * start; 0: outrun, or accepted */
};

/* At the start, when the last entry is of `last_at`. */
void wallclock_begin(struct wallclock *clock, int64_t last_at);

/* It is `now` by the wall clock: sees whether that may be. */
void wallclock_look(struct wallclock *clock, int64_t now);

/* Logs what was seen, once for each time that it changes: who sees to the machine reads the log. */
void wallclock_tell(struct wallclock *clock);

/* Takes the operator's word that it is right, if it was given. */
void wallclock_hear(struct wallclock *clock, int dir);

/* Gives it: to a running daemon, or the next one. 0, or -1 after logging. */
int wallclock_accept(const char *dir);

#endif

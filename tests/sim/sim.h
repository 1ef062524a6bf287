/*
 * The deterministic simulation: the daemon's own code, from accepting a connection to committing an
 * entry, in a world that is made up. Its disk, sockets, event loop, clocks and randomness are the
 * files beside this one, put in its place by the linker (see the Makefile); all else is what fundd
 * is built from.
 *
 * An episode is one ledger from its genesis to its end, led by a script: a list of steps. The same
 * script gives the same episode, to the byte; every part of a script is a script too, which is what
 * lets a failing one be shrunk. Whatever the daemon commits or says is checked at once against a
 * model that shares no code with it.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdint.h>

/* What is planted to see that the checks find it. */
enum control {
	CONTROL_NONE,
	CONTROL_EARLY,		/* answers leave before the commit */
	CONTROL_NOSYNC,		/* a commit says that it is done, and is not on the disk yet */
	CONTROL_IDS,		/* nobody looks whether an id was used before */
	CONTROL_MONEY,		/* what a budget receives is one more than what was sent */
	CONTROL_PAYLOAD,	/* entries are in the name of somebody else than the peer */
	CONTROL_LEAK,		/* each entry costs a little memory for good */
};

extern enum control control;
void controls_reset(void);	/* the daemon is gone */

/* Something is wrong: ends the episode. */
void found(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The daemon's process ends here and now: it is started again, with the disk as it is. */
void daemon_dies(void) __attribute__((noreturn));

/* The last line that the daemon logged. */
const char *last_log(void);

/* ---- Randomness ---- */

struct dice {
	uint64_t state;
};

uint64_t dice_roll(struct dice *dice);
unsigned dice_below(struct dice *dice, unsigned limit);		/* 0 to limit - 1 */

#endif

/*
 * What happens in an episode: steps, made from a seed or read from a file. A step means something
 * wherever it stands, whatever stands before it: numbers that are too big wrap around, what cannot
 * be done does nothing.
 */
#ifndef TESTS_SIM_SCRIPT_H
#define TESTS_SIM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum act {
	/* people; `slot` is the connection */
	ACT_SPEND, ACT_TOPUP, ACT_REFUND, ACT_OPEN, ACT_ADJUST, ACT_CLOSE, ACT_RESET,
	ACT_BALANCE, ACT_AUDIT, ACT_CHECKPOINT, ACT_STATUS,
	ACT_AGAIN,		/* an earlier request once more; x:
				 * which, y: as it was, or altered */
	ACT_GARBAGE,
	ACT_CONNECT,		/* x: who; an open connection is given up for it */
	ACT_VANISH,
	ACT_DRIBBLE,		/* x: bytes that get through in a turn; 0: all there are */
	ACT_DEAF,		/* x: does it read? */
	/* the machine */
	ACT_TURN,		/* x: something more arrives while the daemon drains its sockets */
	ACT_LATER,		/* x: seconds pass */
	ACT_JUMP,		/* the wall clock alone; x: seconds, y: back */
	ACT_TRUST,		/* an operator says that the clock is right */
	ACT_COMMIT,		/* x: how the next commit ends, of enum ending */
	ACT_ROOM,		/* x: enum room */
	ACT_KEYS,		/* x: the keyring cannot make new keys */
	ACT_READS,		/* the ledger cannot be read; x: how many times, y: from which on */
	ACT_CRASH,		/* the daemon dies at its x-th system call from here */
	ACT_STOP,		/* SIGTERM, and a new start */
	ACT_ROLES,		/* SIGHUP; x: who is manager now */
	ACT_FOLD,		/* the books freeze what is to be
				 * folded, or forget what was frozen */
	ACT_FILES,		/* no descriptor for the next connection */
	ACT_COUNT
};

struct step {
	enum act act;
	uint32_t slot, x, y, z;
};

struct script {
	uint64_t seed;			/* of what is not in the steps:
					 * the daemon's own randomness */
	struct step *steps;
	size_t count;
};

/* The seed decides on everything: whom the episode is hard on, how long it is. */
void script_make(struct script *script, uint64_t seed, size_t most);
void script_release(struct script *script);

/* As text, a line a step. false when it is none. */
bool script_save(const struct script *script, const char *path, const char *why);
bool script_load(struct script *script, const char *path);

#endif

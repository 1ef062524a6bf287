/*
 * An episode: the daemon's life, or lives, under a script.
 */
#ifndef TESTS_SIM_EPISODE_H
#define TESTS_SIM_EPISODE_H

#include <stdbool.h>

#include "script.h"

struct books;

/* In a directory of its own, which is emptied first. NULL, or what was found (static). */
const char *episode_run(const struct script *script, const char *dir);

/* Takes away what an episode left in its directory. */
void episode_dir_empty(const char *dir);

/* For people.h: something may be Unavailable since then. */
unsigned long episode_turn(void);
bool episode_troubled_since(unsigned long turn);
bool episode_clock_bad_since(unsigned long turn);	/* all the time */
bool episode_jumped_since(unsigned long turn);		/* the wall clock did */
bool episode_stopping(void);

/* For fold_fake.c, and what it does: the next fold is due; there is a new daemon. */
struct books *episode_books(void);
void fold_due(void);
void fold_daemon_gone(void);

/* For world.h: the script's next steps, up to the turn's end. Is there more in this turn? */
bool episode_goes_on(void);

/* Nothing happened in a turn that waited. */
void episode_idle(void);

#endif

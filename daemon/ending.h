/*
 * How the last run ended: the empty file `clean` is there when it ended well, and only then. It is taken away at
 * the start, for good before anything else is written, so a crash, a power loss or a restored backup leaves none.
 */
#ifndef DAEMON_ENDING_H
#define DAEMON_ENDING_H

#include <stdbool.h>

#define ENDING_FILE "clean"

/* Did the last run end well? From now on this one has not. */
bool ending_was_clean(int dir);

/* This run ends well. Without room for the file the next start checks once more, and that is all. */
void ending_note_clean(int dir);

#endif

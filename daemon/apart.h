/*
 * Work that may kill who does it, such as reading a damaged page, is done in a process of its own.
 * While there are no other threads, and LMDB is not in use.
 */
#ifndef DAEMON_APART_H
#define DAEMON_APART_H

#include <stdbool.h>

/*
 * Calls `work` in a child, with nothing open but stdin, stderr, and `out` as stdout; what it
 * returns is the child's exit status. How that ended, as of waitpid(); -1: it could not be started,
 * and errno says why.
 */
int apart(int (*work)(void *context), void *context, int out);

#endif

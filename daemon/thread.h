/*
 * A thread of the daemon's own: signals go to the loop's thread alone.
 */
#ifndef DAEMON_THREAD_H
#define DAEMON_THREAD_H

#include <pthread.h>

/* 0 or an errno. */
int thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

#endif

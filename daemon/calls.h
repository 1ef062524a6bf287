/*
 * The system calls that the daemon keeps once it serves, as a filter of seccomp(2). It is put together here, and not by
 * libseccomp, which knows the numbers: that takes memory to do so, and without it frees twice, or gives out a filter
 * that is not the one that was asked for.
 */
#ifndef DAEMON_CALLS_H
#define DAEMON_CALLS_H

#include <stdbool.h>

/*
 * From now on, in all threads, what serving does not need fails with EPERM. No new privileges must be possible already.
 * `sanitized`: what sanitizers need stays, too. false: the kernel refused, errno says why.
 */
bool calls_restrict(bool sanitized);

#endif

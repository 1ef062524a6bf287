/*
 * A bar on stderr for what takes over a second, when stderr is a terminal.
 */
#ifndef CLIENT_PROGRESS_H
#define CLIENT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	int64_t began, shown;	/* milliseconds of the monotonic clock */
	bool terminal, drawn;
};

void progress_begin(struct progress *progress);

/* May be called as often as one likes: it draws ten times a second at most. */
void progress_show(struct progress *progress, uint64_t done, uint64_t total);

/* Takes the bar away. */
void progress_end(struct progress *progress);

#endif

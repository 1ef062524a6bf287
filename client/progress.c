#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"

#define SILENT_MS 1000
#define STEP_MS 100
#define WIDTH 30

static int64_t now_ms(void)
{
	return clock_us(CLOCK_MONOTONIC_COARSE) / 1000;
}

void progress_begin(struct progress *progress)
{
	*progress = (struct progress){ .began = now_ms(), .terminal = isatty(STDERR_FILENO) };
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
	static const char bar[] = "##############################";
	int64_t now;

	if (!progress->terminal)
		return;
	now = now_ms();
	if (now - progress->began < SILENT_MS || now - progress->shown < STEP_MS)
		return;
	progress->shown = now;
	progress->drawn = true;
	fprintf(stderr, "\r[%-*.*s] %" PRIu64 " of %" PRIu64, WIDTH,
		total ? (int)(WIDTH * (double)done / (double)total) : WIDTH, bar, done, total);
}

void progress_end(struct progress *progress)
{
	if (progress->drawn)
		fputs("\r\033[K", stderr);
	progress->drawn = false;
}

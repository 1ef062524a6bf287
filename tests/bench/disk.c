/*
 * disk DIR [COUNT]: the median time of writing 4 KiB and waiting until it is on the disk (pwrite,
 * then fdatasync).
 *
 * Prints one line of JSON with two medians, in microseconds: over blocks that the file has already
 * (what an append to a file filled ahead costs) and behind the file's end (without that).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "times.h"

#define BLOCK 4096
#define COUNT_MAX 100000

static void die(const char *what)
{
	fprintf(stderr, "disk: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double median_from(int fd, unsigned first, unsigned count)
{
	static double times[COUNT_MAX];
	static char block[BLOCK];

	for (unsigned i = 0; i < count; i++) {
		double began = now_us();

		memset(block, (int)i, sizeof(block));
		if (pwrite(fd, block, BLOCK, (off_t)(first + i) * BLOCK) != BLOCK ||
		    fdatasync(fd) < 0)
			die("writing");
		times[i] = now_us() - began;
	}
	times_sort(times, count);
	return times[count / 2];
}

/* Zeros that are on the disk. */
static void fill(int fd, unsigned count)
{
	static const char block[BLOCK];

	for (unsigned i = 0; i < count; i++)
		if (pwrite(fd, block, BLOCK, (off_t)i * BLOCK) != BLOCK)
			die("writing");
	if (fsync(fd) < 0)
		die("syncing");
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	double over, behind;
	char path[4096];
	int fd;

	if (argc < 2 || count < 1 || count > COUNT_MAX) {
		fprintf(stderr, "usage: disk DIR [COUNT, at most %d]\n", COUNT_MAX);
		return 2;
	}
	snprintf(path, sizeof(path), "%s/disk.probe", argv[1]);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		die(path);
	fill(fd, (unsigned)count);
	over = median_from(fd, 0, (unsigned)count);
	behind = median_from(fd, (unsigned)count, (unsigned)count);
	close(fd);
	unlink(path);
	printf("{\"over_us\": %.1f, \"behind_us\": %.1f}\n", over, behind);
	return 0;
}

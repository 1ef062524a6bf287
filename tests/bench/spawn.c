/*
 * spawn COUNT COMMAND...: how long a whole command takes, from its start to its end, COUNT times
 * one after the other. An argument {} is the number of the run. What the command prints is dropped;
 * one that fails ends it all.
 *
 * Prints one line of JSON with the median and the 90th percentile in microseconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "times.h"

#define COUNT_MAX 100000

extern char **environ;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "spawn: %s: %s\n", what, why);
	exit(1);
}

static double run(char **command, const posix_spawn_file_actions_t *quiet)
{
	double began = now_us();
	int status, error;
	pid_t child;

	error = posix_spawnp(&child, command[0], quiet, NULL, command, environ);
	if (error)
		die(command[0], strerror(error));
	if (waitpid(child, &status, 0) < 0)
		die("waiting", strerror(errno));
	if (status)
		die(command[0], "failed");
	return now_us() - began;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	static double times[COUNT_MAX];
	posix_spawn_file_actions_t quiet;
	char number[16];

	if (count < 1 || count > COUNT_MAX) {
		fprintf(stderr, "usage: spawn COUNT COMMAND..., COUNT at most %d\n", COUNT_MAX);
		return 2;
	}
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	for (int i = 2; i < argc; i++)
		if (!strcmp(argv[i], "{}"))
			argv[i] = number;
	for (unsigned long i = 0; i < count; i++) {
		snprintf(number, sizeof(number), "%lu", i);
		times[i] = run(argv + 2, &quiet);
	}
	times_sort(times, count);
	printf("{\"median_us\": %.1f, \"p90_us\": %.1f}\n", times[count / 2],
	       times[(count - 1) * 9 / 10]);
	posix_spawn_file_actions_destroy(&quiet);
	return 0;
}

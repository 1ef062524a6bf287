/*
 * sim [--operations N] [--seconds N] [--seed N] [--steps N] [--workers N] [--control NAME] [--keep
 * FILE] sim --replay FILE...
 *
 * Runs episodes until so many operations were asked of the daemon, so much time is over, or
 * something is found. Then the episode is shrunk to the steps that matter, and kept in a file that
 * --replay takes. Exit 0: nothing was found; 1: something; 2: usage.
 */
#include "sim.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sign.h"
#include "episode.h"
#include "memory.h"
#include "model.h"
#include "people.h"

#define WORKERS_MAX 16
#define SHRINK_SECONDS 60

static struct {
	unsigned long operations, seconds, seed, steps, workers;
	const char *keep;
	bool replay;
} options = { 100000, 36000, 1, 3000, 2, NULL, false };

/* What the workers, processes of their own, leave for the one that waits for them. */
static struct shared {
	unsigned long operations[WORKERS_MAX], episodes[WORKERS_MAX], entries[WORKERS_MAX];
	uint64_t seed[WORKERS_MAX];	/* of the episode it is in */
	char found[WORKERS_MAX][600];
	char first[600];		/* what shrinking must keep */
} *shared;

static const struct {
	const char *name;
	enum control control;
} controls[] = {
	{ "early", CONTROL_EARLY }, { "nosync", CONTROL_NOSYNC }, { "ids", CONTROL_IDS },
	{ "money", CONTROL_MONEY }, { "payload", CONTROL_PAYLOAD }, { "leak", CONTROL_LEAK },
};

static bool control_take(const char *name)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(*controls); i++)
		if (!strcmp(name, controls[i].name))
			control = controls[i].control;
	return control != CONTROL_NONE;
}

/* In memory where there is such a place: nothing here depends on a disk. */
static const char *dir_make(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/fund-sim-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(path)) {
		perror(path);
		exit(1);
	}
	return path;
}

/* ---- Running ---- */

static void worker_begins(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(null, STDOUT_FILENO);	/* a new ledger prints its key */
	close(null);
	memory_start();
}

static void worker_runs(unsigned worker, const char *home)
{
	time_t until = time(NULL) + (time_t)options.seconds;
	char dir[128];

	worker_begins();
	snprintf(dir, sizeof(dir), "%s/%u", home, worker);
	for (unsigned long i = worker;
	     people_calls() < options.operations / options.workers && time(NULL) < until;
	     i += options.workers) {
		struct script script;
		const char *problem;

		shared->seed[worker] = options.seed * 1000000 + i;
		script_make(&script, shared->seed[worker], options.steps);
		problem = episode_run(&script, dir);
		script_release(&script);
		shared->operations[worker] = people_calls();
		shared->entries[worker] += model_count();
		shared->episodes[worker]++;
		if (!problem)
			continue;
		snprintf(shared->found[worker], sizeof(*shared->found), "%s", problem);
		_Exit(1);
	}
	_Exit(0);
}

/* One script in a process of its own: whether something is found. */
static bool fails(const struct script *script, const char *home, char what[600])
{
	int status;
	pid_t child;

	shared->found[0][0] = '\0';
	child = fork();
	if (!child) {
		char dir[128];
		const char *problem;

		worker_begins();
		snprintf(dir, sizeof(dir), "%s/0", home);
		problem = episode_run(script, dir);
		if (problem)
			snprintf(shared->found[0], sizeof(*shared->found), "%s", problem);
		_Exit(!!problem);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		exit(1);
	if (WIFSIGNALED(status))
		snprintf(what, 600, "the daemon ended by signal %d", WTERMSIG(status));
	else if (status)
		snprintf(what, 600, "%.590s", shared->found[0]);
	return status;
}

/* ---- Shrinking ---- */

static struct script without(const struct script *script, size_t first, size_t count)
{
	struct script ret = { script->seed, own_alloc(script->count * sizeof(*script->steps)), 0 };

	for (size_t i = 0; i < script->count; i++)
		if (i < first || i >= first + count)
			ret.steps[ret.count++] = script->steps[i];
	return ret;
}

/* The same but for numbers, as far as it was the same to begin with. */
static bool same(const char *a, const char *b)
{
	for (int letters = 0; letters < 24 && (*a || *b); letters++, a++, b++) {
		a += strspn(a, "0123456789");
		b += strspn(b, "0123456789");
		if (*a != *b)
			return false;
		if (!*a)
			return true;
	}
	return true;
}

static bool fails_so(const struct script *script, const char *home, const char *so, char what[600])
{
	return fails(script, home, what) && same(what, so);
}

/* Leaves out ever smaller parts, as long as it still fails in that way. */
static void shrink(struct script *script, const char *home, char what[600])
{
	const char *so = shared->first;
	time_t until = time(NULL) + SHRINK_SECONDS;

	for (size_t part = script->count / 2; part; part /= 2) {
		for (size_t at = 0; at < script->count && time(NULL) < until; ) {
			struct script less = without(script, at, part);

			if (less.count && fails_so(&less, home, so, what)) {
				script_release(script);
				*script = less;
			} else {
				script_release(&less);
				at += part;
			}
		}
	}
	fails(script, home, what);
}

static void keep(unsigned worker, const char *home)
{
	struct script script;
	char what[600], path[256];
	size_t before;

	script_make(&script, shared->seed[worker], options.steps);
	before = script.count;
	snprintf(shared->first, sizeof(shared->first), "%.590s", shared->found[worker]);
	snprintf(path, sizeof(path), "/tmp/sim-%llu.script",
		 (unsigned long long)shared->seed[worker]);
	shrink(&script, home, what);
	if (script_save(&script, options.keep ? options.keep : path, what))
		printf("%zu of %zu steps are enough: %s\nkept in %s; see tests/sim/kept\n",
		       script.count, before, what, options.keep ? options.keep : path);
	script_release(&script);
}

/* ---- The whole ---- */

static int workers_wait(pid_t *children, const char *home)
{
	unsigned long operations = 0, episodes = 0, entries = 0;
	int failed = -1, status;

	for (unsigned w = 0; w < options.workers; w++) {
		waitpid(children[w], &status, 0);
		if (status && failed < 0)
			failed = (int)w;
		if (WIFSIGNALED(status))
			snprintf(shared->found[w], sizeof(*shared->found),
				 "the daemon ended by signal %d", WTERMSIG(status));
		operations += shared->operations[w];
		episodes += shared->episodes[w];
		entries += shared->entries[w];
	}
	printf("%lu operations in %lu episodes, %lu entries, seed %lu\n", operations, episodes,
	       entries, options.seed);
	if (failed < 0)
		return 0;
	printf("found in episode %llu: %s\n", (unsigned long long)shared->seed[failed],
	       shared->found[failed]);
	fflush(stdout);
	keep((unsigned)failed, home);
	return 1;
}

static int simulate(const char *home)
{
	pid_t children[WORKERS_MAX];

	for (unsigned w = 0; w < options.workers; w++) {
		fflush(stdout);
		children[w] = fork();
		if (children[w] < 0)
			exit(1);
		if (!children[w])
			worker_runs(w, home);
	}
	return workers_wait(children, home);
}

static int replay(char **files, const char *home)
{
	int failed = 0;

	for (; *files; files++) {
		struct script script;
		char what[600];

		if (!script_load(&script, *files)) {
			printf("%s is no script\n", *files);
			failed = 1;
			continue;
		}
		fflush(stdout);
		if (fails(&script, home, what)) {
			printf("%s: %s\n", *files, what);
			failed = 1;
		}
		script_release(&script);
	}
	return failed;
}

static const struct option long_options[] = {
	{ "operations", required_argument, NULL, 'o' }, { "seed", required_argument, NULL, 's' },
	{ "seconds", required_argument, NULL, 'e' },
	{ "steps", required_argument, NULL, 't' },	{ "workers", required_argument, NULL, 'w' },
	{ "control", required_argument, NULL, 'c' },	{ "keep", required_argument, NULL, 'k' },
	{ "replay", no_argument, NULL, 'r' },		{ NULL, 0, NULL, 0 },
};

static bool option_take(int option)
{
	unsigned long *numbers[] = { ['o'] = &options.operations, ['e'] = &options.seconds,
				     ['s'] = &options.seed, ['t'] = &options.steps,
				     ['w'] = &options.workers };

	if (option == 'r')
		options.replay = true;
	else if (option == 'k')
		options.keep = optarg;
	else if (option == 'c')
		return control_take(optarg);
	else if (option == '?')
		return false;
	else
		*numbers[option] = strtoul(optarg, NULL, 10);
	return true;
}

static void dirs_remove(const char *home)
{
	char path[128];

	for (unsigned w = 0; w < options.workers; w++) {
		snprintf(path, sizeof(path), "%s/%u", home, w);
		episode_dir_empty(path);
		rmdir(path);
	}
	rmdir(home);
}

int main(int argc, char **argv)
{
	int option, status;
	const char *home;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!option_take(option))
			return 2;
	if (!sign_start() || !options.workers || options.workers > WORKERS_MAX ||
	    options.steps < 64)
		return 2;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return 2;
	home = dir_make();
	status = options.replay ? replay(argv + optind, home) : simulate(home);
	dirs_remove(home);
	return status;
}

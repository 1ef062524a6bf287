#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apart.h"
#include "common/err.h"
#include "common/log.h"
#include "ending.h"
#include "folder.h"
#include "owner.h"
#include "prove.h"
#include "replay.h"

#define START_WHOLE ((uint64_t)1 << 20)	/* entries: a second's worth */

enum depth { DEPTH_START, DEPTH_LEDGER, DEPTH_ALL };

struct job {
	const char *dir;
	enum depth depth;
	pid_t parent;
};

/* The origin, which the keyring must carry too. */
static const char *origin_read(struct ledger *ledger, char ret[ORIGIN_MAX + 1])
{
	struct reader reader;
	struct stored genesis;
	struct row row;
	const char *problem;

	if (reader_begin(ledger, &reader))
		return "the ledger cannot be read";
	problem = stored_read(&reader, 0, &row, &genesis);
	if (!problem)
		memcpy(ret, genesis.entry.origin, sizeof(genesis.entry.origin));
	reader_end(&reader);
	return problem;
}

static const char *words_open(struct replay *replay, struct ledger *ledger, int dir,
			      struct keyring *keyring)
{
	char origin[ORIGIN_MAX + 1];
	const char *problem = origin_read(ledger, origin);

	if (!problem)
		problem = keyring_open(keyring, dir, origin, false);
	if (!problem) {
		replay->flags = REPLAY_HEADS;
		replay->keyring = keyring;
	}
	return problem;
}

static int verdict(const struct replay *replay, const char *problem)
{
	struct buf root = BUF_INIT;

	if (problem) {
		printf("entry %llu is bad: %s\n", (unsigned long long)replay->bad, problem);
		return EXIT_UNVERIFIED;
	}
	base64_encode(&root, replay->root, HASH_SIZE);
	printf("verified %llu entries, root %s\n", (unsigned long long)replay->tree.size,
	       root.data);
	buf_release(&root);
	return EXIT_OK;
}

/* Is it a ledger that goes on from where fundd left it, when it last ended well? */
static int ending_check(const struct ended *ended, struct ledger *ledger)
{
	struct reader reader;
	const char *problem;

	if (!ended->known)
		return EXIT_OK;
	if (reader_begin(ledger, &reader)) {
		printf("the ledger cannot be read\n");
		return EXIT_UNVERIFIED;
	}
	problem = prove_extends(&reader, &ended->head);
	reader_end(&reader);
	if (problem)
		printf("the head that fundd left when it last ended well, of %llu entries, %s\n",
		       (unsigned long long)ended->head.size, problem);
	return problem ? EXIT_UNVERIFIED : EXIT_OK;
}

static int replay_check(struct replay *replay, struct ledger *ledger, const struct ended *ended)
{
	const char *problem = replay_ledger(replay, ledger);
	int status = problem ? EXIT_OK : ending_check(ended, ledger);

	return status ? status : verdict(replay, problem);
}

/* Only fundd's own directory has a keyring, and needs a log, unless it ended well. */
static void log_look(const struct ledger *ledger, const struct ended *ended, int dir)
{
	if (ledger->log_missing && !ended->clean && faccessat(dir, KEYRING_FILE, F_OK, 0) == 0)
		log_warning("%s is missing or cut short, and fundd did not note that it ended in "
			    "order: what it answered in its last second may be missing, and "
			    "nothing here can tell. Look for the file; where the ledger was "
			    "restored from a copy, there is none", WAL_FILE);
}

/* What is folded into the index a start does not read, so a large ledger's need not be waited
 * for. */
static void beginning_skip(struct replay *replay, const char *path, struct ledger *ledger)
{
	struct index index;
	struct merkle tree = { .size = 0 };

	if (ledger->size < START_WHOLE || index_open_reader(&index, path))
		return;
	if (!index_load(&index, &replay->books, &tree) && !folder_mismatch(&tree, ledger)) {
		replay->tree = tree;
	} else {
		replay_release(replay);
		replay_init(replay);
	}
	index_close(&index, false);
}

/* The check ends when who asked for it does. Said after a change of user, which undoes it. */
static bool end_with(pid_t parent)
{
	return !prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() == parent;
}

/* Or what keeps everybody from opening it, in whatever state it is. */
static bool damage(int error)
{
	static const int others[] = { ENOENT, EACCES, ENOMEM, EMFILE, ENFILE, LEDGER_NO_FILE };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (error == others[i])
			return false;
	return true;
}

static int cannot_open(const char *path, int error)
{
	if (damage(error)) {
		printf("the ledger is corrupt, or rows of it are missing: %s\n",
		       ledger_error(error));
		return EXIT_UNVERIFIED;
	}
	log_error("cannot open the ledger in %s: %s", path, ledger_error(error));
	return EXIT_FAILED;
}

/* The directory is the current one, too. */
static int ledger_check(enum depth depth, int dir, struct ledger *ledger, struct ended *ended)
{
	struct keyring keyring = { .block = NULL };
	struct replay replay;
	const char *problem = NULL;
	int status;

	replay_init(&replay);
	if (depth == DEPTH_START) {
		beginning_skip(&replay, ".", ledger);
		ended->known = false;	/* that is for who starts */
	}
	if (depth == DEPTH_ALL)
		problem = words_open(&replay, ledger, dir, &keyring);
	if (problem)
		printf("the words cannot be checked: %s\n", problem);
	status = problem ? EXIT_UNVERIFIED : replay_check(&replay, ledger, ended);
	if (!status && depth != DEPTH_START)
		log_look(ledger, ended, dir);
	replay_release(&replay);
	keyring_close(&keyring);
	return status;
}

static int check(void *context)
{
	const struct job *job = context;
	const char *path = job->dir;
	struct ledger ledger;
	struct ended ended;
	int error, status, dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* the owner need not get through the directories above, as root did */
	if (dir < 0 || !owner_become(dir) || fchdir(dir) < 0) {
		log_error("cannot look into %s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	if (!end_with(job->parent))
		return EXIT_FAILED;
	ending_look(dir, &ended);	/* before it: beside us the ledger
					 * grows, and fundd may end */
	error = ledger_open_reader(&ledger, ".");
	if (error)
		return cannot_open(path, error);
	status = ledger_check(job->depth, dir, &ledger, &ended);
	ledger_close(&ledger);
	close(dir);
	return status;
}

/* How it ended, as of waitpid(); -1: it could not be started. */
static int check_apart(const char *dir, enum depth depth, int out)
{
	struct job job = { dir, depth, getpid() };
	int status = apart(check, &job, out);

	if (status == -1)
		log_error("cannot start a process to check in: %s", strerror(errno));
	return status;
}

/* Not for what it read: nothing is known of the ledger then. Says so. */
static bool stopped_from_outside(int status)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGXCPU };

	for (size_t i = 0; WIFSIGNALED(status) && i < sizeof(signals) / sizeof(*signals); i++) {
		if (WTERMSIG(status) != signals[i])
			continue;
		log_error(
			"the check of the ledger did not come to its end: it got signal %d (%s)%s",
			signals[i], strsignal(signals[i]),
			signals[i] == SIGKILL ? ", maybe because memory is short" : "");
		return true;
	}
	return false;
}

int verify_ledger(const char *dir, bool all)
{
	int status = check_apart(dir, all ? DEPTH_ALL : DEPTH_LEDGER, STDOUT_FILENO);

	if (status == -1 || stopped_from_outside(status))
		return EXIT_FAILED;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	printf("the ledger is corrupt: checking it ended in signal %d (%s)\n", WTERMSIG(status),
	       strsignal(WTERMSIG(status)));
	return EXIT_UNVERIFIED;
}

bool verify_apart(const char *dir)
{
	char said[512] = "";
	int out = memfd_create("verdict", MFD_CLOEXEC), status = -1;

	if (out >= 0) {
		status = check_apart(dir, DEPTH_START, out);
		if (pread(out, said, sizeof(said) - 1, 0) < 0)
			said[0] = '\0';
		close(out);
	}
	said[strcspn(said, "\n")] = '\0';
	if (status == -1 || stopped_from_outside(status) ||
	    (WIFEXITED(status) && WEXITSTATUS(status) != EXIT_UNVERIFIED))
		return true;
	if (WIFSIGNALED(status))
		snprintf(said, sizeof(said), "checking it ended in signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	log_error("the ledger in %s is corrupt: %s. Nothing is served from it; if fundd --verify "
		  "says the same, restore a backup", dir, said);
	return false;
}

#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "apart.h"
#include "ledger.h"
#include "owner.h"
#include "verify.h"

#define RENEW_EVERY 65536	/* rows: a pinned reader costs the daemon file space */
#define FULL (1UL << 20)	/* bytes: with fewer left the disk is full */

/* ---- Rows ---- */

/* Rows on their way to the copy, a segment's worth a commit. */
struct copying {
	struct store store;
	struct segment segment;
	uint64_t size;			/* rows in the store */
};

static int segment_store(struct copying *copying)
{
	int error = store_append(&copying->store, &copying->segment, &copying->size);

	segment_abort(&copying->segment);
	segment_empty(&copying->segment);
	return error;
}

static int row_copy(struct copying *copying, uint64_t seq, const void *row, size_t size)
{
	struct segment *segment = &copying->segment;
	int error = 0;

	if (size < ROW_MIN || size > ROW_MAX)
		return EBADMSG;
	if (record_size(segment->record + size, 1) > SEGMENT_SIZE)
		error = segment_store(copying);
	if (!error)
		memcpy(segment_put(segment, seq, size), row, size);
	return error;
}

static int rows_copy(struct copying *copying, struct ledger *from)
{
	struct reader reader;
	const void *row;
	size_t size;
	int error = reader_begin(from, &reader);

	if (error)
		return error;
	for (uint64_t seq = 0; !error && seq < reader.size; seq++) {
		error = reader_row(&reader, seq, &row, &size);
		if (!error)
			error = row_copy(copying, seq, row, size);
		if (!error && seq % RENEW_EVERY == RENEW_EVERY - 1)
			error = reader_renew(&reader);
	}
	if (!error && copying->segment.count)
		error = segment_store(copying);
	reader_end(&reader);
	return error;
}

/* LMDB takes a write of which only a part had room for a
 * failing disk; and verifying takes a little room, too. */
static int error_of_disk(int error)
{
	struct statvfs disk;

	if (error && error != EIO)
		return error;
	return statvfs(".", &disk) == 0 && disk.f_bavail < FULL / disk.f_frsize ? ENOSPC : error;
}

/* To the working directory. */
static int ledger_copy(struct ledger *from, uint64_t map_size)
{
	struct copying copying = { .size = 0 };
	int error = store_open_alone(&copying.store, ".", map_size);

	if (error)
		return error;
	segment_make(&copying.segment);
	error = rows_copy(&copying, from);
	segment_free(&copying.segment);
	store_close(&copying.store);
	return error_of_disk(error);
}

/* ---- In a process of its own, which is the ledger's owner, and which a damaged page may kill ---- */

struct job {
	const struct config *config;
	const char *path;		/* of the directory to copy to */
	pid_t parent;
};

static int copy(void *context)
{
	const struct job *job = context;
	const char *dir = job->config->dir;
	int to = open(job->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), error, status;
	struct ledger from;

	error = to < 0 || !owner_become_of(dir) ? errno : 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != job->parent)
		return EXIT_FAILED;
	if (!error)
		error = ledger_open_reader(&from, dir);
	if (error) {
		log_error("cannot open the ledger in %s: %s", dir, ledger_error(error));
		return EXIT_FAILED;
	}
	error = fchdir(to) ? errno : ledger_copy(&from, job->config->map_size);
	ledger_close(&from);
	if (error) {
		log_error("cannot copy the ledger in %s: %s", dir, ledger_error(error));
		return EXIT_FAILED;
	}
	status = verify_ledger(".", false);
	unlink(LEDGER_FILE "-lock");
	return status;
}

static int copy_apart(const struct config *config, const char *path)
{
	struct job job = { config, path, getpid() };
	int status = apart(copy, &job, STDOUT_FILENO), signal;

	if (status == -1) {
		log_error("cannot start a process to copy in: %s", strerror(errno));
		return EXIT_FAILED;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	signal = WTERMSIG(status);
	log_error("the copying did not come to its end: it got signal %d (%s)%s",
		  signal, strsignal(signal),
		  signal == SIGBUS || signal == SIGSEGV || signal == SIGABRT ?
		  ", as from a full disk or a damaged ledger; fundd --verify tells which" : "");
	return EXIT_FAILED;
}

/* ---- The directory ---- */

static void files_clear(int dir)
{
	unlinkat(dir, LEDGER_FILE, 0);
	unlinkat(dir, LEDGER_FILE "-lock", 0);
}

/* Made, or left by a try that was cut short; opened, locked, empty, and its owner's whose the
 * ledger is. -1 after logging why not. */
static int dir_make(const char *path, const struct stat *ledger)
{
	int dir = mkdir(path, 0700) < 0 && errno != EEXIST
			  ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) == 0 && fchmod(dir, 0700) == 0 &&
	    (geteuid() != 0 || fchown(dir, ledger->st_uid, ledger->st_gid) == 0)) {
		files_clear(dir);
		return dir;
	}
	log_error("cannot make %s: %s", path,
		  errno == EWOULDBLOCK ? "another fundd is making it" : strerror(errno));
	if (dir >= 0)
		close(dir);
	return -1;
}

static bool name_sync(const char *path)
{
	char copy[PATH_MAX];
	int parent;
	bool synced;

	snprintf(copy, sizeof(copy), "%s", path);
	parent = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	synced = parent >= 0 && fsync(parent) == 0;
	if (parent >= 0)
		close(parent);
	return synced;
}

/* The copy is whole: from now on it has its name. */
static int dir_name(int dir, const char *path, const char *name)
{
	if (fsync(dir) == 0 && rename(path, name) == 0 && name_sync(name))
		return EXIT_OK;
	log_error("the copy %s cannot be named %s for good: %s", path, name, strerror(errno));
	return EXIT_FAILED;
}

/* A name that is free; *path is what it is called until
 * it is whole. EXIT_OK, or how the program ends. */
static int name_take(const char *name, char path[PATH_MAX])
{
	struct stat st;

	if (!*name || name[strlen(name) - 1] == '/') {
		log_error("--backup takes the name of a new directory, without a slash at its end");
		return EXIT_USAGE;
	}
	if (lstat(name, &st) == 0) {
		log_error("%s is there already, and stays as it is: each backup gets a name of its "
			  "own", name);
		return EXIT_FAILED;
	}
	if ((size_t)snprintf(path, PATH_MAX, "%s.new", name) >= PATH_MAX) {
		log_error("%s: %s", name, strerror(ENAMETOOLONG));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

int backup_ledger(const struct config *config, const char *name)
{
	char path[PATH_MAX];
	struct stat ledger;
	int dir, status = name_take(name, path);

	if (status)
		return status;
	if (stat(config->dir, &ledger) < 0) {
		log_error("cannot look into %s: %s", config->dir, strerror(errno));
		return EXIT_FAILED;
	}
	dir = dir_make(path, &ledger);
	if (dir < 0)
		return EXIT_FAILED;
	status = copy_apart(config, path);
	if (status == EXIT_OK) {
		status = dir_name(dir, path, name);
	} else {
		files_clear(dir);
		rmdir(path);
		log_error("there is no backup %s; keep those that you have", name);
	}
	close(dir);
	return status;
}

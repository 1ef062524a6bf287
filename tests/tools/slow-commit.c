/*
 * LD_PRELOAD for commit-order.t and log-wrap.t: makes one step of a commit, or of what follows,
 * slow, while a file tells so.
 *
 *   $SLOW_COMMIT/write exists: a pwrite to ledger.wal takes DELAY longer before it begins
 *   $SLOW_COMMIT/sync exists: so does an fdatasync of it
 *   $SLOW_COMMIT/settle exists: so does an fdatasync of ledger.mdb
 *
 * Each delay leaves a line in $SLOW_COMMIT/log, so that the test knows that it happened.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define DELAY_NS 300000000

static FILE *record;

/* The daemon opens nothing outside its directory once it serves: here it is still free to. */
__attribute__((constructor)) static void begin(void)
{
	const char *dir = getenv("SLOW_COMMIT");
	char path[4096];

	snprintf(path, sizeof(path), "%s/log", dir ? dir : "");
	if (dir)
		record = fopen(path, "ae");
}

static void delay_if(const char *step)
{
	const char *dir = getenv("SLOW_COMMIT");
	struct timespec delay = { 0, DELAY_NS };
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "", step);
	if (!dir || access(path, F_OK) < 0)
		return;
	if (record) {
		fprintf(record, "%s\n", step);
		fflush(record);
	}
	nanosleep(&delay, NULL);
}

/* `name` begins with a slash. */
static int is_named(int fd, const char *name)
{
	char link[64], path[4096];
	ssize_t len, size = (ssize_t)strlen(name);

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	return len >= size && !memcmp(path + len - size, name, (size_t)size);
}

int fdatasync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

	if (is_named(fd, "/ledger.wal"))
		delay_if("sync");
	if (is_named(fd, "/ledger.mdb"))
		delay_if("settle");
	return real(fd);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	ssize_t (*real)(int, const void *, size_t, off_t) =
		(ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");

	if (is_named(fd, "/ledger.wal"))
		delay_if("write");
	return real(fd, bytes, len, at);
}

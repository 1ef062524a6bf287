/*
 * LD_PRELOAD: planted faults in how a commit reaches the disk, to see that the tests of power loss
 * and kill -9 catch them. $WEAK_COMMIT:
 *
 *   nosync   fdatasync and O_DSYNC do nothing, as with MDB_NOSYNC
 *   early    a write to ledger.wal says that it is done at once, and is done when the next one begins
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEXT(name, type, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

static struct {
	int fd;
	void *bytes;
	size_t len;
	off_t at;
} owed;

static int weak(const char *how)
{
	const char *chosen = getenv("WEAK_COMMIT");

	return chosen && !strcmp(chosen, how);
}

int fdatasync(int fd)
{
	return weak("nosync") ? 0 : NEXT("fdatasync", int, int)(fd);
}

int open(const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (weak("nosync"))
		flags &= ~O_DSYNC;
	return NEXT("open", int, const char *, int, ...)(name, flags, mode);
}

static int is_log(int fd)
{
	static const char name[] = "/ledger.wal";
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	return len >= (ssize_t)sizeof(name) - 1 &&
	       !memcmp(path + len - (sizeof(name) - 1), name, sizeof(name) - 1);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	ssize_t (*real)(int, const void *, size_t, off_t) =
		NEXT("pwrite", ssize_t, int, const void *, size_t, off_t);

	if (!weak("early") || !is_log(fd))
		return real(fd, bytes, len, at);
	if (owed.bytes && real(owed.fd, owed.bytes, owed.len, owed.at) < 0)
		return -1;
	free(owed.bytes);
	owed.bytes = malloc(len);
	memcpy(owed.bytes, bytes, len);
	owed.fd = fd;
	owed.len = len;
	owed.at = at;
	return (ssize_t)len;
}

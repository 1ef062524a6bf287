/*
 * LD_PRELOAD that makes one call fail, once (tests/faults.t).
 *
 *   FAIL=CALL:NTH:ERRNO:HOW  the NTH call of CALL, counted from 1; HOW is
 *                            before   nothing is done, and the error returned
 *                            after    it is done, and the error returned all the same
 *                            silent   nothing is done from then on, and success returned (a control: no
 *                                     program can see it)
 *   FAIL_COUNT=FILE          gets NTH when it has
 *
 * Descriptors of sockets and of what is no file are not counted for writes; stderr never is.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name, type, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

enum how { PASS, BEFORE, AFTER, SILENT };

static char call[32], how_name[16];
static long nth, count;
static int error;
static int ready, count_fd;

static void count_write(void)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%ld\n", count);

	if (NEXT("write", ssize_t, int, const void *, size_t)(count_fd, text, (size_t)len) < 0)
		abort();
}

__attribute__((constructor)) static void begin(void)
{
	const char *rule = getenv("FAIL"), *path = getenv("FAIL_COUNT");
	int fd;

	if (!rule || !path ||
	    sscanf(rule, "%31[^:]:%ld:%d:%15s", call, &nth, &error, how_name) != 4)
		return;
	/* past the descriptors that the program counts on, and before its sandbox */
	fd = NEXT("open", int, const char *, int, ...)(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	count_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900);
	close(fd);
	ready = count_fd >= 0;
}

static enum how fate(const char *name)
{
	if (!ready || strcmp(name, call) || ++count < nth)
		return PASS;
	if (count == nth)
		count_write();
	if (!strcmp(how_name, "silent"))
		return SILENT;
	if (count > nth)
		return PASS;
	errno = error;
	return strcmp(how_name, "after") ? BEFORE : AFTER;
}

static int is_file(int fd)
{
	struct stat st;

	return fd > STDERR_FILENO && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* What a call returns that did or did not go through. */
#define FAILING(name, type, failed, silent, real)			\
	do {								\
		type result = failed;					\
		enum how how = fate(name);				\
									\
		if (how == SILENT)					\
			return silent;					\
		if (how == BEFORE)					\
			return failed;					\
		result = real;						\
		if (how != AFTER)					\
			return result;					\
		errno = error;						\
		return failed;						\
	} while (0)

int fdatasync(int fd)
{
	FAILING("fdatasync", int, -1, 0, NEXT("fdatasync", int, int)(fd));
}

int fsync(int fd)
{
	FAILING("fsync", int, -1, 0, NEXT("fsync", int, int)(fd));
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	const char *name = (fcntl(fd, F_GETFL) & O_DSYNC) == O_DSYNC ? "meta" : "pwrite";

	FAILING(name, ssize_t, -1, (ssize_t)len,
		NEXT("pwrite", ssize_t, int, const void *, size_t, off_t)(fd, bytes, len, at));
}

ssize_t writev(int fd, const struct iovec *data, int n)
{
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += data[i].iov_len;
	FAILING(is_file(fd) ? "pwrite" : "answer", ssize_t, -1, (ssize_t)len,
		NEXT("writev", ssize_t, int, const struct iovec *, int)(fd, data, n));
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	FAILING("answer", ssize_t, -1, (ssize_t)len,
		NEXT("send", ssize_t, int, const void *, size_t, int)(fd, bytes, len, flags));
}

ssize_t pread(int fd, void *bytes, size_t len, off_t at)
{
	FAILING("pread", ssize_t, -1, (ssize_t)len,
		NEXT("pread", ssize_t, int, void *, size_t, off_t)(fd, bytes, len, at));
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict len, int flags)
{
	FAILING("accept", int, -1, -1,
		NEXT("accept4", int, int, struct sockaddr *, socklen_t *, int)(fd, address, len,
									       flags));
}

static mode_t mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

int open(const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	FAILING("open", int, -1, -1, NEXT("open", int, const char *, int, ...)(name, flags, mode));
}

int openat(int dir, const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	FAILING("open", int, -1, -1,
		NEXT("openat", int, int, const char *, int, ...)(dir, name, flags, mode));
}

/*
 * LD_PRELOAD that writes down, in order, what a program does to files and what it answers, so that
 * every state a power loss could have left can be made again (tests/power-writes.t).
 *
 * $RECORD names the file. An event is a line of JSON, {"op", "path", "at", "len"}, and behind it
 * `len` bytes:
 *
 *   write    `len` bytes at `at`;  "dsync": through a descriptor opened with O_DSYNC
 *   sync     fsync or fdatasync of a file or directory returned
 *   truncate to `at` bytes
 *   create, mkdir, unlink, rename ("path" to the `len` bytes)
 *   answer   `len` bytes went into a socket
 *   said     puts() of `len` bytes
 *
 * Locks (`*-lock`) are left out: they are worth nothing after a restart.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name, type, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

static int record_fd = -1;

/* Where the record itself goes: opened once, past the program's own first descriptors. */
static int record_open(void)
{
	const char *path = getenv("RECORD");
	int fd;

	if (record_fd >= 0 || !path)
		return record_fd;
	fd = NEXT("open", int, const char *, int,
		  ...)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	record_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900);
	close(fd);
	return record_fd;
}

static void event(const char *op, const char *path, long long at, const struct iovec *data,
		  int count, size_t len)
{
	char line[PATH_MAX + 128];
	struct iovec all[66] = { { line, 0 } };

	if (record_open() < 0 || count > 65)
		return;
	all[0].iov_len = (size_t)snprintf(line, sizeof(line),
					  "{\"op\":\"%s\",\"path\":\"%s\",\"at\":%lld,\"len\":%zu}\n", op, path,
					  at, len);
	for (int i = 0; i < count; i++)
		all[i + 1] = data[i];
	if (NEXT("writev", ssize_t, int, const struct iovec *, int)(record_fd, all, count + 1) < 0)
		abort();
}

/* The file's path, or false when it is none of those that count. */
static int path_of(int fd, char path[PATH_MAX])
{
	char link[64];
	struct stat st;
	ssize_t len;

	if (fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_MAX - 1);
	if (len <= 0)
		return 0;
	path[len] = '\0';
	return path[0] == '/' && !(len > 5 && !strcmp(path + len - 5, "-lock"));
}

static void path_at(int dir, const char *name, char path[PATH_MAX])
{
	char base[PATH_MAX] = "";

	if (name[0] != '/' && (dir == AT_FDCWD ? !getcwd(base, sizeof(base)) : !path_of(dir, base)))
		base[0] = '\0';
	if ((size_t)snprintf(path, PATH_MAX, "%s%s%s", base, *base ? "/" : "", name) >= PATH_MAX)
		abort();
}

/* What was written, of which `done` bytes were taken. */
static void written(int fd, const struct iovec *data, int count, off_t at, ssize_t done)
{
	char path[PATH_MAX];
	struct iovec part[64];
	size_t left = done > 0 ? (size_t)done : 0;
	struct stat st;
	int n = 0;

	if (fd == record_fd || !left || fstat(fd, &st) < 0)
		return;
	for (; n < count && n < 64 && left; n++) {
		part[n] = data[n];
		if (part[n].iov_len > left)
			part[n].iov_len = left;
		left -= part[n].iov_len;
	}
	if (S_ISSOCK(st.st_mode))
		event("answer", "", 0, part, n, (size_t)done);
	else if (fd > STDERR_FILENO && path_of(fd, path))
		event((fcntl(fd, F_GETFL) & O_DSYNC) == O_DSYNC ? "dsync" : "write", path, at, part,
		      n, (size_t)done);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	ssize_t n = NEXT("pwrite", ssize_t, int, const void *, size_t, off_t)(fd, bytes, len, at);

	written(fd, &(struct iovec){ (void *)bytes, len }, 1, at, n);
	return n;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	ssize_t n = NEXT("write", ssize_t, int, const void *, size_t)(fd, bytes, len);

	written(fd, &(struct iovec){ (void *)bytes, len }, 1, at, n);
	return n;
}

ssize_t writev(int fd, const struct iovec *data, int count)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	ssize_t n = NEXT("writev", ssize_t, int, const struct iovec *, int)(fd, data, count);

	written(fd, data, count, at, n);
	return n;
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	ssize_t n = NEXT("send", ssize_t, int, const void *, size_t, int)(fd, bytes, len, flags);

	written(fd, &(struct iovec){ (void *)bytes, len }, 1, 0, n);
	return n;
}

int puts(const char *line)
{
	event("said", "", 0, &(struct iovec){ (void *)line, strlen(line) }, 1, strlen(line));
	return NEXT("puts", int, const char *)(line);
}

static int synced(int fd, int result)
{
	char path[PATH_MAX];

	if (!result && path_of(fd, path))
		event("sync", path, 0, NULL, 0, 0);
	return result;
}

int fsync(int fd)
{
	return synced(fd, NEXT("fsync", int, int)(fd));
}

int fdatasync(int fd)
{
	return synced(fd, NEXT("fdatasync", int, int)(fd));
}

int ftruncate(int fd, off_t size)
{
	int result = NEXT("ftruncate", int, int, off_t)(fd, size);
	char path[PATH_MAX];

	if (!result && path_of(fd, path))
		event("truncate", path, size, NULL, 0, 0);
	return result;
}

static int created(int fd, int there)
{
	char path[PATH_MAX];

	if (fd >= 0 && !there && path_of(fd, path))
		event("create", path, 0, NULL, 0, 0);
	return fd;
}

static mode_t mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

int open(const char *name, int flags, ...)
{
	int there = !(flags & O_CREAT) || access(name, F_OK) == 0;
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return created(NEXT("open", int, const char *, int, ...)(name, flags, mode), there);
}

int openat(int dir, const char *name, int flags, ...)
{
	int there = !(flags & O_CREAT) || faccessat(dir, name, F_OK, 0) == 0;
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return created(NEXT("openat", int, int, const char *, int, ...)(dir, name, flags, mode),
		       there);
}

static int named(const char *op, int dir, const char *name, int result)
{
	char path[PATH_MAX];

	path_at(dir, name, path);
	if (!result)
		event(op, path, 0, NULL, 0, 0);
	return result;
}

int mkdir(const char *name, mode_t mode)
{
	return named("mkdir", AT_FDCWD, name, NEXT("mkdir", int, const char *, mode_t)(name, mode));
}

int unlink(const char *name)
{
	return named("unlink", AT_FDCWD, name, NEXT("unlink", int, const char *)(name));
}

int unlinkat(int dir, const char *name, int flags)
{
	return named("unlink", dir, name,
		     NEXT("unlinkat", int, int, const char *, int)(dir, name, flags));
}

static int renamed(int from_dir, const char *from, int to_dir, const char *to, int result)
{
	char path[PATH_MAX], target[PATH_MAX];

	path_at(from_dir, from, path);
	path_at(to_dir, to, target);
	if (!result)
		event("rename", path, 0, &(struct iovec){ target, strlen(target) }, 1, strlen(target));
	return result;
}

int rename(const char *from, const char *to)
{
	return renamed(AT_FDCWD, from, AT_FDCWD, to,
		       NEXT("rename", int, const char *, const char *)(from, to));
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return renamed(from_dir, from, to_dir, to,
		       NEXT("renameat", int, int, const char *, int, const char *)(from_dir, from,
										   to_dir, to));
}

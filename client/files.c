#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAKE_SIZE ((size_t)64 << 10)

bool home_path(struct buf *out)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && state[0] == '/')
		buf_str(out, state);
	else if (home && home[0] == '/')
		buf_printf(out, "%s/.local/state", home);
	else
		return false;
	buf_str(out, "/fund");
	return true;
}

static bool path_make(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			return false;
		*slash = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

int dir_open(const char *path, bool make)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct buf copy = BUF_INIT;

	if (dir >= 0 || !make || errno != ENOENT)
		return dir;
	buf_str(&copy, path);
	if (path_make(copy.data))
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_release(&copy);
	return dir;
}

int dir_open_at(int dir, const char *name, bool make)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, flags);

	if (fd >= 0 || !make || errno != ENOENT || (mkdirat(dir, name, 0700) && errno != EEXIST))
		return fd;
	return openat(dir, name, flags);
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* A file of one's own, and nothing that somebody laid there before. */
static int temporary_open(int dir, const char *name, int mode)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	int fd = openat(dir, name, flags, mode);

	if (fd < 0 && errno == EEXIST && unlinkat(dir, name, 0) == 0)
		fd = openat(dir, name, flags, mode);
	return fd;
}

bool file_place(int dir, const char *temporary, const char *name, const void *bytes, size_t len,
		int mode, enum durable durable)
{
	bool done;
	int fd, saved;

	fd = temporary_open(dir, temporary, mode);
	if (fd < 0)
		return false;
	done = write_all(fd, bytes, len) && (mode == 0600 || fchmod(fd, (mode_t)mode) == 0) &&
	       (!durable || fdatasync(fd) == 0);
	done = close(fd) == 0 && done && renameat(dir, temporary, dir, name) == 0 &&
	       (durable < DURABLE_NEW || fsync(dir) == 0);
	saved = errno;
	if (!done)
		unlinkat(dir, temporary, 0);
	errno = saved;
	return done;
}

bool file_replace(int dir, const char *name, const void *bytes, size_t len, int mode,
		  enum durable durable)
{
	char temporary[64];

	snprintf(temporary, sizeof(temporary), ".%.32s.%ld", name, (long)getpid());
	return file_place(dir, temporary, name, bytes, len, mode, durable);
}

bool file_overwrite(int fd, const void *bytes, size_t len)
{
	struct stat st;

	return write_all(fd, bytes, len) && fstat(fd, &st) == 0 &&
	       (st.st_size == (off_t)len || ftruncate(fd, (off_t)len) == 0);
}

static bool spare_write(int dir, const char *spare, const void *bytes, size_t len)
{
	int fd = openat(dir, spare, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	bool written;

	/* the first time it takes a sync, or a loss of
	 * power could leave both files without bytes */
	if (fd < 0)
		return file_replace(dir, spare, bytes, len, 0600, DURABLE_WHOLE);
	written = file_overwrite(fd, bytes, len);
	return close(fd) == 0 && written;
}

bool file_turn(int dir, const char *name, const char *spare, const void *bytes, size_t len)
{
	return (spare_write(dir, spare, bytes, len) &&
		renameat2(dir, spare, dir, name, RENAME_EXCHANGE) == 0) ||
	       file_replace(dir, name, bytes, len, 0600, DURABLE_WHOLE);
}

bool file_take(int dir, const char *name, size_t max, struct buf *ret)
{
	int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	size_t before = ret->len;
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	errno = EINVAL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		/* room for all of it and one byte, unless it grows */
		size_t room = st.st_size < (off_t)TAKE_SIZE ? (size_t)st.st_size + 1 : TAKE_SIZE;

		do {
			n = read(fd, buf_room(ret, room), room);
			ret->len -= room - (n > 0 ? (size_t)n : 0);
		} while (n > 0 && ret->len - before <= max);
	}
	if (n > 0)
		errno = EFBIG;
	close(fd);
	if (n && !before)
		buf_release(ret);	/* nothing is left for the caller to free */
	if (n)
		ret->len = before;
	if (ret->data)
		ret->data[ret->len] = '\0';
	return n == 0;
}

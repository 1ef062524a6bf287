#include "file.h"

#include <errno.h>
#include <unistd.h>

int file_write(int fd, const void *bytes, size_t len, off_t at)
{
	const char *p = bytes;

	while (len) {
		ssize_t n = pwrite(fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (!n)
			errno = EIO;
		if (n <= 0)
			return errno;
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t file_read(int fd, void *bytes, size_t len, off_t at)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = pread(fd, (char *)bytes + have, len - have, at + (off_t)have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

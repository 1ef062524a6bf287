#include "summed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checksum.h"
#include "common/bytes.h"
#include "common/hash.h"
#include "file.h"

static void sum_add(struct buf *text)
{
	uint8_t sum[CHECKSUM_SIZE];

	put_be64(sum, checksum(0, text->data, text->len));
	base64_encode(text, sum, sizeof(sum));
	buf_char(text, '\n');
}

size_t summed_len(const char *bytes, size_t len)
{
	const char *line = len > 1 ? memrchr(bytes, '\n', len - 1) : NULL;
	struct buf again = BUF_INIT;
	size_t text = line ? (size_t)(line + 1 - bytes) : 0;

	buf_add(&again, bytes, text);
	sum_add(&again);
	if (again.len != len || memcmp(again.data, bytes, len))
		text = 0;
	buf_release(&again);
	return text;
}

static int text_write(int fd, const struct buf *text)
{
	int error = file_write(fd, text->data, text->len, 0);

	if (!error && fsync(fd) < 0)
		error = errno;
	if (close(fd) < 0 && !error)
		error = errno;
	return error;
}

int summed_replace(int dir, const char *name, struct buf *text)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;
	char aside[64];
	int fd, error;

	snprintf(aside, sizeof(aside), "%s.new", name);
	fd = openat(dir, aside, flags, 0600);
	if (fd < 0)
		return errno;
	sum_add(text);
	error = text_write(fd, text);
	if (!error && (renameat(dir, aside, dir, name) < 0 || fsync(dir) < 0))
		error = errno;
	if (error)
		unlinkat(dir, aside, 0);
	return error;
}

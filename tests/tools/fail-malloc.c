/*
 * LD_PRELOAD that makes one allocation fail, once: FAIL_MALLOC=N, the Nth of the process, counted
 * from 1 (tests/faults.t). FAIL_COUNT=FILE gets N when it has. Apart from fail.c, because
 * sanitizers have an allocator of their own and cannot run with it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

static long count, nth;
static const char *count_path;
static int count_fd;

__attribute__((constructor)) static void begin(void)
{
	const char *number = getenv("FAIL_MALLOC");
	int fd;

	count_path = getenv("FAIL_COUNT");
	fd = count_path ? open(count_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
	/* past the descriptors that the program counts on, and before its sandbox */
	count_fd = fcntl(fd, F_DUPFD_CLOEXEC, 900);
	close(fd);
	count = 0;
	nth = number ? atol(number) : 0;
}

static int fails(void)
{
	char text[32];
	int fd;

	if (!nth || ++count != nth)
		return 0;
	snprintf(text, sizeof(text), "%ld\n", count);
	if (write(count_fd, text, strlen(text)) < 0 && count_path) {
		/* a child, which closes what it does not need */
		fd = open(count_path, O_WRONLY | O_APPEND | O_CLOEXEC);
		if (write(fd, text, strlen(text)) < 0)
			abort();
		close(fd);
	}
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

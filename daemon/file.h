/*
 * Bytes at a place in a file, whole: however many the kernel takes or gives at a time.
 */
#ifndef DAEMON_FILE_H
#define DAEMON_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* 0 or an errno, as errno is then, too: what is there now is anybody's guess. */
int file_write(int fd, const void *bytes, size_t len, off_t at);

/* How many there were, up to the file's end; or -1 with errno. */
ssize_t file_read(int fd, void *bytes, size_t len, off_t at);

#endif

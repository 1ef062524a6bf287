/*
 * What is said to a person on stderr: a first line "fund: …", and lines that continue it.
 */
#ifndef CLIENT_TELL_H
#define CLIENT_TELL_H

#include <stdarg.h>

#include "common/err.h"

struct buf;

/* One line; control characters in it become '?'. Returns EXIT_FAILED, for what ends there. */
enum exit_status tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tell_list(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* A line that belongs to the one before, indented under it. */
void tell_more(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Appends a line of words with blanks between, each as a
 * shell takes it back: as it is, in "…", or in '…'. */
void quote_line(struct buf *out, int argc, char *const *argv);

#endif

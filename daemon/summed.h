/*
 * Small files of text whose last line is the checksum of what stands before it: 8 bytes, in base64.
 */
#ifndef DAEMON_SUMMED_H
#define DAEMON_SUMMED_H

#include <stddef.h>

#include "common/buf.h"

/* Appends that line. */
void summed_end(struct buf *text);

/* How many bytes stand before the last line when it is their checksum, else 0. */
size_t summed_len(const char *bytes, size_t len);

#endif

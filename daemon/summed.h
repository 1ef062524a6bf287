/*
 * Small files of text whose last line is the checksum of what stands before it: 8 bytes, in base64.
 * They are replaced as a whole.
 */
#ifndef DAEMON_SUMMED_H
#define DAEMON_SUMMED_H

#include <stddef.h>

#include "common/buf.h"

/*
 * Appends that line, and puts the text in the place of the file, for good: it is written aside,
 * synced and renamed. 0 or an errno: then the file is as it was, or the text, but not for good.
 */
int summed_replace(int dir, const char *name, struct buf *text);

/* How many bytes stand before the last line when it is their checksum, else 0. */
size_t summed_len(const char *bytes, size_t len);

#endif

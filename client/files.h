/*
 * The places where `fund` remembers things, and files that are whole or not there: written aside,
 * then renamed.
 */
#ifndef CLIENT_FILES_H
#define CLIENT_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/* Appends $XDG_STATE_HOME/fund, or ~/.local/state/fund. false when neither XDG_STATE_HOME nor
 * HOME says where. */
bool home_path(struct buf *out);

/* The directory of that path, 0700, made with what is missing above it; a descriptor, or -1
 * with errno. Without `make` nothing is made. */
int dir_open(const char *path, bool make);

/* The same, of a directory in a directory. */
int dir_open_at(int dir, const char *name, bool make);

/* What a loss of power may leave of a file that is replaced. */
enum durable {
	DURABLE_NOT,		/* anything */
	DURABLE_WHOLE,		/* the old file or the new one */
	DURABLE_NEW,		/* the new one */
};

/* Replaces the file, with that mode. false with errno, and nothing of it is left. */
bool file_replace(int dir, const char *name, const void *bytes, size_t len, int mode,
		  enum durable durable);

/* The same for one writer at a time, written aside under a name that it chose: what a writer who
 * was killed left there is written over. `name` may lie in a directory below. */
bool file_place(int dir, const char *temporary, const char *name, const void *bytes, size_t len,
		int mode, enum durable durable);

/*
 * The same at every command, so without a sync: the bytes are written over what `spare` holds, and
 * the two change places. Whoever reads has the old file or the new one, whole. A loss of power may
 * leave an older one, or a damaged one; then `spare` is whole. Where the two cannot change places,
 * DURABLE_WHOLE.
 */
bool file_turn(int dir, const char *name, const char *spare, const void *bytes, size_t len);

/* Writes over all that an open file holds. */
bool file_overwrite(int fd, const void *bytes, size_t len);

/* Appends a regular file of at most `max` bytes. false with errno (EFBIG: longer); ret is as
 * it was. */
bool file_take(int dir, const char *name, size_t max, struct buf *ret);

#endif

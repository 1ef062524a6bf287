#include "wal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

/* ---- Opening ---- */

static off_t segment_offset(const struct wal *wal, const struct segment *segment)
{
	return (segment - wal->segments) * (off_t)SEGMENT_SIZE;
}

static void segments_make(struct wal *wal)
{
	for (size_t i = 0; i < WAL_SEGMENTS; i++)
		segment_make(&wal->segments[i]);
	wal->current = wal->segments;
}

static void segments_free(struct wal *wal)
{
	for (size_t i = 0; i < WAL_SEGMENTS; i++)
		segment_free(&wal->segments[i]);
}

static size_t stained(const uint8_t *bytes)
{
	static const uint8_t zeros[SEGMENT_PAGE];
	size_t end = SEGMENT_SIZE;

	while (end && !memcmp(bytes + end - SEGMENT_PAGE, zeros, SEGMENT_PAGE))
		end -= SEGMENT_PAGE;
	return end;
}

static int segments_read(struct wal *wal, bool *ret_missing)
{
	for (size_t i = 0; i < WAL_SEGMENTS; i++) {
		ssize_t got = file_read(wal->fd, wal->segments[i].bytes, SEGMENT_SIZE,
					segment_offset(wal, &wal->segments[i]));

		if (got < 0)
			return errno;
		*ret_missing |= got < (ssize_t)SEGMENT_SIZE;
		wal->stained[i] = stained(wal->segments[i].bytes);
	}
	return 0;
}

/*
 * A file that is new, cut short, or has holes, as a copy may, is written once from its beginning to
 * its end: then a commit's sync has no blocks to make room for, and nothing but the bytes to wait
 * for.
 */
static int file_fill(struct wal *wal, int dir)
{
	const off_t whole = WAL_SEGMENTS * (off_t)SEGMENT_SIZE;
	struct stat st;
	int error = fstat(wal->fd, &st) ? errno : 0;

	if (error || (st.st_size >= whole && st.st_blocks * 512 >= whole))
		return error;
	for (size_t i = 0; !error && i < WAL_SEGMENTS; i++)
		error = file_write(wal->fd, wal->segments[i].bytes, SEGMENT_SIZE,
				   segment_offset(wal, &wal->segments[i]));
	if (!error && (fsync(wal->fd) < 0 || fsync(dir) < 0))
		error = errno;
	return error;
}

/* -1: there is none, and none is to be made. */
static int file_open(int dir, bool writable, bool *ret_missing)
{
	int fd = openat(dir, WAL_FILE, (writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC);

	*ret_missing = fd < 0 && errno == ENOENT;
	return *ret_missing && writable
		       ? openat(dir, WAL_FILE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				0600)
		       : fd;
}

int wal_open(struct wal *wal, const char *path, bool writable, bool *ret_missing)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;

	*wal = (struct wal){ .fd = -1 };
	if (dir < 0)
		return errno;
	wal->fd = file_open(dir, writable, ret_missing);
	if (wal->fd < 0 && (writable || !*ret_missing))
		error = errno;
	if (!error)
		segments_make(wal);
	if (!error && wal->fd >= 0)
		error = segments_read(wal, ret_missing);
	if (!error && writable)
		error = file_fill(wal, dir);
	close(dir);
	if (error)
		wal_close(wal);
	return error;
}

void wal_close(struct wal *wal)
{
	segments_free(wal);
	if (wal->fd >= 0)
		close(wal->fd);
	*wal = (struct wal){ .fd = -1 };
}

/* ---- Recovering ---- */

/* The number after the last row that the segments in turn
 * go on to from row `next`; and which of them do. */
static uint64_t segments_follow(struct wal *wal, uint64_t next, bool follows[WAL_SEGMENTS])
{
	for (size_t turn = 0; turn < WAL_SEGMENTS; turn++)
		for (size_t i = 0; i < WAL_SEGMENTS; i++) {
			struct segment *segment = &wal->segments[i];
			const uint8_t *last;
			size_t size;

			if (!segment_follows(segment, next, wal->prior))
				continue;
			follows[i] = true;
			next = segment_end(segment);
			last = segment_row(segment, next - 1, &size);
			memcpy(wal->prior, last + size - CHECKSUM_SIZE, CHECKSUM_SIZE);
		}
	return next;
}

bool wal_recover(struct wal *wal, uint64_t next, const uint8_t prior[CHECKSUM_SIZE])
{
	const uint64_t begin = next;
	bool follows[WAL_SEGMENTS] = { false };

	memcpy(wal->prior, prior, CHECKSUM_SIZE);
	for (size_t i = 0; i < WAL_SEGMENTS; i++)
		segment_take(&wal->segments[i]);
	next = segments_follow(wal, next, follows);
	for (size_t i = 0; i < WAL_SEGMENTS; i++) {
		struct segment *segment = &wal->segments[i];
		bool newer = segment->count && segment_end(segment) > begin;

		if ((newer && !follows[i]) || segment_strays(segment, next))
			return false;
		if (!newer)
			segment_empty(segment);
	}
	return true;
}

void wal_restart(struct wal *wal)
{
	segments_free(wal);
	segments_make(wal);
}

void wal_clear(struct wal *wal)
{
	wal_restart(wal);
	for (size_t i = 0; i < WAL_SEGMENTS; i++)
		file_write(wal->fd, wal->segments[i].bytes, wal->stained[i],
			   segment_offset(wal, &wal->segments[i]));
}

bool wal_there(const struct wal *wal)
{
	struct stat st;

	return fstat(wal->fd, &st) == 0 && st.st_nlink > 0;
}

uint64_t wal_last(const struct wal *wal)
{
	uint64_t last = 0;

	for (size_t i = 0; i < WAL_SEGMENTS; i++)
		if (wal->segments[i].count && segment_end(&wal->segments[i]) > last)
			last = segment_end(&wal->segments[i]);
	return last;
}

/* ---- Writing ---- */

bool wal_fits(const struct wal *wal, size_t bytes, unsigned count)
{
	return record_size(bytes, count) <= SEGMENT_SIZE - wal->current->used;
}

struct segment *wal_switch(struct wal *wal)
{
	struct segment *full = wal->current;

	wal->current = &wal->segments[full == wal->segments];
	segment_empty(wal->current);
	return full;
}

/* After a write for which there was no room. Is the record gone for good? */
static bool record_erase(const struct wal *wal, off_t at)
{
	static const uint8_t zeros[SEGMENT_PAGE];

	return !file_write(wal->fd, zeros, SEGMENT_PAGE, at) && !fdatasync(wal->fd);
}

enum wal_end wal_write(struct wal *wal, int *error)
{
	struct segment *segment = wal->current;
	off_t at = segment_offset(wal, segment) + (off_t)segment->used;
	uint8_t prior[CHECKSUM_SIZE];
	size_t size;
	bool gone;

	memcpy(prior, wal->prior, CHECKSUM_SIZE);
	size = segment_finish(segment, prior);
	if (wal->stained[segment - wal->segments] < segment->used + size)
		wal->stained[segment - wal->segments] = segment->used + size;
	*error = file_write(wal->fd, segment->bytes + segment->used, size, at);
	gone = (*error == ENOSPC || *error == EDQUOT) && record_erase(wal, at);
	if (!*error && fdatasync(wal->fd) < 0)
		*error = errno;
	if (*error) {
		segment_abort(segment);
		return gone ? WAL_UNDONE : WAL_UNKNOWN;
	}
	segment_keep(segment, size);
	memcpy(wal->prior, prior, CHECKSUM_SIZE);
	return WAL_DONE;
}

/* ---- Reading ---- */

const struct segment *wal_segment(const struct wal *wal, uint64_t seq)
{
	size_t size;

	for (size_t i = 0; i < WAL_SEGMENTS; i++)
		if (segment_row(&wal->segments[i], seq, &size))
			return &wal->segments[i];
	return NULL;
}

const uint8_t *wal_row(const struct wal *wal, uint64_t seq, size_t *size)
{
	const struct segment *segment = wal_segment(wal, seq);

	return segment ? segment_row(segment, seq, size) : NULL;
}

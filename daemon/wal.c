#include "wal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "row.h"

#define MAGIC_SIZE 8
#define SUMMED (WAL_HEADER - CHECKSUM_SIZE)
#define ROW_MIN 64			/* bytes: no row is smaller */
#define SEGMENT_ROWS (WAL_SEGMENT / (WAL_ROW_HEADER + ROW_MIN))

static const uint8_t magic[MAGIC_SIZE] = { 0xf5, 'w', 'a', 'l', '\r', '\n', 0x1a, 1 };

/* A record's header. */
struct header {
	uint64_t first;
	uint32_t count, len;
	uint8_t prior[CHECKSUM_SIZE];
};

/* ---- Headers ---- */

static void header_format(const struct header *header, uint8_t *ret)
{
	memcpy(ret, magic, MAGIC_SIZE);
	put_be64(ret + 8, header->first);
	put_be32(ret + 16, header->count);
	put_be32(ret + 20, header->len);
	memcpy(ret + 24, header->prior, CHECKSUM_SIZE);
	put_be64(ret + SUMMED, checksum(0, ret, SUMMED));
}

static bool header_parse(const uint8_t *bytes, struct header *ret)
{
	if (memcmp(bytes, magic, MAGIC_SIZE) || get_be64(bytes + SUMMED) != checksum(0, bytes, SUMMED))
		return false;
	ret->first = get_be64(bytes + 8);
	ret->count = get_be32(bytes + 16);
	ret->len = get_be32(bytes + 20);
	memcpy(ret->prior, bytes + 24, CHECKSUM_SIZE);
	return true;
}

static size_t pages(size_t bytes)
{
	return (bytes + WAL_PAGE - 1) & ~(WAL_PAGE - 1);
}

/* ---- Opening ---- */

static int write_all(int fd, const uint8_t *bytes, size_t len, off_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, bytes, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;
		bytes += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_all(int fd, uint8_t *bytes, size_t len, off_t at)
{
	while (len) {
		ssize_t n = pread(fd, bytes, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (!n)
			break;
		bytes += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static off_t segment_offset(const struct wal *wal, const struct segment *segment)
{
	return (segment - wal->segments) * (off_t)WAL_SEGMENT;
}

static void segments_make(struct wal *wal)
{
	for (size_t i = 0; i < WAL_SEGMENTS; i++) {
		wal->segments[i] = (struct segment){
			.bytes = calloc(1, WAL_SEGMENT),
			.rows = malloc(SEGMENT_ROWS * sizeof(*wal->segments[i].rows)),
		};
		if (!wal->segments[i].bytes || !wal->segments[i].rows)
			abort();
	}
	wal->current = wal->segments;
}

static void segments_free(struct wal *wal)
{
	for (size_t i = 0; i < WAL_SEGMENTS; i++) {
		free(wal->segments[i].bytes);
		free(wal->segments[i].rows);
	}
}

static int segments_read(struct wal *wal)
{
	int error = 0;

	for (size_t i = 0; !error && i < WAL_SEGMENTS; i++)
		error = read_all(wal->fd, wal->segments[i].bytes, WAL_SEGMENT,
				 segment_offset(wal, &wal->segments[i]));
	return error;
}

/*
 * A file that is new, cut short, or has holes, as a copy may, is written once from its beginning to its end: then a
 * commit's sync has no blocks to make room for, and nothing but the bytes to wait for.
 */
static int file_fill(struct wal *wal, int dir)
{
	const off_t whole = WAL_SEGMENTS * (off_t)WAL_SEGMENT;
	struct stat st;
	int error = fstat(wal->fd, &st) ? errno : 0;

	if (error || (st.st_size >= whole && st.st_blocks * 512 >= whole))
		return error;
	for (size_t i = 0; !error && i < WAL_SEGMENTS; i++)
		error = write_all(wal->fd, wal->segments[i].bytes, WAL_SEGMENT,
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
		       ? openat(dir, WAL_FILE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)
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
		error = segments_read(wal);
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

/* The checksum of a row that is there. */
static const uint8_t *row_sum(const struct segment *segment, uint64_t seq)
{
	size_t size;
	const uint8_t *row = segment_row(segment, seq, &size);

	return row + size - CHECKSUM_SIZE;
}

static void row_note(struct segment *segment, size_t at)
{
	segment->rows[segment->count++] = (uint32_t)at;
}

/* Takes the rows of a record whose header is good. false: they are not. */
static bool rows_take(struct segment *segment, size_t at, const struct header *header)
{
	size_t end = at + header->len;
	struct row row;

	for (uint32_t i = 0; i < header->count; i++) {
		size_t size = end - at < WAL_ROW_HEADER ? 0 : get_be32(segment->bytes + at);

		if (size < ROW_MIN || size > end - at - WAL_ROW_HEADER ||
		    row_parse(header->first + i, segment->bytes + at + WAL_ROW_HEADER, size, &row))
			return false;
		row_note(segment, at);
		at += WAL_ROW_HEADER + size;
	}
	return at == end;
}

/* Takes the record at the segment's used bytes, if it is whole and goes on from what was taken. */
static bool record_take(struct segment *segment)
{
	size_t at = segment->used;
	unsigned count = segment->count;
	struct header header;

	if (WAL_SEGMENT - at < WAL_PAGE || !header_parse(segment->bytes + at, &header) ||
	    header.len > WAL_SEGMENT - at - WAL_HEADER || !header.count)
		return false;
	if (!count)
		segment->first = header.first;
	if (header.first != segment->first + count)
		return false;
	if (count && memcmp(header.prior, row_sum(segment, header.first - 1), CHECKSUM_SIZE))
		return false;
	if (!rows_take(segment, at + WAL_HEADER, &header)) {
		segment->count = count;
		return false;
	}
	segment->used = at + pages(WAL_HEADER + header.len);
	return true;
}

static uint64_t segment_end(const struct segment *segment)
{
	return segment->first + segment->count;
}

/* Does the segment go on from row `next`? */
static bool follows(const struct segment *segment, uint64_t next, const uint8_t prior[CHECKSUM_SIZE])
{
	struct header header;

	if (!segment->count || next < segment->first || next >= segment_end(segment))
		return false;
	if (next == segment->first)
		return header_parse(segment->bytes, &header) &&
		       !memcmp(header.prior, prior, CHECKSUM_SIZE);
	return !memcmp(row_sum(segment, next - 1), prior, CHECKSUM_SIZE);
}

/* Rows from `next` on that were not taken: behind a damaged record, or of another ledger. */
static bool goes_beyond(const struct segment *segment, uint64_t next)
{
	struct header header;

	if (segment->count && segment_end(segment) > next)
		return true;
	for (size_t at = 0; at < WAL_SEGMENT; at += WAL_PAGE)
		if (header_parse(segment->bytes + at, &header) && header.first > next)
			return true;
	return false;
}

/* The row after the last that the segments in turn go on to; what they do not go on with is forgotten. */
static uint64_t segments_follow(struct wal *wal, uint64_t next)
{
	for (size_t turn = 0; turn < WAL_SEGMENTS; turn++)
		for (size_t i = 0; i < WAL_SEGMENTS; i++) {
			struct segment *segment = &wal->segments[i];

			if (!follows(segment, next, wal->prior))
				continue;
			next = segment_end(segment);
			memcpy(wal->prior, row_sum(segment, next - 1), CHECKSUM_SIZE);
		}
	return next;
}

bool wal_recover(struct wal *wal, uint64_t next, const uint8_t prior[CHECKSUM_SIZE])
{
	const uint64_t begin = next;

	memcpy(wal->prior, prior, CHECKSUM_SIZE);
	for (size_t i = 0; i < WAL_SEGMENTS; i++) {
		wal->segments[i].used = 0;
		wal->segments[i].count = 0;
		while (record_take(&wal->segments[i]))
			;
	}
	next = segments_follow(wal, next);
	for (size_t i = 0; i < WAL_SEGMENTS; i++) {
		if (goes_beyond(&wal->segments[i], next))
			return false;
		if (segment_end(&wal->segments[i]) <= begin)
			wal->segments[i].count = 0;
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
		write_all(wal->fd, wal->segments[i].bytes, WAL_SEGMENT,
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

size_t wal_record_size(size_t bytes, unsigned count)
{
	return pages(WAL_HEADER + bytes + count * WAL_ROW_HEADER);
}

bool wal_fits(const struct wal *wal, size_t bytes, unsigned count)
{
	return wal_record_size(bytes, count) <= WAL_SEGMENT - wal->current->used;
}

struct segment *wal_switch(struct wal *wal)
{
	struct segment *full = wal->current;

	wal->current = &wal->segments[full == wal->segments];
	wal->current->used = 0;
	wal->current->count = 0;
	return full;
}

void wal_begin(struct wal *wal)
{
	wal->record = 0;
	wal->record_rows = 0;
}

uint8_t *wal_put(struct wal *wal, uint64_t seq, size_t size)
{
	struct segment *segment = wal->current;
	size_t at = segment->used + WAL_HEADER + wal->record;

	if (!segment->count)
		segment->first = seq;
	row_note(segment, at);
	put_be32(segment->bytes + at, (uint32_t)size);
	wal->record += WAL_ROW_HEADER + size;
	wal->record_rows++;
	return segment->bytes + at + WAL_ROW_HEADER;
}

void wal_abort(struct wal *wal)
{
	wal->current->count -= wal->record_rows;
	wal->record_rows = 0;
}

/* The open record as it goes to the file. Returns its size. */
static size_t record_finish(struct wal *wal)
{
	struct segment *segment = wal->current;
	uint8_t *bytes = segment->bytes + segment->used;
	size_t len = WAL_HEADER + wal->record, whole = pages(len);
	struct header header = { .first = segment_end(segment) - wal->record_rows,
				 .count = wal->record_rows, .len = (uint32_t)wal->record };

	memcpy(header.prior, wal->prior, CHECKSUM_SIZE);
	header_format(&header, bytes);
	memset(bytes + len, 0, whole - len);
	memcpy(wal->prior, bytes + len - CHECKSUM_SIZE, CHECKSUM_SIZE);
	return whole;
}

/* After a write for which there was no room. Is the record gone for good? */
static bool record_erase(const struct wal *wal, off_t at)
{
	static const uint8_t zeros[WAL_PAGE];

	return !write_all(wal->fd, zeros, WAL_PAGE, at) && !fdatasync(wal->fd);
}

enum wal_end wal_write(struct wal *wal, int *error)
{
	struct segment *segment = wal->current;
	off_t at = segment_offset(wal, segment) + (off_t)segment->used;
	uint8_t prior[CHECKSUM_SIZE];
	size_t size;
	bool gone;

	memcpy(prior, wal->prior, CHECKSUM_SIZE);
	size = record_finish(wal);
	*error = write_all(wal->fd, segment->bytes + segment->used, size, at);
	gone = (*error == ENOSPC || *error == EDQUOT) && record_erase(wal, at);
	if (!*error && fdatasync(wal->fd) < 0)
		*error = errno;
	if (*error) {
		memcpy(wal->prior, prior, CHECKSUM_SIZE);
		wal_abort(wal);
		return gone ? WAL_UNDONE : WAL_UNKNOWN;
	}
	segment->used += size;
	wal->record_rows = 0;
	return WAL_DONE;
}

/* ---- Reading ---- */

const uint8_t *segment_row(const struct segment *segment, uint64_t seq, size_t *size)
{
	const uint8_t *at = segment->bytes;

	*size = 0;
	if (seq < segment->first || seq >= segment_end(segment))
		return NULL;
	at += segment->rows[seq - segment->first];
	*size = get_be32(at);
	return at + WAL_ROW_HEADER;
}

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

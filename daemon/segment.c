#include "segment.h"

#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "row.h"

#define MAGIC_SIZE 8
#define SUMMED (RECORD_HEADER - CHECKSUM_SIZE)
#define ROWS_MAX (SEGMENT_SIZE / (RECORD_ROW + ROW_MIN))

static const uint8_t magic[MAGIC_SIZE] = { 0xf5, 'w', 'a', 'l', '\r', '\n', 0x1a, 1 };

struct header {
	uint64_t first;
	uint32_t count, len;
	uint8_t prior[CHECKSUM_SIZE];
};

void segment_make(struct segment *segment)
{
	*segment = (struct segment){ .bytes = calloc(1, SEGMENT_SIZE),
				     .rows = malloc(ROWS_MAX * sizeof(*segment->rows)) };
	if (!segment->bytes || !segment->rows)
		abort();
}

void segment_free(struct segment *segment)
{
	free(segment->bytes);
	free(segment->rows);
	*segment = (struct segment){ .bytes = NULL };
}

void segment_empty(struct segment *segment)
{
	segment->used = 0;
	segment->count = 0;
}

uint64_t segment_end(const struct segment *segment)
{
	return segment->first + segment->count;
}

const uint8_t *segment_row(const struct segment *segment, uint64_t seq, size_t *size)
{
	const uint8_t *at = segment->bytes;

	*size = 0;
	if (seq < segment->first || seq >= segment_end(segment))
		return NULL;
	at += segment->rows[seq - segment->first];
	*size = get_be32(at);
	return at + RECORD_ROW;
}

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

/* ---- Headers ---- */

static size_t pages(size_t bytes)
{
	return (bytes + SEGMENT_PAGE - 1) & ~(SEGMENT_PAGE - 1);
}

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
	if (memcmp(bytes, magic, MAGIC_SIZE) ||
	    get_be64(bytes + SUMMED) != checksum(0, bytes, SUMMED))
		return false;
	ret->first = get_be64(bytes + 8);
	ret->count = get_be32(bytes + 16);
	ret->len = get_be32(bytes + 20);
	memcpy(ret->prior, bytes + 24, CHECKSUM_SIZE);
	return true;
}

/* ---- Writing ---- */

size_t record_size(size_t bytes, unsigned count)
{
	return pages(RECORD_HEADER + bytes + count * RECORD_ROW);
}

uint8_t *segment_put(struct segment *segment, uint64_t seq, size_t size)
{
	size_t at = segment->used + RECORD_HEADER + segment->record;

	if (!segment->count)
		segment->first = seq;
	row_note(segment, at);
	put_be32(segment->bytes + at, (uint32_t)size);
	segment->record += RECORD_ROW + size;
	segment->record_rows++;
	return segment->bytes + at + RECORD_ROW;
}

void segment_abort(struct segment *segment)
{
	segment->count -= segment->record_rows;
	segment->record = 0;
	segment->record_rows = 0;
}

size_t segment_finish(struct segment *segment, uint8_t prior[CHECKSUM_SIZE])
{
	uint8_t *bytes = segment->bytes + segment->used;
	size_t len = RECORD_HEADER + segment->record, whole = pages(len);
	struct header header = { .first = segment_end(segment) - segment->record_rows,
				 .count = segment->record_rows, .len = (uint32_t)segment->record };

	memcpy(header.prior, prior, CHECKSUM_SIZE);
	header_format(&header, bytes);
	for (size_t at = len; at < whole; at++)
		bytes[at] = bytes[at - CHECKSUM_SIZE];
	memcpy(prior, bytes + len - CHECKSUM_SIZE, CHECKSUM_SIZE);
	return whole;
}

void segment_keep(struct segment *segment, size_t size)
{
	segment->used += size;
	segment->record = 0;
	segment->record_rows = 0;
}

/* ---- Recovering ---- */

/* The row whose length stands at `at`, in a record that ends at `end`; its size, or 0. */
static size_t row_at(const uint8_t *bytes, size_t at, size_t end, uint64_t seq)
{
	size_t size = end - at < RECORD_ROW ? 0 : get_be32(bytes + at);
	struct row row;

	if (size < ROW_MIN || size > end - at - RECORD_ROW ||
	    row_parse(seq, bytes + at + RECORD_ROW, size, &row))
		return 0;
	return size;
}

/* Takes the rows of a record whose header is good. true: all of
 * them; otherwise *bad is where the first bad one stands. */
static bool rows_take(struct segment *segment, const struct header *header, size_t *bad)
{
	size_t at = segment->used + RECORD_HEADER, end = at + header->len;

	for (uint32_t i = 0; i < header->count; i++) {
		size_t size = row_at(segment->bytes, at, end, header->first + i);

		*bad = at;
		if (!size)
			return false;
		row_note(segment, at);
		at += RECORD_ROW + size;
	}
	return at == end;
}

/* The header of a record that would go on from those that were taken. */
static bool header_next(const struct segment *segment, struct header *ret)
{
	const uint8_t *bytes = segment->bytes + segment->used;

	if (segment->used == SEGMENT_SIZE || !header_parse(bytes, ret) || !ret->count ||
	    ret->len > SEGMENT_SIZE - segment->used - RECORD_HEADER)
		return false;
	return !segment->count ||
	       (ret->first == segment_end(segment) &&
		!memcmp(ret->prior, row_sum(segment, ret->first - 1), CHECKSUM_SIZE));
}

static bool record_take(struct segment *segment)
{
	unsigned count = segment->count;
	struct header header;
	size_t bad;

	if (!header_next(segment, &header))
		return false;
	if (!count)
		segment->first = header.first;
	if (!rows_take(segment, &header, &bad)) {
		segment->count = count;
		return false;
	}
	segment->used += pages(RECORD_HEADER + header.len);
	return true;
}

void segment_take(struct segment *segment)
{
	segment_empty(segment);
	while (record_take(segment))
		;
}

bool segment_follows(const struct segment *segment, uint64_t next,
		     const uint8_t prior[CHECKSUM_SIZE])
{
	struct header header;

	if (!segment->count || next < segment->first || next >= segment_end(segment))
		return false;
	if (next > segment->first)
		return !memcmp(row_sum(segment, next - 1), prior, CHECKSUM_SIZE);
	return header_parse(segment->bytes, &header) && !memcmp(header.prior, prior, CHECKSUM_SIZE);
}

/* ---- Damage ---- */

static void flip(uint8_t *bytes, size_t bit)
{
	bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

/* Would the header at the end of what was taken be good for row `next`, but for one bit? */
static bool header_flipped(struct segment *segment, uint64_t next)
{
	uint8_t *bytes = segment->bytes + segment->used;
	struct header header;
	bool flipped = false;

	for (size_t bit = 0; !flipped && bit < 8 * RECORD_HEADER; bit++) {
		flip(bytes, bit);
		flipped = header_parse(bytes, &header) && header.first == next;
		flip(bytes, bit);
	}
	return flipped;
}

/* Are all rows of a record whose header is good, and is it filled up to its page's end? */
static bool record_whole(struct segment *segment, const struct header *header)
{
	size_t at = segment->used + RECORD_HEADER + header->len, end = pages(at), bad;
	unsigned count = segment->count;
	bool whole = rows_take(segment, header, &bad);

	segment->count = count;
	for (; whole && at < end; at++)
		whole = segment->bytes[at] == segment->bytes[at - CHECKSUM_SIZE];
	return whole;
}

/*
 * Would the record be whole, but for one bit of row `seq` or of its length, which stands at `at`?
 * That the row is good again is not enough: of the sectors that a torn record lacks, one may hold
 * no more of that row than one byte.
 */
static bool row_flipped(struct segment *segment, const struct header *header, size_t at,
			uint64_t seq)
{
	size_t end = segment->used + RECORD_HEADER + header->len, bits = 8 * RECORD_ROW, size;
	bool flipped = false;

	if (end - at < RECORD_ROW)
		return false;
	size = get_be32(segment->bytes + at);
	if (size >= ROW_MIN && size <= ROW_MAX && size <= end - at - RECORD_ROW)
		bits += 8 * size;
	for (size_t bit = 0; !flipped && bit < bits; bit++) {
		flip(segment->bytes + at, bit);
		flipped = row_at(segment->bytes, at, end, seq) && record_whole(segment, header);
		flip(segment->bytes + at, bit);
	}
	return flipped;
}

/* The record at the end of what was taken, if it is one
 * that begins with row `next`: was it whole once? */
static bool record_flipped(struct segment *segment, uint64_t next)
{
	unsigned count = segment->count;
	struct header header;
	uint64_t seq;
	size_t bad = 0;

	if (segment->used == SEGMENT_SIZE)
		return false;
	if (!header_next(segment, &header))
		return header_flipped(segment, next);
	if (header.first != next)
		return false;
	rows_take(segment, &header, &bad);
	seq = next + segment->count - count;
	segment->count = count;
	return row_flipped(segment, &header, bad, seq);
}

bool segment_strays(struct segment *segment, uint64_t next)
{
	struct header header;

	if (segment->count && segment_end(segment) > next)
		return true;
	for (size_t at = 0; at < SEGMENT_SIZE; at += SEGMENT_PAGE)
		if (header_parse(segment->bytes + at, &header) && header.first > next)
			return true;
	return record_flipped(segment, next);
}

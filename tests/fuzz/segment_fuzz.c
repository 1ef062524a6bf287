/*
 * A segment of the write-ahead log as a crash or a disk may leave it. The input is a script that
 * writes records, so that checksums fit where they should: a byte each for what is done, the next
 * number, how many rows and how long they are; then single bytes of the segment are changed.
 * Whatever is taken are whole rows, in order.
 */
#include "daemon/segment.h"
#include "common/bytes.h"
#include "common/merkle.h"
#include "daemon/row.h"
#include "fuzz.h"

struct input {
	const uint8_t *at, *end;
};

static uint8_t next_byte(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

static void row_write(struct segment *segment, uint64_t seq, uint8_t size, bool good)
{
	static uint8_t bytes[MERKLE_LEVELS * 32];
	struct buf out = BUF_INIT;
	struct row row = { .leaf = { bytes, 20 + size }, .hashes = { bytes, merkle_completed(seq) * 32 },
			   .memo = { bytes, size } };
	size_t len;

	row_begin(seq, &row, &out);
	len = row_size(out.len, 0);
	buf_room(&out, len - out.len);
	row_finish(good ? seq : seq + 1, (uint8_t *)out.data, len, NULL, 0);
	memcpy(segment_put(segment, seq, len), out.data, len);
	buf_release(&out);
}

/* A record; of some the rows are not their number's,
 * or the record does not follow what is before it. */
static void record_write(struct segment *segment, struct input *input, uint8_t what, uint64_t *next,
			 uint8_t prior[CHECKSUM_SIZE])
{
	unsigned rows = 1 + next_byte(input) % 5;
	size_t size;

	if (what & 2)
		*next = next_byte(input);
	if (SEGMENT_SIZE - segment->used < record_size((size_t)rows * 1024, rows))
		return;
	if (segment->count)
		segment->first = *next - segment->count;	/* as of one that goes on,
								 * whether it does or not */
	for (unsigned i = 0; i < rows; i++, ++*next)
		row_write(segment, *next, next_byte(input), !(what & 4));
	if (what & 8)
		memset(prior, next_byte(input), CHECKSUM_SIZE);
	size = segment_finish(segment, prior);
	segment_keep(segment, size);
}

static void check(const struct segment *segment)
{
	struct row row;
	size_t size;

	MUST(segment->used <= SEGMENT_SIZE && segment->used % SEGMENT_PAGE == 0);
	for (uint64_t seq = segment->first; segment->count && seq < segment_end(segment); seq++) {
		const uint8_t *bytes = segment_row(segment, seq, &size);

		MUST(bytes >= segment->bytes && bytes + size <= segment->bytes + segment->used);
		MUST(!row_parse(seq, bytes, size, &row));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct segment segment;
	struct input input = { data, data + size };
	uint8_t prior[CHECKSUM_SIZE] = { 0 };
	uint64_t next = next_byte(&input);
	size_t used;

	if (!size)
		segment_free(&segment);
	if (!segment.bytes)
		segment_make(&segment);
	segment_empty(&segment);
	for (uint8_t what; (what = next_byte(&input)) & 1;)
		record_write(&segment, &input, what, &next, prior);
	used = segment.used;
	while (input.at < input.end && used) {
		size_t at = ((size_t)next_byte(&input) << 8 | next_byte(&input)) % used;

		segment.bytes[at] ^= next_byte(&input);
	}
	row_write(&segment, next, 0, true);
	segment_abort(&segment);
	segment_take(&segment);
	check(&segment);
	MUST(!segment_row(&segment, segment_end(&segment), &size));
	segment_follows(&segment, next_byte(&input), prior);
	segment_follows(&segment, segment.first + 1, prior);
	if (segment_strays(&segment, segment_end(&segment)))
		MUST(used > segment.used);
	MUST(!segment.count || segment_strays(&segment, segment.first));
	segment_strays(&segment, segment_end(&segment) + 1);
	memset(segment.bytes, 0, used + 2 * SEGMENT_PAGE);
	return 0;
}

#include "row.h"

#include <string.h>

#include "common/bytes.h"
#include "common/merkle.h"

#define ROW_START (1 + 1 + 2)			/* in front of the leaf */
#define ROW_END (1 + CHECKSUM_SIZE)		/* behind the heads */
#define DISTANCE_MAX 10				/* bytes */

static size_t distance_put(uint64_t distance, uint8_t ret[DISTANCE_MAX])
{
	size_t len = 0;

	for (; distance >= 0x80; distance >>= 7)
		ret[len++] = (uint8_t)(distance | 0x80);
	ret[len++] = (uint8_t)distance;
	return len;
}

void row_begin(uint64_t seq, const struct row *row, struct buf *out)
{
	uint8_t start[ROW_START] = { ROW_VERSION, (uint8_t)row->previous_count };

	put_be16(start + 2, (uint16_t)row->leaf.len);
	buf_add(out, start, sizeof(start));
	buf_add(out, row->leaf.bytes, row->leaf.len);
	buf_add(out, row->hashes.bytes, row->hashes.len);
	for (unsigned i = 0; i < row->previous_count; i++) {
		uint64_t previous = row->previous[i];
		uint8_t distance[DISTANCE_MAX];

		buf_add(out, distance,
			distance_put(previous == ROW_NO_PREVIOUS ? 0 : seq - previous, distance));
	}
	buf_add(out, row->memo.bytes, row->memo.len);
}

size_t row_size(size_t begun, unsigned heads)
{
	return begun + heads * ROW_HEAD_SIZE + ROW_END;
}

void row_finish(uint64_t seq, uint8_t *bytes, size_t size, const uint8_t *heads, unsigned count)
{
	size_t len = count * ROW_HEAD_SIZE;
	uint8_t *end = bytes + size - ROW_END;

	if (len)
		memcpy(end - len, heads, len);
	*end++ = (uint8_t)count;
	put_be64(end, checksum(seq, bytes, (size_t)(end - bytes)));
}

/* ---- Taking apart: what is left lies between the two ends ---- */

struct rest {
	const uint8_t *p, *end;
};

static bool part_take(struct rest *rest, size_t len, struct part *ret)
{
	if ((size_t)(rest->end - rest->p) < len)
		return false;
	*ret = (struct part){ rest->p, len };
	rest->p += len;
	return true;
}

static bool part_take_last(struct rest *rest, size_t len, struct part *ret)
{
	if ((size_t)(rest->end - rest->p) < len)
		return false;
	rest->end -= len;
	*ret = (struct part){ rest->end, len };
	return true;
}

/* In its one form: no longer than it needs to be. */
static bool distance_take(struct rest *rest, uint64_t *ret)
{
	uint64_t distance = 0;

	for (unsigned shift = 0; shift < 64 && rest->p < rest->end; shift += 7) {
		uint8_t byte = *rest->p++;

		distance |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		*ret = distance;
		return (byte || !shift) && distance >> shift == byte;
	}
	return false;
}

static bool previous_take(struct rest *rest, uint64_t seq, unsigned count, struct row *ret)
{
	uint64_t distance;

	if (count > ROW_TOUCHED_MAX)
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!distance_take(rest, &distance) || distance > seq)
			return false;
		ret->previous[i] = distance ? seq - distance : ROW_NO_PREVIOUS;
	}
	ret->previous_count = count;
	return true;
}

const char *row_take(uint64_t seq, const void *bytes, size_t len, struct row *ret)
{
	struct rest rest = { bytes, (const uint8_t *)bytes + len };
	struct part start, end;

	if (!part_take(&rest, ROW_START, &start) || !part_take_last(&rest, ROW_END, &end))
		return "the row is cut short";
	if (start.bytes[0] != ROW_VERSION)
		return "the row is of a version that this program does not know";
	if (!part_take(&rest, get_be16(start.bytes + 2), &ret->leaf))
		return "the row's leaf is longer than the row";
	if (!part_take(&rest, merkle_completed(seq) * HASH_SIZE, &ret->hashes))
		return "the row does not hold the hashes its number calls for";
	if (end.bytes[0] > ROW_HEADS_MAX ||
	    !part_take_last(&rest, end.bytes[0] * ROW_HEAD_SIZE, &ret->heads))
		return "the row's signatures are malformed";
	if (!previous_take(&rest, seq, start.bytes[1], ret))
		return "the row's back pointers are malformed";
	ret->memo = (struct part){ rest.p, (size_t)(rest.end - rest.p) };
	return NULL;
}

const char *row_parse(uint64_t seq, const void *bytes, size_t len, struct row *ret)
{
	size_t summed = len - CHECKSUM_SIZE;

	if (len < ROW_START + ROW_END)
		return "the row is cut short";
	if (get_be64((const uint8_t *)bytes + summed) != checksum(seq, bytes, summed))
		return "the row's checksum does not fit its bytes";
	return row_take(seq, bytes, len, ret);
}

#include "row.h"

#include <string.h>

#include "common/bytes.h"
#include "common/merkle.h"

static void checksum(uint64_t seq, const uint8_t *bytes, size_t len, uint8_t ret[ROW_CHECKSUM])
{
	uint8_t key[8], digest[HASH_SIZE];

	put_be64(key, seq);
	sha256((struct iovec[]){ PART(key, sizeof(key)), PART(bytes, len) }, 2, digest);
	memcpy(ret, digest, ROW_CHECKSUM);
}

static void part_add(struct buf *out, const struct part *part)
{
	uint8_t len[2];

	put_be16(len, (uint16_t)part->len);
	buf_add(out, len, sizeof(len));
	buf_add(out, part->bytes, part->len);
}

void row_begin(struct buf *out, const struct row *row)
{
	buf_char(out, ROW_VERSION);
	part_add(out, &row->leaf);
	part_add(out, &row->hashes);
	part_add(out, &row->previous);
	part_add(out, &row->memo);
}

size_t row_size(size_t begun, unsigned heads)
{
	return begun + 2 + heads * ROW_HEAD_SIZE + ROW_CHECKSUM;
}

void row_finish(uint64_t seq, uint8_t *bytes, size_t size, const uint8_t *heads, unsigned count)
{
	size_t len = count * ROW_HEAD_SIZE;
	uint8_t *end = bytes + size - ROW_CHECKSUM;

	put_be16(end - len - 2, (uint16_t)len);
	if (len)
		memcpy(end - len, heads, len);
	checksum(seq, bytes, (size_t)(end - bytes), end);
}

static bool part_take(const uint8_t **p, const uint8_t *end, struct part *ret)
{
	if (end - *p < 2)
		return false;
	ret->len = get_be16(*p);
	ret->bytes = *p + 2;
	if ((size_t)(end - ret->bytes) < ret->len)
		return false;
	*p = ret->bytes + ret->len;
	return true;
}

static bool parts_take(const uint8_t *p, const uint8_t *end, struct row *row)
{
	return part_take(&p, end, &row->leaf) && part_take(&p, end, &row->hashes) &&
	       part_take(&p, end, &row->previous) && part_take(&p, end, &row->memo) &&
	       part_take(&p, end, &row->heads) && p == end;
}

const char *row_take(uint64_t seq, const void *bytes, size_t len, struct row *ret)
{
	const uint8_t *p = bytes, *end = p + len - ROW_CHECKSUM;

	if (len < 1 + 5 * 2 + ROW_CHECKSUM)
		return "the row is cut short";
	if (*p != ROW_VERSION)
		return "the row is of a version that this program does not know";
	if (!parts_take(p + 1, end, ret))
		return "the row's parts do not fill it";
	if (ret->hashes.len != merkle_completed(seq) * HASH_SIZE)
		return "the row does not hold the hashes its number calls for";
	if (ret->previous.len % 8 || ret->previous.len > ROW_TOUCHED_MAX * 8)
		return "the row's back pointers are malformed";
	if (ret->heads.len % ROW_HEAD_SIZE || ret->heads.len > ROW_HEADS_MAX * ROW_HEAD_SIZE)
		return "the row's signatures are malformed";
	return NULL;
}

const char *row_parse(uint64_t seq, const void *bytes, size_t len, struct row *ret)
{
	uint8_t sum[ROW_CHECKSUM];

	if (len < 1 + 5 * 2 + ROW_CHECKSUM)
		return "the row is cut short";
	checksum(seq, bytes, len - ROW_CHECKSUM, sum);
	if (memcmp(sum, (const uint8_t *)bytes + len - ROW_CHECKSUM, sizeof(sum)))
		return "the row's checksum does not fit its bytes";
	return row_take(seq, bytes, len, ret);
}

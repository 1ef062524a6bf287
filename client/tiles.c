#include "tiles.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/bytes.h"
#include "common/merkle.h"
#include "files.h"

void tile_node(const uint8_t (*hashes)[HASH_SIZE], unsigned count, uint8_t ret[HASH_SIZE])
{
	uint8_t level[TILE_WIDTH][HASH_SIZE];

	memcpy(level, hashes, (size_t)count * HASH_SIZE);
	for (; count > 1; count /= 2)
		for (unsigned i = 0; i < count / 2; i++)
			merkle_node(level[2 * i], level[2 * i + 1], level[i]);
	memcpy(ret, level[0], HASH_SIZE);
}

static bool level_add(struct tiler *tiler, unsigned level, const uint8_t hash[HASH_SIZE])
{
	uint8_t above[HASH_SIZE];

	memcpy(tiler->level[level].hash[tiler->level[level].count++], hash, HASH_SIZE);
	if (tiler->level[level].count < TILE_WIDTH)
		return true;
	if (!tiler->handler(tiler->context, level, tiler->level[level].full, TILE_WIDTH,
			    tiler->level[level].hash))
		return false;
	tile_node(tiler->level[level].hash, TILE_WIDTH, above);
	tiler->level[level].full++;
	tiler->level[level].count = 0;
	return level + 1 == TILE_LEVELS || level_add(tiler, level + 1, above);
}

bool tiler_leaf(struct tiler *tiler, const uint8_t hash[HASH_SIZE])
{
	return level_add(tiler, 0, hash);
}

bool tiler_end(struct tiler *tiler)
{
	for (unsigned i = 0; i < TILE_LEVELS; i++)
		if (tiler->level[i].count &&
		    !tiler->handler(tiler->context, i, tiler->level[i].full, tiler->level[i].count,
				    tiler->level[i].hash))
			return false;
	return true;
}

void tiler_root(const struct tiler *tiler, uint8_t ret[HASH_SIZE])
{
	bool any = false;

	sha256(NULL, 0, ret);
	for (unsigned i = 0; i < TILE_LEVELS; i++) {
		unsigned rest = tiler->level[i].count;

		for (; rest; rest &= rest - 1) {
			unsigned width = rest & -rest;
			uint8_t node[HASH_SIZE];

			tile_node(tiler->level[i].hash + (rest - width), width, node);
			if (any)
				merkle_node(node, ret, ret);
			else
				memcpy(ret, node, HASH_SIZE);
			any = true;
		}
	}
}

void tile_path(struct buf *out, int level, uint64_t number, unsigned width)
{
	uint64_t unit = 1;

	if (level == TILE_ENTRIES)
		buf_str(out, "tile/entries");
	else
		buf_printf(out, "tile/%d", level);
	while (number / unit >= 1000)
		unit *= 1000;
	for (; unit; unit /= 1000)
		buf_printf(out, unit > 1 ? "/x%03u" : "/%03u", (unsigned)(number / unit % 1000));
	if (width < TILE_WIDTH)
		buf_printf(out, ".p/%u", width);
}

bool tile_read(int dir, int level, uint64_t number, unsigned width, struct buf *ret,
	       unsigned *ret_width)
{
	struct buf path = BUF_INIT;
	bool read;

	tile_path(&path, level, number, width);
	read = file_take(dir, path.data, TILE_BYTES_MAX, ret);
	*ret_width = width;
	if (!read && errno == ENOENT && width < TILE_WIDTH) {
		buf_clear(&path);
		tile_path(&path, level, number, TILE_WIDTH);
		read = file_take(dir, path.data, TILE_BYTES_MAX, ret);
		*ret_width = TILE_WIDTH;
	}
	buf_release(&path);
	return read;
}

bool tile_leaf(const struct buf *tile, size_t *at, const char **leaf, size_t *len, bool *cut)
{
	*cut = false;
	if (*at == tile->len)
		return false;
	*cut = true;
	if (tile->len - *at < 2)
		return false;
	*len = get_be16((const uint8_t *)tile->data + *at);
	if (tile->len - *at - 2 < *len)
		return false;
	*leaf = tile->data + *at + 2;
	*at += 2 + *len;
	*cut = false;
	return true;
}

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "check.h"
#include "files.h"
#include "progress.h"
#include "tiles.h"

struct tiles_check {
	int dir;
	const char *problem;
	struct buf *bad;
};

/* A tile of hashes, made from the leaves: is it the one in the directory? */
static bool on_tile(void *context, unsigned level, uint64_t number, unsigned width,
		    const uint8_t (*hashes)[HASH_SIZE])
{
	struct tiles_check *check = context;
	struct buf tile = BUF_INIT;
	unsigned found;

	if (!tile_read(check->dir, (int)level, number, width, &tile, &found))
		check->problem = errno == ENOENT ? "it is missing" : "it cannot be read";
	else if (tile.len != found * (size_t)HASH_SIZE)
		check->problem = "it has not as many hashes as its name says";
	else if (memcmp(tile.data, hashes, width * (size_t)HASH_SIZE))
		check->problem = "its hashes are not those of the leaves";
	if (check->problem)
		tile_path(check->bad, (int)level, number, width);
	buf_release(&tile);
	return !check->problem;
}

static const char *leaf_take(struct tiles_check *check, struct tiler *tiler, struct tally *tally,
			     const char *leaf, size_t len)
{
	uint64_t seq = tally->tree.size;
	uint8_t hash[HASH_SIZE];
	const char *problem = tally_leaf(tally, leaf, len, hash);

	if (problem) {
		buf_printf(check->bad, "entry %" PRIu64, seq);
		return problem;
	}
	return tiler_leaf(tiler, hash) ? NULL : check->problem;
}

/* A tile's leaves up to `width` are the ledger's; those behind are a later head's, but there. */
static const char *leaves_take(struct tiles_check *check, struct tiler *tiler, struct tally *tally,
			       const struct buf *tile, unsigned width, unsigned found)
{
	const char *leaf, *problem = NULL;
	size_t at = 0, len;
	bool cut = false;

	for (unsigned i = 0; i < found && !problem; i++) {
		if (!tile_leaf(tile, &at, &leaf, &len, &cut))
			return "it is cut short";
		if (i < width)
			problem = leaf_take(check, tiler, tally, leaf, len);
	}
	return problem || at == tile->len ? problem : "it has more leaves than its name says";
}

static const char *entries_take(struct tiles_check *check, struct tiler *tiler, struct tally *tally,
				uint64_t number, unsigned width)
{
	struct buf tile = BUF_INIT;
	const char *problem;
	unsigned found;

	if (tile_read(check->dir, TILE_ENTRIES, number, width, &tile, &found))
		problem = leaves_take(check, tiler, tally, &tile, width, found);
	else
		problem = errno == ENOENT ? "it is missing" : "it cannot be read";
	if (problem && !check->bad->len)
		tile_path(check->bad, TILE_ENTRIES, number, width);
	buf_release(&tile);
	return problem;
}

static const char *head_take(struct check *check, int dir, struct checkpoint *head)
{
	struct buf text = BUF_INIT;
	const char *problem;

	if (!file_take(dir, "checkpoint", NOTE_MAX, &text))
		return "there is no checkpoint, or none that can be read";
	problem = check_head(check, text.data, text.len, head);
	buf_release(&text);
	return problem;
}

const char *tiles_check(struct check *check, int dir, struct tally *tally, struct checkpoint *head,
			struct buf *bad)
{
	struct tiles_check tiles = { .dir = dir, .bad = bad };
	struct tiler tiler = { .handler = on_tile, .context = &tiles };
	const char *problem = head_take(check, dir, head);
	struct progress progress;
	uint8_t root[HASH_SIZE];

	progress_begin(&progress);
	while (!problem && tally->tree.size < head->size) {
		uint64_t number = tally->tree.size / TILE_WIDTH,
			 rest = head->size - tally->tree.size;

		problem = entries_take(&tiles, &tiler, tally, number,
				       rest < TILE_WIDTH ? (unsigned)rest : TILE_WIDTH);
		progress_show(&progress, tally->tree.size, head->size);
	}
	progress_end(&progress);
	if (!problem && !tiler_end(&tiler))
		problem = tiles.problem;
	if (!problem) {
		tiler_root(&tiler, root);
		if (memcmp(root, head->root, HASH_SIZE))
			problem = "the leaves are not those that its checkpoint signs";
	}
	return problem;
}

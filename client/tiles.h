/*
 * A ledger as a directory of tiles (C2SP tlog-tiles) that any static web server serves:
 * `checkpoint`, tile/L/N[.p/W] of 256 (or W) hashes, and tile/entries/N[.p/W] of leaves, each
 * behind its length in 2 bytes.
 *
 * A tiler takes leaf hashes in order and hands out the hash tiles as they become full; it holds
 * at most one tile a level.
 */
#ifndef CLIENT_TILES_H
#define CLIENT_TILES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/hash.h"

#define TILE_WIDTH 256
#define TILE_LEVELS 8
#define TILE_ENTRIES (-1)		/* the level of the tiles of leaves, for tile_path */
#define TILE_BYTES_MAX ((size_t)TILE_WIDTH * (2 + 65535))

/* Gets each tile: level, number, and `width` hashes. Returns whether to go on. */
typedef bool tile_handler(void *context, unsigned level, uint64_t number, unsigned width,
			  const uint8_t (*hashes)[HASH_SIZE]);

struct tiler {
	tile_handler *handler;
	void *context;
	struct {
		uint64_t full;		/* tiles */
		unsigned count;		/* hashes of the next */
		uint8_t hash[TILE_WIDTH][HASH_SIZE];
	} level[TILE_LEVELS];
};

/* false: the handler said so. */
bool tiler_leaf(struct tiler *tiler, const uint8_t hash[HASH_SIZE]);

/* Hands out what is not full. */
bool tiler_end(struct tiler *tiler);

/* The root of all leaves so far; of none, SHA-256 of nothing. */
void tiler_root(const struct tiler *tiler, uint8_t ret[HASH_SIZE]);

/* The node over `count` hashes, a power of two. */
void tile_node(const uint8_t (*hashes)[HASH_SIZE], unsigned count, uint8_t ret[HASH_SIZE]);

/* Appends tile/LEVEL/N, with .p/WIDTH when it is below TILE_WIDTH. */
void tile_path(struct buf *out, int level, uint64_t number, unsigned width);

/*
 * The bytes of a tile in a directory, appended; the full one stands in for a partial one that is
 * not there, and *ret_width is how many hashes or leaves there should be. false with errno.
 */
bool tile_read(int dir, int level, uint64_t number, unsigned width, struct buf *ret,
	       unsigned *ret_width);

/* The next leaf of an entries tile: false at its end and, with *cut, where it is cut. */
bool tile_leaf(const struct buf *tile, size_t *at, const char **leaf, size_t *len, bool *cut);

#endif

/*
 * A segment of the write-ahead log (wal.h): records, one for each commit, from its beginning on,
 * each from a page's beginning:
 *
 *   8 bytes   magic
 *   8 bytes   sequence number of the first row, big-endian
 *   4 bytes   how many rows, big-endian
 *   4 bytes   bytes of all rows with their lengths, big-endian
 *   8 bytes   the checksum of the row before the first (row.h): the record follows that row and no other's
 *   8 bytes   checksum of all above, with the seed 0
 *   rows      each a 4-byte big-endian length and that many bytes, which end with their checksum
 *   filling   up to the page's end: the last row's checksum, again and again
 *
 * A segment is gone over again when its rows are elsewhere. Numbers only grow, so what is left of
 * earlier use is told from what is new by them. A record that was torn by the end of the power
 * lacks whole sectors of the disk: it was never answered. One that a single flipped bit keeps from
 * being whole, with its filling, was written whole: that is damage, and so is a record with higher
 * numbers behind one that is not whole. The filling is there for that alone: without it, the loss
 * of a sector that holds little of a record may look like a flipped bit.
 */
#ifndef DAEMON_SEGMENT_H
#define DAEMON_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "checksum.h"

#define SEGMENT_SIZE ((size_t)4 << 20)
#define SEGMENT_PAGE ((size_t)4096)
#define RECORD_HEADER ((size_t)40)
#define RECORD_ROW ((size_t)4)		/* a row's length */
#define ROW_MIN 64			/* bytes: no row is smaller */
#define ROW_MAX 16384			/* nor larger */

struct segment {
	uint8_t *bytes;			/* SEGMENT_SIZE; the used ones as they are in the file */
	size_t used;			/* bytes of whole records */
	uint64_t first;			/* row number */
	unsigned count;			/* rows, those of an open record too */
	uint32_t *rows;			/* where each one's length stands in `bytes` */

	size_t record;			/* the open record's bytes of rows */
	unsigned record_rows;
};

/* An empty one, all zeros. Without memory the process ends. */
void segment_make(struct segment *segment);
void segment_free(struct segment *segment);
void segment_empty(struct segment *segment);

/* The number after its last row. */
uint64_t segment_end(const struct segment *segment);

/* A row, or NULL. */
const uint8_t *segment_row(const struct segment *segment, uint64_t seq, size_t *size);

/* ---- Writing ---- */

/* What a record of `count` rows of `bytes` in all takes. */
size_t record_size(size_t bytes, unsigned count);

/* Room for the open record's next row, which is number `seq`. It must fit. */
uint8_t *segment_put(struct segment *segment, uint64_t seq, size_t size);

/* The open record comes to nothing. */
void segment_abort(struct segment *segment);

/* The open record as it goes to the file, from the used bytes
 * on; `prior` becomes its last row's checksum. Its size. */
size_t segment_finish(struct segment *segment, uint8_t prior[CHECKSUM_SIZE]);

/* The open record is in the file. */
void segment_keep(struct segment *segment, size_t size);

/* ---- Recovering ---- */

/* Takes the records that stand in `bytes`. */
void segment_take(struct segment *segment);

/* Does it go on from row `next`, `prior` being the checksum of the row before? */
bool segment_follows(const struct segment *segment, uint64_t next,
		     const uint8_t prior[CHECKSUM_SIZE]);

/* Is there damage, or a row from `next` on that was not reached? */
bool segment_strays(struct segment *segment, uint64_t next);

#endif

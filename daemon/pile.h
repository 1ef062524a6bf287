/*
 * Records of a shelf, collected in memory before they are put.
 */
#ifndef DAEMON_PILE_H
#define DAEMON_PILE_H

#include "shelf.h"

struct pile {
	const struct shelf *shelf;
	uint8_t *records;
	size_t count, room;
	uint32_t *slots;		/* where keys stand that were met, plus one; 0: free */
	size_t slot_count;		/* a power of two */
};

/* Adds a record at the end. */
void pile_add(struct pile *pile, const uint8_t *key, const uint8_t *value);

/* Where few keys come often: into the record of that key, if one was added so before, as the shelf
 * combines them. The keys are nobody's choice from outside, and their length is a multiple of 8. */
void pile_meet(struct pile *pile, const uint8_t *key, const uint8_t *value);

/* Equal keys stay in the order they came in. What is nearly sorted is sorted quickly. */
void pile_sort(struct pile *pile);

void pile_release(struct pile *pile);	/* empty afterwards, and fit for use */

#endif

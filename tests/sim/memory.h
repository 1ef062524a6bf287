/*
 * The daemon's memory, counted: what it has at any time, what it leaves behind when it ends in
 * order (nothing), and all of it taken back when it dies. The simulator's own memory is not in it.
 */
#ifndef TESTS_SIM_MEMORY_H
#define TESTS_SIM_MEMORY_H

#include <stddef.h>

/* Once a process: libevent's and jansson's memory is counted too. */
void memory_start(void);

size_t memory_bytes(void);
size_t memory_blocks(void);

/* The daemon is dead. */
void memory_drop(void);

/* For the simulator. own_room: a list that grows, `size`
 * bytes an element; room for one more than `count`. */
void *own_alloc(size_t size);		/* zeroed */
void *own_room(void *list, size_t count, size_t size);
void *own_resize(void *memory, size_t size);
void own_free(void *memory);

#endif

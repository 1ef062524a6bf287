#include "memory.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct block {
	struct block *next, *prev;
	size_t size;
	size_t unused;		/* what follows is aligned as malloc's is */
};

static struct block all = { &all, &all, 0, 0 };
static size_t bytes, blocks;

void *__real_malloc(size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);
char *__wrap_strdup(const char *text);

static void link_in(struct block *block, size_t size)
{
	block->size = size;
	block->next = &all;
	block->prev = all.prev;
	all.prev->next = block;
	all.prev = block;
	bytes += size;
	blocks++;
}

static void link_out(struct block *block)
{
	block->prev->next = block->next;
	block->next->prev = block->prev;
	bytes -= block->size;
	blocks--;
}

void *__wrap_malloc(size_t size)
{
	struct block *block = __real_malloc(sizeof(*block) + size);

	if (!block)
		abort();
	link_in(block, size);
	return block + 1;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return memset(__wrap_malloc(count * size), 0, count * size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	struct block *block = memory;

	if (!memory)
		return __wrap_malloc(size);
	link_out(--block);
	block = __real_realloc(block, sizeof(*block) + size);
	if (!block)
		abort();
	link_in(block, size);
	return block + 1;
}

void __wrap_free(void *memory)
{
	struct block *block = memory;

	if (!memory)
		return;
	link_out(--block);
	__real_free(block);
}

char *__wrap_strdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(__wrap_malloc(size), text, size);
}

void memory_start(void)
{
	event_set_mem_functions(__wrap_malloc, __wrap_realloc, __wrap_free);
	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
}

size_t memory_bytes(void)
{
	return bytes;
}

size_t memory_blocks(void)
{
	return blocks;
}

void memory_drop(void)
{
	while (all.next != &all) {
		struct block *block = all.next;

		link_out(block);
		__real_free(block);
	}
}

void *own_alloc(size_t size)
{
	void *memory = __real_malloc(size);

	if (!memory)
		abort();
	return memset(memory, 0, size);
}

void own_free(void *memory)
{
	__real_free(memory);
}

void *own_resize(void *memory, size_t size)
{
	memory = __real_realloc(memory, size);
	if (!memory)
		abort();
	return memory;
}

/* The room doubles at each power of two. */
void *own_room(void *list, size_t count, size_t size)
{
	return count & (count - 1) ? list : own_resize(list, (count ? 2 * count : 1) * size);
}

#include "ahead.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "common/merkle.h"

#define CHUNK_ROWS 64
#define CHUNKS 8
#define ROOM_EVERY (CHUNKS / 2)	/* chunks used up: waking a thread for
				 * one costs as much as half of it */
#define PEEK_ROWS 5
#define EXPECT_EVERY 64		/* chunks */
#define WORKERS_MAX 3
#define WORKERS_FROM 4096	/* rows: fewer are read sooner than a thread is started */

struct chunk {
	struct reader reader;		/* its rows' bytes stay where they
					 * are until it is used again */
	unsigned count;
	bool ready;
	struct ahead_row rows[CHUNK_ROWS];
};

struct ahead {
	struct keyring *keyring;
	uint64_t from, until;
	struct chunk *chunks;		/* chunk n of the ledger stands in chunks[n % CHUNKS] */
	unsigned readers;		/* begun, one a chunk */
	pthread_t workers[WORKERS_MAX];
	unsigned worker_count;

	unsigned next;			/* row of the chunk being used */

	pthread_mutex_t mutex;		/* over all that follows, and `ready` */
	pthread_cond_t room, loaded;	/* the workers wait for the one, who asks for the other */
	uint64_t used, claimed, total;	/* chunks */
	bool stopping;
};

/* ---- Reading a chunk ---- */

static void row_load(struct ahead *ahead, struct chunk *chunk, uint64_t seq, struct ahead_row *ret)
{
	ret->words_problem = NULL;
	ret->problem = stored_read(&chunk->reader, seq, &ret->row, &ret->stored);
	if (ret->problem)
		return;
	merkle_leaf(ret->row.leaf.bytes, ret->row.leaf.len, ret->leaf);
	if (ahead->keyring)
		ret->words_problem = stored_open(&ret->row, ahead->keyring, &ret->stored);
}

static void chunk_clear(struct chunk *chunk)
{
	for (unsigned i = 0; i < chunk->count; i++)
		if (!chunk->rows[i].problem)
			stored_release(&chunk->rows[i].stored);
	chunk->count = 0;
}

static void chunk_load(struct ahead *ahead, uint64_t number)
{
	struct chunk *chunk = &ahead->chunks[number % CHUNKS];
	uint64_t seq = ahead->from + number * CHUNK_ROWS;
	bool unread = reader_renew(&chunk->reader);

	for (; chunk->count < CHUNK_ROWS && seq < ahead->until; seq++) {
		struct ahead_row *row = &chunk->rows[chunk->count++];

		if (unread)
			row->problem = "the ledger cannot be read on";
		else
			row_load(ahead, chunk, seq, row);
	}
	if (number % EXPECT_EVERY == 0 && chunk->count && !chunk->rows[0].problem)
		reader_expect(chunk->rows[0].row.leaf.bytes);
}

/* Takes the next chunk and reads it; with the mutex held, which it lets go meanwhile. */
static bool chunk_help(struct ahead *ahead)
{
	uint64_t number = ahead->claimed;

	if (number == ahead->total || number == ahead->used + CHUNKS)
		return false;
	ahead->claimed++;
	pthread_mutex_unlock(&ahead->mutex);
	chunk_load(ahead, number);
	pthread_mutex_lock(&ahead->mutex);
	ahead->chunks[number % CHUNKS].ready = true;
	pthread_cond_signal(&ahead->loaded);
	return true;
}

static void *work(void *context)
{
	struct ahead *ahead = context;

	pthread_mutex_lock(&ahead->mutex);
	while (!ahead->stopping)
		if (!chunk_help(ahead))
			pthread_cond_wait(&ahead->room, &ahead->mutex);
	pthread_mutex_unlock(&ahead->mutex);
	return NULL;
}

/* ---- Asking ---- */

static void workers_start(struct ahead *ahead)
{
	cpu_set_t set;
	int count = 0;

	if (ahead->until - ahead->from >= WORKERS_FROM && !sched_getaffinity(0, sizeof(set), &set))
		count = CPU_COUNT(&set) - 1;
	for (; count > 0 && ahead->worker_count < WORKERS_MAX; count--)
		if (!pthread_create(&ahead->workers[ahead->worker_count], NULL, work, ahead))
			ahead->worker_count++;
}

struct ahead *ahead_new(struct ledger *ledger, struct keyring *keyring, uint64_t from,
			uint64_t until, bool alone)
{
	struct ahead *ahead = calloc(1, sizeof(*ahead));

	if (!ahead || !(ahead->chunks = calloc(CHUNKS, sizeof(*ahead->chunks))))
		abort();
	ahead->keyring = keyring;
	ahead->from = from;
	ahead->until = until;
	ahead->total = (until - from + CHUNK_ROWS - 1) / CHUNK_ROWS;
	pthread_mutex_init(&ahead->mutex, NULL);
	pthread_cond_init(&ahead->room, NULL);
	pthread_cond_init(&ahead->loaded, NULL);
	for (; ahead->readers < CHUNKS; ahead->readers++)
		if (reader_begin(ledger, &ahead->chunks[ahead->readers].reader)) {
			ahead_free(ahead);
			return NULL;
		}
	if (!alone)
		workers_start(ahead);
	return ahead;
}

void ahead_free(struct ahead *ahead)
{
	pthread_mutex_lock(&ahead->mutex);
	ahead->stopping = true;
	pthread_cond_broadcast(&ahead->room);
	pthread_mutex_unlock(&ahead->mutex);
	for (unsigned i = 0; i < ahead->worker_count; i++)
		pthread_join(ahead->workers[i], NULL);
	for (unsigned i = 0; i < ahead->readers; i++) {
		chunk_clear(&ahead->chunks[i]);
		reader_end(&ahead->chunks[i].reader);
	}
	pthread_cond_destroy(&ahead->room);
	pthread_cond_destroy(&ahead->loaded);
	pthread_mutex_destroy(&ahead->mutex);
	free(ahead->chunks);
	free(ahead);
}

/* Gives a chunk back that was used up, and waits for the next, reading along. */
static struct chunk *chunk_next(struct ahead *ahead)
{
	struct chunk *chunk = &ahead->chunks[ahead->used % CHUNKS];

	chunk_clear(chunk);
	pthread_mutex_lock(&ahead->mutex);
	chunk->ready = false;
	if (++ahead->used % ROOM_EVERY == 0)
		pthread_cond_broadcast(&ahead->room);
	pthread_mutex_unlock(&ahead->mutex);
	ahead->next = 0;
	return &ahead->chunks[ahead->used % CHUNKS];
}

static void chunk_wait(struct ahead *ahead, const struct chunk *chunk)
{
	pthread_mutex_lock(&ahead->mutex);
	while (!chunk->ready)
		if (!chunk_help(ahead))
			pthread_cond_wait(&ahead->loaded, &ahead->mutex);
	pthread_mutex_unlock(&ahead->mutex);
}

const struct ahead_row *ahead_next(struct ahead *ahead)
{
	struct chunk *chunk = &ahead->chunks[ahead->used % CHUNKS];

	if (ahead->used == ahead->total)
		return NULL;
	if (ahead->next == CHUNK_ROWS) {
		chunk = chunk_next(ahead);
		if (ahead->used == ahead->total)
			return NULL;
	}
	if (!ahead->next)
		chunk_wait(ahead, chunk);
	return ahead->next < chunk->count ? &chunk->rows[ahead->next++] : NULL;
}

const struct ahead_row *ahead_peek(const struct ahead *ahead)
{
	const struct chunk *chunk = &ahead->chunks[ahead->used % CHUNKS];
	unsigned next = ahead->next + PEEK_ROWS;

	return next < chunk->count && !chunk->rows[next].problem ? &chunk->rows[next] : NULL;
}

#include "settle.h"

#include "common/log.h"
#include "thread.h"
#include "wal.h"

static const char *outlook(int error, bool broken)
{
	if (broken)
		return "fundd leaves, and the next start moves them";
	return store_passes(error)
		       ? "it is tried again each second"
		       : "fundd goes on until that is full, and then leaves. The next start moves them: "
			 "look after the disk, and start it again";
}

static void tell(struct settler *settler, int error, bool broken)
{
	if (error && error != settler->told)
		log_error("entries cannot be moved from %s to %s: %s. They are safe where they "
			  "are; %s",
			  WAL_FILE, LEDGER_FILE, store_error(error), outlook(error, broken));
	settler->told = error;
}

/* With the mutex held, which it lets go meanwhile. */
static void segment_settle(struct settler *settler)
{
	const struct segment *segment = settler->segment;
	uint64_t settled = settler->settled;
	bool broken;
	int error;

	settler->fill = false;
	pthread_mutex_unlock(&settler->mutex);
	store_fill(settler->store);
	error = segment ? store_append(settler->store, segment, &settled) : 0;
	broken = error && !store_readable(settler->store);
	if (segment)
		tell(settler, error, broken);
	pthread_mutex_lock(&settler->mutex);
	if (segment)
		settler->error = error;
	settler->broken |= broken;
	settler->settled = settled;
	if (segment && !error)
		settler->segment = NULL;
	pthread_cond_broadcast(&settler->changed);
}

static void *run(void *context)
{
	struct settler *settler = context;

	pthread_mutex_lock(&settler->mutex);
	while (!settler->stopping || (settler->segment && !settler->error)) {
		if ((settler->segment && !settler->error) || settler->fill)
			segment_settle(settler);
		else
			pthread_cond_wait(&settler->changed, &settler->mutex);
	}
	pthread_mutex_unlock(&settler->mutex);
	return NULL;
}

int settle_start(struct settler *settler, struct store *store)
{
	*settler = (struct settler){ .store = store, .settled = store->size };
	pthread_mutex_init(&settler->mutex, NULL);
	pthread_cond_init(&settler->changed, NULL);
	return thread_start(&settler->thread, run, settler);
}

void settle_stop(struct settler *settler)
{
	pthread_mutex_lock(&settler->mutex);
	settler->stopping = true;
	pthread_cond_broadcast(&settler->changed);
	pthread_mutex_unlock(&settler->mutex);
	pthread_join(settler->thread, NULL);
	pthread_cond_destroy(&settler->changed);
	pthread_mutex_destroy(&settler->mutex);
}

void settle_give(struct settler *settler, const struct segment *segment)
{
	pthread_mutex_lock(&settler->mutex);
	settler->segment = segment;
	pthread_cond_broadcast(&settler->changed);
	pthread_mutex_unlock(&settler->mutex);
}

int settle_wait(struct settler *settler)
{
	int error;

	pthread_mutex_lock(&settler->mutex);
	while (settler->segment && !settler->error)
		pthread_cond_wait(&settler->changed, &settler->mutex);
	error = settler->segment ? settler->error : 0;
	pthread_mutex_unlock(&settler->mutex);
	return error;
}

void settle_again(struct settler *settler)
{
	pthread_mutex_lock(&settler->mutex);
	if (store_passes(settler->error))
		settler->error = 0;
	settler->fill = true;
	pthread_cond_broadcast(&settler->changed);
	pthread_mutex_unlock(&settler->mutex);
}

struct settling settle_look(struct settler *settler)
{
	struct settling now;

	pthread_mutex_lock(&settler->mutex);
	now = (struct settling){ .idle = !settler->segment, .broken = settler->broken,
				 .settled = settler->settled };
	pthread_mutex_unlock(&settler->mutex);
	return now;
}

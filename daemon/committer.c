#include "committer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WORTH_MIN 96

struct committer {
	struct batch *batch;
	struct ledger *ledger;
	pthread_t thread;
	int fd;

	pthread_mutex_t mutex;		/* over what follows */
	pthread_cond_t changed;
	bool sent, stop;
	enum room room;
};

/* False when it is to stop. */
static bool flight_wait(struct committer *committer)
{
	bool stop;

	pthread_mutex_lock(&committer->mutex);
	while (!committer->sent && !committer->stop)
		pthread_cond_wait(&committer->changed, &committer->mutex);
	stop = committer->stop;
	pthread_mutex_unlock(&committer->mutex);
	return !stop;
}

static void flight_over(struct committer *committer, enum room room)
{
	static const uint64_t one = 1;

	pthread_mutex_lock(&committer->mutex);
	committer->sent = false;
	committer->room = room;
	if (write(committer->fd, &one, sizeof(one)) != sizeof(one))
		abort();
	pthread_mutex_unlock(&committer->mutex);
	pthread_cond_signal(&committer->changed);
}

static void *work(void *context)
{
	struct committer *committer = context;

	while (flight_wait(committer)) {
		enum room room = ledger_room(committer->ledger);

		batch_fly(committer->batch);
		flight_over(committer, room);
	}
	return NULL;
}

/* Signals are the loop's. */
static bool thread_start(struct committer *committer)
{
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&committer->thread, NULL, work, committer) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

struct committer *committer_start(struct batch *batch, struct ledger *ledger)
{
	struct committer *committer = calloc(1, sizeof(*committer));

	if (!committer)
		return NULL;
	committer->batch = batch;
	committer->ledger = ledger;
	committer->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&committer->mutex, NULL);
	pthread_cond_init(&committer->changed, NULL);
	if (committer->fd >= 0 && thread_start(committer))
		return committer;
	if (committer->fd >= 0)
		close(committer->fd);
	free(committer);
	return NULL;
}

void committer_stop(struct committer *committer)
{
	if (!committer)
		return;
	pthread_mutex_lock(&committer->mutex);
	committer->stop = true;
	pthread_mutex_unlock(&committer->mutex);
	pthread_cond_signal(&committer->changed);
	pthread_join(committer->thread, NULL);
	pthread_cond_destroy(&committer->changed);
	pthread_mutex_destroy(&committer->mutex);
	close(committer->fd);
	free(committer);
}

int committer_fd(const struct committer *committer)
{
	return committer->fd;
}

bool committer_worth(unsigned entries)
{
	return entries >= WORTH_MIN;
}

void committer_send(struct committer *committer)
{
	batch_depart(committer->batch);
	pthread_mutex_lock(&committer->mutex);
	committer->sent = true;
	pthread_mutex_unlock(&committer->mutex);
	pthread_cond_signal(&committer->changed);
}

enum room committer_take(struct committer *committer)
{
	uint64_t over;
	enum room room;

	pthread_mutex_lock(&committer->mutex);
	while (committer->sent)
		pthread_cond_wait(&committer->changed, &committer->mutex);
	room = committer->room;
	if (read(committer->fd, &over, sizeof(over)) != sizeof(over))
		abort();
	pthread_mutex_unlock(&committer->mutex);
	return room;
}

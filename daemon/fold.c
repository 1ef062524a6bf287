#include "fold.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/period.h"
#include "thread.h"

#define CATCH_UP_ENTRIES ((uint64_t)1 << 18)	/* in one commit, when the daemon waits for it */
#define CATCH_UP_MIN ((uint64_t)1 << 17)	/* fewer are replayed sooner than folded */
#define WAIT_NS 10000000
#define RETRY_SECONDS 30

/* ---- Opening ---- */

static const char *index_take(struct fold *fold, const char *dir, const uint8_t secret[16])
{
	int error = index_open(&fold->index, dir, secret);
	const char *problem;

	if (error)
		return ledger_error(error);
	problem = folder_open(&fold->folder, fold->ledger, &fold->index);
	if (problem)
		index_close(&fold->index, false);
	return problem;
}

static void tell_rate(uint64_t entries, int64_t ms)
{
	if (entries >= CATCH_UP_MIN)
		log_notice("%llu entries folded into the index in %.1f s, %.0f a second",
			   (unsigned long long)entries, (double)ms / 1000,
			   (double)entries * 1000 / (double)(ms ? ms : 1));
}

/* In this thread, with all processors' help, words opened. */
static const char *catch_up(struct fold *fold, struct keyring *keyring)
{
	struct merkle *tree = &fold->folder.replay.tree;
	uint64_t from = tree->size;
	int64_t began = clock_us(CLOCK_MONOTONIC);
	const char *problem = NULL;
	int error = 0;

	fold->folder.replay.keyring = keyring;
	while (!problem && fold->ledger->size - tree->size >= CATCH_UP_MIN)
		problem = folder_until(&fold->folder, tree->size + CATCH_UP_ENTRIES,
				       &fold->folder.customers.recent, &error);
	fold->folder.replay.keyring = NULL;
	tell_rate(tree->size - from, (clock_us(CLOCK_MONOTONIC) - began) / 1000);
	if (error) {
		log_warning("%s: %s; what is missing is kept in memory", problem,
			    ledger_error(error));
		problem = folder_again(&fold->folder);
	}
	return problem;
}

const char *fold_open(struct fold *fold, const char *dir, struct ledger *ledger,
		      struct keyring *keyring, const uint8_t secret[16])
{
	const char *problem;

	*fold = (struct fold){ .ledger = ledger };
	problem = index_take(fold, dir, secret);
	if (problem) {
		log_notice("the index cannot be used (%s): it is made again from the ledger",
			   problem);
		index_remove(dir);
		problem = index_take(fold, dir, secret);
	}
	if (problem) {
		log_warning("there is no index: %s; everything is kept in memory", problem);
		return NULL;
	}
	fold->open = true;
	pthread_mutex_init(&fold->mutex, NULL);
	pthread_cond_init(&fold->changed, NULL);
	return catch_up(fold, keyring);
}

const char *fold_load(struct fold *fold, struct books *books, struct merkle *tree)
{
	return fold->open ? index_load(&fold->index, books, tree) : NULL;
}

void fold_close(struct fold *fold)
{
	bool good;

	if (!fold->open)
		return;
	if (fold->running) {
		pthread_mutex_lock(&fold->mutex);
		fold->stopping = true;
		pthread_cond_broadcast(&fold->changed);
		pthread_mutex_unlock(&fold->mutex);
		pthread_join(fold->thread, NULL);
	}
	view_close(&fold->daemon_view);
	good = !fold_damaged(fold) && !fold->folder.view.damaged;
	folder_close(&fold->folder);
	pthread_cond_destroy(&fold->changed);
	pthread_mutex_destroy(&fold->mutex);
	index_close(&fold->index, good);
	fold->open = false;
}

/* ---- The thread ---- */

static bool fold_wanted(struct fold *fold, uint64_t size, const struct map *customers)
{
	int error;
	const char *problem = folder_until(&fold->folder, size, customers, &error);

	if (!problem)
		return true;
	log_error("entries up to %llu could not be folded into the index: %s%s%s",
		  (unsigned long long)size, problem, error ? ": " : "",
		  error ? ledger_error(error) : "");
	fold->damaged |= error == SHELF_DAMAGED || folder_again(&fold->folder);
	return false;
}

static void *run(void *context)
{
	struct fold *fold = context;

	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 });
	setpriority(PRIO_PROCESS, 0, 10);
	pthread_mutex_lock(&fold->mutex);
	while (!fold->stopping) {
		uint64_t size = fold->wanted;
		bool done;

		if (size == fold->folded || fold->failed) {
			pthread_cond_wait(&fold->changed, &fold->mutex);
			continue;
		}
		pthread_mutex_unlock(&fold->mutex);
		done = fold_wanted(fold, size, fold->frozen);
		pthread_mutex_lock(&fold->mutex);
		if (done)
			fold->folded = size;
		fold->failed = !done;
		pthread_cond_broadcast(&fold->changed);
	}
	pthread_mutex_unlock(&fold->mutex);
	return NULL;
}

/* ---- The daemon's side ---- */

static int64_t daemon_request(void *context, int64_t uid, const uint8_t id[16])
{
	return view_request(context, uid, id);
}

static int64_t daemon_refunded(void *context, int64_t seq)
{
	return view_refunded(context, seq);
}

static int64_t daemon_customer(void *context, const uint8_t hash[CUSTOMER_HASH])
{
	return view_customer(context, hash);
}

static const struct books_past daemon_past = { daemon_request, daemon_refunded };

void fold_connect(struct fold *fold, struct books *books, struct customers *customers)
{
	if (!fold->open)
		return;
	if (view_open(&fold->daemon_view, &fold->index))
		fold->daemon_view.damaged = true;
	fold->daemon_customers = customers;
	books->past = &daemon_past;
	customers->folded = daemon_customer;
	books->past_context = customers->context = &fold->daemon_view;
}

void fold_start(struct fold *fold, struct books *books)
{
	if (!fold->open)
		return;
	fold->wanted = fold->folded = fold->frozen_to = fold->folder.replay.tree.size;
	fold->folder.replay.flags |= REPLAY_ALONE;
	fold->books = books;
	fold->last_time = clock_us(CLOCK_MONOTONIC) / 1000000;
	fold->running = !thread_start(&fold->thread, run, fold);
	if (!fold->running)
		log_warning("cannot start the thread that folds; what is new stays in memory");
}

/* What is not folded yet may be before `until`, too: the
 * index is asked only when something behind it is folded. */
uint64_t fold_last(struct fold *fold, uint32_t place, int64_t until, uint64_t last)
{
	struct calendar calendar;

	if (!fold->open || until > view_time(&fold->daemon_view))
		return last;
	calendar_at(until - 1, &calendar);
	return calendar.month[0] ? view_last(&fold->daemon_view, index_month(calendar.month), place)
				 : last;
}

void fold_totals(struct fold *fold, uint32_t month, const uint32_t *places, size_t count,
		 view_each *each, void *context, uint64_t *ret_folded)
{
	static const uint32_t all = INDEX_ALL;

	*ret_folded = 0;
	if (fold->open)
		view_totals(&fold->daemon_view, month, places ? places : &all, places ? count : 1,
			    each, context, ret_folded);
}

bool fold_damaged(const struct fold *fold)
{
	return fold->open && (fold->daemon_view.damaged || fold->damaged);
}

uint64_t fold_folded(struct fold *fold)
{
	uint64_t folded;

	if (!fold->open)
		return 0;
	pthread_mutex_lock(&fold->mutex);
	folded = fold->folded;
	pthread_mutex_unlock(&fold->mutex);
	return folded;
}

/* What is asked for is done: then the index has it, and the memory is free. */
static bool fold_end(struct fold *fold)
{
	if (fold->folded != fold->frozen_to)
		return false;
	if (fold->frozen) {
		view_refresh(&fold->daemon_view);
		books_forget(fold->books);
		customers_forget(fold->daemon_customers);
		fold->frozen = NULL;
	}
	return true;
}

static void fold_begin(struct fold *fold, int64_t now)
{
	books_freeze(fold->books);
	customers_freeze(fold->daemon_customers);
	fold->frozen = &fold->daemon_customers->frozen;
	fold->frozen_to = fold->ledger->size;
	fold->last_time = now;
}

/* The thread reads settled rows alone. */
static void fold_allow(struct fold *fold)
{
	if (fold->wanted == fold->frozen_to || ledger_settled(fold->ledger) < fold->frozen_to)
		return;
	fold->wanted = fold->frozen_to;
	pthread_cond_broadcast(&fold->changed);
}

static void wait_a_little(struct fold *fold)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += WAIT_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&fold->changed, &fold->mutex, &until);
}

static bool fold_due(struct fold *fold, uint64_t behind, int64_t now)
{
	if (fold->seen != fold->ledger->size) {
		fold->seen = fold->ledger->size;
		fold->seen_time = now;
	}
	return behind >= FOLD_ENTRIES ||
	       (behind && (now >= fold->seen_time + FOLD_QUIET_SECONDS ||
			   now >= fold->last_time + FOLD_SECONDS));
}

void fold_turn(struct fold *fold)
{
	int64_t now = clock_us(CLOCK_MONOTONIC) / 1000000;
	uint64_t behind;
	bool due;

	if (!fold->open || !fold->running)
		return;
	pthread_mutex_lock(&fold->mutex);
	behind = fold->ledger->size - fold->folded;
	due = fold_due(fold, behind, now);
	if (behind > FOLD_BEHIND_MAX && !fold->failed)
		wait_a_little(fold);
	if (fold->failed && now >= fold->last_time + RETRY_SECONDS) {
		fold->failed = false;	/* once more */
		fold->last_time = now;
		pthread_cond_broadcast(&fold->changed);
	}
	if (fold_end(fold) && due)
		fold_begin(fold, now);
	fold_allow(fold);
	pthread_mutex_unlock(&fold->mutex);
}

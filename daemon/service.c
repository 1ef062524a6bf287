#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "replay.h"
#include "seeds.h"
#include "verify.h"

/* ---- A turn ---- */

/* Each entry takes a key as well as its row. */
static enum room room(struct service *service)
{
	enum room rows = ledger_room(&service->ledger), keys = ROOM_PLENTY;
	uint64_t left = keyring_left(&service->keyring);

	if (left < KEYRING_AHEAD)
		keys = left >= KEYRING_AHEAD / 8 ? ROOM_RESERVE : ROOM_NONE;
	return rows > keys ? rows : keys;
}

void service_turn(struct service *service)
{
	int64_t before = service->now;

	service->now = clock_us(CLOCK_REALTIME);
	if (!service->calendar.day[0] || before / 1000000 != service->now / 1000000)
		calendar_at(service->now, &service->calendar);
	if (!batch_open(&service->batch))
		fold_turn(&service->fold);
	wallclock_look(&service->clock, service->now);
	service->room = room(service);
}

int64_t service_uptime(const struct service *service)
{
	return (clock_us(CLOCK_BOOTTIME) - service->up_since) / 1000000;
}

const char *service_problem(const struct service *service, bool reserve)
{
	if (service->clock.problem && !reserve)
		return service->clock.problem;
	if (service->room == ROOM_GONE)
		return "the ledger's file was removed beneath fundd, so nothing is recorded; before "
		       "stopping fundd, copy it back from /proc/PID/fd";
	if (service->room == ROOM_UNKNOWN)
		return "entries cannot be moved to ledger.mdb, fundd's log says why, and there is little room: "
		       "reading goes on; recording when that is mended, and fundd started again";
	if (service->room == ROOM_NONE)
		return "the disk or the ledger's map is full: reading goes on, recording when there is "
		       "room again";
	if (service->room == ROOM_RESERVE && !reserve)
		return "the disk or the ledger's map is nearly full: money moves when there is room "
		       "again";
	return NULL;
}

void service_second(struct service *service)
{
	wallclock_tell(&service->clock);
	wallclock_hear(&service->clock, service->dir);
	ledger_second(&service->ledger);
	if (!batch_open(&service->batch))
		signers_expire(service->dir, &service->books, &service->signers);
}

/* ---- Opening ---- */

static bool dir_lock(struct service *service)
{
	const char *dir = service->config.dir;

	service->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (service->dir < 0) {
		log_error("cannot open %s: %s; fundd --init makes a new ledger", dir, strerror(errno));
		return false;
	}
	if (flock(service->dir, LOCK_EX | LOCK_NB) == 0)
		return true;
	log_error(errno == EWOULDBLOCK ? "another fundd is running on %s" : "cannot lock %s", dir);
	return false;
}

static bool zone_take(const char *zone)
{
	if (zone_use(zone))
		return true;
	log_error("this machine's tzdata has no zone %s, which the ledger is kept in", zone);
	return false;
}

static void tell_recovery(const struct ledger *ledger)
{
	if (ledger->log_missing)
		log_warning("%s was missing or cut short, so it was made anew; if fundd did not end in "
			    "order, the last second's entries may be missing", WAL_FILE);
	if (ledger->recovered)
		log_notice("%llu entries were in %s alone, and are in %s now",
			   (unsigned long long)ledger->recovered, WAL_FILE, LEDGER_FILE);
}

/* Keys made anew behind a keyring that is too short would make what is
 * missing look as if it had been erased. */
static bool keyring_whole(const struct keyring *keyring, uint64_t size)
{
	if (keyring->slots >= size)
		return true;
	log_error("the keyring `%s` has keys for %llu entries, and the ledger has %llu: restore a "
		  "newer copy of it. If there is none, the words of the others are lost; to count "
		  "them as erased: truncate -s %llu %s", KEYRING_FILE,
		  (unsigned long long)keyring->slots, (unsigned long long)size,
		  (unsigned long long)(KEYRING_HEADER + size * KEYRING_SLOT), KEYRING_FILE);
	return false;
}

static bool ledger_take(struct service *service)
{
	struct reader reader;
	struct stored genesis;
	struct row row;
	const char *problem = "it cannot be read";
	int error = ledger_open(&service->ledger, service->config.dir, service->config.map_size,
				false);

	if (error) {
		log_error("cannot open the ledger in %s: %s", service->config.dir,
			  ledger_error(error));
		return false;
	}
	tell_recovery(&service->ledger);
	if (!reader_begin(&service->ledger, &reader)) {
		problem = stored_read(&reader, 0, &row, &genesis);
		reader_end(&reader);
	}
	if (problem) {
		log_error("the ledger in %s has no genesis: %s", service->config.dir, problem);
		return false;
	}
	problem = keyring_open(&service->keyring, service->dir, genesis.entry.origin, true);
	if (problem)
		log_error("%s", problem);
	return !problem && keyring_whole(&service->keyring, service->ledger.size) &&
	       zone_take(genesis.entry.zone);
}

/* While LMDB is not in use yet. */
static void index_ready(const char *dir)
{
	const char *problem = index_check(dir);

	if (!problem)
		return;
	log_notice("the index cannot be used: %s. It is made again from the ledger", problem);
	index_remove(dir);
}

static bool ledger_bad(uint64_t entry, const char *problem)
{
	log_error("entry %llu of the ledger is bad: %s. Nothing is served from it; if fundd --verify "
		  "says the same, restore a backup", (unsigned long long)entry, problem);
	return false;
}

/* The customers' hashes are the same in every run, and nobody's without the keyring. */
static bool fold_ready(struct service *service)
{
	static const char purpose[] = "fundd index v1";
	const char *problem;

	customers_init(&service->customers);
	problem = keyring_tag(&service->keyring, purpose, sizeof(purpose) - 1,
			      service->customers.key);
	if (problem) {
		log_error("%s", problem);
		return false;
	}
	problem = fold_open(&service->fold, service->config.dir, &service->ledger,
			    &service->keyring, service->customers.key);
	return !problem || ledger_bad(service->fold.folder.replay.bad, problem);
}

static void customer_note(void *context, const struct stored *stored)
{
	struct service *service = context;
	uint8_t customer[CUSTOMER_HASH];

	if (!stored->memo.customer)
		return;
	customers_hash(&service->customers, stored->memo.customer, customer);
	customers_set(&service->customers, customer, stored->entry.seq);
}

/* What is folded, and the rest replayed: the books, tree and head become the service's. */
static bool store_replay(struct service *service)
{
	struct replay replay;
	const char *problem;

	replay_init(&replay);
	replay.forgive_words = true;
	replay.keyring = &service->keyring;
	replay.each = customer_note;
	replay.context = service;
	problem = fold_load(&service->fold, &replay.books, &replay.tree);
	fold_connect(&service->fold, &replay.books, &service->customers);
	if (!problem)
		problem = replay_ledger(&replay, &service->ledger);
	service->books = replay.books;
	if (problem) {
		buf_release(&replay.checkpoint);
		return ledger_bad(replay.bad, problem);
	}
	if (replay.closed_words)
		log_warning("the words of %llu entries do not open: the keyring is damaged",
			    (unsigned long long)replay.closed_words);
	batch_init(&service->batch, &service->ledger, &service->keyring, &service->books,
		   &service->customers, &service->signers, &replay.tree, &replay.checkpoint);
	keyring_seek(&service->keyring, service->ledger.size);
	buf_release(&replay.checkpoint);
	return true;
}

enum commit service_commit(struct service *service, const char **problem)
{
	enum commit done = batch_commit(&service->batch, problem);

	if (done == COMMIT_DONE)
		guard_write(&service->guard, &service->batch.checkpoint);
	return done;
}

/* A start that cannot be put on record, for want of room, serves what can be read. */
static bool boot_post(struct service *service)
{
	struct memo no_words = { 0 };
	struct refusal refusal;
	struct entry entry;
	const char *problem;

	entry_clear(&entry);
	entry.kind = KIND_BOOT;
	memcpy(entry.kind_name, "boot", sizeof("boot"));
	entry.uid = service->uid;
	if (batch_add(&service->batch, &entry, &no_words, service->now, &refusal))
		return true;
	if (service_commit(service, &problem) != COMMIT_UNKNOWN)
		return true;
	log_error("cannot record the start: %s", problem);
	return false;
}

/* The start may be read-only: then there is no room for a boot entry, and none is written. */
static bool boot(struct service *service)
{
	wallclock_tell(&service->clock);
	if (service->room >= ROOM_NONE) {
		log_warning("%s", service_problem(service, true));
		return true;
	}
	return boot_post(service);
}

/* What fundd itself saw of the ledger must be in it, */
static bool ending_agrees(const struct service *service, struct reader *reader)
{
	const struct ended *ended = &service->ended;
	const char *problem = ended->known ? prove_extends(reader, &ended->head) : NULL;

	if (problem)
		log_error("the ledger in %s is not the one that fundd left when it last ended "
			  "well: that head, of %llu entries, %s. Restore the newest ledger; if it "
			  "is lost for good, understand first what was in it (receipts and "
			  "witnesses know), then remove the file `%s` and start again",
			  service->config.dir, (unsigned long long)ended->head.size, problem,
			  ENDING_LAST_FILE);
	return !problem;
}

/* and what outsiders saw. */
static bool outside_agrees(struct service *service)
{
	struct reader reader;
	bool agrees;

	witnesses_configure(&service->witnesses, &service->config);
	if (reader_begin(&service->ledger, &reader)) {
		log_error("the ledger cannot be read");
		return false;
	}
	agrees = ending_agrees(service, &reader) &&
		 guard_open(&service->guard, service->config.guard, &reader, &service->books) &&
		 witnesses_load(&service->witnesses, service->dir, &reader, service->books.origin);
	reader_end(&reader);
	return agrees;
}

void service_reload(struct service *service, const struct config *fresh)
{
	struct config *config = &service->config;

	memcpy(config->grants, fresh->grants, sizeof(fresh->grants));
	config->grant_count = fresh->grant_count;
	memcpy(config->witnesses, fresh->witnesses, sizeof(fresh->witnesses));
	config->witness_count = fresh->witness_count;
	config->found = fresh->found;
	witnesses_configure(&service->witnesses, config);
}

/* After a crash some of what was answered is in the log alone. A copy of the ledger
 * that was restored has no `last`. */
static bool log_lost(const struct service *service)
{
	bool lost = service->ended.known && !ledger_log_whole(service->dir);

	if (lost)
		log_error("%s in %s is missing or cut short, and fundd did not end well: the last "
			  "second's entries were in it alone. Restore it; if it is lost for good, "
			  "remove the file `%s` and start again, without these entries: who holds "
			  "receipts for them will notice", WAL_FILE, service->config.dir,
			  ENDING_LAST_FILE);
	return lost;
}

/* A damaged page may kill who reads it: after an unclean end another process does so first. */
static bool store_sound(struct service *service)
{
	ending_take(service->dir, &service->ended);
	if (service->ended.clean)
		return true;
	log_notice("the last run did not end well: checking the ledger first");
	return !log_lost(service) && verify_apart(service->config.dir);
}

int service_load(struct service *service, const struct config *config)
{
	*service = (struct service){ .config = *config, .uid = geteuid(), .dir = -1,
				     .guard.fd = -1 };
	if (!dir_lock(service))
		return EXIT_FAILED;
	index_ready(service->config.dir);
	if (!store_sound(service))
		return EXIT_UNVERIFIED;
	if (!ledger_take(service) || !fold_ready(service) || !store_replay(service) ||
	    !outside_agrees(service) ||
	    !signers_load(service->dir, &service->books, &service->signers))
		return EXIT_FAILED;
	seeds_settle(service->dir, &service->books);
	wallclock_begin(&service->clock, service->books.totals.last_at);
	service->up_since = service->clock.boot;
	return EXIT_OK;
}

int service_start(struct service *service)
{
	int error = ledger_start(&service->ledger);

	if (error) {
		log_error("cannot start the thread that moves entries to %s: %s", LEDGER_FILE, strerror(error));
		return EXIT_FAILED;
	}
	fold_start(&service->fold, &service->books);
	service_turn(service);
	return EXIT_OK;
}

int service_boot(struct service *service)
{
	int status = service_start(service);

	if (!status && !boot(service))
		status = EXIT_FAILED;
	if (!status)
		signers_expire(service->dir, &service->books, &service->signers);
	return status;
}

void service_close(struct service *service)
{
	struct buf head = BUF_INIT;
	int error;

	buf_add(&head, service->batch.checkpoint.data, service->batch.checkpoint.len);
	fold_close(&service->fold);
	batch_release(&service->batch);
	buf_release(&service->reply);
	exchanges_release(&service->exchanges);
	books_release(&service->books);
	customers_release(&service->customers);
	keyring_close(&service->keyring);
	signers_close(&service->signers);
	witnesses_release(&service->witnesses);
	guard_close(&service->guard);
	error = ledger_close(&service->ledger);
	if (error)
		log_error("the last entries stay in %s for now: %s. The next start moves them to %s",
			  WAL_FILE, ledger_error(error), LEDGER_FILE);
	if (service->dir >= 0 && !error)
		ending_note(service->dir, &head);
	if (service->dir >= 0)
		close(service->dir);
	buf_release(&head);
}

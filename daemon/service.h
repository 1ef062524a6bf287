/*
 * The fund as one running whole: the ledger with everything derived from it, the roles, and what
 * this turn of the loop knows about time and room. What the methods work on.
 */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include "batch.h"
#include "config.h"
#include "ending.h"
#include "exchange.h"
#include "fold.h"
#include "guard.h"
#include "plan.h"
#include "prove.h"
#include "wallclock.h"
#include "witnesses.h"

struct service {
	struct config config;
	int64_t uid;			/* the daemon's own */
	int dir;			/* the ledger's directory, locked */
	struct ledger ledger;
	struct keyring keyring;
	struct books books;
	struct customers customers;
	struct fold fold;
	struct signers signers;
	struct batch batch;
	struct witnesses witnesses;
	struct nodes nodes;
	struct guard guard;
	struct ended ended;		/* how the last run ended */

	struct buf reply;		/* of the call under way, kept for its memory */
	struct exchanges exchanges;	/* spare ones of the connections */

	/* this turn */
	unsigned job_rows;		/* replies that a stream gives at a
					 * time; 0: what its output takes */
	int64_t now;			/* microseconds since 1970 UTC */
	struct calendar calendar;
	enum room room;
	struct wallclock clock;

	int64_t up_since;		/* microseconds of the boot clock */
	unsigned connections;
};

/*
 * Opens the ledger in config->dir: lock, seed, keyring, replay, and a boot entry; after an unclean
 * end, first a check in a process of its own. In steps: service_load() records nothing, leaves the
 * ledger as it is, and leaves no thread running, so that a sandbox entered then holds them all.
 * service_start() starts them; so does service_boot(), which records the boot. EXIT_OK, or how the
 * program ends, after logging what is wrong and what to do.
 */
int service_load(struct service *service, const struct config *config);
int service_start(struct service *service);
int service_boot(struct service *service);

void service_close(struct service *service);

/* The roles and the witnesses of a config that was read again. */
void service_reload(struct service *service, const struct config *fresh);

/* Commits the open batch (batch_commit), and notes its head in the guard. */
enum commit service_commit(struct service *service, const char **problem);

/* Looks at the clock, the calendar and the room: at the beginning of each turn. */
void service_turn(struct service *service);

/* Since the start, in seconds, by the clock that cannot jump. */
int64_t service_uptime(const struct service *service);

/* NULL when money may move, or with `reserve` at least
 * an audit or a close be written; otherwise why not. */
const char *service_problem(const struct service *service, bool reserve);

/* What is looked at each second: whether the operator said with `fundd --accept-clock` that the
 * clock is right, and whether the old signing key is needed on. */
void service_second(struct service *service);

#endif

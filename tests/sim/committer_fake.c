/*
 * daemon/committer.h without its thread: a flight is made when the script's turns have gone on for a while, or when
 * it is waited for, whichever comes first.
 */
#include "daemon/committer.h"

#include <stdlib.h>

#include "disk.h"
#include "world.h"

#define WORTH_MIN 3		/* a few entries are enough here, so that commits often take place beside the loop */

struct committer {
	struct batch *batch;
	struct ledger *ledger;
	enum room room;
};

static struct {
	struct committer *committer;	/* that has something in flight */
	unsigned turns, left;		/* that a flight takes, and that this one takes still */
	bool over;
} flight;

void flight_takes(unsigned turns)
{
	flight.turns = turns;
}

void flight_daemon_gone(void)
{
	flight.committer = NULL;
	flight.over = false;
}

static void fly(void)
{
	if (flight.over)
		return;
	flight.committer->room = ledger_room(flight.committer->ledger);
	batch_fly(flight.committer->batch);
	flight.over = true;
}

bool flight_goes_on(void)
{
	if (flight.committer && !flight.over && !flight.left--)
		fly();
	return flight.over;
}

struct committer *committer_start(struct batch *batch, struct ledger *ledger)
{
	struct committer *committer = calloc(1, sizeof(*committer));

	*committer = (struct committer){ batch, ledger, ROOM_PLENTY };
	return committer;
}

void committer_stop(struct committer *committer)
{
	free(committer);
}

int committer_fd(const struct committer *committer)
{
	(void)committer;
	return WORLD_LANDING;
}

bool committer_worth(unsigned entries)
{
	return entries >= WORTH_MIN;
}

void committer_send(struct committer *committer)
{
	batch_depart(committer->batch);
	flight.committer = committer;
	flight.left = flight.turns;
}

enum room committer_take(struct committer *committer)
{
	fly();
	flight_daemon_gone();
	return committer->room;
}

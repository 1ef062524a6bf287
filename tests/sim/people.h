/*
 * Who uses the ledger: people with their uids, groups and roles, the connections they open, what
 * they ask, and whether what they are told is true.
 */
#ifndef TESTS_SIM_PEOPLE_H
#define TESTS_SIM_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/plan.h"
#include "model.h"
#include "script.h"

#define PEOPLE 16

struct person {
	int64_t uid;
	gid_t groups[3];	/* 0 ends them */
	unsigned roles;
};

extern const struct person people[PEOPLE];

void people_reset(void);

/* One of their steps. */
void people_step(const struct step *step);

/* ---- What the daemon learns of them ---- */

struct actor people_actor(unsigned who);
void people_config(struct config *config);
void people_roles(unsigned which);		/* who is manager changes */
unsigned people_roles_of(unsigned who, unsigned version);
unsigned people_roles_version(void);
unsigned people_roles_at(unsigned long turn);	/* the oldest version that held
						 * in that turn, or after it */

/* ---- What happens on a socket ---- */

void people_got_through(int socket, uint64_t bytes);
void people_hear(int socket, const char *bytes, size_t len);
void people_hung_up(int socket);
bool people_may_be_hung_up_on(int socket);

/* ---- At the end ---- */

/* All money requests whose answer was lost are asked once more, with the same ids. */
void people_ask_again(void);
bool people_lost(void);		/* are there any? */
bool people_wait(void);		/* is somebody not answered yet? */
unsigned long people_calls(void);

#endif

/*
 * What was found to be wrong with a ledger: one sentence, and the two signed checkpoints that
 * contradict each other, where there are two. The first alarm counts: what follows from it is not
 * told.
 */
#ifndef CLIENT_ALARM_H
#define CLIENT_ALARM_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/err.h"
#include "state.h"

struct alarm {
	struct buf sentence;		/* empty: all is well */
	bool answer;			/* it is about one answer, not about what is remembered */
	struct buf remembered, received;	/* signed notes; received empty: there are none */
};

void alarm_raise(struct alarm *alarm, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void alarm_notes(struct alarm *alarm, const struct buf *remembered, const char *received,
		 size_t len);
bool alarm_raised(const struct alarm *alarm);

/* Keeps the checkpoints as evidence in the state, and tells all of it. Returns EXIT_UNVERIFIED. */
enum exit_status alarm_tell(const struct alarm *alarm, struct state *state);

void alarm_clear(struct alarm *alarm);

#endif

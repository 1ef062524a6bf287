/*
 * A call under way: how it is written, and whether an answer to it is right.
 */
#ifndef TESTS_SIM_CALL_H
#define TESTS_SIM_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"

struct call {
	int kind;			/* of enum act */
	unsigned who;
	const struct content *content;	/* of a money request */
	uint32_t x, y, z;		/* the step's, for the others */
	bool more, oneway;
	bool receipt;			/* wanted with the answer */
	uint64_t end;			/* of its bytes in the socket's stream */
	/* when all of it had got through: */
	bool through;
	size_t committed;		/* entries */
	unsigned long turn;
	unsigned roles_version;
	int64_t told;			/* the clock */
	/* of its answers: */
	unsigned given;			/* entries or budgets */
	int64_t last;			/* the last entry's number */
};

struct text {
	char bytes[1024];
	size_t len;			/* without its NUL */
};

void call_text(const struct call *call, struct text *ret);

void answers_reset(void);

/* Looks at one message. True when it is the last to this call. */
bool answer_check(struct call *call, const char *text);

#endif

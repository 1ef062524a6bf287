/*
 * Whose entries somebody asks for: the budgets that were named, or without names all that the actor may read.
 */
#ifndef DAEMON_SCOPE_H
#define DAEMON_SCOPE_H

#include "method.h"

#define SCOPE_NAMES_MAX 32	/* what was looked for goes into the record of it */

struct scope {
	struct budget **list;
	size_t count;
	bool everything;	/* no names, and the actor may read all */
	bool others;		/* some of it is not the actor's own */
};

/* ERR_NONE with *ret, or the refusal; either way to be released. */
enum err scope_take(const struct request *request, const struct json_strings *names,
		    struct scope *ret);
void scope_release(struct scope *scope);

#endif

/*
 * Whose entries somebody asks for: the budgets that were named, or without names all that the actor
 * may read. Who looks at what is not their own leaves a record of it.
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

/* Puts on record that the actor looks at what is not its own, once for each uid, filter and day.
 * `budget` may be "". The answer waits for the record's commit, as all answers do. */
enum err audit_record(struct request *request, const char *filter, const char *budget);

/* The same of a scope in which something is not the actor's own; what was looked for is the
 * request, as its fields have it. */
enum err scope_record(struct request *request, const struct scope *scope,
		      const struct field *fields, const void *wanted);

#endif

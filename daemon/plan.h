/*
 * From a request to the entry it makes, or to a refusal that helps: the rules of the fund. Pure,
 * like the books they are checked against. A planned entry has everything but its sequence number,
 * time, id and memo.
 *
 * All return ERR_NONE with *ret filled, or the refusal's code with *refusal filled.
 */
#ifndef DAEMON_PLAN_H
#define DAEMON_PLAN_H

#include <sys/types.h>

#include "books.h"
#include "refusal.h"
#include "request.h"

enum role {
	ROLE_MANAGER = 1,
	ROLE_CRON = 2,
	ROLE_AUDITOR = 4,
};

/* Who asks, as the kernel and the config say. */
struct actor {
	int64_t uid;
	const gid_t *groups;		/* primary first, then supplementary */
	size_t group_count;
	unsigned roles;			/* of enum role */
	bool unrestricted;		/* runs the daemon without a config
					 * file: a manager of one's own too */
};

/* Owns it, or is in its group. Closed budgets count. */
bool actor_may_spend(const struct actor *actor, const struct budget *budget);
bool actor_may_read(const struct actor *actor, const struct budget *budget);

enum err plan_spend(const struct books *books, const struct actor *actor,
		    const struct spend_request *request, struct entry *ret,
		    struct refusal *refusal);
enum err plan_topup(const struct books *books, const struct actor *actor,
		    const struct topup_request *request, struct entry *ret,
		    struct refusal *refusal);
enum err plan_refund(const struct books *books, const struct actor *actor,
		     const struct refund_request *request, struct entry *ret,
		     struct refusal *refusal);

/* `now`: the labels of this moment in the ledger's zone. */
enum err plan_open(const struct books *books, const struct actor *actor,
		   const struct calendar *now, const struct terms_request *request,
		   struct entry *ret, struct refusal *refusal);
enum err plan_adjust(const struct books *books, const struct actor *actor,
		     const struct calendar *now, const struct terms_request *request,
		     struct entry *ret, struct refusal *refusal);
enum err plan_close(const struct books *books, const struct actor *actor,
		    const struct close_request *request, struct entry *ret,
		    struct refusal *refusal);

/* Is a period after its current one begun, up to `until` ("" : up to now)? False for closed
 * budgets, for those without periods, and where `until` is a label of another kind. */
bool reset_due(const struct budget *budget, const struct calendar *now, const char *until);

/* Begins the next period in this copy of a budget, and in
 * the sum of all balances. Refuses as plan_reset does. */
enum err reset_ahead(struct budget *copy, int64_t *total, struct refusal *refusal);

/* The entries that begin the budget's next period, which must be due: *count is 1 or 2, one after
 * the other in one commit. */
enum err plan_reset(const struct books *books, const struct actor *actor, struct budget *budget,
		    struct entry ret[2], unsigned *count, struct refusal *refusal);

/* The first day of the budget's next period; "" when it has none. */
void budget_next_reset(const struct budget *budget, char ret[LABEL_SIZE]);

#endif

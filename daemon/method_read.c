/*
 * Balance, Status: what is read from the books alone.
 */
#include "method.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"

#define BUDGETS_MAX 1000	/* in one answer; with `more` there is no limit */
#define BUDGETS_A_TURN 256

static const struct field no_fields[] = { FIELDS_END };

/* ---- Balance ---- */

struct balance_request {
	struct json_strings budgets;
	bool all;
};

static const struct field balance_fields[] = {
	{ "budgets", FIELD_STRINGS, offsetof(struct balance_request, budgets), FIELD_FULL,
	  NAME_MAX_LEN },
	{ "all", FIELD_BOOL, offsetof(struct balance_request, all), 0, 0 },
	FIELDS_END
};

struct names {
	struct budget **list;
	size_t count, room;
};

static void names_add(struct names *names, struct budget *budget)
{
	if (names->count == names->room) {
		names->room = names->room ? 2 * names->room : 16;
		names->list = realloc(names->list, names->room * sizeof(*names->list));
		if (!names->list)
			abort();
	}
	names->list[names->count++] = budget;
}

static enum err names_given(const struct request *request, const struct json_strings *given,
			    struct names *ret)
{
	const struct books *books = &request->service->books;

	for (size_t i = 0; i < given->count; i++) {
		struct budget *budget = books_budget(books, given->item[i]);

		if (!budget)
			return refuse_budget(request->refusal, ERR_UNKNOWN_BUDGET, given->item[i]);
		if (!actor_may_read(request->actor, budget))
			return refuse_words(request->refusal, ERR_NOT_PERMITTED, "",
					    "%s is not yours: its %s from it, managers and "
					    "auditors see it", budget->name, budget->grouped
					    ? "group's members spend" : "owner spends");
		names_add(ret, budget);
	}
	return ERR_NONE;
}

/* What the actor may spend from: its own budget, and the pools of its groups. */
static void names_own(const struct request *request, struct names *ret)
{
	const struct books *books = &request->service->books;
	struct budget *own = books_owned(books, request->actor->uid);

	if (own)
		names_add(ret, own);
	for (size_t i = 0; i < books->budgets.pool_count; i++)
		if (!books->budgets.pools[i]->closed &&
		    actor_may_spend(request->actor, books->budgets.pools[i]))
			names_add(ret, books->budgets.pools[i]);
}

static void names_all(const struct request *request, struct names *ret)
{
	const struct books *books = &request->service->books;

	for (size_t i = 0; i < books->budgets.count; i++)
		if (actor_may_read(request->actor, books->budgets.list[i]))
			names_add(ret, books->budgets.list[i]);
}

/* Streams by name, so that nothing points at a budget that a failed commit took back. */
struct balance_job {
	struct job job;
	char (*names)[NAME_MAX_LEN + 1];
	size_t count, next, this_turn;
};

static void balance_release(struct job *job)
{
	struct balance_job *balance = (struct balance_job *)job;

	free(balance->names);
	free(balance);
}

static enum step balance_step(struct job *job, struct request *request)
{
	struct balance_job *balance = (struct balance_job *)job;
	const struct budget *budget = NULL;

	if (balance->this_turn == BUDGETS_A_TURN) {
		balance->this_turn = 0;
		return STEP_PAUSE;
	}
	while (!budget && balance->next < balance->count) {
		budget = books_budget(&request->service->books, balance->names[balance->next++]);
		if (budget && !actor_may_read(request->actor, budget))
			budget = NULL;	/* it changed hands since the stream began */
	}
	json_open(request->reply, NULL, '{');
	if (budget)
		answer_budget(request->reply, "budget", &request->service->books, budget);
	json_close(request->reply, '}');
	balance->this_turn++;
	return budget ? STEP_ROW : STEP_LAST;
}

static enum err balance_stream(struct request *request, const struct names *names)
{
	struct balance_job *balance = calloc(1, sizeof(*balance));

	if (!balance || !(balance->names = calloc(names->count + 1, sizeof(*balance->names))))
		abort();
	balance->job = (struct job){ .step = balance_step, .release = balance_release };
	balance->count = names->count;
	for (size_t i = 0; i < names->count; i++)
		strcpy(balance->names[i], names->list[i]->name);
	request->job = &balance->job;
	return ERR_NONE;
}

static enum err balance_whole(struct request *request, const struct names *names)
{
	if (names->count > BUDGETS_MAX)
		return refuse(request->refusal, ERR_EXPECTED_MORE);
	json_open(request->reply, NULL, '{');
	json_open(request->reply, "budgets", '[');
	for (size_t i = 0; i < names->count; i++)
		answer_budget(request->reply, NULL, &request->service->books, names->list[i]);
	json_close(request->reply, ']');
	json_close(request->reply, '}');
	return ERR_NONE;
}

enum err method_balance(struct request *request)
{
	struct balance_request wanted;
	struct names names = { NULL, 0, 0 };
	enum err err = request_decode(request, balance_fields, &wanted, sizeof(wanted));

	if (err)
		return err;
	if (wanted.budgets.count)
		err = names_given(request, &wanted.budgets, &names);
	else if (wanted.all)
		names_all(request, &names);
	else
		names_own(request, &names);
	if (!err)
		err = request->more ? balance_stream(request, &names)
				    : balance_whole(request, &names);
	free(names.list);
	return err;
}

/* ---- Status ---- */

enum err method_status(struct request *request)
{
	struct service *service = request->service;
	const struct books *books = &service->books;
	struct buf *reply = request->reply;
	const char *problem = service_problem(service, false);
	char nothing;
	enum err err = request_decode(request, no_fields, &nothing, sizeof(nothing));

	if (err)
		return err;
	json_open(reply, NULL, '{');
	json_str(reply, "origin", books->origin);
	json_str(reply, "version", VERSION);
	json_int(reply, "entries", (int64_t)batch_size(&service->batch));
	json_int(reply, "folded", (int64_t)fold_folded(&service->fold));
	json_int(reply, "uptime", service_uptime(service));
	json_int(reply, "budgets", (int64_t)books->budgets.count);
	json_int(reply, "connections", service->connections);
	json_bool(reply, "read_only", service->room >= ROOM_NONE);
	json_str(reply, "currency", books->currency);
	json_int(reply, "exp", books->exp);
	json_str(reply, "timezone", books->zone);
	json_bool(reply, "unrestricted", !service->config.found);
	answer_window(request);
	if (problem)
		json_str(reply, "problem", problem);
	json_close(reply, '}');
	return ERR_NONE;
}

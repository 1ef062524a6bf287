#include "scope.h"

#include <stdlib.h>
#include <string.h>

static bool scope_has(const struct scope *scope, const struct budget *budget)
{
	for (size_t i = 0; i < scope->count; i++)
		if (scope->list[i] == budget)
			return true;
	return false;
}

static enum err scope_named(const struct request *request, const struct json_strings *names,
			    struct scope *ret)
{
	for (size_t i = 0; i < names->count; i++) {
		struct budget *budget = books_budget(&request->service->books, names->item[i]);

		if (!budget)
			return refuse_budget(request->refusal, ERR_UNKNOWN_BUDGET, names->item[i]);
		if (!actor_may_read(request->actor, budget))
			return refuse_words(request->refusal, ERR_NOT_PERMITTED, "",
					    "%s is somebody else's budget: its owner, managers and "
					    "auditors see its entries", budget->name);
		ret->others |= !actor_may_spend(request->actor, budget);
		if (!scope_has(ret, budget))
			ret->list[ret->count++] = budget;
	}
	return ERR_NONE;
}

/* Closed ones too: their history stays their owner's. */
static void scope_own(const struct request *request, struct scope *ret)
{
	const struct books *books = &request->service->books;

	for (size_t i = 0; i < books->budgets.count; i++)
		if (actor_may_spend(request->actor, books->budgets.list[i]))
			ret->list[ret->count++] = books->budgets.list[i];
}

enum err scope_take(const struct request *request, const struct json_strings *names,
		    struct scope *ret)
{
	size_t most = names->count ? names->count : request->service->books.budgets.count;

	*ret = (struct scope){ .list = calloc(most + 1, sizeof(*ret->list)) };
	if (!ret->list)
		abort();
	if (names->count)
		return scope_named(request, names, ret);
	ret->everything = request->actor->roles & (ROLE_MANAGER | ROLE_AUDITOR);
	ret->others = ret->everything;
	if (!ret->everything)
		scope_own(request, ret);
	return ERR_NONE;
}

void scope_release(struct scope *scope)
{
	free(scope->list);
	scope->list = NULL;
}

/* ---- On record ---- */

/* The id is made of uid, filter and day, and nobody without the keyring can guess it. */
enum err audit_record(struct request *request, const char *filter, const char *budget)
{
	struct service *service = request->service;
	struct memo words = { .filter = filter };
	struct buf text = BUF_INIT;
	struct entry entry;
	uint8_t tag[16];
	const char *problem = service_problem(service, true);

	buf_printf(&text, "audit\n%s\n%s", service->calendar.day, filter);
	if (!problem)
		problem = keyring_tag(&service->keyring, text.data, text.len, tag);
	buf_release(&text);
	if (problem)
		return refuse_words(request->refusal, ERR_UNAVAILABLE, "",
				    "%s, so looking could not be put on record", problem);
	entry_clear(&entry);
	entry.kind = KIND_AUDIT;
	memcpy(entry.kind_name, "audit", sizeof("audit"));
	entry.uid = request->actor->uid;
	uuid_v8(tag, entry.id);
	memcpy(entry.period, service->calendar.day, sizeof(entry.period));
	memcpy(entry.budget, budget, strlen(budget) + 1);
	if (books_request(&service->books, entry.uid, entry.id) != ABSENT)
		return ERR_NONE;
	return batch_add(&service->batch, &entry, &words, service->now, request->refusal);
}

enum err scope_record(struct request *request, const struct scope *scope,
		      const struct field *fields, const void *wanted)
{
	struct buf filter = BUF_INIT;
	enum err err;

	if (!scope->others)
		return ERR_NONE;
	json_content(fields, wanted, &filter);
	err = audit_record(request, filter.data, scope->count == 1 ? scope->list[0]->name : "");
	buf_release(&filter);
	return err;
}

#include "budgets.h"

#include <stdlib.h>
#include <string.h>

void budgets_init(struct budgets *budgets)
{
	*budgets = (struct budgets){ .list = NULL };
	ids_init(&budgets->names);
	ids_init(&budgets->owners);
}

void budgets_release(struct budgets *budgets)
{
	ids_release(&budgets->names);
	ids_release(&budgets->owners);
	for (size_t i = 0; i < budgets->count; i++)
		free(budgets->list[i]);
	free(budgets->list);
	free(budgets->pools);
}

int64_t budget_owner(const struct budget *budget)
{
	return budget->grouped ? ABSENT : (int64_t)budget->number;
}

int64_t budget_group(const struct budget *budget)
{
	return budget->grouped ? (int64_t)budget->number : ABSENT;
}

int64_t budget_draw_left(const struct budget *budget)
{
	if (budget->pool == NO_POOL || budget->drawn >= budget->self_topup)
		return 0;
	return budget->self_topup - budget->drawn;
}

/* ---- Finding ---- */

struct budget *budgets_named(const struct budgets *budgets, const char *name)
{
	uint32_t hash = ids_name_hash(&budgets->names, name);
	uint64_t place;
	size_t at = 0;

	while (ids_next(&budgets->names, hash, &at, &place))
		if (!strcmp(budgets->list[place]->name, name))
			return budgets->list[place];
	return NULL;
}

struct budget *budgets_owned(const struct budgets *budgets, int64_t uid)
{
	uint32_t hash = ids_owner_hash(&budgets->owners, uid);
	uint64_t place;
	size_t at = 0;

	while (ids_next(&budgets->owners, hash, &at, &place))
		if (budget_owner(budgets->list[place]) == uid)
			return budgets->list[place];
	return NULL;
}

void budgets_expect(const struct budgets *budgets, const char *name)
{
	uint64_t place;
	size_t at = 0;

	if (!ids_next(&budgets->names, ids_name_hash(&budgets->names, name), &at, &place))
		return;
	for (at = 0; at <= sizeof(struct budget) + 32; at += 64)	/* its name, too */
		__builtin_prefetch((const char *)budgets->list[place] + at);
}

/* ---- Changing ---- */

static bool owner_indexed(const struct budget *budget)
{
	return !budget->closed && !budget->grouped;
}

void budgets_owner_changes(struct budgets *budgets, const struct budget *budget)
{
	if (owner_indexed(budget))
		ids_remove(&budgets->owners, ids_owner_hash(&budgets->owners, budget->number),
			   budget->place);
}

void budgets_owner_changed(struct budgets *budgets, const struct budget *budget)
{
	if (owner_indexed(budget))
		ids_add(&budgets->owners, ids_owner_hash(&budgets->owners, budget->number),
			budget->place);
}

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* Appends to a list whose room doubles at each power of two. */
static void list_add(struct budget ***list, size_t count, struct budget *budget)
{
	if (!(count & (count - 1)))
		*list = checked(realloc(*list, (count ? 2 * count : 1) * sizeof(**list)));
	(*list)[count] = budget;
}

struct budget *budgets_add(struct budgets *budgets, const struct budget *like)
{
	size_t len = strlen(like->name) + 1;
	struct budget *budget = checked(malloc(sizeof(*budget) + len));

	*budget = *like;
	budget->name = memcpy(budget + 1, like->name, len);
	budget->place = (uint32_t)budgets->count;
	list_add(&budgets->list, budgets->count++, budget);
	if (budget->grouped)
		list_add(&budgets->pools, budgets->pool_count++, budget);
	ids_add(&budgets->names, ids_name_hash(&budgets->names, budget->name), budget->place);
	budgets_owner_changed(budgets, budget);
	return budget;
}

void budgets_drop(struct budgets *budgets, struct budget *budget)
{
	budgets_owner_changes(budgets, budget);
	ids_remove(&budgets->names, ids_name_hash(&budgets->names, budget->name), budget->place);
	budgets->count--;
	if (budget->grouped)
		budgets->pool_count--;
	free(budget);
}

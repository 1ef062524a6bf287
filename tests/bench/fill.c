/*
 * fill DIR ENTRIES [BUDGETS [MONTHS]]: makes a ledger of ENTRIES entries in DIR, through the
 * daemon's own books, batches and commits: BUDGETS pools of the caller's group that spend over
 * MONTHS months, in eight categories, a quarter of it for one of a million customers, each budget
 * reset when a month begins.
 *
 * It brings a clock of its own, and no sync, so that ten million entries and a year take a minute
 * or two. What it leaves is a ledger like any other; only a power failure while it is being made
 * would show.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/init.h"
#include "daemon/service.h"

#define MONTH_US ((int64_t)30 * 86400 * 1000000)
#define BEGIN_US ((int64_t)1767571200 * 1000000)	/* 2026-01-05 */
#define ALLOWANCE 100000000
#define CUSTOMERS 1000000

static int64_t clock_now = BEGIN_US;
static uint64_t noise = 88172645463325252;

/* The programs' clock and sync, in place of libc's. */
int clock_gettime(clockid_t id, struct timespec *ret)
{
	(void)id;
	*ret = (struct timespec){ clock_now / 1000000, clock_now % 1000000 * 1000 };
	return 0;
}

int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int fsync(int fd)
{
	(void)fd;
	return 0;
}

static uint64_t number(uint64_t below)
{
	noise ^= noise << 13;
	noise ^= noise >> 7;
	noise ^= noise << 17;
	return noise % below;
}

static void die(const char *what)
{
	fprintf(stderr, "fill: %s\n", what);
	exit(1);
}

static void id_make(uint8_t ret[16])
{
	uint64_t random[2] = { number(UINT64_MAX), number(UINT64_MAX) };

	uuid_v7(clock_now / 1000, (const uint8_t *)random, ret);
}

static void commit(struct service *service)
{
	const char *problem;

	if (batch_open(&service->batch) && batch_commit(&service->batch, &problem) != COMMIT_DONE)
		die(problem);
	service_turn(service);
}

static void add(struct service *service, struct entry *entry, struct memo *words)
{
	struct refusal refusal;

	if (entry->kind != KIND_RESET)
		id_make(entry->id);
	if (batch_add(&service->batch, entry, words, service->now, &refusal))
		die(refusal.problem.text);
}

static void budget_open(struct service *service, const struct actor *actor, unsigned n)
{
	struct terms_request request = { .group = { .value = getgid(), .set = true },
					 .allowance = { .value = ALLOWANCE, .set = true } };
	struct memo words = { 0 };
	struct refusal refusal;
	struct entry entry;
	char name[32];

	snprintf(name, sizeof(name), "bench/%u", n);
	request.name = name;
	if (plan_open(&service->books, actor, &service->calendar, &request, &entry, &refusal))
		die("a budget cannot be opened");
	add(service, &entry, &words);
}

static void spend(struct service *service, const struct actor *actor, unsigned budgets)
{
	static const char *const categories[] = { "late", "broken", "lost", "wrong-item",
						  "goodwill", "delight", "apology", "repair" };
	struct spend_request request = { .amount = { .value = 1 + (int64_t)number(50), .set = true },
					 .currency = "EUR", .category = categories[number(8)] };
	struct memo words = { .reason = "parcel came late", .request = "n4bQgYhMfWWaL+qg" };
	struct refusal refusal;
	struct entry entry;
	char budget[32], customer[32];

	snprintf(budget, sizeof(budget), "bench/%u", (unsigned)number(budgets));
	snprintf(customer, sizeof(customer), "C%u", (unsigned)number(CUSTOMERS));
	request.budget = budget;
	words.customer = number(4) ? NULL : customer;
	if (plan_spend(&service->books, actor, &request, &entry, &refusal))
		die("a spend was refused");
	add(service, &entry, &words);
}

static void reset(struct service *service, const struct actor *actor, struct budget *budget)
{
	struct memo words = { 0 };
	struct refusal refusal;
	struct entry entries[2];
	unsigned count;

	if (plan_reset(&service->books, actor, budget, entries, &count, &refusal))
		die("a reset was refused");
	for (unsigned i = 0; i < count; i++)
		add(service, &entries[i], &words);
}

static void make_room(struct service *service)
{
	if (batch_open(&service->batch) + 2 > BATCH_MAX)
		commit(service);
}

static void month_begin(struct service *service, const struct actor *actor)
{
	for (size_t i = 0; i < service->books.budgets.count; i++) {
		make_room(service);
		if (reset_due(service->books.budgets.list[i], &service->calendar, ""))
			reset(service, actor, service->books.budgets.list[i]);
	}
}

static void fill(struct service *service, uint64_t entries, unsigned budgets, unsigned months)
{
	gid_t gid = getgid();
	struct actor actor = { .uid = 0, .groups = &gid, .group_count = 1,
			       .roles = ROLE_MANAGER | ROLE_CRON, .unrestricted = true };
	uint64_t left = entries - batch_size(&service->batch) % entries;
	int64_t step = months * MONTH_US / (int64_t)left;
	char month[LABEL_SIZE] = "";

	while (batch_size(&service->batch) < entries) {
		make_room(service);
		if (service->books.budgets.count < budgets) {
			budget_open(service, &actor, (unsigned)service->books.budgets.count);
			continue;
		}
		clock_now += step;
		if (strcmp(month, service->calendar.month)) {
			memcpy(month, service->calendar.month, sizeof(month));
			month_begin(service, &actor);
		} else {
			spend(service, &actor, budgets);
		}
	}
	commit(service);
}

int main(int argc, char **argv)
{
	static struct config config;
	static struct service service;
	struct init_options options = { .origin = "bench.example/fund", .currency = "EUR",
					.timezone = "Europe/Berlin" };

	if (argc < 3)
		die("usage: fill DIR ENTRIES [BUDGETS [MONTHS]]");
	log_open("fill");
	if (!sign_start() || init_ledger(argv[1], &options))
		return 1;
	config.map_size = LEDGER_MAP_DEFAULT;
	snprintf(config.dir, sizeof(config.dir), "%s", argv[1]);
	clock_now += 1000000;
	if (service_load(&service, &config) || service_boot(&service))
		return 1;
	fill(&service, strtoull(argv[2], NULL, 10), argc > 3 ? (unsigned)atoi(argv[3]) : 1000,
	     argc > 4 ? (unsigned)atoi(argv[4]) : 12);
	service_close(&service);
	return 0;
}

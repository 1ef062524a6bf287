/*
 * A small shop and who asks it for what: plans, made and taken into its books, or refused. The
 * shop, the last entry planned and the last refusal are the test's only ones.
 */
#ifndef TESTS_UNIT_PLANS_H
#define TESTS_UNIT_PLANS_H

#include "common/err.h"
#include "daemon/plan.h"
#include "shop.h"

static struct shop *shop;
static struct refusal refusal;
static const struct calendar november = { "2026-11", "2026-W48", "2026-11-25" };

/* ---- Who asks ---- */

static const gid_t none[] = { 9000 }, north[] = { 9000, NORTH }, both[] = { NORTH, SOUTH };

#define ACTOR(uid, groups, ...) { uid, groups, sizeof(groups) / sizeof(*groups), __VA_ARGS__ }

static const struct actor alice = ACTOR(ALICE, north), bob = ACTOR(BOB, none),
	stranger = ACTOR(4000, none), northerner = ACTOR(4001, north),
	commuter = ACTOR(4002, both), carol = ACTOR(CAROL, none, ROLE_MANAGER),
	auditor = ACTOR(4003, none, ROLE_AUDITOR), root = ACTOR(0, none, ROLE_MANAGER),
	alone = ACTOR(ALICE, none, ROLE_MANAGER, true), cron = ACTOR(4004, none, ROLE_CRON);

/* ---- What is asked ---- */

#define INT(n) { .value = (n), .set = true }
#define SPEND(n, ...) (&(struct spend_request){ .amount = INT(n), .currency = "EUR", __VA_ARGS__ })
#define TOPUP(n, ...) (&(struct topup_request){ .amount = INT(n), .currency = "EUR", __VA_ARGS__ })
#define REFUND(n, ...) (&(struct refund_request){ .ref = INT(n), __VA_ARGS__ })
#define TERMS(...) (&(struct terms_request){ __VA_ARGS__ })
#define CLOSE(n) (&(struct close_request){ .name = n })
#define CLEAR(word) .clear = { .item = { word }, .count = 1, .set = true }

/* A planned entry gets what a batch gives it, and the books must take it. */
static inline int64_t post(struct entry *planned)
{
	struct entry next = shop_entry(shop, planned->kind, planned->uid, planned->budget);
	const char *problem;

	planned->seq = next.seq;
	planned->at = next.at;
	memcpy(planned->id, next.id, sizeof(next.id));
	problem = shop_apply(shop, planned);
	if (problem)
		printf("#  the books say: %s\n", problem);
	return problem ? ABSENT : planned->seq;
}

/* The plan is good: its entry moves these, and the books take it. Returns its number. */
static inline int64_t planned(enum err err, struct entry *entry, const char *moves,
			      const char *name)
{
	struct buf got = BUF_INIT;
	int64_t seq;

	if (err) {
		refusal_format(&refusal, &got);
		is_str(err_name(err), "", name);
		printf("#  %s\n", got.data);
		buf_release(&got);
		return ABSENT;
	}
	buf_printf(&got, "%s", entry->budget);
	if (entry->amount != ABSENT)
		buf_printf(&got, " %s>%s %lld", entry->from, entry->to, (long long)entry->amount);
	if (entry->period[0])
		buf_printf(&got, " %s", entry->period);
	is_str(got.data, moves, name);
	seq = post(entry);
	if (seq == ABSENT)
		ok(false, "the books take it: %s", name);
	buf_release(&got);
	return seq;
}

/* The plan is refused: the error's name without the interface, and its parameters. */
static inline void refused(enum err err, const char *want, const char *name)
{
	struct buf got = BUF_INIT, parameters = BUF_INIT;

	refusal_format(&refusal, &parameters);
	buf_printf(&got, "%s%s", err ? strrchr(err_name(err), '.') + 1 : "no refusal",
		   parameters.data);
	is_str(got.data, want, name);
	buf_release(&parameters);
	buf_release(&got);
}

static struct entry entry;

#define PLAN(kind, actor, request) plan_##kind(&shop->books, &actor, request, &entry, &refusal)
#define OPEN(actor, request) \
	plan_open(&shop->books, &actor, &november, request, &entry, &refusal)
#define ADJUST(actor, request) \
	plan_adjust(&shop->books, &actor, &november, request, &entry, &refusal)
#define TAKEN(moves, plan, name) planned(plan, &entry, moves, name)
#define MALFORMED(parameter, problem) \
	"Malformed{\"parameter\":\"" parameter "\",\"problem\":\"" problem "\"}"
#define FORBIDDEN(problem) "NotPermitted{\"problem\":\"" problem "\"}"

/* Alice draws from team/north; Bob has nothing but his
 * allowance; yen is a pool in JPY; gone is closed. */
static inline void shop_begin(void)
{
	static const struct terms_request openings[] = {
		{ .name = "team/north", .group = INT(NORTH), .allowance = INT(50000) },
		{ .name = "team/south", .group = INT(SOUTH), .allowance = INT(10000) },
		{ .name = "alice", .owner = INT(ALICE), .allowance = INT(20000),
		  .pool = "team/north", .self_topup = INT(30000) },
		{ .name = "bob", .owner = INT(BOB), .allowance = INT(5000) },
		{ .name = "yen", .group = INT(NORTH), .currency = "JPY" },
		{ .name = "gone", .group = INT(NORTH) },
	};
	struct entry genesis;

	shop = shop_new();
	genesis = shop_genesis(shop);
	shop_apply(shop, &genesis);
	for (size_t i = 0; i < sizeof(openings) / sizeof(*openings); i++)
		if (OPEN(root, &openings[i]) || post(&entry) == ABSENT)
			abort();
	if (PLAN(close, root, CLOSE("gone")) || post(&entry) == ABSENT)
		abort();
}

#endif

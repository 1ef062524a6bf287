/*
 * Budgets of a day, a week and a month walked through whole years, in zones whose clocks change in
 * every way there is: cron comes each quarter of an hour, or each 40 days, and it comes out the
 * same.
 */
#include <stdlib.h>
#include <time.h>

#include "common/period.h"
#include "daemon/plan.h"
#include "shop.h"

#define US INT64_C(1000000)
#define DAY 86400
#define HOUR 3600
#define QUARTER 900
#define ALLOWANCE 100

static const struct year {
	const char *zone, *what;
	int year, days, weeks;		/* weeks: ISO weeks that begin in it,
					 * not counting the one it begins in */
} years[] = {
	{ "UTC", "a plain year", 2026, 365, 52 },
	{ "UTC", "a leap year", 2028, 366, 52 },
	{ "UTC", "2100, which is no leap year", 2100, 365, 52 },
	{ "Europe/Berlin", "an hour forward in March, back in October", 2026, 365, 52 },
	{ "America/New_York", "the same at other dates, west of Greenwich", 2026, 365, 52 },
	{ "Australia/Lord_Howe", "half an hour, in the southern summer", 2026, 365, 52 },
	{ "America/Sao_Paulo", "a midnight that comes twice, and one that never comes", 2018, 365, 52 },
	{ "Asia/Beirut", "the same, east", 2026, 365, 52 },
	{ "Pacific/Apia", "a day that was left out, a year begun on the 30th", 2011, 366, 52 },
	{ "Africa/Casablanca", "back for Ramadan", 2026, 365, 52 },
	{ "Asia/Kathmandu", "an odd 45 minutes, in a leap year", 2028, 366, 52 },
	{ "Pacific/Kiritimati", "14 hours east", 2026, 365, 52 },
};

static const enum period periods[] = { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH };
static const char *const names[] = { "day", "week", "month" };

/* Books with three budgets that keep everything, and what is counted on the way. */
struct walk {
	struct books books;
	struct budget *budgets[3];
	int resets[3];
	unsigned early, behind, refused;
};

static bool no_entry(void *context, int64_t seq, struct entry *ret)
{
	(void)context;
	(void)seq;
	(void)ret;
	return false;
}

static void walk_add(struct walk *walk, struct entry *entry)
{
	entry->seq = (int64_t)walk->books.totals.size;
	entry->at = walk->books.totals.last_at + 1;
	walk->refused += books_apply(&walk->books, entry) != NULL;
	books_keep(&walk->books);
}

static void walk_open(struct walk *walk, int i, const struct calendar *now)
{
	struct actor manager = { .uid = 1, .roles = ROLE_MANAGER };
	struct terms_request request = {
		.name = names[i], .period = names[i], .carry = "all",
		.owner = { 1000 + i, true }, .allowance = { ALLOWANCE, true },
	};
	struct refusal refusal;
	struct entry entry;

	walk->refused += plan_open(&walk->books, &manager, now, &request, &entry, &refusal) !=
			 ERR_NONE;
	entry.id[0] = (uint8_t)(i + 1);
	walk_add(walk, &entry);
	walk->budgets[i] = books_budget(&walk->books, names[i]);
}

static void walk_begin(struct walk *walk, int64_t seconds)
{
	struct shop *shop = shop_new();
	struct entry genesis = shop_genesis(shop);
	struct calendar now;

	*walk = (struct walk){ .early = 0 };
	books_init(&walk->books, no_entry, NULL);
	walk_add(walk, &genesis);
	calendar_at(seconds * US, &now);
	for (int i = 0; i < 3; i++)
		walk_open(walk, i, &now);
	shop_free(shop);
}

/* Cron comes. */
static void walk_reset(struct walk *walk, int64_t seconds)
{
	struct actor cron = { .uid = 2, .roles = ROLE_CRON };
	struct calendar now;

	calendar_at(seconds * US, &now);
	for (int i = 0; i < 3; i++) {
		struct budget *budget = walk->budgets[i];
		const char *label = calendar_label(&now, periods[i]);
		struct entry entries[2];
		struct refusal refusal;
		unsigned count;

		while (reset_due(budget, &now, "")) {
			walk->refused += plan_reset(&walk->books, &cron, budget, entries, &count,
						    &refusal) != ERR_NONE;
			for (unsigned e = 0; e < count; e++)
				walk_add(walk, &entries[e]);
			walk->resets[i]++;
			walk->early += strcmp(budget->current, label) > 0;
		}
		walk->behind += strcmp(budget->current, label) < 0;
	}
}

static int64_t utc(int year, int month, int day)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };

	return timegm(&tm);
}

/* From nine in the morning of New Year's Eve in Greenwich
 * to the next: it is that day from 9 west to 14 east. */
static void walk_year(struct walk *walk, const struct year *year, int64_t step)
{
	int64_t from = utc(year->year - 1, 12, 31) + 9 * HOUR,
		to = utc(year->year, 12, 31) + 9 * HOUR;

	walk_begin(walk, from);
	for (int64_t at = from; at < to; at += step)
		walk_reset(walk, at);
	walk_reset(walk, to);
}

static void test_year(const struct year *year)
{
	struct walk often, seldom;

	if (!ok(zone_use(year->zone), "%s %d: %s", year->zone, year->year, year->what))
		return;
	walk_year(&often, year, QUARTER);
	walk_year(&seldom, year, 40 * DAY + QUARTER);
	is_int(often.refused + seldom.refused, 0, "... every reset may follow the one before");
	is_int(often.early + seldom.early, 0, "... none is before its time");
	is_int(often.behind + seldom.behind, 0, "... and nobody is left behind");
	is_int(often.resets[0], year->days, "... each day once");
	ok(abs(often.resets[1] - year->weeks) <= 1, "... each week once");
	is_int(often.resets[2], 12, "... each month once");
	for (int i = 0; i < 3; i++) {
		is_int(often.budgets[i]->balance, ALLOWANCE * (1 + often.resets[i]),
		       "... each with one allowance");
		is_int(seldom.budgets[i]->balance, often.budgets[i]->balance,
		       "... late comes out the same");
		is_str(seldom.budgets[i]->current, often.budgets[i]->current,
		       "... in the same period");
	}
	books_release(&often.books);
	books_release(&seldom.books);
}

/* The clock is moved between two visits: how many periods begin. */
static void test_jumps(void)
{
	static const struct jump {
		const char *what;
		int64_t by;
		int resets[3];
	} jumps[] = {
		{ "a second back over midnight of a new month", -1, { 0, 0, 0 } },
		{ "and forward again", 1, { 0, 0, 0 } },
		{ "a day back", -DAY, { 0, 0, 0 } },
		{ "a month back", -31 * DAY, { 0, 0, 0 } },
		{ "two months forward, to four weeks after the beginning", 61 * DAY, { 29, 5, 0 } },
		{ "a year forward", 365 * DAY, { 365, 52, 12 } },
	};
	int64_t at = utc(2026, 3, 1);
	struct walk walk;

	zone_use("UTC");
	walk_begin(&walk, at);
	for (size_t i = 0; i < sizeof(jumps) / sizeof(*jumps); i++) {
		at += jumps[i].by;
		walk_reset(&walk, at);
		for (int b = 0; b < 3; b++) {
			ok(walk.resets[b] == jumps[i].resets[b], "%s: %d of a %s begin",
			   jumps[i].what, jumps[i].resets[b], names[b]);
			walk.resets[b] = 0;
		}
	}
	is_int(walk.early, 0, "none of them was begun before its time");
	is_int(walk.refused, 0, "all of them may stand in the books");
	books_release(&walk.books);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(years) / sizeof(*years); i++)
		test_year(&years[i]);
	test_jumps();
	return done_testing();
}

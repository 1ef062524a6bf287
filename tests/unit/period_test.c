#include "common/period.h"
#include "tap.h"

#include <time.h>

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define US INT64_C(1000000)

static void test_words(void)
{
	static const char *const bad[] = { "", "Month", "months", "year", "month ", "mon" };

	for (int period = PERIOD_NONE; period <= PERIOD_MONTH; period++)
		is_int(period_from_word(period_word((enum period)period)), period,
		       period_word((enum period)period));
	is_str(period_word(PERIOD_NONE), "none", "none");
	is_str(period_word(PERIOD_DAY), "day", "day");
	is_str(period_word(PERIOD_WEEK), "week", "week");
	is_str(period_word(PERIOD_MONTH), "month", "month");
	for (size_t i = 0; i < SIZE(bad); i++)
		ok(period_from_word(bad[i]) == -1, "'%s' is no period", bad[i]);
}

static void test_calendar_label(void)
{
	const struct calendar cal = { "2026-11", "2026-W48", "2026-11-23" };

	is_str(calendar_label(&cal, PERIOD_NONE), "", "no period has no label");
	is_str(calendar_label(&cal, PERIOD_DAY), "2026-11-23", "the day's label");
	is_str(calendar_label(&cal, PERIOD_WEEK), "2026-W48", "the week's label");
	is_str(calendar_label(&cal, PERIOD_MONTH), "2026-11", "the month's label");
}

/* Each kind's label with the one after it ("" when there is none), its first and its last day. */
static const struct {
	const char *label;
	enum period kind;
	const char *next, *first, *last;
} labels[] = {
	{ "2026-11", PERIOD_MONTH, "2026-12", "2026-11-01", "2026-11-30" },
	{ "2026-12", PERIOD_MONTH, "2027-01", "2026-12-01", "2026-12-31" },
	{ "2026-02", PERIOD_MONTH, "2026-03", "2026-02-01", "2026-02-28" },
	{ "2028-02", PERIOD_MONTH, "2028-03", "2028-02-01", "2028-02-29" },
	{ "2000-02", PERIOD_MONTH, "2000-03", "2000-02-01", "2000-02-29" },
	{ "2100-02", PERIOD_MONTH, "2100-03", "2100-02-01", "2100-02-28" },
	{ "1970-01", PERIOD_MONTH, "1970-02", "1970-01-01", "1970-01-31" },
	{ "9999-12", PERIOD_MONTH, "", "9999-12-01", "9999-12-31" },
	{ "2026-11-23", PERIOD_DAY, "2026-11-24", "2026-11-23", "2026-11-23" },
	{ "2026-12-31", PERIOD_DAY, "2027-01-01", "2026-12-31", "2026-12-31" },
	{ "2026-02-28", PERIOD_DAY, "2026-03-01", "2026-02-28", "2026-02-28" },
	{ "2028-02-28", PERIOD_DAY, "2028-02-29", "2028-02-28", "2028-02-28" },
	{ "2028-02-29", PERIOD_DAY, "2028-03-01", "2028-02-29", "2028-02-29" },
	{ "2400-02-29", PERIOD_DAY, "2400-03-01", "2400-02-29", "2400-02-29" },
	{ "1970-01-01", PERIOD_DAY, "1970-01-02", "1970-01-01", "1970-01-01" },
	{ "9999-12-31", PERIOD_DAY, "", "9999-12-31", "9999-12-31" },
	{ "2026-W48", PERIOD_WEEK, "2026-W49", "2026-11-23", "2026-11-29" },
	{ "2026-W01", PERIOD_WEEK, "2026-W02", "2025-12-29", "2026-01-04" },
	{ "2026-W53", PERIOD_WEEK, "2027-W01", "2026-12-28", "2027-01-03" },
	{ "2020-W53", PERIOD_WEEK, "2021-W01", "2020-12-28", "2021-01-03" },
	{ "2025-W52", PERIOD_WEEK, "2026-W01", "2025-12-22", "2025-12-28" },
	{ "2004-W53", PERIOD_WEEK, "2005-W01", "2004-12-27", "2005-01-02" },
	{ "2024-W09", PERIOD_WEEK, "2024-W10", "2024-02-26", "2024-03-03" },
	{ "1970-W01", PERIOD_WEEK, "1970-W02", "", "1970-01-04" },
	{ "9999-W52", PERIOD_WEEK, "", "9999-12-27", "" },
};

static const char *said(bool done, const char *text)
{
	return done ? text : "";
}

static void test_labels(void)
{
	char out[LABEL_SIZE];

	for (size_t i = 0; i < SIZE(labels); i++) {
		const char *label = labels[i].label;

		is_int(label_kind(label), labels[i].kind, label);
		is_str(said(label_next(label, out), out), labels[i].next, "the one after it");
		is_str(said(label_first_day(label, out), out), labels[i].first, "its first day");
		is_str(said(label_last_day(label, out), out), labels[i].last, "its last day");
	}
}

static void test_bad_labels(void)
{
	static const char *const bad[] = {
		"", "2026", "2026-", "2026-0", "2026-00", "2026-13", "2026-1", "2026-011", "2026-W",
		"2026-W0", "2026-W00", "2025-W53", "2026-W54", "2026-W99", "2026-w48", "2026W48",
		"2026-W48-1", "2026-11-00", "2026-11-31", "2026-02-29", "2100-02-29", "2026-02-30",
		"2026-00-01", "2026-13-01", "2026-11-1", "2026-11-011", "2026/11/23", "20261123",
		" 2026-11", "2026-11 ", "2026-11-23T", "1969-12", "1969-12-31", "1969-W52",
		"0000-01",
		"10000-01", "-026-11", "2026-+1", "2026-1\xd9\xa3", "20x6-11", "none",
	};
	char out[LABEL_SIZE];

	for (size_t i = 0; i < SIZE(bad); i++)
		ok(label_kind(bad[i]) == PERIOD_NONE && !label_next(bad[i], out) &&
		   !label_first_day(bad[i], out) && !label_last_day(bad[i], out) &&
		   !label_containing(PERIOD_MONTH, bad[i], out), "'%s' is no label", bad[i]);
}

static const char *label_of(enum period period, const char *date, char out[LABEL_SIZE])
{
	return said(label_containing(period, date, out), out);
}

static void test_containing(void)
{
	static const struct {
		const char *date, *week, *month;
	} rows[] = {
		{ "2026-11-23", "2026-W48", "2026-11" }, { "2026-11-22", "2026-W47", "2026-11" },
		{ "2025-12-29", "2026-W01", "2025-12" }, { "2025-12-28", "2025-W52", "2025-12" },
		{ "2027-01-03", "2026-W53", "2027-01" }, { "2027-01-04", "2027-W01", "2027-01" },
		{ "2021-01-01", "2020-W53", "2021-01" }, { "2023-01-01", "2022-W52", "2023-01" },
		{ "2024-12-30", "2025-W01", "2024-12" }, { "2028-02-29", "2028-W09", "2028-02" },
		{ "1970-01-01", "1970-W01", "1970-01" }, { "9999-12-31", "9999-W52", "9999-12" },
	};
	char out[LABEL_SIZE];

	for (size_t i = 0; i < SIZE(rows); i++) {
		const char *date = rows[i].date;

		ok(label_kind(date) == PERIOD_DAY, "%s", date);
		is_str(label_of(PERIOD_WEEK, date, out), rows[i].week, "its week");
		is_str(label_of(PERIOD_MONTH, date, out), rows[i].month, "its month");
		is_str(label_of(PERIOD_DAY, date, out), date, "itself");
	}
	ok(!label_containing(PERIOD_NONE, "2026-11-23", out), "no period contains no day");
	ok(!label_containing(PERIOD_DAY, "2026-11", out), "a month is no date");
}

/* Is this what the C library says of that day? */
static bool agrees_with_libc(time_t day, const char *date)
{
	char want[LABEL_SIZE * 3], got[LABEL_SIZE];
	struct tm tm;
	bool same;

	gmtime_r(&day, &tm);
	strftime(want, sizeof(want), "%Y-%m-%d %G-W%V", &tm);
	same = !strncmp(want, date, 10) && label_containing(PERIOD_WEEK, date, got) &&
	       !strcmp(want + 11, got);
	if (!same)
		printf("#  got  %s %s\n#  want %s\n", date, got, want);
	return same;
}

/* All days from 1970 to 9999, one after the other, against the C library. */
static void test_every_day(void)
{
	char date[LABEL_SIZE] = "1970-01-01", next[LABEL_SIZE];
	bool same = true, sorted = true;
	time_t day = 0;

	while (same && sorted) {
		same = agrees_with_libc(day, date);
		if (!label_next(date, next))
			break;
		sorted = strcmp(date, next) < 0;
		memcpy(date, next, sizeof(date));
		day += 86400;
	}
	ok(same, "every day and its week are the C library's");
	ok(sorted, "days sort by their labels");
	is_str(date, "9999-12-31", "up to the last day");
}

/* From one label to the last of its kind: in order, each begins where the one before ends. */
static void test_chain(const char *from, const char *want_last)
{
	char label[LABEL_SIZE], next[LABEL_SIZE], last[LABEL_SIZE], first[LABEL_SIZE];
	bool joined = true, sorted = true;

	snprintf(label, sizeof(label), "%s", from);
	while (joined && sorted && label_next(label, next)) {
		sorted = strcmp(label, next) < 0;
		joined = label_last_day(label, last) && label_next(last, last) &&
			 label_first_day(next, first) && !strcmp(last, first);
		memcpy(label, next, sizeof(label));
	}
	ok(joined, "from %s on, each begins where the one before ends", from);
	ok(sorted, "and sorts behind it");
	is_str(label, want_last, "up to the last");
}

static const struct {
	const char *text;
	int64_t us;
} stamps[] = {
	{ "1970-01-01T00:00:00.000000Z", 0 },
	{ "1970-01-01T00:00:00.000001Z", 1 },
	{ "2026-11-23T08:15:30.123456Z", INT64_C(1795421730123456) },
	{ "2028-02-29T23:59:59.999999Z", INT64_C(1835481599999999) },
	{ "2038-01-19T03:14:08.000000Z", INT64_C(2147483648000000) },
	{ "9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999) },
};

static void test_timestamps(void)
{
	static const char *const bad[] = {
		"", "2026-11-23", "2026-11-23T08:15:30Z", "2026-11-23T08:15:30.123Z",
		"2026-11-23T08:15:30.1234567Z", "2026-11-23t08:15:30.123456Z",
		"2026-11-23 08:15:30.123456Z", "2026-11-23T08:15:30.123456z",
		"2026-11-23T08:15:30.123456", "2026-11-23T08:15:30.123456+00:00",
		"2026-11-23T24:00:00.000000Z", "2026-11-23T08:60:30.123456Z",
		"2026-11-23T08:15:60.123456Z", "2026-02-29T08:15:30.123456Z",
		"2026-13-01T08:15:30.123456Z", "1969-12-31T23:59:59.999999Z",
		"2026-11-23T08:15:30,123456Z", "2026-11-23T08:15:30.12345 Z",
		"2026-11-23T08:15:30.123456Z ", "2026-11-23T-8:15:30.123456Z",
	};
	char out[TIMESTAMP_SIZE];
	int64_t us;

	for (size_t i = 0; i < SIZE(stamps); i++) {
		timestamp_format(stamps[i].us, out);
		is_str(out, stamps[i].text, "a moment is written");
		us = -1;
		ok(timestamp_parse(stamps[i].text, &us), "is read");
		is_int(us, stamps[i].us, "as the same moment");
	}
	us = 42;
	for (size_t i = 0; i < SIZE(bad); i++)
		ok(!timestamp_parse(bad[i], &us) && us == 42, "'%s' is no timestamp", bad[i]);
	timestamp_format(-1, out);
	is_str(out, "", "nothing before 1970");
	timestamp_format(INT64_C(253402300800) * US, out);
	is_str(out, "", "nothing after 9999");
	timestamp_format(INT64_MAX, out);
	is_str(out, "", "nothing at the end of all moments");
	timestamp_format(INT64_MIN, out);
	is_str(out, "", "nor at their beginning");
}

int main(void)
{
	test_words();
	test_calendar_label();
	test_labels();
	test_bad_labels();
	test_containing();
	test_every_day();
	test_chain("1970-W02", "9999-W52");
	test_chain("1970-01", "9999-12");
	test_timestamps();
	return done_testing();
}

#include "common/period.h"
#include "tap.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define US INT64_C(1000000)

static void test_zone_names(void)
{
	static const char *const good[] = {
		"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "America/Port-au-Prince",
		"Etc/GMT+10", "Etc/GMT0", "Asia/Kathmandu",
	};
	static const char *const bad[] = {
		"", "Europe", "Europe/", "UTC/", "/Europe/Berlin", "Europe//Berlin",
		":Europe/Berlin",
		"Europe/Berlln", "europe/berlin", "Europe/../Europe/Berlin", "../etc/localtime",
		"/etc/localtime", "/usr/share/zoneinfo/UTC", "right/Europe/Berlin",
		"posix/Europe/Berlin", "posixrules", "localtime", "zone.tab", "tzdata.zi",
		"leapseconds", "CET-1CEST", "XYZ3", "UTC ", " UTC", "UTC\n",
		"Europe/Berlin\xff", "<+03>-3",
	};

	for (size_t i = 0; i < SIZE(good); i++)
		ok(zone_use(good[i]) && !strcmp(getenv("TZ"), good[i]), "%s is a zone", good[i]);
	for (size_t i = 0; i < SIZE(bad); i++)
		ok(!zone_use(bad[i]) && !strcmp(getenv("TZ"), "Asia/Kathmandu"),
		   "no zone %zu, and the one before stays", i);
}

static void test_long_name(void)
{
	char name[8192];

	memset(name, 'A', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ok(!zone_use(name), "a name of 8191 bytes is no zone");
}

static void write_file(const char *path, const char *bytes)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(bytes, file) < 0 || fclose(file))
		ok(false, "could not write %s", path);
}

/* With TZDIR, that directory counts and no other. */
static void test_zone_dir(void)
{
	char dir[] = "/tmp/zone-test-XXXXXX", path[128];

	if (!ok(mkdtemp(dir) != NULL, "a directory of zones"))
		return;
	setenv("TZDIR", dir, 1);
	ok(!zone_use("UTC"), "a zone that this directory has not");
	snprintf(path, sizeof(path), "%s/Text", dir);
	write_file(path, "no zone");
	ok(!zone_use("Text"), "a file of text");
	unlink(path);
	snprintf(path, sizeof(path), "%s/Empty", dir);
	write_file(path, "");
	ok(!zone_use("Empty"), "an empty file");
	unlink(path);
	snprintf(path, sizeof(path), "%s/Pipe", dir);
	ok(!mkfifo(path, 0600) && !zone_use("Pipe"), "a pipe, without waiting for it");
	unlink(path);
	setenv("TZDIR", "", 1);
	ok(zone_use("UTC"), "an empty TZDIR is none");
	unsetenv("TZDIR");
	rmdir(dir);
}

static void test_calendar(void)
{
	static const struct {
		const char *zone, *at, *day, *week, *month;
	} rows[] = {
		{ "UTC", "2026-11-30T23:59:59.999999Z", "2026-11-30", "2026-W49", "2026-11" },
		{ "UTC", "2026-12-01T00:00:00.000000Z", "2026-12-01", "2026-W49", "2026-12" },
		{ "Europe/Berlin", "2026-11-30T22:59:59.999999Z",
		  "2026-11-30", "2026-W49", "2026-11" },
		{ "Europe/Berlin", "2026-11-30T23:00:00.000000Z",
		  "2026-12-01", "2026-W49", "2026-12" },
		{ "Europe/Berlin", "2026-07-31T21:59:59.999999Z",
		  "2026-07-31", "2026-W31", "2026-07" },
		{ "Europe/Berlin", "2026-07-31T22:00:00.000000Z",
		  "2026-08-01", "2026-W31", "2026-08" },
		{ "Europe/Berlin", "2027-01-03T22:59:59.999999Z",
		  "2027-01-03", "2026-W53", "2027-01" },
		{ "Europe/Berlin", "2027-01-03T23:00:00.000000Z",
		  "2027-01-04", "2027-W01", "2027-01" },
		{ "America/New_York", "2026-12-01T04:59:59.999999Z",
		  "2026-11-30", "2026-W49", "2026-11" },
		{ "America/New_York", "2026-12-01T05:00:00.000000Z",
		  "2026-12-01", "2026-W49", "2026-12" },
		{ "Pacific/Kiritimati", "2026-11-30T10:00:00.000000Z",
		  "2026-12-01", "2026-W49", "2026-12" },
		{ "Asia/Kathmandu", "2026-11-30T18:15:00.000000Z",
		  "2026-12-01", "2026-W49", "2026-12" },
		{ "America/New_York", "1970-01-01T04:59:59.999999Z", "", "", "" },
		{ "Europe/Berlin", "9999-12-31T23:00:00.000000Z", "", "", "" },
	};
	struct calendar cal;
	int64_t us;

	for (size_t i = 0; i < SIZE(rows); i++) {
		ok(zone_use(rows[i].zone) && timestamp_parse(rows[i].at, &us), "%s in %s",
		   rows[i].at, rows[i].zone);
		calendar_at(us, &cal);
		is_str(cal.day, rows[i].day, "its day");
		is_str(cal.week, rows[i].week, "its week");
		is_str(cal.month, rows[i].month, "its month");
	}
	calendar_at(INT64_MAX, &cal);
	is_str(cal.day, "", "the last of all moments has no day");
	calendar_at(INT64_MIN, &cal);
	is_str(cal.day, "", "nor has the first");
	zone_use("UTC");
	calendar_at(-1, &cal);
	is_str(cal.day, "", "nor the microsecond before 1970");
}

/* When days begin, and end: where clocks change at night, too. */
static void test_days(void)
{
	static const struct {
		const char *zone, *date, *begins, *ends;
	} rows[] = {
		{ "UTC", "2026-11-23", "2026-11-23T00:00:00.000000Z",
		  "2026-11-24T00:00:00.000000Z" },
		{ "UTC", "1970-01-01", "1970-01-01T00:00:00.000000Z",
		  "1970-01-02T00:00:00.000000Z" },
		{ "Europe/Berlin", "2026-11-23",
		  "2026-11-22T23:00:00.000000Z", "2026-11-23T23:00:00.000000Z" },
		/* 23 and 25 hours */
		{ "Europe/Berlin", "2026-03-29",
		  "2026-03-28T23:00:00.000000Z", "2026-03-29T22:00:00.000000Z" },
		{ "Europe/Berlin", "2026-10-25",
		  "2026-10-24T22:00:00.000000Z", "2026-10-25T23:00:00.000000Z" },
		/* no midnight: 23:59:59, then 01:00 */
		{ "America/Sao_Paulo", "2018-11-04",
		  "2018-11-04T03:00:00.000000Z", "2018-11-05T02:00:00.000000Z" },
		/* midnight, and an hour later midnight again */
		{ "America/Havana", "2024-11-03",
		  "2024-11-03T04:00:00.000000Z", "2024-11-04T05:00:00.000000Z" },
		/* a minute past midnight back to the day before */
		{ "America/St_Johns", "2010-11-07",
		  "2010-11-07T02:30:00.000000Z", "2010-11-08T03:30:00.000000Z" },
		/* a day left out */
		{ "Pacific/Apia", "2011-12-29",
		  "2011-12-29T10:00:00.000000Z", "2011-12-30T10:00:00.000000Z" },
		{ "Pacific/Apia", "2011-12-30",
		  "2011-12-30T10:00:00.000000Z", "2011-12-30T10:00:00.000000Z" },
		{ "Pacific/Apia", "2011-12-31",
		  "2011-12-30T10:00:00.000000Z", "2011-12-31T10:00:00.000000Z" },
		/* seconds in the offset */
		{ "Africa/Monrovia", "1971-06-01",
		  "1971-06-01T00:44:30.000000Z", "1971-06-02T00:44:30.000000Z" },
		{ "Pacific/Kiritimati", "2026-11-23",
		  "2026-11-22T10:00:00.000000Z", "2026-11-23T10:00:00.000000Z" },
		{ "Etc/GMT+12", "2026-11-23",
		  "2026-11-23T12:00:00.000000Z", "2026-11-24T12:00:00.000000Z" },
	};
	char out[TIMESTAMP_SIZE];
	int64_t us;

	for (size_t i = 0; i < SIZE(rows); i++) {
		us = -1;
		ok(zone_use(rows[i].zone) && moment_parse(rows[i].date, false, &us),
		   "%s in %s", rows[i].date, rows[i].zone);
		timestamp_format(us, out);
		is_str(out, rows[i].begins, "begins");
		us = -1;
		ok(moment_parse(rows[i].date, true, &us), "and its end");
		timestamp_format(us, out);
		is_str(out, rows[i].ends, "ends");
	}
	us = 42;
	ok(!moment_parse("9999-12-31", true, &us) && us == 42, "after the last day is nothing");
}

static void test_moments(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "2026-11-23T10:00:00+01:00", "2026-11-23T09:00:00.000000Z" },
		{ "2026-11-23T10:00:00Z", "2026-11-23T10:00:00.000000Z" },
		{ "2026-11-23t10:00:00z", "2026-11-23T10:00:00.000000Z" },
		{ "2026-11-23T10:00:00.5Z", "2026-11-23T10:00:00.500000Z" },
		{ "2026-11-23T10:00:00.123456Z", "2026-11-23T10:00:00.123456Z" },
		{ "2026-11-23T10:00:00.123456999Z", "2026-11-23T10:00:00.123456Z" },
		{ "2026-11-23T10:00:00-23:59", "2026-11-24T09:59:00.000000Z" },
		{ "2026-11-23T10:00:00+05:45", "2026-11-23T04:15:00.000000Z" },
		{ "2026-11-23T10:00:00-00:00", "2026-11-23T10:00:00.000000Z" },
		{ "2026-11-23T00:30:00.25-00:30", "2026-11-23T01:00:00.250000Z" },
	};
	char out[TIMESTAMP_SIZE];
	int64_t us;

	zone_use("Asia/Tokyo");
	for (size_t i = 0; i < SIZE(rows); i++) {
		us = -1;
		ok(moment_parse(rows[i].text, i % 2, &us), "'%s'", rows[i].text);
		timestamp_format(us, out);
		is_str(out, rows[i].want, "is that moment, in any zone and as any end");
	}
	ok(moment_parse("1970-01-01T00:00:00+01:00", false, &us), "an hour before 1970 in UTC");
	is_int(us, -3600 * US, "is a negative moment");
}

static void test_bad_moments(void)
{
	static const char *const bad[] = {
		"", "2026", "2026-11", "2026-W48", "today", "yesterday", "1795421730", "23.11.2026",
		"2026-11-31", "2026-02-29", "2026-11-23T", "2026-11-23T10", "2026-11-23T10:00Z",
		"2026-11-23T10:00:00", "2026-11-23 10:00:00Z", "2026-11-23T10:00:00.Z",
		"2026-11-23T10:00:00.1234567890Z", "2026-11-23T10:00:00,5Z",
		"2026-11-23T10:00:00+01", "2026-11-23T10:00:00+0100", "2026-11-23T10:00:00+24:00",
		"2026-11-23T10:00:00+01:60", "2026-11-23T10:00:00+01-00",
		"2026-11-23T10:00:00+1:000",
		"2026-11-23T10:00:00+01:00 ",
		"2026-11-23T10:00:00ZZ", "2026-11-23T10:00:00*01:00", "2026-11-23T24:00:00Z",
		"2026-11-23T23:59:60Z", "2026-02-29T10:00:00Z", "1969-12-31",
		"1969-12-31T23:59:59Z",
		"10000-01-01", "2026-11-23T10:00:00+01:0", "2026-11-23T10:00:00+", "-2026-11-23",
		"2026-11-2\xd9\xa3",
	};
	int64_t us = 42;

	for (size_t i = 0; i < SIZE(bad); i++)
		ok(!moment_parse(bad[i], false, &us) && !moment_parse(bad[i], true, &us) &&
		   us == 42,
		   "'%s' is no moment", bad[i]);
}

int main(void)
{
	test_zone_names();
	test_long_name();
	test_zone_dir();
	test_calendar();
	test_days();
	test_moments();
	test_bad_moments();
	return done_testing();
}

#include "period.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define US_PER_S INT64_C(1000000)
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define ZONE_BYTES CAPITALS "abcdefghijklmnopqrstuvwxyz0123456789_+-/"

/*
 * The zones of IANA begin with a capital. What else lies in the directory
 * (posix/, right/ with its leap seconds, localtime, zone.tab) does not.
 */
static bool is_plain_name(const char *name)
{
	return *name && strchr(CAPITALS, *name) && !name[strspn(name, ZONE_BYTES)] &&
	       !strstr(name, "//");
}

static bool is_zone_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char magic[4];
	bool found;

	if (fd < 0)
		return false;
	found = read(fd, magic, sizeof(magic)) == sizeof(magic) && !memcmp(magic, "TZif", 4);
	close(fd);
	return found;
}

bool zone_use(const char *iana)
{
	const char *dir = getenv("TZDIR");
	char path[4096];
	int len;

	if (!is_plain_name(iana))
		return false;
	if (!dir || !*dir)
		dir = "/usr/share/zoneinfo";
	len = snprintf(path, sizeof(path), "%s/%s", dir, iana);
	if (len < 0 || (size_t)len >= sizeof(path) || !is_zone_file(path))
		return false;
	if (setenv("TZ", iana, 1) < 0)
		return false;
	tzset();
	return true;
}

/* What the clocks on the wall show at that moment, as if it were UTC. */
static int64_t wall_seconds(int64_t seconds)
{
	time_t at = (time_t)seconds;
	struct tm tm;

	if (!localtime_r(&at, &tm))
		return seconds;
	return seconds + tm.tm_gmtoff;
}

static int64_t floor_seconds(int64_t us)
{
	return us / US_PER_S - (us % US_PER_S < 0);
}

void calendar_at(int64_t us, struct calendar *ret)
{
	int64_t seconds = floor_seconds(us), wall;
	char text[TIMESTAMP_SIZE];

	memset(ret, 0, sizeof(*ret));
	wall = wall_seconds(seconds);
	if (wall < 0 || wall > INT64_MAX / US_PER_S)
		return;
	timestamp_format(wall * US_PER_S, text);
	text[sizeof("2026-11-23") - 1] = '\0';
	label_containing(PERIOD_DAY, text, ret->day);
	label_containing(PERIOD_WEEK, text, ret->week);
	label_containing(PERIOD_MONTH, text, ret->month);
}

/*
 * The first moment at which the wall shows midnight or later. Clocks are set
 * forward and back at midnight somewhere, and days are left out: so it is
 * looked for, in steps that no zone's clock changes escape, then to the second.
 */
static int64_t day_begins(int64_t midnight)
{
	const int64_t step = 900;
	int64_t at = midnight - 16 * 3600, before, middle;

	while (wall_seconds(at) < midnight)
		at += step;
	for (before = at - step; at - before > 1; ) {
		middle = before + (at - before) / 2;
		if (wall_seconds(middle) < midnight)
			before = middle;
		else
			at = middle;
	}
	return at;
}

static bool parse_date(const char *text, bool end, int64_t *ret_us)
{
	char date[LABEL_SIZE], midnight[TIMESTAMP_SIZE];
	int64_t us;

	if (end ? !label_next(text, date) : !label_first_day(text, date))
		return false;
	snprintf(midnight, sizeof(midnight), "%.10sT00:00:00.000000Z", date);
	if (!timestamp_parse(midnight, &us))
		return false;
	*ret_us = day_begins(us / US_PER_S) * US_PER_S;
	return true;
}

/* "Z", or "+01:00" east of it. */
static bool parse_offset(const char *text, int64_t *ret_seconds)
{
	int hour, minute;

	*ret_seconds = 0;
	if ((*text == 'Z' || *text == 'z') && !text[1])
		return true;
	if ((*text != '+' && *text != '-') || strlen(text) != strlen("+01:00") ||
	    strspn(text + 1, "0123456789") != 2 || text[3] != ':' ||
	    strspn(text + 4, "0123456789") != 2)
		return false;
	hour = (text[1] - '0') * 10 + text[2] - '0';
	minute = (text[4] - '0') * 10 + text[5] - '0';
	*ret_seconds = (hour * 60 + minute) * (*text == '-' ? -60 : 60);
	return hour < 24 && minute < 60;
}

/* Brings the moment into the ledger's own form, which timestamp_parse then judges. */
bool moment_parse(const char *text, bool end, int64_t *ret_us)
{
	char canonical[TIMESTAMP_SIZE] = "0000-00-00T00:00:00.000000Z";
	const size_t whole = sizeof("2026-11-23T10:00:00") - 1;
	int64_t offset, us;
	size_t decimals;

	if (label_kind(text) == PERIOD_DAY)
		return parse_date(text, end, ret_us);
	if (strnlen(text, whole) < whole)
		return false;
	memcpy(canonical, text, whole);
	if (canonical[10] == 't')
		canonical[10] = 'T';
	text += whole;
	if (*text == '.') {
		decimals = strspn(++text, "0123456789");
		if (decimals < 1 || decimals > 9)
			return false;
		memcpy(canonical + whole + 1, text, decimals < 6 ? decimals : 6);
		text += decimals;
	}
	if (!parse_offset(text, &offset) || !timestamp_parse(canonical, &us))
		return false;
	*ret_us = us - offset * US_PER_S;
	return true;
}

#include "period.h"

#include <stddef.h>
#include <string.h>

#define US_PER_S INT64_C(1000000)
#define S_PER_DAY 86400
#define FIRST_YEAR 1970
#define LAST_DAY 2932896	/* 9999-12-31, counted from 1970-01-01 */
#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

static const char *const words[] = {
	[PERIOD_NONE] = "none",
	[PERIOD_DAY] = "day",
	[PERIOD_WEEK] = "week",
	[PERIOD_MONTH] = "month",
};

const char *period_word(enum period period)
{
	return words[period];
}

int period_from_word(const char *word)
{
	for (size_t i = 0; i < SIZE(words); i++)
		if (!strcmp(words[i], word))
			return (int)i;
	return -1;
}

const char *calendar_label(const struct calendar *cal, enum period period)
{
	const char *const labels[] = {
		[PERIOD_NONE] = "",
		[PERIOD_DAY] = cal->day,
		[PERIOD_WEEK] = cal->week,
		[PERIOD_MONTH] = cal->month,
	};

	return labels[period];
}

/* ---- Days since 1970-01-01 and the calendar ---- */

struct civil {
	int year, month, day;
};

/* Years begin in March here, so that the leap day is a year's last. */
static int days_from_civil(int year, int month, int day)
{
	int y = month > 2 ? year : year - 1;
	int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return 365 * y + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static struct civil civil_from_days(int days)
{
	int since = days + 719468, era = since / 146097, in_era = since % 146097;
	int y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int day_of_year = in_era - (365 * y + y / 4 - y / 100);
	int m = (5 * day_of_year + 2) / 153;
	struct civil ret;

	ret.day = day_of_year - (153 * m + 2) / 5 + 1;
	ret.month = m < 10 ? m + 3 : m - 9;
	ret.year = era * 400 + y + (ret.month <= 2);
	return ret;
}

static int month_first_day(int year, int month)
{
	return month == 13 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, month, 1);
}

/* The Monday on or before a day; 1970-01-01 was a Thursday. */
static int monday_of(int days)
{
	return days - (days + 3 + 7) % 7;
}

static int week_one(int year)
{
	return monday_of(days_from_civil(year, 1, 4));
}

/* An ISO week belongs to the year of its Thursday. */
static int week_year(int monday)
{
	return civil_from_days(monday + 3).year;
}

/* ---- Text ---- */

/* Does text look like that: '0' for any digit, anything else for itself? */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape; text++, shape++) {
		bool digit = *text >= '0' && *text <= '9';

		if (*shape == '0' ? !digit : *text != *shape)
			return false;
	}
	return !*text;
}

static int get_number(const char *digits, int width)
{
	int value = 0;

	while (width--)
		value = value * 10 + *digits++ - '0';
	return value;
}

static void put_number(char *out, int width, int value)
{
	while (width--) {
		out[width] = (char)('0' + value % 10);
		value /= 10;
	}
}

/* The days a label stands for. */
struct span {
	enum period period;
	int first, last;
};

static bool read_month(const char *label, struct span *ret)
{
	int year = get_number(label, 4), month = get_number(label + 5, 2);

	if (month < 1 || month > 12)
		return false;
	ret->first = month_first_day(year, month);
	ret->last = month_first_day(year, month + 1) - 1;
	return true;
}

static bool read_week(const char *label, struct span *ret)
{
	int year = get_number(label, 4), week = get_number(label + 6, 2);

	ret->first = week_one(year) + 7 * (week - 1);
	ret->last = ret->first + 6;
	return week_year(ret->first) == year;
}

static bool read_day(const char *label, struct span *ret)
{
	int day = get_number(label + 8, 2);
	struct span month;

	if (!read_month(label, &month) || day < 1 || day > month.last - month.first + 1)
		return false;
	ret->first = ret->last = month.first + day - 1;
	return true;
}

static void write_day(int days, char out[LABEL_SIZE])
{
	struct civil date = civil_from_days(days);

	memcpy(out, "0000-00-00", sizeof("0000-00-00"));
	put_number(out, 4, date.year);
	put_number(out + 5, 2, date.month);
	put_number(out + 8, 2, date.day);
}

static void write_month(int days, char out[LABEL_SIZE])
{
	write_day(days, out);
	out[sizeof("0000-00") - 1] = '\0';
}

static void write_week(int days, char out[LABEL_SIZE])
{
	int monday = monday_of(days), year = week_year(monday);

	memcpy(out, "0000-W00", sizeof("0000-W00"));
	put_number(out, 4, year);
	put_number(out + 6, 2, (monday - week_one(year)) / 7 + 1);
}

static const struct {
	const char *shape;
	bool (*read)(const char *label, struct span *ret);
	void (*write)(int days, char out[LABEL_SIZE]);
} forms[] = {
	[PERIOD_DAY] = { "0000-00-00", read_day, write_day },
	[PERIOD_WEEK] = { "0000-W00", read_week, write_week },
	[PERIOD_MONTH] = { "0000-00", read_month, write_month },
};

static bool label_read(const char *label, struct span *ret)
{
	for (size_t i = PERIOD_DAY; i < SIZE(forms); i++) {
		if (!has_shape(label, forms[i].shape) || get_number(label, 4) < FIRST_YEAR)
			continue;
		ret->period = (enum period)i;
		return forms[i].read(label, ret);
	}
	return false;
}

/* The label of that kind in which the day lies; false beyond the years we know. */
static bool label_write(enum period period, int days, char out[LABEL_SIZE])
{
	if (days < 0 || days > LAST_DAY || period == PERIOD_NONE)
		return false;
	forms[period].write(days, out);
	return true;
}

enum period label_kind(const char *label)
{
	struct span span;

	return label_read(label, &span) ? span.period : PERIOD_NONE;
}

bool label_next(const char *label, char next[LABEL_SIZE])
{
	struct span span;

	return label_read(label, &span) && label_write(span.period, span.last + 1, next);
}

bool label_first_day(const char *label, char date[LABEL_SIZE])
{
	struct span span;

	return label_read(label, &span) && label_write(PERIOD_DAY, span.first, date);
}

bool label_last_day(const char *label, char date[LABEL_SIZE])
{
	struct span span;

	return label_read(label, &span) && label_write(PERIOD_DAY, span.last, date);
}

bool label_containing(enum period period, const char *date, char label[LABEL_SIZE])
{
	struct span span;

	return label_read(date, &span) && span.period == PERIOD_DAY &&
	       label_write(period, span.first, label);
}

/* ---- Timestamps ---- */

void timestamp_format(int64_t us, char out[TIMESTAMP_SIZE])
{
	int64_t seconds = us / US_PER_S, days = seconds / S_PER_DAY;
	int in_day = (int)(seconds % S_PER_DAY);

	out[0] = '\0';
	if (us < 0 || days > LAST_DAY)
		return;
	memcpy(out, "0000-00-00T00:00:00.000000Z", TIMESTAMP_SIZE);
	write_day((int)days, out);
	out[10] = 'T';
	put_number(out + 11, 2, in_day / 3600);
	put_number(out + 14, 2, in_day / 60 % 60);
	put_number(out + 17, 2, in_day % 60);
	put_number(out + 20, 6, (int)(us % US_PER_S));
}

bool timestamp_parse(const char *text, int64_t *ret_us)
{
	int hour, minute, second;
	struct span date;
	int64_t seconds;

	if (!has_shape(text, "0000-00-00T00:00:00.000000Z") || get_number(text, 4) < FIRST_YEAR ||
	    !read_day(text, &date))
		return false;
	hour = get_number(text + 11, 2);
	minute = get_number(text + 14, 2);
	second = get_number(text + 17, 2);
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	seconds = (int64_t)date.first * S_PER_DAY + hour * 3600 + minute * 60 + second;
	*ret_us = seconds * US_PER_S + get_number(text + 20, 6);
	return true;
}

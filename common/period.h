/*
 * Periods and their labels (2026-11, 2026-W48, 2026-11-23), dates, and the
 * ledger's timestamps. Everything but zone_use and the functions that say so is pure calendar
 * arithmetic (proleptic Gregorian, ISO 8601 weeks): no clock, no tzdata.
 *
 * Labels of one kind sort by strcmp. Years are 1970 to 9999; what lies outside has no label, no
 * date and no timestamp.
 */
#ifndef COMMON_PERIOD_H
#define COMMON_PERIOD_H

#include <stdbool.h>
#include <stdint.h>

#define LABEL_SIZE 11		/* "2026-11-23" and its NUL */
#define TIMESTAMP_SIZE 28	/* "2026-11-23T08:15:30.123456Z" and its NUL */

enum period { PERIOD_NONE, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH };

/* "none", "day", "week", "month", and back; -1 for any other word. */
const char *period_word(enum period period);
int period_from_word(const char *word);

/* The labels of one moment in the ledger's zone: handed to the core, which has no clock. */
struct calendar {
	char month[LABEL_SIZE], week[LABEL_SIZE], day[LABEL_SIZE];
};

/* The label of that period; "" for PERIOD_NONE. */
const char *calendar_label(const struct calendar *cal, enum period period);

/* Which kind of label this is; PERIOD_NONE when it is not a valid one. */
enum period label_kind(const char *label);

/* The label after this one. false when `label` is malformed or the last of year 9999. */
bool label_next(const char *label, char next[LABEL_SIZE]);

/* First and last day of the labelled period, as dates. false when malformed, or when that day
 * lies outside our years (1970-W01 begins in 1969). */
bool label_first_day(const char *label, char date[LABEL_SIZE]);
bool label_last_day(const char *label, char date[LABEL_SIZE]);

/* The label of the period of that kind in which `date` (YYYY-MM-DD) lies; false for PERIOD_NONE
 * or when `date` is none. */
bool label_containing(enum period period, const char *date, char label[LABEL_SIZE]);

/* Microseconds since 1970 UTC as RFC 3339, always with six decimals and Z; "" outside our
 * years. */
void timestamp_format(int64_t us, char out[TIMESTAMP_SIZE]);

/* Exactly the form timestamp_format writes; false for anything else. */
bool timestamp_parse(const char *text, int64_t *ret_us);

/* ---- With tzdata: the process has one zone, the ledger's. ---- */

/* Makes the IANA zone the process's zone (TZ, tzset). false when tzdata has no such zone,
 * or the name is no plain IANA name ("Europe/Berlin", "UTC"; no leading ':' or '/', no ".."). */
bool zone_use(const char *iana);

/* The labels of a moment in the process's zone; all "" outside our years. */
void calendar_at(int64_t us, struct calendar *ret);

/*
 * A moment given by a person: RFC 3339 ("2026-11-23T10:00:00+01:00"; decimals are optional, up to
 * nine, and cut to microseconds) or a date (read as its first moment in the process's zone, or with
 * `end` as the first moment of the day after). false when it is neither.
 */
bool moment_parse(const char *text, bool end, int64_t *ret_us);

#endif

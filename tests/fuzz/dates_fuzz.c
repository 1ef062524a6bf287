/* Labels, timestamps and the moments people type. */
#include "common/period.h"
#include "fuzz.h"

static void label_try(const char *label)
{
	char next[LABEL_SIZE], first[LABEL_SIZE], last[LABEL_SIZE], again[LABEL_SIZE];
	enum period kind = label_kind(label);

	if (kind == PERIOD_NONE) {
		MUST(!label_next(label, next) && !label_first_day(label, first));
		return;
	}
	if (label_next(label, next))
		MUST(label_kind(next) == kind && strcmp(label, next) < 0);
	if (label_first_day(label, first) && label_last_day(label, last)) {
		MUST(strcmp(first, last) <= 0);
		MUST(label_containing(kind, first, again) && !strcmp(again, label));
		MUST(label_containing(kind, last, again) && !strcmp(again, label));
	}
}

/* A moment's labels are of their kinds, and it lies within the days they name. */
static void moment_labels(int64_t us)
{
	struct calendar cal;
	char again[LABEL_SIZE];

	calendar_at(us, &cal);
	if (!cal.day[0])
		return;
	MUST(label_kind(cal.day) == PERIOD_DAY);
	MUST(label_containing(PERIOD_MONTH, cal.day, again) && !strcmp(again, cal.month));
	MUST(label_containing(PERIOD_WEEK, cal.day, again) && !strcmp(again, cal.week));
}

/* "ZONE TEXT" or the text alone, in Berlin then: what is to be read, with its zone in use. */
static const char *zone_try(char *text)
{
	char *blank = strchr(text, ' ');

	MUST(zone_use("Europe/Berlin"));
	if (!blank)
		return text;
	*blank = '\0';
	if (zone_use(text))
		MUST(*text && *text != '/' && *text != ':' && !strstr(text, ".."));
	return blank + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *whole = fuzz_string(data, size), again[TIMESTAMP_SIZE];
	const char *text = zone_try(whole);
	int64_t us, end;

	label_try(text);
	if (timestamp_parse(text, &us)) {
		timestamp_format(us, again);
		MUST(!strcmp(text, again));
		MUST(moment_parse(text, false, &end) && end == us);
	}
	if (moment_parse(text, false, &us)) {
		/* what ends the last day there is lies beyond our years */
		MUST(moment_parse(text, true, &end) ? us <= end : !strcmp(text, "9999-12-31"));
		moment_labels(us);
	}
	free(whole);
	return 0;
}

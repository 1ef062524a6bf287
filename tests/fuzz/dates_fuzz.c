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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), again[TIMESTAMP_SIZE];
	int64_t us, end;

	label_try(text);
	if (timestamp_parse(text, &us)) {
		timestamp_format(us, again);
		MUST(!strcmp(text, again));
		MUST(moment_parse(text, false, &end) && end == us);
	}
	if (moment_parse(text, false, &us))
		MUST(moment_parse(text, true, &end) && us <= end);
	free(text);
	return 0;
}

#include "alarm.h"

#include <stdarg.h>
#include <stdio.h>

#include "tell.h"

void alarm_raise(struct alarm *alarm, const char *format, ...)
{
	char sentence[512];
	va_list args;

	if (alarm_raised(alarm))
		return;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	buf_str(&alarm->sentence, sentence);
}

void alarm_notes(struct alarm *alarm, const struct buf *remembered, const char *received,
		 size_t len)
{
	if (alarm->received.len)
		return;
	buf_add(&alarm->remembered, remembered->data, remembered->len);
	buf_add(&alarm->received, received, len);
}

bool alarm_raised(const struct alarm *alarm)
{
	return alarm->sentence.len > 0;
}

enum exit_status alarm_tell(const struct alarm *alarm, struct state *state)
{
	struct buf where = BUF_INIT;
	bool kept = false;

	tell("%s.", alarm->sentence.data);
	if (alarm->received.len) {
		kept = state_evidence(state, &alarm->remembered, &alarm->received, &where);
		tell_more(
			kept ? "Both signed checkpoints are kept in %s: show them to your auditor."
			     : "The checkpoints could not be kept in %s; please call your auditor now.",
			where.data);
	}
	if (!alarm->answer && state->path.len && state->dir >= 0)
		tell_more(
			"Once it is explained (a backup that was restored), move %s away to begin anew.",
			state->path.data);
	buf_release(&where);
	return EXIT_UNVERIFIED;
}

void alarm_clear(struct alarm *alarm)
{
	buf_release(&alarm->sentence);
	buf_release(&alarm->remembered);
	buf_release(&alarm->received);
}

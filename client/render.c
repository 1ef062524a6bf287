#include "render.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/money.h"
#include "common/period.h"
#include "common/text.h"
#include "tell.h"

void say_money(struct buf *out, const char *currency, int64_t exp, int64_t minor)
{
	char digits[MONEY_TEXT_MAX];

	buf_printf(out, "%s %s", currency, money_format(minor, (unsigned)exp, digits));
}

void say_terms_money(struct buf *out, const struct wire_terms *terms, int64_t minor)
{
	say_money(out, terms->currency, terms->exp.value, minor);
}

static bool moment_local(const char *moment, struct tm *ret)
{
	int64_t us;
	time_t seconds;

	if (!moment_parse(moment, false, &us))
		return false;
	seconds = us / 1000000;
	return localtime_r(&seconds, ret) != NULL;
}

void say_day(struct buf *out, const char *moment)
{
	static const char *const months[] = { "January", "February", "March", "April", "May", "June",
		"July", "August", "September", "October", "November", "December" };
	struct tm tm;

	if (moment_local(moment, &tm))
		buf_printf(out, "%d %s", tm.tm_mday, months[tm.tm_mon]);
	else
		buf_str(out, moment);
}

void say_time(struct buf *out, const char *moment)
{
	struct tm tm;

	if (moment_local(moment, &tm))
		buf_printf(out, "%04d-%02d-%02d %02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
			   tm.tm_mday, tm.tm_hour, tm.tm_min);
	else
		buf_str(out, moment);
}

/* Looking a user up reads files, and an audit has the same few on every line. */
void say_user(struct buf *out, int64_t uid)
{
	static struct {
		int64_t uid;
		char *name;
	} known[64];
	size_t slot = (uint64_t)uid % (sizeof(known) / sizeof(known[0]));

	if (!known[slot].name || known[slot].uid != uid) {
		const struct passwd *user = uid == (uid_t)uid ? getpwuid((uid_t)uid) : NULL;
		struct buf name = BUF_INIT;

		if (user)
			buf_str(&name, user->pw_name);
		else
			buf_int(&name, uid);
		free(known[slot].name);
		known[slot].name = buf_detach(&name);
		known[slot].uid = uid;
	}
	buf_str(out, known[slot].name);
}

static void say_group(struct buf *out, int64_t gid)
{
	const struct group *group = gid == (gid_t)gid ? getgrgid((gid_t)gid) : NULL;

	if (group)
		buf_str(out, group->gr_name);
	else
		buf_int(out, gid);
}

void say_owner(struct buf *out, const struct wire_terms *terms)
{
	if (terms->owner.set)
		return say_user(out, terms->owner.value);
	buf_str(out, "group ");
	say_group(out, terms->group.value);
}

bool moment_past(const char *moment)
{
	int64_t us;

	return moment_parse(moment, false, &us) && us / 1000000 < time(NULL);
}

void say_left(struct buf *out, const struct wire_budget *budget)
{
	say_terms_money(out, &budget->terms, budget->balance.value);
	buf_str(out, " left");
	if (!budget->next_reset)
		return;
	buf_str(out, moment_past(budget->next_reset) ? ", its reset overdue since " : " until ");
	say_day(out, budget->next_reset);
}

static void say_carry(struct buf *out, const struct wire_terms *terms)
{
	if (strcmp(terms->carry, "all") == 0) {
		buf_str(out, ", what is left is kept");
	} else if (terms->cap.set) {
		buf_str(out, ", up to ");
		say_terms_money(out, terms, terms->cap.value);
		buf_str(out, " of what is left is kept");
	}
}

void say_terms(struct buf *out, const struct wire_terms *terms)
{
	bool once = strcmp(terms->period, "none") == 0;

	say_terms_money(out, terms, terms->allowance.value);
	buf_printf(out, once ? " once" : " a %s", terms->period);
	say_carry(out, terms);
	if (terms->pool) {
		buf_str(out, ", draws");
		if (terms->self_topup.set) {
			buf_str(out, " up to ");
			say_terms_money(out, terms, terms->self_topup.value);
		}
		buf_printf(out, once ? " from %s" : " from %s a %s", terms->pool, terms->period);
	}
	if (terms->guideline.set) {
		buf_str(out, ", guideline ");
		say_terms_money(out, terms, terms->guideline.value);
	}
}

void print_json(const json_t *value)
{
	struct buf line = BUF_INIT;

	json_text(value, &line);
	buf_char(&line, '\n');
	fwrite(line.data, 1, line.len, stdout);
	buf_release(&line);
}

void print_text(struct buf *text)
{
	if (text->len)
		text_mask(text->data, text->len, true);
	fwrite(text->data, 1, text->len, stdout);
	buf_release(text);
}

static int why_unwritten;	/* errno of the first that failed, as far as known */

bool print_flush(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	if (!why_unwritten)
		why_unwritten = errno;
	return false;
}

/* As after `fund audit | head`: nobody misses the rest. */
static bool reader_gone(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) == 1 && out.revents & (POLLERR | POLLHUP);
}

enum exit_status print_end(enum exit_status status)
{
	if (print_flush() && fclose(stdout) == 0)
		return status;
	if (!reader_gone())
		tell("not all of it could be written out: %s",
		     why_unwritten ? strerror(why_unwritten) : "write error");
	return status == EXIT_OK ? EXIT_FAILED : status;
}

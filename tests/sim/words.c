/*
 * Names of accounts, labels of periods, and the values in compact JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model.h"

const char *const currency_codes[3] = { "EUR", "USD", "JPY" };

void account_write(int account, char ret[24])
{
	if (account == COMPANY || account == SPENT)
		strcpy(ret, account == COMPANY ? "company" : "spent");
	else
		snprintf(ret, 24, account % 3 ? "b%d" : "t/b%d", account);
}

int account_read(const char *name)
{
	const char *digits = strpbrk(name, "0123456789");

	if (!strcmp(name, "company"))
		return COMPANY;
	if (!strcmp(name, "spent"))
		return SPENT;
	return digits ? atoi(digits) : NOBODY;
}

int word_find(const char *word, const char *const *words, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(word, words[i]))
			return i;
	return NOT;
}

static void label_of(const struct tm *tm, int every, char ret[LABEL])
{
	ret[0] = '\0';
	if (every == EVERY_DAY)
		strftime(ret, LABEL, "%Y-%m-%d", tm);
	else if (every == EVERY_WEEK)
		strftime(ret, LABEL, "%G-W%V", tm);
	else if (every == EVERY_MONTH)
		strftime(ret, LABEL, "%Y-%m", tm);
}

void label_at(int64_t us, int every, char ret[LABEL])
{
	time_t seconds = us / 1000000;
	struct tm tm;

	label_of(localtime_r(&seconds, &tm), every, ret);
}

/* Noon of the first day of what a label stands for, in UTC. */
static time_t label_begins(const char *label)
{
	struct tm tm = { .tm_hour = 12, .tm_mday = 1 };
	int year, part, day;

	if (sscanf(label, "%d-W%d", &year, &part) == 2) {
		time_t fourth;

		tm = (struct tm){ .tm_year = year - 1900, .tm_mday = 4, .tm_hour = 12 };
		fourth = timegm(&tm);
		return fourth - (tm.tm_wday + 6) % 7 * 86400 + (part - 1) * 7 * 86400;
	}
	day = 1;
	sscanf(label, "%d-%d-%d", &year, &part, &day);
	tm = (struct tm){ .tm_year = year - 1900, .tm_mon = part - 1, .tm_mday = day, .tm_hour = 12 };
	return timegm(&tm);
}

static void label_write(time_t noon, const char *like, char ret[LABEL])
{
	int every = strchr(like, 'W') ? EVERY_WEEK : strlen(like) == 7 ? EVERY_MONTH : EVERY_DAY;
	struct tm tm;

	label_of(gmtime_r(&noon, &tm), every, ret);
}

void label_after(const char *label, char ret[LABEL])
{
	static const int steps[] = { 1, 7, 28, 29, 30, 31 };
	time_t begins = label_begins(label);

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		label_write(begins + steps[i] * 86400, label, ret);
		if (strcmp(ret, label))
			return;
	}
}

void label_like(const char *day, int every, char ret[LABEL])
{
	static const char *const like[] = { "", "2026-01-01", "2026-W01", "2026-01" };

	label_write(label_begins(day), like[every], ret);
}

void label_starts(const char *label, char ret[LABEL])
{
	label_write(label_begins(label), "2026-01-01", ret);
}

void label_ends(const char *label, char ret[LABEL])
{
	char next[LABEL];

	label_after(label, next);
	label_write(label_begins(next) - 86400, "2026-01-01", ret);
}

bool json_find_int(const char *text, const char *key, int64_t *ret)
{
	const char *at = strstr(text, key);

	if (!at)
		return false;
	*ret = strtoll(at + strlen(key), NULL, 10);
	return true;
}

bool json_find_str(const char *text, const char *key, char *ret, size_t size)
{
	const char *at = strstr(text, key), *end;

	if (!at || at[strlen(key)] != '"')
		return false;
	at += strlen(key) + 1;
	end = strchr(at, '"');
	if (!end || (size_t)(end - at) >= size)
		return false;
	memcpy(ret, at, (size_t)(end - at));
	ret[end - at] = '\0';
	return true;
}

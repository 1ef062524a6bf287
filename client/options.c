#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/money.h"
#include "common/text.h"
#include "fund.h"
#include "tell.h"

const struct option_row options_shared[] = {
	{ "json", NULL, offsetof(struct fund, json), NULL, "JSON Lines instead of text" },
	{ "socket", "PATH", offsetof(struct fund, socket), NULL, "where fundd listens" },
	{ "help", NULL, offsetof(struct fund, help), NULL, "how the command is written" },
	OPTIONS_END
};

/* The rows in use, each with the struct its value goes to; getopt's `val` is FIRST + index. */
struct option_set {
	struct option getopt[OPTIONS_MAX + 1];
	const struct option_row *row[OPTIONS_MAX];
	void *into[OPTIONS_MAX];
	bool given[OPTIONS_MAX];
	char letters[2 + 2 * OPTIONS_MAX + 1];	/* getopt's: the order, then
						 * those that have a letter */
	int count;
};

enum { FIRST = 256 };

static void set_add(struct option_set *set, const struct option_row *rows, void *into)
{
	for (; rows && rows->name && set->count < OPTIONS_MAX; rows++) {
		set->getopt[set->count] = (struct option){ .name = rows->name,
			.has_arg = rows->value ? required_argument : no_argument,
			.val = FIRST + set->count };
		set->row[set->count] = rows;
		set->into[set->count++] = into;
	}
}

static int set_store(struct option_set *set, const struct command *command, int at,
		     const char *value)
{
	const struct option_row *row = set->row[at];
	char *target = (char *)set->into[at] + row->offset;
	const char *problem;

	if (set->given[at])
		return usage_error(command, "--%s stands there twice", row->name);
	set->given[at] = true;
	if (!row->value) {
		*(bool *)target = true;
		return 0;
	}
	problem = row->problem ? row->problem(value) : NULL;
	if (problem)
		return usage_error(command, "--%s: %s", row->name, problem);
	*(const char **)target = value;
	return 0;
}

static int set_unknown(const struct command *command, int result, char **argv)
{
	const char *word = argv[optind - 1];

	if (isdigit(optopt))
		return usage_error(command, "amounts are above zero and carry no sign; "
				   "the command says which way money goes");
	if (result == ':')
		return usage_error(command, "%s needs a value", word);
	if (optopt >= FIRST)
		return usage_error(command, "%s takes no value", word);
	if (optopt)
		return usage_error(command, "there is no option -%c", optopt);
	return usage_error(command, "there is no option %s", word);
}

static void set_letters(struct option_set *set, const char *order)
{
	char *p = stpcpy(set->letters, order);

	for (int i = 0; i < set->count; i++) {
		if (!set->row[i]->letter)
			continue;
		*p++ = set->row[i]->letter;
		if (set->row[i]->value)
			*p++ = ':';
	}
	*p = '\0';
}

/* A letter is as good as its long option. */
static int set_long(const struct option_set *set, int result)
{
	for (int i = 0; i < set->count; i++)
		if (set->row[i]->letter && set->row[i]->letter == result)
			return FIRST + i;
	return result;
}

static int set_parse(struct option_set *set, const struct command *command, const char *order,
		     int argc, char **argv)
{
	int result;

	optind = 0;
	opterr = 0;
	set_letters(set, order);
	while ((result = set_long(set, getopt_long(argc, argv, set->letters, set->getopt, NULL))) !=
	       -1) {
		if (result < FIRST) {
			set_unknown(command, result, argv);
			return -1;
		}
		if (set_store(set, command, result - FIRST, optarg))
			return -1;
	}
	return optind;
}

int options_front(struct fund *fund, int argc, char **argv)
{
	struct option_set set = { .count = 0 };

	set_add(&set, options_shared, fund);
	return set_parse(&set, NULL, "+:", argc, argv);
}

int options_parse(struct fund *fund, const struct command *command, void *into, int argc,
		  char **argv)
{
	struct option_set set = { .count = 0 };

	set_add(&set, command->options, into);
	set_add(&set, options_shared, fund);
	return set_parse(&set, command, ":", argc, argv);
}

enum exit_status usage_error(const struct command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell_list(format, args);
	va_end(args);
	if (command)
		tell_more("fund help %s shows how it is written.", command->name);
	else
		tell_more("fund help shows what there is.");
	return EXIT_USAGE;
}

enum exit_status usage_surplus(const struct command *command, const char *word)
{
	if (currency_exp(word) >= 0)
		return usage_error(command, "%s: the currency stands before the amount, as in EUR "
					    "12.50", word);
	return usage_error(command,
			   "%s is a word too many; a reason of several words stands in quotes: "
			   "--for \"parcel came late\"",
			   word);
}

long long number_parse(const char *text)
{
	long long value;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	return *end || errno ? -1 : value;
}

const char *uuid_problem(const char *text)
{
	uint8_t uuid[16];

	return uuid_parse(text, uuid) ? NULL
		: "an id is a UUID, such as 019ab2c4-7d1e-7f00-8000-0123456789ab";
}

const char *count_problem(const char *text)
{
	return number_parse(text) > 0 ? NULL : "a whole number above zero is needed, such as 50";
}

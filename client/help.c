#include <stdio.h>

#include "fund.h"

static void help_options(const struct option_row *rows)
{
	for (; rows && rows->name; rows++) {
		char option[64], letter[8] = "";

		if (rows->letter)
			snprintf(letter, sizeof(letter), "-%c, ", rows->letter);
		snprintf(option, sizeof(option), "%s--%s%s%s", letter, rows->name,
			 rows->value ? " " : "", rows->value ? rows->value : "");
		printf("  %-30s  %s\n", option, rows->help);
	}
}

void command_help(const struct command *command)
{
	printf("usage: fund %s %s\n%s.\n\n", command->name, command->usage, command->summary);
	help_options(command->options);
	help_options(options_shared);
}

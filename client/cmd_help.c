#include <stdio.h>
#include <string.h>

#include "fund.h"
#include "tell.h"

static void help_all(void)
{
	puts("fund: what is left of your budget\n");
	for (size_t i = 0; commands[i]; i++)
		printf("  %-8s  %s\n", commands[i]->name, commands[i]->summary);
	puts("\nfund help COMMAND shows its options; --json and --socket PATH go with all of them.");
}

static void help_options(const struct option_row *rows)
{
	for (; rows && rows->name; rows++) {
		char option[64], letter[8] = "";

		if (rows->letter)
			snprintf(letter, sizeof(letter), "-%c, ", rows->letter);
		snprintf(option, sizeof(option), "%s--%s%s%s", letter, rows->name, rows->value ? " " : "",
			 rows->value ? rows->value : "");
		printf("  %-30s  %s\n", option, rows->help);
	}
}

static enum exit_status help_run(struct fund *fund, int argc, char **argv)
{
	const struct command *command;

	(void)fund;
	if (argc < 2) {
		help_all();
		return EXIT_OK;
	}
	command = command_find(strcmp(argv[1], "--help") ? argv[1] : cmd_help.name);
	if (!command)
		return (enum exit_status)usage_error(NULL, "there is no command `%s`", argv[1]);
	printf("usage: fund %s %s\n%s.\n\n", command->name, command->usage, command->summary);
	help_options(command->options);
	help_options(options_shared);
	return EXIT_OK;
}

const struct command cmd_help = { "help", "[COMMAND]", "This page, or a command's", NULL, help_run };

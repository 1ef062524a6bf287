#include <stdio.h>
#include <string.h>

#include "fund.h"
#include "tell.h"

static void help_all(void)
{
	puts("fund: what is left of your budget\n");
	for (size_t i = 0; commands[i]; i++)
		printf("  %-8s  %s\n", commands[i]->name, commands[i]->summary);
	puts("\nPrograms of their own: fund report, fund verify, fund witness, fund export.");
	puts("fund help COMMAND shows its options; --json and --socket PATH go with all of them.");
}

static enum exit_status help_run(struct fund *fund, int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		help_all();
		return EXIT_OK;
	}
	command = command_find(strcmp(argv[1], "--help") ? argv[1] : cmd_help.name);
	if (command) {
		command_help(command);
		return EXIT_OK;
	}
	fund->help = true;
	run_beside(fund, 1, argv + 1);
	return usage_error(NULL, "there is no command `%s`", argv[1]);
}

const struct command cmd_help = { "help", "[COMMAND]", "This page, or a command's", NULL, help_run };

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "fund.h"
#include "tell.h"

const struct command *const commands[] = {
	&cmd_spend, &cmd_topup, &cmd_refund, &cmd_balance, &cmd_audit, &cmd_open, &cmd_adjust,
	&cmd_close, &cmd_reset, &cmd_receipt, &cmd_status, &cmd_pending, &cmd_help, NULL
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* The shared options stood in front of the command; the program takes them behind its name. */
static char **beside_words(const struct fund *fund, int argc, char **argv)
{
	char **words = calloc((size_t)argc + 3, sizeof(*words));
	int count = 1;

	if (!words)
		abort();
	words[0] = argv[0];
	if (fund->json)
		words[count++] = (char *)"--json";
	if (fund->help)
		words[count++] = (char *)"--help";
	memcpy(words + count, argv + 1, (size_t)(argc - 1) * sizeof(*words));
	return words;
}

void run_beside(const struct fund *fund, int argc, char **argv)
{
	static const char *const places[] = { "", "/../libexec/fund" };
	char self[4096], **words;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (strchr(argv[0], '/') || len < 0)
		return;
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	words = beside_words(fund, argc, argv);
	setenv("FUND_SOCKET", fund->socket, true);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct buf path = BUF_INIT;

		buf_printf(&path, "%s%s/fund-%s", self, places[i], argv[0]);
		execv(path.data, words);
		buf_release(&path);
	}
	free(words);
}

static enum exit_status run(struct fund *fund, int argc, char **argv)
{
	const struct command *command;
	int first;

	if (argc == 2 && !strcmp(argv[1], "--version")) {
		printf("fund %s\n", VERSION);
		return EXIT_OK;
	}
	first = options_front(fund, argc, argv);
	if (first < 0)
		return EXIT_USAGE;
	if (fund->help)
		return cmd_help.run(fund, 1, argv);
	if (first == argc)
		return balance_own(fund);
	command = command_find(argv[first]);
	if (command)
		return command->run(fund, argc - first, argv + first);
	run_beside(fund, argc - first, argv + first);
	return usage_error(NULL, "there is no command `%s`", argv[first]);
}

int main(int argc, char **argv)
{
	return fund_main("fund", argc, argv, run);
}

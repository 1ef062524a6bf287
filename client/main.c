#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "fund.h"
#include "render.h"
#include "request.h"
#include "tell.h"

#define SOCKET_DEFAULT "/run/fund/fund.sock"

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

enum exit_status fund_connect(struct fund *fund)
{
	if (link_open(&fund->link, fund->socket, LINK_PATIENCE_MS)) {
		watch_start(&fund->watch, &fund->link, fund->socket);
		return EXIT_OK;
	}
	tell("cannot reach fundd at %s: %s. Nothing was recorded.", fund->socket, fund->link.problem);
	return EXIT_UNREACHABLE;
}

enum exit_status fund_begin(struct fund *fund)
{
	enum exit_status status = fund_connect(fund);

	if (status == EXIT_OK)
		request_finish(fund);
	return fund->link.fd >= 0 ? EXIT_OK : EXIT_UNREACHABLE;
}

/* `fund X` that is not built in is `fund-X`: beside this program, or in libexec beside its bin. */
static void run_beside(const struct fund *fund, char **argv)
{
	static const char *const places[] = { "", "/../libexec/fund" };
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (strchr(argv[0], '/') || len < 0)
		return;
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	setenv("FUND_SOCKET", fund->socket, true);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct buf path = BUF_INIT;

		buf_printf(&path, "%s%s/fund-%s", self, places[i], argv[0]);
		execv(path.data, argv);
		buf_release(&path);
	}
}

static enum exit_status run(struct fund *fund, int argc, char **argv)
{
	int first = options_front(fund, argc, argv);
	const struct command *command;

	if (first < 0)
		return EXIT_USAGE;
	if (fund->help)
		return cmd_help.run(fund, 1, argv);
	if (first == argc)
		return balance_own(fund);
	command = command_find(argv[first]);
	if (command)
		return command->run(fund, argc - first, argv + first);
	run_beside(fund, argv + first);
	return (enum exit_status)usage_error(NULL, "there is no command `%s`", argv[first]);
}

int main(int argc, char **argv)
{
	struct fund fund = { .socket = getenv("FUND_SOCKET"), .link = LINK_INIT,
			     .watch = WATCH_INIT };
	struct buf line = BUF_INIT;
	enum exit_status status;

	signal(SIGPIPE, SIG_IGN);
	if (!sign_start())
		return tell("the machine gives no randomness");
	log_open("fund");
	if (!fund.socket || !*fund.socket)
		fund.socket = SOCKET_DEFAULT;
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		printf("fund %s\n", VERSION);
		return print_end(EXIT_OK);
	}
	buf_str(&line, "fund");
	quote_line(&line, argc - 1, argv + 1);
	fund.line = line.data;
	status = run(&fund, argc, argv);
	fflush(stdout);
	status = watch_end(&fund.watch, status);
	watch_release(&fund.watch);
	link_close(&fund.link);
	buf_release(&line);
	return print_end(status);
}

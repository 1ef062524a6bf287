#include "fund.h"

#include <signal.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/sign.h"
#include "render.h"
#include "request.h"
#include "tell.h"

#define SOCKET_DEFAULT "/run/fund/fund.sock"

enum exit_status fund_connect(struct fund *fund)
{
	const char *where = fund->command ? fund->command : fund->socket;

	if (fund->command ? link_open_command(&fund->link, fund->command, LINK_PATIENCE_MS)
			  : link_open(&fund->link, fund->socket, LINK_PATIENCE_MS)) {
		watch_start(&fund->watch, &fund->link, where);
		return EXIT_OK;
	}
	tell("cannot reach fundd at %s: %s. Nothing was recorded.", where, fund->link.problem);
	if (!fund->command)
		tell_more("Try again in a moment; if it stays so, whoever runs the machine looks "
			  "at: systemctl status fundd");
	return EXIT_UNREACHABLE;
}

enum exit_status tell_unreachable(const struct fund *fund)
{
	tell("cannot reach fundd at %s: %s", fund->command ? fund->command : fund->socket,
	     fund->link.problem);
	return EXIT_UNREACHABLE;
}

enum exit_status tell_unsettled(const struct fund *fund)
{
	return alarm_raised(&fund->watch.alarm) ? EXIT_UNVERIFIED : tell_unreachable(fund);
}

enum exit_status fund_begin(struct fund *fund)
{
	enum exit_status status = fund_connect(fund);

	if (status == EXIT_OK)
		request_finish(fund);
	return fund->link.fd >= 0 ? EXIT_OK : EXIT_UNREACHABLE;
}

static bool fund_start(struct fund *fund, const char *name, int argc, char **argv)
{
	struct buf line = BUF_INIT;

	signal(SIGPIPE, SIG_IGN);
	log_open("fund");
	*fund = (struct fund){ .socket = getenv("FUND_SOCKET"), .link = LINK_INIT, .watch = WATCH_INIT };
	if (!fund->socket || !*fund->socket)
		fund->socket = SOCKET_DEFAULT;
	buf_str(&line, name);
	quote_line(&line, argc - 1, argv + 1);
	fund->line = buf_detach(&line);
	if (!sign_start()) {
		tell("the machine gives no randomness");
		return false;
	}
	return true;
}

static enum exit_status fund_end(struct fund *fund, enum exit_status status)
{
	print_flush();
	status = watch_end(&fund->watch, status);
	watch_release(&fund->watch);
	link_close(&fund->link);
	free(fund->line);
	return print_end(status);
}

enum exit_status fund_main(const char *name, int argc, char **argv,
			   enum exit_status (*run)(struct fund *fund, int argc, char **argv))
{
	struct fund fund;

	if (!fund_start(&fund, name, argc, argv))
		return EXIT_FAILED;
	return fund_end(&fund, run(&fund, argc, argv));
}

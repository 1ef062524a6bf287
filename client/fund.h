/*
 * What every command of `fund` gets, and how a command describes itself.
 */
#ifndef CLIENT_FUND_H
#define CLIENT_FUND_H

#include <stdbool.h>

#include "common/err.h"
#include "link.h"
#include "options.h"
#include "watch.h"

struct fund {
	const char *socket;	/* where the daemon listens */
	const char *command;	/* or what leads to it, for the shell; NULL: the socket */
	bool json, help;
	char *line;		/* what was typed, quoted for a shell: "fund spend 25 --for lamp" */
	struct link link;	/* opened by fund_connect */
	struct watch watch;	/* over the ledger at its other end; on from fund_connect */
};

/* One command, one file: cmd_NAME.c. */
struct command {
	const char *name;
	const char *usage;	/* its arguments; options in brackets may be left out */
	const char *summary;	/* one line for `fund help` */
	const struct option_row *options; /* its own; --json, --socket and --help are everybody's */
	/* argv[0] is the command's name. Returns how the program ends; what is not EXIT_OK has
	 * been told. */
	enum exit_status (*run)(struct fund *fund, int argc, char **argv);
};

/* In the order of `fund help`; ends with NULL. */
extern const struct command *const commands[];

extern const struct command cmd_spend, cmd_topup, cmd_refund, cmd_balance, cmd_audit, cmd_open,
	cmd_adjust, cmd_close, cmd_reset, cmd_receipt, cmd_status, cmd_pending, cmd_help;

/* NULL when there is no such command. */
const struct command *command_find(const char *name);

/* `fund` alone: what the caller has. */
enum exit_status balance_own(struct fund *fund);

/* Every program: defaults and the environment, what it does, and at the end what was watched,
 * remembered, printed. `name` is what people type. Returns how it ends. */
enum exit_status fund_main(const char *name, int argc, char **argv,
			   enum exit_status (*run)(struct fund *fund, int argc, char **argv));

/* The link broke, or was never there. Returns EXIT_UNREACHABLE. */
enum exit_status tell_unreachable(const struct fund *fund);

/* After watch_settle said no: tells, unless there is an alarm, which fund_main does. */
enum exit_status tell_unsettled(const struct fund *fund);

/* Becomes the program fund-X, argv[0] being X, with the shared options; returns when there is
 * none. */
void run_beside(const struct fund *fund, int argc, char **argv);

/* Prints how a command is written. */
void command_help(const struct command *command);

/* Connects, or tells why not. */
enum exit_status fund_connect(struct fund *fund);

/* Connects, and first finishes the requests whose answers were lost (pending.h). */
enum exit_status fund_begin(struct fund *fund);

#endif

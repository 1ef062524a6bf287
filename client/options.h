/*
 * Options by table: what a command takes, where it goes, and what it must look like.
 */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stddef.h>

#include "common/err.h"

struct command;
struct fund;

struct option_row {
	const char *name;	/* without the dashes */
	const char *value;	/* what help calls its value; NULL: a bool, true when given */
	size_t offset;		/* offsetof() of a const char * or bool in the command's options */
	const char *(*problem)(const char *value);	/* NULL: checked later;
							 * otherwise as in text.h */
	const char *help;
	char letter;		/* -o for --output; 0: none */
};

/* A row for a member of `struct type`. */
#define OPTION_ROW(type, name, member, value, problem, help) \
	{ name, value, offsetof(struct type, member), problem, help }
#define OPTION_CONNECT(type) \
	OPTION_ROW(type, "connect", connect, "COMMAND", NULL, \
		   "reach fundd through this command, such as ssh")
#define OPTIONS_END { NULL, NULL, 0, NULL, NULL }
#define OPTIONS_MAX 20		/* of one command, the shared ones included */

/* --json, --socket, --help, into struct fund. */
extern const struct option_row options_shared[];

/*
 * Reads the shared options in front of the command. Returns the index in argv at
 * which the command stands (argc: none), or -1 when a usage error has been told.
 */
int options_front(struct fund *fund, int argc, char **argv);

/*
 * Reads the command's and the shared options, wherever they stand, into `into` and *fund; argv is
 * reordered. Returns the index of the first argument that is no option, or -1 when a usage error
 * has been told.
 */
int options_parse(struct fund *fund, const struct command *command, void *into, int argc,
		  char **argv);

/* Tells what is wrong and where it says how the command is written. Returns EXIT_USAGE. */
enum exit_status usage_error(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same of a word too many, most likely of a reason that was not quoted. */
enum exit_status usage_surplus(const struct command *command, const char *word);

/* A decimal number without sign from 0 to the largest int64; -1 for anything else. */
long long number_parse(const char *text);

/* For option tables: NULL when `text` is a UUID, or a number above zero. */
const char *uuid_problem(const char *text);
const char *count_problem(const char *text);

#endif

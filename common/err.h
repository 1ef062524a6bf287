/*
 * The one table of refusals: what each is called on the wire and which exit
 * status `fund` ends with. Nothing else in the tree spells an error's name.
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

enum err {
	ERR_NONE = 0,
	/* io.fundd.Ledger */
	ERR_INSUFFICIENT_FUNDS,
	ERR_UNKNOWN_BUDGET,
	ERR_BUDGET_NEEDED,
	ERR_BUDGET_EXISTS,
	ERR_BUDGET_CLOSED,
	ERR_UNKNOWN_ENTRY,
	ERR_NOT_PERMITTED,
	ERR_CURRENCY_MISMATCH,
	ERR_LIMIT_REACHED,
	ERR_OVERFLOW,
	ERR_ID_CONFLICT,
	ERR_PERIOD_AHEAD,
	ERR_MALFORMED,
	ERR_UNAVAILABLE,
	/* org.varlink.service */
	ERR_INTERFACE_NOT_FOUND,
	ERR_METHOD_NOT_FOUND,
	ERR_INVALID_PARAMETER,
	ERR_EXPECTED_MORE,
	ERR_COUNT
};

/* How every program of the project ends. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_REFUSED = 3,	/* the budget or the ledger's rules say no */
	EXIT_NOT_PERMITTED = 4,
	EXIT_UNREACHABLE = 5,	/* no daemon, or the outcome is unknown */
	EXIT_UNVERIFIED = 6,	/* a proof, a signature or a replay failed */
};

/* The full wire name, e.g. "io.fundd.Ledger.UnknownBudget"; never NULL for a
 * code of the table, "" for ERR_NONE. */
const char *err_name(enum err code);

/* The code of a wire name; ERR_NONE when the table has no such name. */
enum err err_from_name(const char *name);

/* The exit status `fund` ends with after this refusal. */
enum exit_status err_exit_status(enum err code);

#endif

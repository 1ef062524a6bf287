#include "err.h"

#include <stddef.h>
#include <string.h>

#define LEDGER "io.fundd.Ledger."
#define SERVICE "org.varlink.service."

static const struct {
	const char *name;
	enum exit_status status;
} errors[ERR_COUNT] = {
	[ERR_NONE] = { "", EXIT_OK },
	[ERR_INSUFFICIENT_FUNDS] = { LEDGER "InsufficientFunds", EXIT_REFUSED },
	[ERR_UNKNOWN_BUDGET] = { LEDGER "UnknownBudget", EXIT_REFUSED },
	[ERR_BUDGET_NEEDED] = { LEDGER "BudgetNeeded", EXIT_REFUSED },
	[ERR_BUDGET_EXISTS] = { LEDGER "BudgetExists", EXIT_REFUSED },
	[ERR_BUDGET_CLOSED] = { LEDGER "BudgetClosed", EXIT_REFUSED },
	[ERR_UNKNOWN_ENTRY] = { LEDGER "UnknownEntry", EXIT_REFUSED },
	[ERR_NOT_PERMITTED] = { LEDGER "NotPermitted", EXIT_NOT_PERMITTED },
	[ERR_CURRENCY_MISMATCH] = { LEDGER "CurrencyMismatch", EXIT_REFUSED },
	[ERR_LIMIT_REACHED] = { LEDGER "LimitReached", EXIT_REFUSED },
	[ERR_OVERFLOW] = { LEDGER "Overflow", EXIT_REFUSED },
	[ERR_ID_CONFLICT] = { LEDGER "IdConflict", EXIT_REFUSED },
	[ERR_PERIOD_AHEAD] = { LEDGER "PeriodAhead", EXIT_REFUSED },
	[ERR_MALFORMED] = { LEDGER "Malformed", EXIT_USAGE },
	[ERR_UNAVAILABLE] = { LEDGER "Unavailable", EXIT_FAILED },
	[ERR_INTERFACE_NOT_FOUND] = { SERVICE "InterfaceNotFound", EXIT_USAGE },
	[ERR_METHOD_NOT_FOUND] = { SERVICE "MethodNotFound", EXIT_USAGE },
	[ERR_INVALID_PARAMETER] = { SERVICE "InvalidParameter", EXIT_USAGE },
	[ERR_EXPECTED_MORE] = { SERVICE "ExpectedMore", EXIT_USAGE },
};

const char *err_name(enum err code)
{
	return errors[code].name;
}

enum err err_from_name(const char *name)
{
	for (size_t i = 0; i < ERR_COUNT; i++)
		if (!strcmp(errors[i].name, name))
			return (enum err)i;
	return ERR_NONE;
}

enum exit_status err_exit_status(enum err code)
{
	return errors[code].status;
}

#include "common/err.h"
#include "tap.h"

static const struct {
	enum err code;
	const char *name;
	int status;
} rows[] = {
	{ ERR_INSUFFICIENT_FUNDS, "io.fundd.Ledger.InsufficientFunds", 3 },
	{ ERR_UNKNOWN_BUDGET, "io.fundd.Ledger.UnknownBudget", 3 },
	{ ERR_BUDGET_NEEDED, "io.fundd.Ledger.BudgetNeeded", 3 },
	{ ERR_BUDGET_EXISTS, "io.fundd.Ledger.BudgetExists", 3 },
	{ ERR_BUDGET_CLOSED, "io.fundd.Ledger.BudgetClosed", 3 },
	{ ERR_UNKNOWN_ENTRY, "io.fundd.Ledger.UnknownEntry", 3 },
	{ ERR_NOT_PERMITTED, "io.fundd.Ledger.NotPermitted", 4 },
	{ ERR_CURRENCY_MISMATCH, "io.fundd.Ledger.CurrencyMismatch", 3 },
	{ ERR_LIMIT_REACHED, "io.fundd.Ledger.LimitReached", 3 },
	{ ERR_OVERFLOW, "io.fundd.Ledger.Overflow", 3 },
	{ ERR_ID_CONFLICT, "io.fundd.Ledger.IdConflict", 3 },
	{ ERR_PERIOD_AHEAD, "io.fundd.Ledger.PeriodAhead", 3 },
	{ ERR_MALFORMED, "io.fundd.Ledger.Malformed", 2 },
	{ ERR_UNAVAILABLE, "io.fundd.Ledger.Unavailable", 1 },
	{ ERR_INTERFACE_NOT_FOUND, "org.varlink.service.InterfaceNotFound", 2 },
	{ ERR_METHOD_NOT_FOUND, "org.varlink.service.MethodNotFound", 2 },
	{ ERR_INVALID_PARAMETER, "org.varlink.service.InvalidParameter", 2 },
	{ ERR_EXPECTED_MORE, "org.varlink.service.ExpectedMore", 2 },
};

static const char *const strangers[] = {
	"", "UnknownBudget", "io.fundd.Ledger.", "io.fundd.Ledger.unknownBudget",
	"io.fundd.Ledger.UnknownBudget ", "org.varlink.service.UnknownBudget",
};

int main(void)
{
	is_int(sizeof(rows) / sizeof(rows[0]), ERR_COUNT - 1, "every code is looked at here");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		is_str(err_name(rows[i].code), rows[i].name, rows[i].name);
		is_int(err_from_name(rows[i].name), rows[i].code, "and back");
		is_int(err_exit_status(rows[i].code), rows[i].status, "its exit status");
	}
	is_str(err_name(ERR_NONE), "", "no error has no name");
	is_int(err_exit_status(ERR_NONE), 0, "no error ends with 0");
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		ok(err_from_name(strangers[i]) == ERR_NONE, "'%s' is none of ours", strangers[i]);
	return done_testing();
}

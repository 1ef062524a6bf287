#include "syntax.h"

#include "text.h"

/* Without jansson, for programs that must start quickly and whose senders are programs of ours. */
void syntax_problem(const char *text, size_t len, unsigned depth, struct problem *problem)
{
	size_t valid = utf8_check(text, len);

	if (valid < len)
		problem_set(problem, WHOLE_MESSAGE, "is no UTF-8, at byte %zu", valid + 1);
	else
		problem_set(problem, WHOLE_MESSAGE, "is no JSON of at most %u levels", depth);
}

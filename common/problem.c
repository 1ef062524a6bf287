#include "problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* Cut to whole characters, and fit for a terminal. */
static void tidy(char *text)
{
	text[utf8_check(text, strlen(text))] = '\0';
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

void problem_set(struct problem *problem, const char *parameter, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem->text, sizeof(problem->text), format, args);
	va_end(args);
	snprintf(problem->parameter, sizeof(problem->parameter), "%s",
		 *parameter ? parameter : "\"\"");
	tidy(problem->text);
	tidy(problem->parameter);
}

/*
 * What was wrong with an input, for Malformed(parameter, problem).
 */
#ifndef COMMON_PROBLEM_H
#define COMMON_PROBLEM_H

struct problem {
	char parameter[64];
	char text[192];
};

#define WHOLE_MESSAGE "message"		/* the parameter of what concerns no single one */

/* Both are cut to what fits, at a whole character; control
 * characters become '?'. A key without a name is "". */
void problem_set(struct problem *problem, const char *parameter, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

/*
 * What is wrong with a text that value_parse() refused, in words. Off the hot path: for the daemon,
 * jansson reads it once more, for its position and its sentence (syntax_jansson.c); the client says
 * less (syntax_brief.c).
 */
#ifndef COMMON_SYNTAX_H
#define COMMON_SYNTAX_H

#include <stddef.h>

#include "problem.h"

/* The parameter is the key it is about, as it was written, or "message" when there is none. */
void syntax_problem(const char *text, size_t len, unsigned depth, struct problem *problem);

#endif

/*
 * The Test Anything Protocol for C tests, run under prove. One program, one module.
 */
#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3)))
static inline bool ok(bool pass, const char *format, ...)
{
	va_list args;

	printf("%s %d - ", pass ? "ok" : "not ok", ++tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	if (!pass)
		tap_failed++;
	return pass;
}

static inline bool is_int(int64_t got, int64_t want, const char *name)
{
	if (ok(got == want, "%s", name))
		return true;
	printf("#  got %lld, want %lld\n", (long long)got, (long long)want);
	return false;
}

static inline bool is_str(const char *got, const char *want, const char *name)
{
	bool same = got && want ? !strcmp(got, want) : got == want;

	if (ok(same, "%s", name))
		return true;
	printf("#  got  %s\n#  want %s\n", got ? got : "(null)", want ? want : "(null)");
	return false;
}

/* The plan at the end, and the exit status of main. */
static inline int done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif

#include "tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/text.h"

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+"

void tell_list(const char *format, va_list args)
{
	char *line;

	if (vasprintf(&line, format, args) < 0)
		abort();
	log_error("%s", line);
	free(line);
}

enum exit_status tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell_list(format, args);
	va_end(args);
	return EXIT_FAILED;
}

void tell_more(const char *format, ...)
{
	va_list args;
	char *line;

	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		abort();
	va_end(args);
	text_mask(line, strlen(line), false);
	fprintf(stderr, "      %s\n", line);
	free(line);
}

static void quote_word(struct buf *out, const char *word)
{
	const char *p;

	if (*word && word[strspn(word, PLAIN)] == '\0') {
		buf_str(out, word);
	} else if (!strpbrk(word, "\"\\$`!")) {
		buf_char(out, '"');
		buf_str(out, word);
		buf_char(out, '"');
	} else {
		buf_char(out, '\'');
		for (p = word; *p; p++)
			buf_add(out, *p == '\'' ? "'\\''" : p, *p == '\'' ? 4 : 1);
		buf_char(out, '\'');
	}
}

void quote_line(struct buf *out, int argc, char *const *argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (out->len)
			buf_char(out, ' ');
		quote_word(out, argv[i]);
	}
}

#include "log.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_LEN 2048

static const char *program_name;
static bool to_journal;

/* Otherwise the next file would get their numbers: what is said would be written into it. */
static void standard_files_take(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			_exit(EXIT_FAILURE);
}

/* systemd.exec(5): JOURNAL_STREAM names the device and inode of the journal's stream. */
void log_open(const char *program)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char here[64];
	struct stat st;

	standard_files_take();
	program_name = program;
	to_journal = false;
	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return;
	snprintf(here, sizeof(here), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	to_journal = !strcmp(stream, here);
}

static void write_all(const char *bytes, size_t len)
{
	ssize_t n;

	for (; len; bytes += n, len -= (size_t)n) {
		n = write(STDERR_FILENO, bytes, len);
		if (n < 0 && errno != EINTR)
			return;
		if (n < 0)
			n = 0;
	}
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[LINE_MAX_LEN], text[LINE_MAX_LEN - 64];
	int saved = errno, len;
	va_list args;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0)
		text[0] = '\0';
	if (len >= (int)sizeof(text))
		memcpy(text + sizeof(text) - sizeof("..."), "...", sizeof("..."));
	text_mask(text, strlen(text), false);
	if (to_journal)
		len = snprintf(line, sizeof(line), "<%d>%s\n", level, text);
	else
		len = snprintf(line, sizeof(line), "%.60s%s%s\n", program_name ? program_name : "",
			       program_name ? ": " : "", text);
	write_all(line, len < 0 ? 0 : (size_t)len);
	errno = saved;
}

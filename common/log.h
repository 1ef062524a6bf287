/*
 * Lines to stderr in which journald finds the priority (sd-daemon(3), "<6>...")
 * when stderr is the journal (what JOURNAL_STREAM names), plain with the program's name otherwise.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6
};

/* Once, before the first line and before any file is opened; `program` is kept, not copied. Which
 * of stdin, stdout and stderr is closed is /dev/null from then on, opened for reading: writing to
 * it goes on failing. */
void log_open(const char *program);

/* One line; control characters in what is printed become '?', what is no UTF-8 too, and what is
 * over some 2,000 bytes is cut. errno is left as it was. */
void log_line(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)

#endif

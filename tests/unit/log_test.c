#include "common/log.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int from_stderr;
static char seen[8192];

/* What has come out of stderr since the last look. */
static const char *logged(void)
{
	ssize_t n = read(from_stderr, seen, sizeof(seen) - 1);

	seen[n < 0 ? 0 : n] = '\0';
	return seen;
}

static bool catch_stderr(void)
{
	int ends[2];

	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0 || dup2(ends[1], STDERR_FILENO) < 0)
		return false;
	close(ends[1]);
	from_stderr = ends[0];
	return true;
}

static void test_plain(void)
{
	log_info("before it was opened");
	is_str(logged(), "before it was opened\n", "without a name");
	log_open("fundd");
	log_info("listening on %s, %d at once", "fund.sock", 64);
	is_str(logged(), "fundd: listening on fund.sock, 64 at once\n", "with the program's name");
	log_info("%s", "");
	is_str(logged(), "fundd: \n", "an empty line");
	errno = ENOENT;
	log_error("cannot open it: %m");
	is_int(errno, ENOENT, "errno stays");
	is_str(logged(), "fundd: cannot open it: No such file or directory\n", "errno in words");
}

/* Nobody can forge a line, nor paint the terminal. */
static void test_masked(void)
{
	static const struct {
		const char *text, *want, *name;
	} rows[] = {
		{ "a\nb", "fundd: a?b\n", "a line feed" },
		{ "a\n<0>forged", "fundd: a?<0>forged\n", "a line of another priority" },
		{ "\t\r\x01\x1f\x7f", "fundd: ?????\n", "C0 and DEL" },
		{ "\x1b[31mred", "fundd: ?[31mred\n", "an escape" },
		{ "\xc2\x9b""31m", "fundd: ?\?31m\n", "C1, in UTF-8" },
		{ "\xc2\x80\xc2\x9f\xc2\xa0", "fundd: ????\xc2\xa0\n", "the first and last of C1" },
		{ "a\x9b\xff\xc3", "fundd: a???\n", "bytes that are no UTF-8" },
		{ "Gr\xc3\xbc\xc3\x9f""e", "fundd: Gr\xc3\xbc\xc3\x9f""e\n", "letters stay" },
		{ "100% %n %s", "fundd: 100% %n %s\n", "a format within is none" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		log_warning("%s", rows[i].text);
		is_str(logged(), rows[i].want, rows[i].name);
	}
}

static void test_long(void)
{
	char text[5001];
	size_t len;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	len = strlen(logged());
	ok(len > 1900 && len < 2100, "what is too long is cut");
	is_str(len > 5 ? seen + len - 5 : seen, "x...\n", "visibly, and the line still ends");
	ok(!memchr(seen, '\n', len - 1), "it is one line");
	log_open(text);
	log_info("hello");
	is_str(logged() + 60, ": hello\n", "so is a name");
}

/* Lets JOURNAL_STREAM name stderr, plus `skew` on its inode. */
static void set_stream(unsigned skew)
{
	char stream[64];
	struct stat st;

	if (fstat(STDERR_FILENO, &st) < 0)
		ok(false, "stderr is there");
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino + skew);
	setenv("JOURNAL_STREAM", stream, 1);
}

static void test_journal(void)
{
	set_stream(0);
	log_open("fundd");
	log_error("e");
	is_str(logged(), "<3>e\n", "an error in the journal");
	log_warning("w");
	is_str(logged(), "<4>w\n", "a warning");
	log_notice("n");
	is_str(logged(), "<5>n\n", "a notice");
	log_info("a%cb", '\n');
	is_str(logged(), "<6>a?b\n", "information, masked");
	set_stream(1);
	log_open("fundd");
	log_info("i");
	is_str(logged(), "fundd: i\n", "stderr is not that stream any more");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	log_open("fundd");
	log_info("i");
	is_str(logged(), "fundd: i\n", "a stream that makes no sense");
	unsetenv("JOURNAL_STREAM");
	log_open("fundd");
	log_info("i");
	is_str(logged(), "fundd: i\n", "no journal");
}

static void test_nowhere(void)
{
	close(STDERR_FILENO);
	errno = EAGAIN;
	log_error("nobody listens");
	is_int(errno, EAGAIN, "errno stays when nothing can be written");
}

int main(void)
{
	unsetenv("JOURNAL_STREAM");
	if (!ok(catch_stderr(), "stderr is caught"))
		return done_testing();
	test_plain();
	test_masked();
	test_long();
	test_journal();
	test_nowhere();
	return done_testing();
}

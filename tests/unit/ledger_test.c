/*
 * The ledger over its log and its database: what is read is the same wherever it stands, and a
 * process that dies leaves all that it committed.
 */
#include "daemon/ledger.h"
#include "common/bytes.h"
#include "made_row.h"
#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROWS_A_COMMIT 40
#define SMALL_MAP ((uint64_t)16 << 20)
#define BIG MADE_MEMO_MAX	/* bytes of a row's memo: a segment is
				 * full after about a hundred commits */

static char place[] = "/tmp/ledger-test-XXXXXX";

static void bail(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static void pathname(const char *name, char ret[128])
{
	snprintf(ret, 128, "%s/%s", place, name);
}

static void opened(struct ledger *ledger, bool create)
{
	int error = ledger_open(ledger, place, (uint64_t)1 << 30, create);

	if (!error)
		error = ledger_start(ledger);
	if (error)
		bail(ledger_error(error));
}

static const uint8_t *made(uint64_t seq, size_t *size)
{
	return made_row(seq, BIG, size);
}

static enum commit commit(struct ledger *ledger, unsigned count)
{
	uint64_t first = ledger->size;
	size_t bytes = 0, size;

	for (unsigned i = 0; i < count; i++) {
		made(first + i, &size);
		bytes += size;
	}
	ledger_begin(ledger, bytes, count);
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *row = made(first + i, &size);
		void *room = ledger_put(ledger, first + i, size);

		if (room)
			memcpy(room, row, size);
	}
	return ledger_commit(ledger);
}

static void commits(struct ledger *ledger, unsigned count)
{
	while (count--)
		if (commit(ledger, ROWS_A_COMMIT) != COMMIT_DONE)
			bail(ledger_error(ledger->error));
}

/* How many of the rows that a reader sees are not as they were put. */
static int64_t wrong_rows(struct ledger *ledger, uint64_t want)
{
	struct reader reader;
	int64_t wrong = 0;

	if (reader_begin(ledger, &reader))
		return -1;
	if (reader.size != want || reader.rows != want)
		wrong = 1000000;
	for (uint64_t seq = 0; seq < reader.size; seq++) {
		const void *bytes;
		size_t size, same;

		wrong += reader_row(&reader, seq, &bytes, &size) ||
			 memcmp(bytes, made(seq, &same), size) || size != same;
	}
	reader_end(&reader);
	return wrong;
}

static void moment(void)
{
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

static void settled_soon(struct ledger *ledger, uint64_t size)
{
	for (int i = 0; ledger_settled(ledger) < size && i < 10000; i++)
		moment();
}

static void test_reading(void)
{
	struct ledger ledger, settled;

	opened(&ledger, true);
	is_int((int64_t)ledger.size, 0, "a new ledger is empty");
	ok(ledger.log_missing, "its log is new too");
	commits(&ledger, 3);
	settled = ledger_settled_only(&ledger);
	is_int((int64_t)ledger_settled(&ledger), 0, "what was committed is not settled at once");
	is_int(wrong_rows(&ledger, 120), 0, "and is read");
	is_int(wrong_rows(&settled, 0), 0, "but not by who sees only what is settled");
	ledger_second(&ledger);
	commits(&ledger, 2);
	is_int(wrong_rows(&ledger, 200), 0, "while it is settled, all is read");
	settled_soon(&ledger, 120);
	is_int((int64_t)ledger_settled(&ledger), 120, "after a second what there was is settled");
	is_int(wrong_rows(&settled, 120), 0, "and seen by everybody");
	is_int(wrong_rows(&ledger, 200), 0, "and the rest read all the same");
	commits(&ledger, 300);
	is_int(wrong_rows(&ledger, 12200), 0, "segments take turns");
	is_int(ledger_close(&ledger), 0, "it ends with all settled");
	opened(&ledger, false);
	is_int((int64_t)ledger.recovered, 0, "so there is nothing to recover");
	is_int((int64_t)ledger_settled(&ledger), 12200, "and all there");
	is_int(wrong_rows(&ledger, 12200), 0, "as it was put");
	ledger_close(&ledger);
}

/* What a process that dies leaves: commits of that many rows, with seconds in between. */
static void die_after(unsigned before, unsigned after)
{
	struct ledger ledger;
	pid_t child = fork();

	if (!child) {
		opened(&ledger, false);
		commits(&ledger, before);
		ledger_second(&ledger);
		commits(&ledger, after);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void test_recovery(void)
{
	struct ledger ledger;

	die_after(5, 7);
	is_int(ledger_open_reader(&ledger, place), 0, "after a death it can be read");
	is_int(wrong_rows(&ledger, 12200 + 480), 0, "with all that was committed");
	ledger_close(&ledger);
	opened(&ledger, false);
	ok(ledger.recovered >= 280 && ledger.recovered <= 480,
	   "opened, the log gives what was not settled");
	is_int(wrong_rows(&ledger, 12680), 0, "and all is there");
	commits(&ledger, 1);
	is_int(wrong_rows(&ledger, 12720), 0, "and it goes on");
	ledger_close(&ledger);
	die_after(250, 40);
	opened(&ledger, false);
	is_int(wrong_rows(&ledger, 12720 + 290 * 40), 0, "a death with both segments in use loses "
							 "nothing");
	ledger_close(&ledger);
}

static void copy(const char *from, const char *to)
{
	char command[512];

	snprintf(command, sizeof(command), "cp %s/%s %s/%s", place, from, place, to);
	if (system(command))
		bail("a file cannot be copied");
}

static void test_strays(void)
{
	struct ledger ledger;
	char path[128];

	copy(LEDGER_FILE, "older");
	die_after(0, 3);
	opened(&ledger, false);
	commits(&ledger, 1);
	copy(WAL_FILE, "newer");
	ledger_close(&ledger);
	copy("older", LEDGER_FILE);
	copy("newer", WAL_FILE);
	is_int(ledger_open(&ledger, place, (uint64_t)1 << 30, false), LEDGER_LOG_STRAY,
	       "an older database beside a newer log is refused");
	ok(strstr(ledger_error(LEDGER_LOG_STRAY), "Restore"), "in words that help");
	is_int(ledger_open_reader(&ledger, place), LEDGER_LOG_STRAY, "to a reader as well");
	pathname(WAL_FILE, path);
	unlink(path);
	opened(&ledger, false);
	ok(ledger.log_missing, "a log that is missing is told of");
	unlink(path);
	is_int(ledger_room(&ledger), ROOM_GONE, "and one that is removed beneath it");
	ledger_close(&ledger);
}

/* Ends it, and says how many rows are still in the log, the database being a copy made before. */
static int64_t left_in_log(struct ledger *ledger)
{
	int64_t recovered;

	is_int(ledger_close(ledger), 0, "and it is closed");
	copy("older", LEDGER_FILE);
	opened(ledger, false);
	recovered = (int64_t)ledger->recovered;
	ledger_close(ledger);
	return recovered;
}

/* The log is not emptied when it may be needed. */
static void test_needed(void)
{
	struct ledger ledger;
	char path[128];
	int fd;

	copy(LEDGER_FILE, "older");
	opened(&ledger, false);
	commits(&ledger, 2);
	pathname(LEDGER_FILE, path);
	unlink(path);
	is_int(ledger_room(&ledger), ROOM_GONE, "the database is removed beneath it");
	is_int(left_in_log(&ledger), 80, "the log still has what that never had");
	copy(LEDGER_FILE, "older");
	opened(&ledger, false);
	fd = ledger.wal->fd;
	ledger.wal->fd = open("/dev/full", O_RDWR);
	is_int(commit(&ledger, 1), COMMIT_UNKNOWN, "it is unknown how a commit ended");
	close(ledger.wal->fd);
	ledger.wal->fd = fd;
	is_int((int64_t)pwrite(fd, ledger.wal->current->bytes, SEGMENT_SIZE, 0),
	       (int64_t)SEGMENT_SIZE, "it is there");
	is_int(left_in_log(&ledger), 1, "the next start finds out");
}

/* From now on ledger.mdb cannot be written: its pages, or (`meta`) the last one of a commit, for
 * which LMDB has a descriptor of its own, opened later. */
static void settling_fails(bool meta)
{
	char link[64], target[256], path[128];
	int other, found[2] = { -1, -1 };

	pathname(LEDGER_FILE, path);
	other = open(path, O_RDONLY);
	for (int fd = 3; fd < other; fd++) {
		ssize_t len;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, target, sizeof(target) - 1);
		target[len < 0 ? 0 : len] = '\0';
		if (!strcmp(target, path))
			found[found[0] >= 0] = fd;
	}
	if (found[meta] < 0 || dup2(other, found[meta]) < 0)
		bail("a descriptor stays");
	close(other);
}

/* A small map whose room is close. */
static void nearly_full(struct ledger *ledger)
{
	char path[128];

	pathname(LEDGER_FILE, path);
	unlink(path);
	pathname(WAL_FILE, path);
	unlink(path);
	if (ledger_open(ledger, place, SMALL_MAP, true) || ledger_start(ledger))
		bail("no small ledger");
	while (ledger_room(ledger) == ROOM_PLENTY)
		commits(ledger, 1);
}

/* Where there is little room, a disk that fails is not a full one. */
static void test_room(void)
{
	struct ledger ledger;
	uint64_t size;

	nearly_full(&ledger);
	is_int(ledger_room(&ledger), ROOM_RESERVE, "the room is close");
	settling_fails(false);
	commits(&ledger, 30);
	is_int(ledger_room(&ledger), ROOM_UNKNOWN, "settling fails: it is unknown");
	is_int(ledger_room(&ledger), ROOM_UNKNOWN, "and stays so");
	ok(!ledger_lost(&ledger), "but it can be read");
	size = ledger.size;
	ok(ledger_close(&ledger), "what is not settled stays");
	is_int(ledger_open(&ledger, place, SMALL_MAP, false), 0, "the next start takes it");
	is_int((int64_t)ledger.size, (int64_t)size, "all of it");
	ledger_close(&ledger);
}

/* After some errors LMDB lets nobody read any more. */
static void test_lost(void)
{
	struct ledger ledger;

	opened(&ledger, true);
	ok(!ledger_lost(&ledger), "a ledger can be read");
	settling_fails(true);
	commits(&ledger, 1);
	ledger_second(&ledger);
	for (int i = 0; !ledger_lost(&ledger) && i < 10000; i++)
		moment();
	ok(ledger_lost(&ledger), "and is lost when a commit breaks off at its end");
	ledger_close(&ledger);
}

int main(void)
{
	char command[64];

	if (!mkdtemp(place))
		bail("no directory");
	test_reading();
	test_recovery();
	test_strays();
	test_needed();
	test_room();
	test_lost();
	snprintf(command, sizeof(command), "rm -rf %s", place);
	if (system(command))
		bail("the directory cannot be removed");
	return done_testing();
}

/*
 * The write-ahead log: what it gives back after a crash at any moment, and what it refuses to go on
 * from.
 */
#include "daemon/wal.h"
#include "common/bytes.h"
#include "daemon/checksum.h"
#include "made_row.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORDS 6
#define FILE_SIZE (WAL_SEGMENTS * SEGMENT_SIZE)

static const uint8_t nothing[CHECKSUM_SIZE];
static char place[] = "/tmp/wal-test-XXXXXX", path[64];

/* ---- Rows and records ---- */

static const uint8_t *made(uint64_t seq, size_t *size)
{
	return made_row(seq, 40 + seq % 700, size);
}

static const uint8_t *sum_before(uint64_t seq)
{
	size_t size;
	const uint8_t *row = seq ? made(seq - 1, &size) : NULL;

	return row ? row + size - CHECKSUM_SIZE : nothing;
}

/* Record n has n + 1 rows; so it begins with this one. */
static uint64_t first_of(unsigned n)
{
	return n * (n + 1) / 2;
}

static enum wal_end record(struct wal *wal, uint64_t first, unsigned count, int *error)
{
	size_t size;

	for (uint64_t seq = first; seq < first + count; seq++) {
		const uint8_t *row = made(seq, &size);

		memcpy(segment_put(wal->current, seq, size), row, size);
	}
	return wal_write(wal, error);
}

static void records(struct wal *wal, unsigned from, unsigned until)
{
	int error;

	for (unsigned n = from; n < until; n++)
		if (record(wal, first_of(n), n + 1, &error) != WAL_DONE) {
			printf("Bail out! a record is not written: %s\n", strerror(error));
			exit(1);
		}
}

static void opened(struct wal *wal, bool writable)
{
	bool missing;

	if (wal_open(wal, place, writable, &missing)) {
		puts("Bail out! the log does not open");
		exit(1);
	}
}

static void fresh(struct wal *wal)
{
	unlink(path);
	opened(wal, true);
	wal_recover(wal, 0, nothing);
}

/* Are all rows from `from` to `until` there as they were put? */
static bool holds(const struct wal *wal, uint64_t from, uint64_t until)
{
	for (uint64_t seq = from; seq < until; seq++) {
		size_t size, want;
		const uint8_t *row = wal_row(wal, seq, &size), *same = made(seq, &want);

		if (!row || size != want || memcmp(row, same, size))
			return false;
	}
	return true;
}

/* What the file gives from row `next` on: the number
 * after its last row, or -1 when it is refused. */
static int64_t recovered(uint64_t next, const uint8_t *prior)
{
	struct wal wal;
	int64_t last;

	opened(&wal, false);
	last = wal_recover(&wal, next, prior) ? (int64_t)wal_last(&wal) : -1;
	if (last > 0 && !holds(&wal, next, (uint64_t)last))
		last = -2;
	wal_close(&wal);
	return last;
}

static void poke(off_t at, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || pwrite(fd, bytes, len, at) != (ssize_t)len) {
		puts("Bail out! the file cannot be changed");
		exit(1);
	}
	close(fd);
}

/* ---- Tests ---- */

static void test_new(void)
{
	bool missing;
	struct wal wal;
	struct stat st;

	is_int(wal_open(&wal, place, false, &missing), 0, "to be read, a log may be missing");
	ok(missing && wal_recover(&wal, 7, nothing) && !wal_last(&wal), "and is empty then");
	wal_close(&wal);
	is_int(wal_open(&wal, place, true, &missing), 0, "to be written, it is made");
	ok(missing && !stat(path, &st) && st.st_size == (off_t)FILE_SIZE, "in its whole size");
	is_int(st.st_mode & 07777, 0600, "for its owner alone");
	wal_close(&wal);
	is_int(truncate(path, 5000), 0, "cut short");
	is_int(wal_open(&wal, place, false, &missing), 0, "to be read, one may be too short");
	ok(missing, "which is told");
	wal_close(&wal);
	is_int(wal_open(&wal, place, true, &missing), 0, "one that is too short");
	ok(missing && !stat(path, &st) && st.st_size == (off_t)FILE_SIZE,
	   "is as good as missing, and filled up");
	wal_close(&wal);
	is_int(wal_open(&wal, "/nowhere", true, &missing), ENOENT,
	       "without a directory there is none");
}

static void test_round_trip(void)
{
	struct wal wal;

	fresh(&wal);
	is_int(recovered(0, nothing), 0, "nothing was written: nothing is there");
	records(&wal, 0, RECORDS);
	ok(holds(&wal, 0, first_of(RECORDS)), "rows are read where they were put");
	wal_close(&wal);
	is_int(recovered(0, nothing), (int64_t)first_of(RECORDS), "and from the file, every one");
	for (uint64_t next = 1; next < first_of(RECORDS); next++)
		if (recovered(next, sum_before(next)) != (int64_t)first_of(RECORDS))
			ok(false, "from row %llu on", (unsigned long long)next);
	is_int(recovered(first_of(RECORDS), sum_before(first_of(RECORDS))), 0,
	       "behind the last there is none");
	is_int(recovered(first_of(RECORDS) + 9, sum_before(7)), 0, "nor when ledger.mdb has more");
}

static void test_strays(void)
{
	struct wal wal;
	int error;

	fresh(&wal);
	is_int(record(&wal, 5, 2, &error), WAL_DONE, "a log that begins with row 5");
	wal_close(&wal);
	is_int(recovered(4, sum_before(4)), -1, "is refused where row 4 comes next");
	is_int(recovered(5, sum_before(4)), -1, "and behind another row 4");
	is_int(recovered(6, sum_before(5)), -1, "and behind another row 5");
	is_int(recovered(6, sum_before(6)), 7, "but not behind its own");
}

/* Without what fills its last page. */
static size_t record_bytes(const struct wal *wal, size_t at)
{
	return RECORD_HEADER + get_be32(wal->current->bytes + at + 20);
}

/* A bit of each byte of the record that starts at `at`
 * is flipped in turn, or of some of a long one. */
static void test_flips(off_t at, size_t len, int64_t want, const char *name)
{
	int fd = open(path, O_RDONLY);
	unsigned wrong = 0;
	uint8_t byte;

	for (size_t i = 0; i < len; i += 1 + i / 64) {
		uint8_t flipped;

		if (pread(fd, &byte, 1, at + (off_t)i) != 1)
			break;
		flipped = byte ^ 0x10;
		poke(at + (off_t)i, &flipped, 1);
		wrong += recovered(0, nothing) != want;
		poke(at + (off_t)i, &byte, 1);
	}
	close(fd);
	is_int(wrong, 0, name);
}

/* The sector that a record begins in, as it was before the record was written. */
static void test_lost(off_t at, const char *name)
{
	static const uint8_t zeros[512];
	uint8_t sector[sizeof(zeros)];
	int fd = open(path, O_RDONLY);
	bool read = pread(fd, sector, sizeof(sector), at) == sizeof(sector);

	close(fd);
	poke(at, zeros, sizeof(zeros));
	ok(read && recovered(0, nothing) == -1, "%s", name);
	poke(at, sector, sizeof(sector));
}

static void test_damage(void)
{
	struct wal wal;
	off_t at[RECORDS];
	size_t len[RECORDS];

	fresh(&wal);
	for (unsigned n = 0; n < RECORDS; n++) {
		at[n] = (off_t)wal.current->used;
		records(&wal, n, n + 1);
		len[n] = record_bytes(&wal, (size_t)at[n]);
	}
	wal_close(&wal);
	test_flips(at[5], len[5], -1, "a flipped bit in the last record: the log is refused");
	test_flips(at[2], len[2], -1, "in one before: so it is");
	test_lost(at[2], "a lost sector of one before, behind which there are more: so it is");
	test_flips(at[5] + (off_t)len[5], SEGMENT_PAGE - len[5] % SEGMENT_PAGE,
		   (int64_t)first_of(RECORDS), "behind the rows it does no harm");
}

/* The last record's sectors, any of them missing. */
static void test_torn(void)
{
	static const uint8_t zeros[512];
	struct wal wal;
	uint8_t sector[512];
	unsigned wrong = 0;
	off_t at;
	int fd;

	fresh(&wal);
	records(&wal, 0, 5);
	at = (off_t)wal.current->used;
	records(&wal, 5, 6);
	fd = open(path, O_RDONLY);
	for (off_t end = at + (off_t)record_bytes(&wal, (size_t)at); at < end; at += 512) {
		if (pread(fd, sector, sizeof(sector), at) != sizeof(sector))
			break;
		poke(at, zeros, sizeof(zeros));
		wrong += recovered(0, nothing) != (int64_t)first_of(5);
		poke(at, sector, sizeof(sector));
	}
	close(fd);
	wal_close(&wal);
	is_int(wrong, 0, "a torn record was never written");
}

/* A row that, alone in a record, reaches into the last sector
 * with one byte, which differs from zero in one bit. */
static uint64_t hardly_reaching(off_t *ret_sector)
{
	for (uint64_t seq = 1; seq < 2000000; seq++) {
		size_t size, len;
		const uint8_t *row;

		if (seq % 2)
			continue;	/* its one hash is its own: lengths repeat soon */
		row = made(seq, &size);
		len = RECORD_HEADER + RECORD_ROW + size;
		if (len % 512 == 1 && __builtin_popcount(row[size - 1]) == 1) {
			*ret_sector = (off_t)len - 1;
			return seq;
		}
	}
	puts("Bail out! there is no such row");
	exit(1);
}

/* The loss of one sector, which looks like a flipped bit if no more than the row is looked at. */
static void test_torn_bit(void)
{
	static const uint8_t zeros[512];
	off_t sector;
	uint64_t seq = hardly_reaching(&sector);
	struct wal wal;
	uint8_t kept[512];
	int error;

	fresh(&wal);
	memcpy(wal.prior, sum_before(seq), CHECKSUM_SIZE);
	is_int(record(&wal, seq, 1, &error), WAL_DONE, "a record with a byte in its last sector");
	memcpy(kept, wal.current->bytes + sector, sizeof(kept));
	wal_close(&wal);
	is_int(recovered(seq, sum_before(seq)), (int64_t)seq + 1, "is read");
	poke(sector, zeros, sizeof(zeros));
	is_int(recovered(seq, sum_before(seq)), 0, "without that sector it was never written");
	kept[0] = 0;
	poke(sector, kept, sizeof(kept));
	is_int(recovered(seq, sum_before(seq)), -1, "without a bit of it, it was: the log is "
						    "refused");
}

/* A header that counts a row more than there are, in a record
 * that fills its segment: nothing is read behind it. */
static void test_count(void)
{
	static uint8_t memo[SEGMENT_SIZE];
	struct row row = { .memo = { memo, 0 }, .hashes = { memo, 32 } };
	struct buf out = BUF_INIT;
	struct wal wal;
	int error;

	row.memo.len = SEGMENT_SIZE - RECORD_HEADER - RECORD_ROW - row_size(4 + 32, 0);
	row_begin(0, &row, &out);
	fresh(&wal);
	memcpy(segment_put(wal.current, 0, row_size(out.len, 0)), out.data, out.len);
	row_finish(0, wal.current->bytes + RECORD_HEADER + RECORD_ROW, row_size(out.len, 0), NULL,
		   0);
	is_int(record(&wal, 1, 0, &error), WAL_DONE, "a record that fills its segment");
	is_int(wal_recover(&wal, 0, nothing) ? (int64_t)wal_last(&wal) : -1, 1, "is read");
	put_be32(wal.current->bytes + 16, 2);
	put_be64(wal.current->bytes + RECORD_HEADER - CHECKSUM_SIZE,
		 checksum(0, wal.current->bytes, RECORD_HEADER - CHECKSUM_SIZE));
	ok(wal_recover(&wal, 0, nothing) && !wal_last(&wal), "but not when it counts more rows");
	wal_close(&wal);
	buf_release(&out);
}

static void test_segments(void)
{
	struct wal wal;
	struct segment *full;

	fresh(&wal);
	records(&wal, 0, 20);
	full = wal_switch(&wal);
	records(&wal, 20, 25);
	ok(full != wal.current && holds(&wal, 0, first_of(25)),
	   "a segment goes on where the other ended");
	is_int(recovered(0, nothing), (int64_t)first_of(25), "the file gives both");
	is_int(recovered(first_of(20), sum_before(first_of(20))), (int64_t)first_of(25),
	       "or the second alone");
	wal_switch(&wal);
	records(&wal, 25, 27);
	is_int(recovered(first_of(20), sum_before(first_of(20))), (int64_t)first_of(27),
	       "one that is gone over again goes on behind the other");
	is_int(recovered(first_of(25), sum_before(first_of(25))), (int64_t)first_of(27),
	       "what is left of its earlier use is not in the way");
	is_int(recovered(0, nothing), -1, "a ledger.mdb from before is refused");
	wal_close(&wal);
}

/* Which of two is the ledger, nobody can tell. */
static void test_fork(void)
{
	uint8_t before[CHECKSUM_SIZE];
	struct wal wal;

	fresh(&wal);
	records(&wal, 0, 3);
	memcpy(before, wal.prior, sizeof(before));
	records(&wal, 3, 6);
	wal_switch(&wal);
	memcpy(wal.prior, before, sizeof(before));
	records(&wal, 3, 4);
	wal_close(&wal);
	is_int(recovered(first_of(3), sum_before(first_of(3))), -1,
	       "two that go on from the same row are refused");
	is_int(recovered(first_of(4), sum_before(first_of(4))), (int64_t)first_of(6),
	       "unless only one of them is needed");
}

static void test_restart(void)
{
	struct wal wal;

	fresh(&wal);
	records(&wal, 0, 20);
	wal_switch(&wal);
	records(&wal, 20, 25);
	wal_close(&wal);
	opened(&wal, true);
	ok(wal_recover(&wal, 0, nothing), "it recovers");
	wal_restart(&wal);
	is_int((int64_t)wal_last(&wal), 0, "and starts anew with nothing");
	records(&wal, 25, 26);
	wal_close(&wal);
	is_int(recovered(first_of(25), sum_before(first_of(25))), (int64_t)first_of(26),
	       "going on where it was");
}

static void test_abort(void)
{
	struct wal wal;
	int error, fd;
	size_t size;

	fresh(&wal);
	records(&wal, 0, 3);
	memset(segment_put(wal.current, first_of(3), 200), 1, 200);
	segment_abort(wal.current);
	is_int((int64_t)wal_last(&wal), (int64_t)first_of(3), "an aborted record leaves nothing");
	ok(!wal_row(&wal, first_of(3), &size), "no row of it either");
	fd = wal.fd;
	wal.fd = open("/dev/full", O_RDWR);
	is_int(record(&wal, first_of(3), 4, &error), WAL_UNKNOWN,
	       "a write that fails and cannot be taken back");
	is_int(error, ENOSPC, "says why");
	close(wal.fd);
	wal.fd = fd;
	records(&wal, 3, 5);
	wal_close(&wal);
	is_int(recovered(0, nothing), (int64_t)first_of(5), "the next record follows the last good "
							    "one");
}

static void test_room(void)
{
	struct wal wal;
	unsigned n = 0, count = 0;

	fresh(&wal);
	ok(wal_fits(&wal, SEGMENT_SIZE - RECORD_HEADER - RECORD_ROW, 1),
	   "a record may fill a segment");
	ok(!wal_fits(&wal, SEGMENT_SIZE - RECORD_HEADER - RECORD_ROW + 1, 1), "to the last byte");
	for (; wal_fits(&wal, 1000 * (n + 1), n + 1); n++, count++)
		records(&wal, n, n + 1);
	wal_switch(&wal);
	ok(wal_fits(&wal, 1000 * (n + 1), n + 1), "after it the other has room");
	records(&wal, n, n + 1);
	wal_close(&wal);
	is_int(recovered(0, nothing), (int64_t)first_of(count + 1), "all of them come back");
	ok(wal_there(&(struct wal){ .fd = STDOUT_FILENO }), "a file that is there");
	opened(&wal, true);
	unlink(path);
	ok(!wal_there(&wal), "one that was removed");
	wal_close(&wal);
}

static bool all_zeros(void)
{
	static uint8_t bytes[FILE_SIZE];
	int fd = open(path, O_RDONLY);
	ssize_t got = read(fd, bytes, sizeof(bytes));

	close(fd);
	return got == (ssize_t)sizeof(bytes) && !bytes[0] &&
	       !memcmp(bytes, bytes + 1, sizeof(bytes) - 1);
}

static void test_clear(void)
{
	struct wal wal;

	fresh(&wal);
	ok(all_zeros(), "a new log is all zeros");
	records(&wal, 0, RECORDS);
	wal_switch(&wal);
	records(&wal, RECORDS, RECORDS + 2);
	ok(!all_zeros(), "with rows it is not");
	wal_clear(&wal);
	ok(all_zeros(), "cleared, it is again");
	wal_close(&wal);
	fresh(&wal);
	records(&wal, 0, RECORDS);
	wal_close(&wal);
	opened(&wal, true);
	wal_recover(&wal, first_of(RECORDS), sum_before(first_of(RECORDS)));
	wal_restart(&wal);
	wal_clear(&wal);
	ok(all_zeros(), "so are what another run wrote and this one did not");
	wal_close(&wal);
}

int main(void)
{
	if (!mkdtemp(place)) {
		puts("Bail out! no directory");
		return 1;
	}
	snprintf(path, sizeof(path), "%s/%s", place, WAL_FILE);
	test_new();
	test_round_trip();
	test_strays();
	test_damage();
	test_torn();
	test_torn_bit();
	test_count();
	test_segments();
	test_fork();
	test_restart();
	test_abort();
	test_room();
	test_clear();
	unlink(path);
	rmdir(place);
	return done_testing();
}

#include "daemon/keyring.h"
#include "common/sign.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ORIGIN "fund.example.com"
#define AT(seq) (KEYRING_HEADER + (seq) * KEYRING_SLOT)

static char path[] = "/tmp/keyring-test-XXXXXX";
static int dir;
static const uint8_t commitment[HASH_SIZE] = { 1, 2, 3 };

static int64_t file_size(void)
{
	struct stat st;

	return fstatat(dir, KEYRING_FILE, &st, 0) < 0 ? -1 : st.st_size;
}

/* The file's bytes as they are on disk. */
static void file_read(struct buf *ret)
{
	size_t size = (size_t)file_size();
	int fd = openat(dir, KEYRING_FILE, O_RDONLY);

	buf_clear(ret);
	if (fd < 0 || read(fd, buf_room(ret, size), size) != (ssize_t)size)
		perror("read");
	close(fd);
}

static void file_write(off_t at, const void *bytes, size_t len)
{
	int fd = openat(dir, KEYRING_FILE, O_WRONLY);

	if (fd < 0 || pwrite(fd, bytes, len, at) != (ssize_t)len)
		perror("write");
	close(fd);
}

static void file_cut(off_t size)
{
	int fd = openat(dir, KEYRING_FILE, O_WRONLY);

	if (fd < 0 || ftruncate(fd, size) < 0)
		perror("cut");
	close(fd);
}

/* A new keyring, opened to go on at `size`. */
static struct keyring fresh(uint64_t size)
{
	struct keyring ring = { .fd = -1 };

	unlinkat(dir, KEYRING_FILE, 0);
	if (keyring_create(dir, ORIGIN) || keyring_open(&ring, dir, ORIGIN, true))
		perror("keyring");
	keyring_seek(&ring, size);
	return ring;
}

static struct keyring reopened(struct keyring *ring, bool writable, uint64_t size)
{
	struct keyring again = { .fd = -1 };

	keyring_close(ring);
	is_str(keyring_open(&again, dir, ORIGIN, writable), NULL, "opened again");
	keyring_seek(&again, size);
	return again;
}

static void test_create(void)
{
	struct keyring ring = { .fd = -1 };
	struct buf bytes = BUF_INIT;
	struct stat st;

	ok(keyring_open(&ring, dir, ORIGIN, true), "a missing keyring is not opened");
	is_int(file_size(), -1, "nor made");
	is_str(keyring_create(dir, ORIGIN), NULL, "created");
	ok(keyring_create(dir, ORIGIN), "but not over one that is there");
	ok(!fstatat(dir, KEYRING_FILE, &st, 0) && (st.st_mode & 07777) == 0600,
	   "its owner's alone");
	file_read(&bytes);
	is_int((int64_t)bytes.len, KEYRING_HEADER, "a header of 512 bytes");
	is_str(bytes.data, "fundd keys v1\n" ORIGIN "\n", "which names the ledger");
	buf_release(&bytes);
}

static void test_open(void)
{
	struct keyring ring = { .fd = -1 };

	is_str(keyring_open(&ring, dir, ORIGIN, true), NULL, "opened");
	keyring_close(&ring);
	keyring_close(&ring);
	is_str(keyring_open(&ring, dir, "fund.example.org", true),
	       "the keyring `keys` belongs to another ledger; restore the right one",
	       "a foreign ledger's is refused");
	ok(keyring_open(&ring, dir, "fund.example.co", true), "also when its name is shorter");
	file_write(100, "x", 1);
	ok(keyring_open(&ring, dir, ORIGIN, true), "and when its header holds more");
	file_write(100, "", 1);
	is_str(keyring_open(&ring, dir, ORIGIN, false), NULL, "opened for reading");
	keyring_close(&ring);
	file_cut(KEYRING_HEADER - 1);
	is_str(keyring_open(&ring, dir, ORIGIN, true),
	       "the keyring `keys` is cut short; restore it from its backup",
	       "one that is cut short is refused");
}

static enum unseal unseal(struct keyring *ring, uint64_t seq, const struct buf *sealed,
			  struct buf *out)
{
	return keyring_unseal(ring, seq, commitment, sealed->data, sealed->len, out);
}

static void test_seal(void)
{
	struct buf sealed = BUF_INIT, again = BUF_INIT, out = BUF_INIT;
	struct keyring ring = fresh(0);

	ok(keyring_seal(&ring, 0, commitment, "words", 5, &sealed) && !sealed.len,
	   "nothing is sealed without a key");
	is_str(keyring_reserve(&ring, 1), NULL, "keys are made");
	is_str(keyring_seal(&ring, 5, commitment, "words", 5, &sealed), NULL, "sealed");
	is_int((int64_t)sealed.len, 5 + SEAL_OVERHEAD, "a tag comes with it");
	ok(!memmem(sealed.data, sealed.len, "words", 5), "and the words cannot be read");
	keyring_seal(&ring, 5, (uint8_t[HASH_SIZE]){ 1 }, "words", 5, &again);
	ok(memcmp(sealed.data, again.data, 5), "for another commitment they look different");
	buf_str(&out, ">");
	is_int(unseal(&ring, 5, &sealed, &out), UNSEAL_OK, "opened");
	is_str(out.data, ">words", "the words are back, behind what was there");
	ring = reopened(&ring, false, 0);
	is_int(unseal(&ring, 5, &sealed, &out), UNSEAL_OK, "opened by another reader");
	is_int(unseal(&ring, 4, &sealed, &out), UNSEAL_DAMAGED, "not under another number");
	is_int(unseal(&ring, KEYRING_BLOCK, &sealed, &out), UNSEAL_DAMAGED, "nor beyond the keys");
	is_int(keyring_unseal(&ring, 5, (uint8_t[HASH_SIZE]){ 1 }, sealed.data, sealed.len, &out),
	       UNSEAL_DAMAGED, "nor for another commitment");
	is_str(out.data, ">wordswords", "and nothing came of that");
	keyring_close(&ring);
	buf_release(&sealed);
	buf_release(&again);
	buf_release(&out);
}

static void test_damaged(void)
{
	struct buf sealed = BUF_INIT, out = BUF_INIT;
	struct keyring ring = fresh(0);
	bool noticed = true;

	keyring_reserve(&ring, 1);
	keyring_seal(&ring, 0, commitment, "words", 5, &sealed);
	for (size_t bit = 0; bit < 8 * sealed.len; bit++) {
		sealed.data[bit / 8] ^= (char)(1 << bit % 8);
		noticed = noticed && unseal(&ring, 0, &sealed, &out) == UNSEAL_DAMAGED;
		sealed.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	ok(noticed, "each flipped bit is noticed");
	for (size_t len = 0; len < sealed.len; len++)
		noticed = noticed && keyring_unseal(&ring, 0, commitment, sealed.data, len,
						    &out) == UNSEAL_DAMAGED;
	ok(noticed && !out.len, "and each length it is cut to");
	is_int(unseal(&ring, 0, &sealed, &out), UNSEAL_OK, "as it was it opens");
	keyring_close(&ring);
	buf_release(&sealed);
	buf_release(&out);
}

static void test_erased(void)
{
	static const uint8_t zero[KEYRING_SLOT];
	struct buf sealed[3] = { BUF_INIT, BUF_INIT, BUF_INIT }, out = BUF_INIT;
	struct keyring ring = fresh(0);

	keyring_reserve(&ring, 3);
	for (uint64_t seq = 0; seq < 3; seq++)
		keyring_seal(&ring, seq, commitment, "words", 5, &sealed[seq]);
	file_write(AT(1), zero, sizeof(zero));
	file_write(AT(2), "\xff\xff", 2);
	ring = reopened(&ring, true, 3);
	is_int(unseal(&ring, 0, &sealed[0], &out), UNSEAL_OK, "its neighbour opens");
	is_int(unseal(&ring, 1, &sealed[1], &out), UNSEAL_ERASED, "an erased one says so");
	is_int(unseal(&ring, 2, &sealed[2], &out), UNSEAL_DAMAGED, "a spoilt key is damage");
	ok(keyring_seal(&ring, 1, commitment, "words", 5, &out), "nothing is sealed under no key");
	is_str(keyring_reserve(&ring, 4), NULL, "the next keys are reserved");
	is_int(unseal(&ring, 1, &sealed[1], &out), UNSEAL_ERASED, "which makes no erased one anew");
	keyring_close(&ring);
	for (int i = 0; i < 3; i++)
		buf_release(&sealed[i]);
	buf_release(&out);
}

/* Keys made ahead stay as they are, whatever size the ledger is found at. */
static void test_never_remade(void)
{
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct keyring ring = fresh(0);
	const uint64_t sizes[] = { 0, 1, 4000, 4096, 5000, 12 };

	keyring_reserve(&ring, 1);
	is_int(file_size(), AT(KEYRING_BLOCK), "a block is made at a time");
	keyring_reserve(&ring, KEYRING_BLOCK);
	is_int(file_size(), AT(KEYRING_BLOCK), "no more while it lasts");
	keyring_reserve(&ring, KEYRING_BLOCK + 1);
	is_int(file_size(), AT(2 * KEYRING_BLOCK), "then the next");
	ok(keyring_left(&ring) >= KEYRING_AHEAD, "there is room for keys to come");
	is_int(file_size(), AT(2 * KEYRING_BLOCK), "which are not made yet");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		file_read(&before);
		ring = reopened(&ring, true, sizes[i]);
		is_str(keyring_reserve(&ring, sizes[i] + 1), NULL, "reserved from there");
		file_read(&after);
		ok(after.len >= before.len && !memcmp(before.data, after.data, before.len),
		   "with the ledger at %d, no key is made anew", (int)sizes[i]);
	}
	keyring_close(&ring);
	buf_release(&before);
	buf_release(&after);
}

static bool all_made(const struct buf *bytes, uint64_t first, uint64_t last)
{
	static const uint8_t zero[KEYRING_SLOT];

	if (bytes->len < AT(last))
		return false;
	for (uint64_t seq = first; seq < last; seq++)
		if (!memcmp(bytes->data + AT(seq), zero, sizeof(zero)))
			return false;
	return true;
}

/* A crash while keys are made leaves a file of any length, and zeros in it. */
static void test_torn(void)
{
	static const uint8_t zero[10 * KEYRING_SLOT];
	struct buf before = BUF_INIT, after = BUF_INIT;
	struct keyring ring = fresh(0);

	keyring_reserve(&ring, 1);
	file_write(AT(100), zero, sizeof(zero));
	file_cut(AT(200) + 5);
	file_read(&before);
	ring = reopened(&ring, true, 7);
	is_int((int64_t)ring.slots, 200, "half a key is none");
	is_str(keyring_reserve(&ring, 300), NULL, "the missing ones are made");
	file_read(&after);
	ok(!memcmp(before.data, after.data, AT(100)) &&
	   !memcmp(before.data + AT(110), after.data + AT(110), 90 * KEYRING_SLOT),
	   "those that were there stay");
	ok(all_made(&after, 0, 7 + KEYRING_BLOCK), "and none is zero");
	ok(memcmp(after.data + AT(250), after.data + AT(251), KEYRING_SLOT), "nor like the next");
	keyring_close(&ring);
	buf_release(&before);
	buf_release(&after);
}

static void test_tag(void)
{
	struct keyring ring = fresh(0);
	uint8_t a[16], b[16];

	ok(keyring_tag(&ring, "text", 4, a), "no tag without a first key");
	keyring_reserve(&ring, 1);
	is_str(keyring_tag(&ring, "text", 4, a), NULL, "a tag");
	keyring_tag(&ring, "text", 4, b);
	ok(!memcmp(a, b, sizeof(a)), "the same for the same text");
	keyring_tag(&ring, "texu", 4, b);
	ok(memcmp(a, b, sizeof(a)), "another for another");
	keyring_close(&ring);
	ring = fresh(0);
	keyring_reserve(&ring, 1);
	keyring_tag(&ring, "text", 4, b);
	ok(memcmp(a, b, sizeof(a)), "and another from another keyring");
	keyring_close(&ring);
}

int main(void)
{
	if (!sign_start() || !mkdtemp(path) || (dir = open(path, O_RDONLY | O_DIRECTORY)) < 0)
		return 1;
	test_create();
	test_open();
	test_seal();
	test_damaged();
	test_erased();
	test_never_remade();
	test_torn();
	test_tag();
	unlinkat(dir, KEYRING_FILE, 0);
	rmdir(path);
	return done_testing();
}

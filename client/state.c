#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/hash.h"
#include "common/text.h"
#include "files.h"

#define KEYS_FILE "vkey"
#define HEAD_FILE "checkpoint"
#define BEFORE_FILE "checkpoint.before"
#define RECEIPTS "receipts"
#define EVIDENCE "evidence"
#define KEYS_FILE_MAX ((size_t)KEYS_MAX * (VKEY_MAX + 32))
#define LOCK_TRIES	 100 /* held for a write only: whoever holds it longer is not waited for */
#define LOCK_PAUSE ((struct timespec){ 0, 20000000 })
#define EVIDENCE_ENTRIES 100	/* no more is kept, so that cron fills no disk */

/* Origins are directories here, so some that a ledger may have are not taken. */
static bool origin_fits(const char *origin)
{
	static const char *const taken[] = { "pending", "served", "witness", KEYS_FILE, HEAD_FILE,
					     BEFORE_FILE, RECEIPTS, EVIDENCE, "lock" };
	const char *part = origin, *end;

	for (;; part = end + 1) {
		size_t len = (size_t)((end = strchrnul(part, '/')) - part);

		if (!len || *part == '.')
			return false;
		for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
			if (strlen(taken[i]) == len && !memcmp(taken[i], part, len))
				return false;
		if (!*end)
			return true;
	}
}

static bool fail(struct state *state, const char *why)
{
	snprintf(state->problem, sizeof(state->problem), "%s", why);
	return false;
}

static bool path_set(struct state *state, const char *base, const char *origin)
{
	buf_clear(&state->path);
	if (!origin_fits(origin))
		return fail(state, "its name is none for a directory");
	if (base)
		buf_str(&state->path, base);
	else if (!home_path(&state->path))
		return fail(state, "neither HOME nor XDG_STATE_HOME says where");
	buf_printf(&state->path, "/%s", origin);
	return true;
}

const char *state_open(struct state *state, const char *base, const char *origin,
		       const struct buf *known)
{
	const char *problem;

	state_close(state);
	if (!path_set(state, base, origin))
		return NULL;
	state->dir = dir_open(state->path.data, false);
	if (state->dir < 0) {
		fail(state, strerror(errno));
		return NULL;
	}
	problem = state_load(state, known);
	if (!problem && state->keys.count && strcmp(state->keys.key[0].verifier.name, origin))
		problem = "its keys are another ledger's";
	return problem;
}

void state_close(struct state *state)
{
	state_unlock(state);
	if (state->dir >= 0)
		close(state->dir);
	if (state->receipts >= 0)
		close(state->receipts);
	if (state->expected >= 0)
		close(state->expected);
	state->dir = state->receipts = state->expected = -1;
	keys_release(&state->keys);
	buf_release(&state->note);
	buf_release(&state->path);
}

/* Appends a file that may be missing. */
static const char *optional_take(const struct state *state, const char *name, size_t max,
				 struct buf *ret)
{
	if (file_take(state->dir, name, max, ret) || errno == ENOENT)
		return NULL;
	return errno == EFBIG ? "it is too long" : "it cannot be read";
}

static const char *note_take(struct state *state, const char *file, const struct buf *known)
{
	struct buf *bytes = &state->note;
	const char *problem;

	buf_clear(bytes);
	problem = optional_take(state, file, NOTE_MAX, bytes);
	if (problem || !bytes->len)
		return problem;
	if (!state->keys.count)
		return "the checkpoint is there, but not the key";
	if (!known || !buf_same(bytes, known))
		return keys_open(&state->keys, bytes->data, bytes->len, &state->head);
	return checkpoint_read(bytes->data, bytes->len, &state->head, NULL);
}

/* The newest; it is read twice, as another fund may just write over what it was. Else the one
 * before it. */
static const char *note_load(struct state *state, const struct buf *known)
{
	static const char *const files[] = { HEAD_FILE, HEAD_FILE, BEFORE_FILE };
	const char *wrong = NULL;

	state->before = false;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		const char *problem = note_take(state, files[i], known);

		if (!problem && state->note.len) {
			state->before = i == 2;
			return NULL;
		}
		wrong = wrong ? wrong : problem;
	}
	buf_clear(&state->note);
	return wrong;
}

const char *state_load(struct state *state, const struct buf *known)
{
	struct buf text = BUF_INIT;
	const char *problem = optional_take(state, KEYS_FILE, KEYS_FILE_MAX, &text);

	state->keys.count = 0;
	buf_clear(&state->note);
	if (!problem && text.len)
		problem = keys_parse(text.data, text.len, &state->keys);
	buf_release(&text);
	return problem ? problem : note_load(state, known);
}

bool state_lock(struct state *state)
{
	if (state->dir < 0 && state->path.len)
		state->dir = dir_open(state->path.data, true);
	if (state->dir < 0)
		return state->path.len ? fail(state, strerror(errno)) : false;
	state->lock = openat(state->dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (state->lock < 0)
		return fail(state, strerror(errno));
	for (unsigned tries = 0; flock(state->lock, LOCK_EX | LOCK_NB); tries++) {
		if (errno != EINTR && (errno != EWOULDBLOCK || tries == LOCK_TRIES)) {
			fail(state, errno == EWOULDBLOCK ? "another fund holds the lock on it"
							 : strerror(errno));
			state_unlock(state);
			return false;
		}
		nanosleep(&LOCK_PAUSE, NULL);
	}
	return true;
}

void state_unlock(struct state *state)
{
	if (state->lock >= 0)
		close(state->lock);
	state->lock = -1;
}

static bool keys_save(struct state *state, const struct keys *keys)
{
	struct buf text = BUF_INIT;
	bool saved;

	if (keys->count == state->keys.count)
		return true;
	keys_format(keys, &text);
	saved = file_replace(state->dir, KEYS_FILE, text.data, text.len, 0600,
			     state->durable ? state->durable : DURABLE_WHOLE);
	buf_release(&text);
	return saved;
}

static bool note_save(struct state *state, const char *note, size_t len)
{
	if (state->durable)
		return file_replace(state->dir, HEAD_FILE, note, len, 0600, state->durable);
	/* what is whole is not written over */
	if (state->before)
		return file_replace(state->dir, HEAD_FILE, note, len, 0600, DURABLE_WHOLE);
	return file_turn(state->dir, HEAD_FILE, BEFORE_FILE, note, len);
}

bool state_save(struct state *state, const struct keys *keys, const char *note, size_t len,
		const struct checkpoint *head)
{
	if (!keys_save(state, keys) || !note_save(state, note, len))
		return fail(state, strerror(errno));
	keys_copy(&state->keys, keys);
	buf_clear(&state->note);
	buf_add(&state->note, note, len);
	state->head = *head;
	return true;
}

/* The directory of receipts, kept open: a batch leaves thousands. -1: there is none, or none
 * can be made. */
static int receipts_open(struct state *state, bool make)
{
	if (make && state->dir < 0 && state->path.len)
		state->dir = dir_open(state->path.data, true);
	if (state->receipts < 0 && state->dir >= 0)
		state->receipts = dir_open_at(state->dir, RECEIPTS, make);
	return state->receipts;
}

void state_expect_receipt(struct state *state)
{
	int dir = state->expected < 0 ? receipts_open(state, true) : -1;

	if (dir >= 0)
		state->expected = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
}

/* Gives the file that was opened ahead its bytes and its name, unless there is one of that name. */
static bool expected_save(struct state *state, const char *name, const struct buf *text)
{
	int fd = state->expected;
	char path[32];
	bool saved;

	if (fd < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	saved = file_overwrite(fd, text->data, text->len) &&
		linkat(AT_FDCWD, path, state->receipts, name, AT_SYMLINK_FOLLOW) == 0;
	close(fd);
	state->expected = -1;
	return saved;
}

bool state_save_receipt(struct state *state, uint64_t seq, const struct buf *text)
{
	int dir = receipts_open(state, true);
	char name[24];

	snprintf(name, sizeof(name), "%" PRIu64, seq);
	if (expected_save(state, name, text) ||
	    (dir >= 0 && file_replace(dir, name, text->data, text->len, 0600, DURABLE_NOT)))
		return true;
	return state->path.len ? fail(state, strerror(errno)) : false;
}

static unsigned entries_count(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	unsigned count = 0;

	while (entries && readdir(entries))
		count++;
	if (entries)
		closedir(entries);
	else if (copy >= 0)
		close(copy);
	return count;
}

/* After the head that came; where it is none, after
 * its bytes, so that one does not replace another. */
static void evidence_name(const struct buf *received, char ret[64])
{
	struct checkpoint head;
	uint8_t hash[HASH_SIZE];

	if (!checkpoint_read(received->data, received->len, &head, NULL)) {
		snprintf(ret, 64, "%" PRIu64 "-%08x", head.size, get_be32(head.root));
		return;
	}
	sha256((struct iovec[]){ PART(received->data, received->len) }, 1, hash);
	snprintf(ret, 64, "unreadable-%08x", get_be32(hash));
}

bool state_evidence(struct state *state, const struct buf *remembered, const struct buf *received,
		    struct buf *where)
{
	char name[64];
	int all = state->dir < 0 ? -1 : dir_open_at(state->dir, EVIDENCE, true), dir = -1;
	bool kept = false;

	evidence_name(received, name);
	if (all >= 0 && entries_count(all) <= EVIDENCE_ENTRIES + 2)
		dir = dir_open_at(all, name, true);
	if (dir >= 0)
		kept = file_replace(dir, "remembered", remembered->data, remembered->len, 0600,
				    DURABLE_WHOLE) &&
		       file_replace(dir, "received", received->data, received->len, 0600,
				    DURABLE_WHOLE);
	buf_printf(where, "%s/" EVIDENCE "/%s", state->path.data ? state->path.data : "", name);
	if (dir >= 0)
		close(dir);
	if (all >= 0)
		close(all);
	return kept;
}

static int number_order(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return one < other ? -1 : one > other;
}

size_t state_receipts(struct state *state, uint64_t **ret)
{
	int dir = receipts_open(state, false),
	    copy = dir < 0 ? -1 : openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	struct buf numbers = BUF_INIT;
	struct dirent *entry;
	uint64_t seq;
	size_t count;

	while (entries && (entry = readdir(entries)))
		if (decimal_parse(entry->d_name, strlen(entry->d_name), &seq))
			buf_add(&numbers, &seq, sizeof(seq));
	if (entries)
		closedir(entries);
	count = numbers.len / sizeof(seq);
	*ret = (uint64_t *)(void *)buf_detach(&numbers);
	if (count)
		qsort(*ret, count, sizeof(seq), number_order);
	return count;
}

bool state_receipt(struct state *state, uint64_t seq, struct buf *ret)
{
	int dir = receipts_open(state, false);
	char name[24];

	snprintf(name, sizeof(name), "%" PRIu64, seq);
	return dir >= 0 && file_take(dir, name, RECEIPT_MAX, ret);
}

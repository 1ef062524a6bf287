#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/checkpoint.h"
#include "common/log.h"
#include "file.h"
#include "prove.h"

#define GUARD_SLOTS 2
#define GUARD_SIZE (GUARD_SLOTS * GUARD_SLOT)

/* ---- Writing ---- */

void guard_write(struct guard *guard, const struct buf *note)
{
	char slot[GUARD_SLOT];
	off_t at = (off_t)guard->next * GUARD_SLOT;

	if (guard->fd < 0)
		return;
	memset(slot, '\n', sizeof(slot));
	if (note->len < sizeof(slot))
		memcpy(slot, note->data, note->len);
	guard->next = (guard->next + 1) % GUARD_SLOTS;
	if (!file_write(guard->fd, slot, sizeof(slot), at)) {
		guard->failing = false;
		return;
	}
	if (!guard->failing)
		log_error("the rollback guard cannot be written: %s; the ledger goes on without it",
			  strerror(errno));
	guard->failing = true;
}

/* ---- Comparing ---- */

struct slot {
	bool used;			/* there is something in it */
	bool whole;			/* and it is a checkpoint that no known key contradicts */
	struct checkpoint checkpoint;
};

/* The keys whose signatures can be checked: of a newer ledger's key this one knows nothing. */
static bool signature_wrong(const struct note *note, const struct books *books)
{
	const char *vkeys[] = { books->keys.vkey, books->keys.previous };
	struct verifier verifier;
	const struct verifier *key = &verifier;

	for (size_t i = 0; i < sizeof(vkeys) / sizeof(*vkeys); i++) {
		if (!vkey_parse(vkeys[i], &verifier))
			continue;
		for (unsigned k = 0; k < note->count; k++)
			if (note_signed_as(&note->signature[k], key) &&
			    note_check(note, &key, 1, NULL))
				return true;
	}
	return false;
}

static void slot_take(const char *bytes, const struct books *books, struct slot *ret)
{
	size_t len = GUARD_SLOT;
	struct note note;

	while (len && bytes[len - 1] == '\n')
		len--;
	ret->used = len;
	ret->whole = len && len < GUARD_SLOT &&
		     !checkpoint_read(bytes, len + 1, &ret->checkpoint, &note) &&
		     !signature_wrong(&note, books);
}

/* Of two slots the one with the newer head; -1: there is none. */
static int slot_newest(const struct slot *slots)
{
	int newest = -1;

	for (int i = 0; i < GUARD_SLOTS; i++)
		if (slots[i].whole &&
		    (newest < 0 || slots[i].checkpoint.size > slots[newest].checkpoint.size))
			newest = i;
	return newest;
}

static bool refuse_start(const char *path, const struct checkpoint *checkpoint, const char *problem)
{
	log_error("the rollback guard %s holds a checkpoint of %s with %llu entries that %s. An "
		  "older or another ledger was put in the place of the newest one: restore that. "
		  "If it is lost for good, understand first what was in it (receipts and witnesses "
		  "know), then remove the guard by hand and start again",
		  path, checkpoint->origin, (unsigned long long)checkpoint->size, problem);
	return false;
}

static bool slots_compare(const char *path, const char *bytes, struct reader *reader,
			  const struct books *books, unsigned *next)
{
	struct slot slots[GUARD_SLOTS];
	const struct checkpoint *newest;
	const char *problem;
	int at;

	for (unsigned i = 0; i < GUARD_SLOTS; i++)
		slot_take(bytes + (size_t)i * GUARD_SLOT, books, &slots[i]);
	at = slot_newest(slots);
	*next = at == 0;
	if (at < 0 && !slots[0].used && !slots[1].used)
		return true;
	if (at < 0) {
		log_error("the rollback guard %s is damaged, or another file: if you know how that "
			  "came, remove it by hand and start again", path);
		return false;
	}
	newest = &slots[at].checkpoint;
	problem = strcmp(newest->origin, books->origin) ? "is another ledger's"
							: prove_extends(reader, newest);
	return !problem || refuse_start(path, newest, problem);
}

/* ---- Opening ---- */

static bool guard_read(struct guard *guard, const char *path, char bytes[GUARD_SIZE])
{
	struct stat st;
	ssize_t got;

	guard->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (guard->fd < 0 || fstat(guard->fd, &st) < 0) {
		log_error("cannot open the rollback guard %s: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		log_error("the rollback guard %s is no regular file", path);
		return false;
	}
	memset(bytes, '\n', GUARD_SIZE);
	got = file_read(guard->fd, bytes, GUARD_SIZE, 0);
	if (got < 0) {
		log_error("cannot read the rollback guard %s: %s", path, strerror(errno));
		return false;
	}
	if (!got)
		log_notice("the rollback guard %s is new: from here on it tells an older ledger "
			   "from the newest", path);
	return true;
}

bool guard_open(struct guard *guard, const char *path, struct reader *reader,
		const struct books *books)
{
	char bytes[GUARD_SIZE];

	guard->fd = -1;
	if (!*path)
		return true;
	return guard_read(guard, path, bytes) &&
	       slots_compare(path, bytes, reader, books, &guard->next);
}

void guard_close(struct guard *guard)
{
	if (guard->fd >= 0)
		close(guard->fd);
	guard->fd = -1;
}

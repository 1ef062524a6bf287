#include "seeds.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

void cores_forbid(void)
{
	static const struct rlimit none = { 0, 0 };
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	/* the filter is what holds where a core goes through a pipe: no page of memory is in it */
	if (setrlimit(RLIMIT_CORE, &none) < 0 || fd < 0 || write(fd, "0", 1) != 1)
		log_warning("core dumps cannot be forbidden, so a crash could leave keys on the "
			    "disk");
	if (fd >= 0)
		close(fd);
}

/* ---- Files ---- */

const char *seed_write(int dir, const char *name, const uint8_t seed[SEED_SIZE])
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool written;

	if (fd < 0)
		return "cannot make the signing key";
	written = write(fd, seed, SEED_SIZE) == SEED_SIZE && fsync(fd) == 0;
	return close(fd) == 0 && written ? NULL : "cannot write the signing key";
}

/* `others`: the mode's bits that give it away. NULL, or what to tell of it, beginning with a
 * blank. */
static const char *seed_read(int dir, const char *name, mode_t others, uint8_t seed[SEED_SIZE])
{
	int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	uint8_t more;
	bool whole;

	if (fd < 0)
		return " cannot be read; restore it from its backup";
	whole = fstat(fd, &st) == 0 && read(fd, seed, SEED_SIZE) == SEED_SIZE &&
		read(fd, &more, 1) == 0;
	close(fd);
	if (!whole)
		return " is not 32 bytes long; restore it";
	if (st.st_mode & others)
		return " can be read by others; chmod 600 it, and consider whether somebody did";
	return NULL;
}

/* ---- Finding the keys ---- */

static void signer_take(struct signer *candidate, struct signer *ret)
{
	if (ret->secret)
		signer_close(candidate);
	else
		*ret = *candidate;
}

/* One file: is it the seed of a key that the ledger names? Otherwise what to tell of it. */
static const char *seed_try(int dir, const char *name, mode_t others, const struct books *books,
			    struct signers *ret)
{
	uint8_t *seed = sodium_malloc(SEED_SIZE);
	struct signer candidate;
	char vkey[VKEY_MAX + 1];
	const char *problem;

	if (!seed)
		abort();
	problem = seed_read(dir, name, others, seed);
	if (!problem)
		signer_open(&candidate, books->origin, KEY_ED25519, seed);
	sodium_free(seed);
	if (problem)
		return problem;
	vkey_format(&candidate.verifier, vkey);
	if (!strcmp(vkey, books->keys.vkey)) {
		signer_take(&candidate, &ret->current);
		return NULL;
	}
	if (books->keys.previous[0] && !strcmp(vkey, books->keys.previous)) {
		signer_take(&candidate, &ret->previous);
		return NULL;
	}
	signer_close(&candidate);
	return " is not this ledger's";
}

/* A credential may be the group's to read: that is how systemd hands it over. */
static void credentials_try(const struct books *books, struct signers *ret)
{
	const char *path = getenv("CREDENTIALS_DIRECTORY"), *problem;
	int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (dir < 0)
		return;
	problem = seed_try(dir, SEED_FILE, 07, books, ret);
	if (problem && faccessat(dir, SEED_FILE, F_OK, 0) == 0)
		log_warning("the credential `%s`%s", SEED_FILE, problem);
	seed_try(dir, SEED_OLD, 07, books, ret);
	close(dir);
}

static bool previous_due(const struct books *books)
{
	return books->keys.previous[0] && books->totals.last_at <= books->keys.until;
}

static void lock_warn(const struct signer *signer)
{
	if (signer->secret && !signer->locked)
		log_warning("the signing key cannot be locked in memory and might be swapped to "
			    "the disk: raise the limit on locked memory (LimitMEMLOCK= of the "
			    "unit, ulimit -l)");
}

bool signers_load(int dir, const struct books *books, struct signers *ret)
{
	const char *problem;
	char until[TIMESTAMP_SIZE];

	*ret = (struct signers){ .current.secret = NULL };
	credentials_try(books, ret);
	problem = seed_try(dir, SEED_FILE, 077, books, ret);
	seed_try(dir, SEED_OLD, 077, books, ret);
	seed_try(dir, SEED_NEW, 077, books, ret);
	if (!ret->current.secret) {
		log_error("the signing key `%s`%s: the ledger names %s", SEED_FILE,
			  problem ? problem : " is the one from before the last rotation",
			  books->keys.vkey);
		return false;
	}
	timestamp_format(books->keys.until, until);
	if (previous_due(books) && !ret->previous.secret)
		log_warning("the seed of the key before, %s, is missing, which signs too up to %s: "
			    "restore it as `%s`, or nothing is recorded until then; or end the "
			    "overlap with another fundd --rotate-key",
			    books->keys.previous, until, SEED_OLD);
	lock_warn(&ret->current);
	lock_warn(&ret->previous);
	return true;
}

void signers_close(struct signers *signers)
{
	if (signers->current.secret)
		signer_close(&signers->current);
	if (signers->previous.secret)
		signer_close(&signers->previous);
}

/* ---- Rotation's end ---- */

/* Is it the seed of the current key, or of the one before? */
static void seed_is(int dir, const char *name, const struct books *books, bool *current,
		    bool *previous)
{
	struct signers found = { .current.secret = NULL };

	seed_try(dir, name, 077, books, &found);
	*current = found.current.secret;
	*previous = found.previous.secret;
	signers_close(&found);
}

void seeds_settle(int dir, const struct books *books)
{
	bool current, previous, ignored;

	seed_is(dir, SEED_NEW, books, &current, &ignored);
	if (!current)
		return;
	seed_is(dir, SEED_FILE, books, &ignored, &previous);
	if (previous && renameat(dir, SEED_FILE, dir, SEED_OLD) < 0)
		log_warning("cannot rename the old signing key: %s", strerror(errno));
	if (faccessat(dir, SEED_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	    renameat(dir, SEED_NEW, dir, SEED_FILE) < 0 || fsync(dir) < 0)
		log_warning("the ledger's signing key stays in `%s`: `%s` is in its way", SEED_NEW,
			    SEED_FILE);
}

void signers_expire(int dir, const struct books *books, struct signers *signers)
{
	bool ignored, previous;

	if (!signers->previous.secret || previous_due(books))
		return;
	signer_close(&signers->previous);
	seed_is(dir, SEED_OLD, books, &ignored, &previous);
	if (previous && (unlinkat(dir, SEED_OLD, 0) < 0 || fsync(dir) < 0))
		log_warning("cannot remove the old signing key `%s`: %s", SEED_OLD,
			    strerror(errno));
	else
		log_notice("the old key signs no more%s",
			   previous ? ", and its seed was removed"
				    : "; remove its seed where it is kept");
}

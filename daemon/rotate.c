#include "rotate.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "owner.h"
#include "seeds.h"
#include "service.h"

#define DAY_US ((int64_t)86400 * 1000000)

/* A seed of no use is left from a rotation that was cut short before its entry. */
static const char *seed_make(struct service *service, struct signer *ret)
{
	uint8_t *seed = sodium_malloc(SEED_SIZE);
	const char *problem = NULL;

	if (!seed)
		return "there is no memory for a key";
	random_bytes(seed, SEED_SIZE);
	if (unlinkat(service->dir, SEED_NEW, 0) < 0 && errno != ENOENT)
		problem = "cannot remove what is left of an earlier rotation";
	if (!problem)
		problem = seed_write(service->dir, SEED_NEW, seed);
	if (!problem && fsync(service->dir) < 0)
		problem = "cannot sync the directory";
	if (!problem)
		signer_open(ret, service->books.origin, KEY_ED25519, seed);
	sodium_free(seed);
	return problem;
}

static const char *entry_commit(struct service *service, const struct signer *fresh, int64_t days,
				struct entry *ret)
{
	int64_t last = service->books.totals.last_at;
	int64_t now = service->now > last ? service->now : last + 1;
	struct memo no_words = { 0 };
	struct refusal refusal;
	const char *problem;

	entry_clear(ret);
	ret->kind = KIND_KEY;
	memcpy(ret->kind_name, "key", sizeof("key"));
	ret->uid = service->uid;
	vkey_format(&fresh->verifier, ret->vkey);
	ret->ref = service->books.keys.entry;
	ret->until = now + days * DAY_US;
	if (batch_add(&service->batch, ret, &no_words, now, &refusal))
		return "the new key cannot be recorded";
	/* what signed until now is from here on the key before */
	if (service->signers.previous.secret)
		signer_close(&service->signers.previous);
	service->signers.previous = service->signers.current;
	service->signers.current = *fresh;
	switch (service_commit(service, &problem)) {
	case COMMIT_DONE:
		return NULL;
	case COMMIT_UNDONE:
		return problem;
	default:
		return "it is unknown whether the new key was recorded; the next start finds out";
	}
}

static void tell(const struct service *service, const struct entry *entry)
{
	char until[TIMESTAMP_SIZE];

	timestamp_format(entry->until, until);
	printf("%s\n", entry->vkey);
	log_notice("entry %lld brings the new key of %s, whose verifier key is the line on stdout; "
		   "both keys sign up to %s, then the new one alone. Its seed is `%s`, the old "
		   "one's `%s`; where they come from systemd credentials, put them there",
		   (long long)entry->seq, service->books.origin, until, SEED_FILE, SEED_OLD);
}

static const char *rotate(struct service *service, int64_t days)
{
	struct signer fresh;
	struct entry entry;
	const char *problem = service_problem(service, false);

	if (!problem)
		problem = seed_make(service, &fresh);
	if (!problem)
		problem = entry_commit(service, &fresh, days, &entry);
	if (problem)
		return problem;
	seeds_settle(service->dir, &service->books);
	tell(service, &entry);
	return NULL;
}

int rotate_key(const struct config *config, int64_t days)
{
	static struct service service;
	const char *problem;

	if (!owner_become_of(config->dir)) {
		log_error("cannot look into %s: %s", config->dir, strerror(errno));
		return EXIT_FAILED;
	}
	if (service_load(&service, config))
		return EXIT_FAILED;
	wallclock_hear(&service.clock, service.dir);
	if (service_start(&service))
		return EXIT_FAILED;
	problem = rotate(&service, days);
	if (problem)
		log_error("the key was not changed: %s", problem);
	service_close(&service);
	return problem || fflush(stdout) ? EXIT_FAILED : EXIT_OK;
}

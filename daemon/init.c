#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "ending.h"
#include "seeds.h"

static const char *const system_places[] = {
	"/var/", "/etc/", "/usr/", "/srv/", "/opt/", "/run/", "/lib/", "/boot/",
};

/* Where a daemon's data lives, and root's own does not. */
static bool system_dir(const char *dir)
{
	if (!strncmp(dir, "/var/tmp/", 9))
		return false;
	for (size_t i = 0; i < sizeof(system_places) / sizeof(*system_places); i++)
		if (!strncmp(dir, system_places[i], strlen(system_places[i])))
			return true;
	return false;
}

static const char *options_problem(const char *dir, const struct init_options *options)
{
	if (!options->origin)
		return "--origin NAME is needed: what names this ledger for ever, such as "
		       "example.com/fund";
	if (origin_problem(options->origin))
		return origin_problem(options->origin);
	if (currency_exp(options->currency) < 0)
		return "--currency is a code of ISO 4217, such as EUR";
	if (!zone_use(options->timezone))
		return "--timezone is a zone that this machine's tzdata has, such as Europe/Berlin";
	if (options->user && geteuid() != 0)
		return "--user is for root, who makes the ledger for somebody else";
	if (options->user && !getpwnam(options->user))
		return "--user names nobody on this machine; systemd-sysusers makes the user "
		       "`fund`";
	if (!options->user && geteuid() == 0 && system_dir(dir))
		return "root makes a ledger in a system directory for the user who will run fundd: "
		       "add --user fund";
	return NULL;
}

/* Whose signature it has cannot be told without a key,
 * and does not matter: the new ledger only names it. */
static const char *prior_read(struct init_options *options)
{
	char text[NOTE_MAX + 1];
	FILE *file = options->after ? fopen(options->after, "re") : NULL;
	size_t len;
	const char *problem;

	if (!options->after)
		return NULL;
	if (!file)
		return "the file that --after names cannot be read";
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	problem = checkpoint_read(text, len, &options->prior, NULL);
	if (problem)
		return problem;
	if (!strcmp(options->prior.origin, options->origin))
		return "a ledger that goes on from another one needs a name of its own, such as "
		       "example.com/fund-2";
	return options->prior.size ? NULL
				   : "the checkpoint that --after names is of an empty ledger";
}

/* From here on the files are that user's. */
static bool become(int dir, const char *user)
{
	const struct passwd *who = getpwnam(user);

	return who && fchown(dir, who->pw_uid, who->pw_gid) == 0 &&
	       initgroups(user, who->pw_gid) == 0 && setgid(who->pw_gid) == 0 &&
	       setuid(who->pw_uid) == 0;
}

static bool file_there(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool dir_empty(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool empty = dir;

	while (dir && (entry = readdir(dir)))
		empty &= !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	if (dir)
		closedir(dir);
	return empty;
}

/* The directory's own name must outlive a power loss, too. */
static bool name_sync(int dir)
{
	int parent = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = parent >= 0 && fsync(parent) == 0;

	if (parent >= 0)
		close(parent);
	return synced;
}

static bool dir_free(int dir, const char *path)
{
	bool ledger = file_there(dir, LEDGER_FILE) || file_there(dir, SEED_FILE) ||
		      file_there(dir, KEYRING_FILE);

	if (!ledger && dir_empty(path))
		return true;
	log_error(ledger ? "%s has a ledger already; it stays as it is"
			 : "%s is not empty; a ledger gets a directory of its own", path);
	return false;
}

static bool dir_hand(int dir, const char *path, const char *user)
{
	if (!fchmod(dir, 0700) && (!user || become(dir, user)))
		return true;
	log_error("cannot hand %s to its owner: %s", path, strerror(errno));
	return false;
}

/* The directory, opened, with nothing of a ledger in it. */
static int dir_make(const char *path, const char *user)
{
	bool made = mkdir(path, 0700) == 0;
	int dir;

	if (!made && errno != EEXIST) {
		log_error("cannot make %s: %s", path, strerror(errno));
		return -1;
	}
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || (made && !name_sync(dir)))
		log_error("cannot open %s for good: %s", path, strerror(errno));
	else if (dir_free(dir, path) && dir_hand(dir, path, user))
		return dir;
	if (dir >= 0)
		close(dir);
	return -1;
}

static void genesis_follow(struct entry *genesis, const struct checkpoint *prior)
{
	struct buf root = BUF_INIT;

	base64_encode(&root, prior->root, HASH_SIZE);
	memcpy(genesis->prior_origin, prior->origin, sizeof(prior->origin));
	genesis->prior_size = (int64_t)prior->size;
	memcpy(genesis->prior_root, root.data, HASH_BASE64 + 1);
	buf_release(&root);
}

static void genesis_entry(struct entry *ret, const struct signer *signer,
			  const struct init_options *options)
{
	entry_clear(ret);
	ret->kind = KIND_GENESIS;
	memcpy(ret->kind_name, "genesis", sizeof("genesis"));
	ret->uid = geteuid();
	snprintf(ret->currency, sizeof(ret->currency), "%s", options->currency);
	ret->exp = currency_exp(options->currency);
	snprintf(ret->origin, sizeof(ret->origin), "%s", options->origin);
	vkey_format(&signer->verifier, ret->vkey);
	snprintf(ret->zone, sizeof(ret->zone), "%s", options->timezone);
	if (options->after)
		genesis_follow(ret, &options->prior);
}

static const char *genesis_commit(struct batch *batch, struct entry *genesis)
{
	struct memo no_words = { 0 };
	struct refusal refusal;
	const char *problem;

	if (batch_add(batch, genesis, &no_words, clock_us(CLOCK_REALTIME), &refusal))
		return "cannot make the first entry";
	return batch_commit(batch, &problem) == COMMIT_DONE ? NULL : problem;
}

static int ledger_make(struct ledger *ledger, const char *path)
{
	int error = ledger_open(ledger, path, LEDGER_MAP_DEFAULT, true);

	if (error)
		return error;
	error = ledger_start(ledger);
	if (error)
		ledger_close(ledger);
	return error;
}

/* The first entry takes the same way as all others. */
static const char *genesis_write(const char *path, int dir, const struct signers *signers,
				 const struct init_options *options)
{
	static const struct merkle no_tree;
	static const struct buf no_checkpoint;
	struct customers customers;
	struct keyring keyring;
	struct ledger ledger;
	struct batch batch;
	struct books books;
	struct entry genesis;
	struct buf head = BUF_INIT;
	const char *problem = keyring_open(&keyring, dir, options->origin, true);
	int error;

	if (problem)
		return problem;
	error = ledger_make(&ledger, path);
	if (error) {
		keyring_close(&keyring);
		return ledger_error(error);
	}
	books_init(&books, NULL, NULL);
	customers_init(&customers);
	batch_init(&batch, &ledger, &keyring, &books, &customers, signers, &no_tree,
		   &no_checkpoint);
	genesis_entry(&genesis, &signers->current, options);
	if (ledger_room(&ledger) == ROOM_PLENTY)
		problem = genesis_commit(&batch, &genesis);
	else
		problem = "the disk is too full for a ledger";
	buf_add(&head, batch.checkpoint.data, batch.checkpoint.len);
	batch_release(&batch);
	customers_release(&customers);
	books_release(&books);
	error = ledger_close(&ledger);
	keyring_close(&keyring);
	if (!problem && error)
		problem = ledger_error(error);
	if (!problem)
		ending_note(dir, &head);
	buf_release(&head);
	return problem;
}

static void files_remove(int dir)
{
	static const char *const files[] = { LEDGER_FILE, LEDGER_FILE "-lock", WAL_FILE, KEYRING_FILE, ENDING_FILE,
					     SEED_FILE };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		unlinkat(dir, files[i], 0);
}

static const char *files_make(const char *path, int dir, const struct init_options *options,
			      char vkey[VKEY_MAX + 1])
{
	uint8_t seed[SEED_SIZE];
	struct signers signers = { .previous.secret = NULL };
	const char *problem;

	random_bytes(seed, sizeof(seed));
	signer_open(&signers.current, options->origin, KEY_ED25519, seed);
	problem = seed_write(dir, SEED_FILE, seed);
	sodium_memzero(seed, sizeof(seed));
	if (!problem)
		problem = keyring_create(dir, options->origin);
	if (!problem)
		problem = genesis_write(path, dir, &signers, options);
	if (!problem && fsync(dir) < 0)
		problem = "cannot sync the directory";
	vkey_format(&signers.current.verifier, vkey);
	signer_close(&signers.current);
	return problem;
}

int init_ledger(const char *path, const struct init_options *given)
{
	char vkey[VKEY_MAX + 1];
	struct init_options filled = *given;
	const struct init_options *options = &filled;
	const char *wrong = options_problem(path, options),
		   *problem = wrong ? wrong : prior_read(&filled);
	int dir;

	if (problem) {
		log_error("%s", problem);
		return wrong ? EXIT_USAGE : EXIT_FAILED;
	}
	dir = dir_make(path, options->user);
	if (dir < 0)
		return EXIT_FAILED;
	problem = files_make(path, dir, options, vkey);
	if (problem) {
		log_error("no ledger was made in %s: %s", path, problem);
		files_remove(dir);
	} else {
		printf("%s\n", vkey);
		log_notice("the ledger %s is in %s; the line on stdout is its verifier key: give "
			   "it to whoever will check the ledger", options->origin, path);
	}
	close(dir);
	return problem || fflush(stdout) ? EXIT_FAILED : EXIT_OK;
}

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/text.h"
#include "backup.h"
#include "init.h"
#include "listener.h"
#include "rotate.h"
#include "seeds.h"
#include "sandbox.h"
#include "server.h"
#include "trusted.h"
#include "verify.h"

#define LARGE_BLOCK (256 << 10)	/* bytes: mapped by itself, and given back whole */

enum mode { MODE_SERVE, MODE_INIT, MODE_VERIFY, MODE_ACCEPT_CLOCK, MODE_ROTATE_KEY, MODE_BACKUP };

struct options {
	enum mode mode;
	bool all;
	const char *config, *dir, *socket, *backup;
	struct init_options init;
	int64_t overlap;		/* days */
};

static struct options options = { .init = { .currency = "EUR", .timezone = "UTC" },
				 .overlap = OVERLAP_DAYS };

static const char usage[] =
	"usage: fundd [--config FILE] [--dir DIR] [--socket PATH]\n"
	"       fundd --init --origin NAME [--currency EUR] [--timezone ZONE] [--dir DIR] [--user USER]\n"
	"              [--after FILE]\n"
	"       fundd --verify [--all] [--dir DIR]\n"
	"       fundd --backup NAME [--config FILE] [--dir DIR]\n"
	"       fundd --rotate-key [--overlap DAYS] [--config FILE] [--dir DIR]\n"
	"       fundd --accept-clock [--dir DIR]\n"
	"       fundd --version | --help\n";

static const struct option long_options[] = {
	{ "init", no_argument, NULL, 'i' },
	{ "verify", no_argument, NULL, 'v' },
	{ "accept-clock", no_argument, NULL, 'a' },
	{ "rotate-key", no_argument, NULL, 'r' },
	{ "backup", required_argument, NULL, 'b' },
	{ "overlap", required_argument, NULL, 'O' },
	{ "all", no_argument, NULL, 'A' },
	{ "config", required_argument, NULL, 'c' },
	{ "dir", required_argument, NULL, 'd' },
	{ "socket", required_argument, NULL, 's' },
	{ "origin", required_argument, NULL, 'o' },
	{ "currency", required_argument, NULL, 'C' },
	{ "timezone", required_argument, NULL, 't' },
	{ "after", required_argument, NULL, 'f' },
	{ "user", required_argument, NULL, 'u' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static void overlap_take(const char *text)
{
	uint64_t days;

	if (!decimal_parse(text, strlen(text), &days) || days > OVERLAP_DAYS_MAX) {
		log_error("--overlap is a number of days, up to %d", OVERLAP_DAYS_MAX);
		exit(EXIT_USAGE);
	}
	options.overlap = (int64_t)days;
}

static void mode_take(enum mode mode)
{
	if (options.mode != MODE_SERVE && options.mode != mode) {
		log_error("one thing at a time: --init, --verify, --backup, --rotate-key and "
			  "--accept-clock exclude each other");
		exit(EXIT_USAGE);
	}
	options.mode = mode;
}

static void option_take(int option)
{
	switch (option) {
	case 'i': mode_take(MODE_INIT); break;
	case 'v': mode_take(MODE_VERIFY); break;
	case 'a': mode_take(MODE_ACCEPT_CLOCK); break;
	case 'r': mode_take(MODE_ROTATE_KEY); break;
	case 'b': mode_take(MODE_BACKUP); options.backup = optarg; break;
	case 'O': overlap_take(optarg); break;
	case 'A': options.all = true; break;
	case 'c': options.config = optarg; break;
	case 'd': options.dir = optarg; break;
	case 's': options.socket = optarg; break;
	case 'o': options.init.origin = optarg; break;
	case 'C': options.init.currency = optarg; break;
	case 't': options.init.timezone = optarg; break;
	case 'f': options.init.after = optarg; break;
	case 'u': options.init.user = optarg; break;
	case 'V':
		printf("fundd %s\n", VERSION);
		exit(EXIT_OK);
	case 'h':
		fputs(usage, stdout);
		exit(EXIT_OK);
	default:
		fputs(usage, stderr);
		exit(EXIT_USAGE);
	}
}

/* Whoever can put another config in its place has every role. */
static bool config_safe(const char *path)
{
	char culprit[PATH_MAX];
	const char *problem = trusted_problem(path, culprit);

	if (problem)
		log_error("the config %s is not safe: %s %s, who could give themselves any role; "
			  "take that away with chown and chmod", path, culprit, problem);
	return !problem;
}

/* The config file, with what the command line says instead. */
static bool config_load(struct config *ret)
{
	char problem[512];
	const char *path = options.config ? options.config : CONFIG_PATH;

	if (config_read(ret, path, !options.config, problem) < 0) {
		log_error("%s", problem);
		return false;
	}
	if (ret->found && !config_safe(path))
		return false;
	if (options.dir)
		snprintf(ret->dir, sizeof(ret->dir), "%s", options.dir);
	if (options.socket)
		snprintf(ret->socket, sizeof(ret->socket), "%s", options.socket);
	return true;
}

/* In a user namespace that maps only some uids
 * everybody else looks like one and the same nobody. */
static bool uids_whole(void)
{
	unsigned long inside = 1, outside = 1, count = 0;
	FILE *map = fopen("/proc/self/uid_map", "re");
	bool whole = map && fscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
		     !inside && !outside && count == 4294967295;

	if (map)
		fclose(map);
	if (!whole)
		log_error("this user namespace does not map all uids, so fundd could not tell "
			  "people apart; run it outside (never with PrivateUsers=)");
	return whole;
}

static void files_allow(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("cannot raise the limit on open files");
}

/* Left to itself malloc would soon take large tables out
 * of the heap, which is not given back in the middle. */
static void memory_returns(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	mallopt(M_TRIM_THRESHOLD, 4 * LARGE_BLOCK);
}

static int serve(const struct config *config)
{
	static struct service service;
	int listener, status;
	bool made;

	if (!uids_whole())
		return EXIT_FAILED;
	files_allow();
	memory_returns();
	status = service_load(&service, config);
	if (status)
		return status;
	if (!config->found)
		log_warning("no config file: uid %d, who runs this, has every role",
			    (int)geteuid());
	/* before the start is put on record, as it may fail */
	listener = listener_open(config->socket, &made);
	if (listener < 0)
		return EXIT_FAILED;
	/* while there are no other threads: Landlock is
	 * not for those that there are, but inherited */
	sandbox_enter(&(struct sandbox){
		.ledger = config->dir,
		.socket = config->socket,
		.config = options.config ? options.config : CONFIG_PATH,
	});
	status = service_boot(&service);
	if (status) {
		if (made)
			unlink(config->socket);
		return status;
	}
	log_notice("%s: %llu entries, %zu budget%s; listening", service.books.origin,
		   (unsigned long long)batch_size(&service.batch), service.books.budgets.count,
		   service.books.budgets.count == 1 ? "" : "s");
	status = server_run(&service, listener, config_load);
	if (made)
		unlink(config->socket);
	service_close(&service);
	return status;
}

int main(int argc, char **argv)
{
	static struct config config;
	int option;

	log_open("fundd");
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		option_take(option);
	if (optind < argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	cores_forbid();
	if (!sign_start()) {
		log_error("this machine gives no randomness");
		return EXIT_FAILED;
	}
	if (!config_load(&config))
		return EXIT_FAILED;
	switch (options.mode) {
	case MODE_INIT:
		return init_ledger(config.dir, &options.init);
	case MODE_VERIFY:
		return verify_ledger(config.dir, options.all);
	case MODE_ROTATE_KEY:
		return rotate_key(&config, options.overlap);
	case MODE_BACKUP:
		return backup_ledger(&config, options.backup);
	case MODE_ACCEPT_CLOCK:
		return wallclock_accept(config.dir) ? EXIT_FAILED : EXIT_OK;
	default:
		return serve(&config);
	}
}

#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"
#include "sanitized.h"

/* ---- System calls ---- */

/* Those that serving needs; anything else fails with EPERM, in all threads. */
static bool calls_restrict(void)
{
	static struct sock_filter steps[] = {
#include "daemon/calls.inc"		/* calls.c prints it */
	};
	struct sock_fprog program = { .len = sizeof(steps) / sizeof(*steps), .filter = steps };

	return !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

/* ---- Files ---- */

#define LANDLOCK_TRUNCATE (1ULL << 14)	/* since version 3; not in Debian 12's header */

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE (READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
	       LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_TRUNCATE)

/* Where zones, users and groups are looked up, and the modules that do so; those that exist. */
static const char *const places_read[] = {
	"/etc", "/usr/share/zoneinfo", "/usr/lib", "/usr/lib64", "/lib", "/lib64",
	"/run/systemd", "/run/nscd", "/var/lib/sss", "/var/lib/extrausers",
};

static uint64_t files_handled(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (version < 1)
		return 0;
	if (version >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all |= LANDLOCK_TRUNCATE;
	return all;
}

static bool place_allow(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr place = { .allowed_access = access };
	bool allowed;

	place.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (place.parent_fd < 0)
		return errno == ENOENT;
	allowed = !syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &place, 0);
	close(place.parent_fd);
	return allowed;
}

/* The directory that the file is in. */
static bool parent_allow(int rules, const char *path, uint64_t access)
{
	char *copy = strdup(path);
	bool allowed = copy && place_allow(rules, dirname(copy), access);

	free(copy);
	return allowed;
}

static bool places_allow(int rules, const struct sandbox *sandbox, uint64_t handled)
{
	const char *zones = getenv("TZDIR");
	bool allowed = place_allow(rules, sandbox->ledger, WRITE & handled) &&
		       parent_allow(rules, sandbox->socket, LANDLOCK_ACCESS_FS_REMOVE_FILE);

	if (sandbox->config)
		allowed &= parent_allow(rules, sandbox->config, READ);
	if (zones && *zones)
		allowed &= place_allow(rules, zones, READ);
	if (SANITIZED)
		allowed &= place_allow(rules, "/proc", READ);
	for (size_t i = 0; i < sizeof(places_read) / sizeof(*places_read); i++)
		allowed &= place_allow(rules, places_read[i], READ);
	return allowed;
}

static bool files_restrict(const struct sandbox *sandbox)
{
	struct landlock_ruleset_attr attributes = { .handled_access_fs = files_handled() };
	bool restricted;
	int rules;

	if (!attributes.handled_access_fs)
		return false;
	rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (rules < 0)
		return false;
	restricted = places_allow(rules, sandbox, attributes.handled_access_fs) &&
		     !syscall(SYS_landlock_restrict_self, rules, 0);
	close(rules);
	return restricted;
}

/* ---- All of it ---- */

void sandbox_enter(const struct sandbox *sandbox)
{
	if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0))
		log_warning("fundd stays dumpable: %s", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		log_warning("fundd could still gain privileges: %s", strerror(errno));
	if (!files_restrict(sandbox))
		log_notice("fundd could open files outside its directory: Landlock says %s",
			   strerror(errno));
	if (!calls_restrict())
		log_warning("fundd could not give up the system calls it does not need: %s",
			    strerror(errno));
}

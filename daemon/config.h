/*
 * fund.conf(5): where the ledger is, and who has which role. Names become numbers when it is read.
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/sign.h"

#define CONFIG_PATH "/etc/fund/fund.conf"
#define CONFIG_DIR "/var/lib/fund"
#define CONFIG_SOCKET "/run/fund/fund.sock"
#define CONFIG_PATH_MAX 4096
#define CONFIG_GRANTS_MAX 256
#define CONFIG_WITNESSES_MAX 16

/* One word of [roles]: this user, or everybody in this group, has the role. */
struct grant {
	unsigned role;		/* of enum role */
	bool group;
	uint32_t id;
};

/* One key of [witnesses]. */
struct config_witness {
	struct verifier key;		/* of type KEY_COSIGNER */
	bool required;
};

struct config {
	char dir[CONFIG_PATH_MAX], socket[CONFIG_PATH_MAX];
	char guard[CONFIG_PATH_MAX];	/* "": no rollback guard */
	uint64_t map_size;	/* bytes */
	struct grant grants[CONFIG_GRANTS_MAX];
	unsigned grant_count;
	struct config_witness witnesses[CONFIG_WITNESSES_MAX];
	unsigned witness_count;
	bool found;		/* there is a config file: roles are what it says */
};

/*
 * Defaults, then what the file says. 0, or -1 with a sentence for the operator, line number
 * included, in `problem`. A missing file is no error when `may_lack`.
 */
int config_read(struct config *ret, const char *path, bool may_lack, char problem[512]);

#endif

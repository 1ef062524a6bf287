#include "daemon/config.h"
#include "daemon/ledger.h"
#include "daemon/plan.h"
#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define WITNESS_VKEY "witness.example/w+36f238c2+BEHR1DiJp+EjUOrRRaOWK3xlvMumZ6tTBEDB+46NYlc6"
#define OTHER_VKEY "other.example/w+44c9ba19+BMbWtIjLtRJhJHFyQV1/wEeltexPUMoJioUl8WVy1TGn"
#define LOG_VKEY "log.example/l+b9f4faff+AZWQmi1wTONqN4Ajp2ENjh09Ql5KWYVa9rgVBuh6QIi5"

static char path[] = "/tmp/config-test-XXXXXX";
static char problem[512];

/* Reads a config of this text; what it says of a problem begins behind the file's name. */
static int read_text(struct config *ret, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) == EOF || fclose(file) == EOF)
		perror(path);
	problem[0] = '\0';
	return config_read(ret, path, false, problem);
}

static void test_defaults(void)
{
	struct config config;

	is_int(read_text(&config, ""), 0, "an empty file");
	is_str(config.dir, "/var/lib/fund", "leaves the directory");
	is_str(config.socket, "/run/fund/fund.sock", "the socket");
	ok(config.map_size == LEDGER_MAP_DEFAULT, "and the map size as they are");
	ok(config.found && !config.grant_count, "and nobody has a role");
}

static void test_missing(void)
{
	struct config config;

	is_int(config_read(&config, "/nonexistent/fund.conf", true, problem), 0,
	       "a file may be missing where that is said");
	ok(!config.found && !strcmp(config.dir, "/var/lib/fund"), "and the defaults hold");
	is_int(config_read(&config, "/nonexistent/fund.conf", false, problem), -1, "otherwise not");
	is_str(problem, "cannot read /nonexistent/fund.conf: No such file or directory",
	       "and it says why");
	is_int(config_read(&config, "/dev/null/fund.conf", true, problem), -1,
	       "one that cannot be read is never as good as missing");
}

static bool granted(const struct config *config, unsigned i, unsigned role, bool group, uint32_t id)
{
	const struct grant *grant = &config->grants[i];

	return i < config->grant_count && grant->role == role && grant->group == group &&
	       grant->id == id;
}

static void test_witnesses(void)
{
	struct config config;

	is_int(read_text(&config,
			 "[ledger]\nguard = /mnt/guard\n[witnesses]\nrequire = " WITNESS_VKEY
			 "\naccept = " OTHER_VKEY "\n"),
	       0, "witnesses and a guard");
	is_str(config.guard, "/mnt/guard", "the guard");
	is_int(config.witness_count, 2, "two witnesses");
	is_str(config.witnesses[0].key.name, "witness.example/w", "the first");
	ok(config.witnesses[0].required && !config.witnesses[1].required,
	   "one of them is required");
}

static void test_full(void)
{
	struct config config;

	is_int(read_text(&config, "; a comment\n"
				  "[ledger]\n"
				  "dir = /srv/fund\n"
				  "socket=/srv/fund/sock\n"
				  "map_size = 16G\n"
				  "\n"
				  "# another\n"
				  "[roles]\n"
				  "manager = user:root, group:4242 user:1001\n"
				  "cron = user:0\n"
				  "auditor = group:root,user:7\n"), 0, "a full file");
	is_str(config.dir, "/srv/fund", "the directory");
	is_str(config.socket, "/srv/fund/sock", "the socket");
	ok(config.map_size == (uint64_t)16 << 30, "the map size");
	is_int(config.grant_count, 6, "six words of roles");
	ok(granted(&config, 0, ROLE_MANAGER, false, 0) &&
		   granted(&config, 1, ROLE_MANAGER, true, 4242) &&
		   granted(&config, 2, ROLE_MANAGER, false, 1001),
	   "managers by name and number");
	ok(granted(&config, 3, ROLE_CRON, false, 0), "cron");
	ok(granted(&config, 4, ROLE_AUDITOR, true, 0) &&
		   granted(&config, 5, ROLE_AUDITOR, false, 7),
	   "auditors");
}

static void test_map_size(void)
{
	static const struct {
		const char *text;
		uint64_t size;
	} sizes[] = {
		{ "[ledger]\nmap_size=4194304", 4194304 }, { "[ledger]\nmap_size=4096K", 4194304 },
		{ "[ledger]\nmap_size=4M", 4194304 }, { "[ledger]\nmap_size=1T", (uint64_t)1 << 40 },
		{ "[ledger]\nmap_size=255T", (uint64_t)255 << 40 },
	};
	struct config config;

	for (size_t i = 0; i < SIZE(sizes); i++) {
		is_int(read_text(&config, sizes[i].text), 0, sizes[i].text + 9);
		ok(config.map_size == sizes[i].size, "is that many bytes");
	}
}

/* What is wrong, and the line it is told of. */
static const struct {
	const char *text, *problem;
} wrong[] = {
	{ "dir = /srv", "line 1: this key stands before the first [section]: `dir`" },
	{ "[ledger]\nsocket\n", "line 2: this is neither a [section] nor key = value" },
	{ "\n[ledger\ndir = /srv\n", "line 2: this is neither a [section] nor key = value" },
	{ "[ledger]\nDir = /srv\n", "line 2: there is no key `Dir` in [ledger]; see fund.conf(5)" },
	{ "[ledger]\nmanager = user:0\n",
	  "line 2: there is no key `manager` in [ledger]; see fund.conf(5)" },
	{ "[roles]\n\n\nrep = user:0\n", "line 4: there is no key `rep` in [roles]; see fund.conf(5)" },
	{ "[other]\ndir = /srv\n", "line 2: there is no key `dir` in [other]; see fund.conf(5)" },
	{ "[ledger]\ndir = /srv\ndir = /srv\n", "line 3: this key stands twice: `dir`" },
	{ "[roles]\ncron = user:0\n[ledger]\n[roles]\ncron = user:0\n",
	  "line 5: this key stands twice: `cron`" },
	{ "[ledger]\ndir = srv\n", "line 2: this is not an absolute path: `srv`" },
	{ "[ledger]\ndir =\n", "line 2: this is not an absolute path: ``" },
	{ "[ledger]\nsocket = ./sock\n", "line 2: this is not an absolute path: `./sock`" },
	{ "[ledger]\nmap_size = big\n",
	  "line 2: a map_size is a number of bytes, or with K, M, G or T behind it: `big`" },
	{ "[ledger]\nmap_size = -1\n",
	  "line 2: a map_size is a number of bytes, or with K, M, G or T behind it: `-1`" },
	{ "[ledger]\nmap_size =\n",
	  "line 2: a map_size is a number of bytes, or with K, M, G or T behind it: ``" },
	{ "[ledger]\nmap_size = 18446744073709551616\n",
	  "line 2: a map_size is a number of bytes, or with K, M, G or T behind it: "
	  "`18446744073709551616`" },
	{ "[ledger]\nmap_size = 3M\n", "line 2: a map_size is from 4M to 256T: `3M`" },
	{ "[ledger]\nmap_size = 257T\n", "line 2: a map_size is from 4M to 256T: `257T`" },
	{ "[ledger]\nmap_size = 18446744073709551615T\n",
	  "line 2: a map_size is from 4M to 256T: `18446744073709551615T`" },
	{ "[ledger]\nmap_size = 16 G\n", "line 2: a map_size is from 4M to 256T: `16 G`" },
	{ "[ledger]\nmap_size = 16GB\n", "line 2: a map_size is from 4M to 256T: `16GB`" },
	{ "[ledger]\nmap_size = 16.5G\n", "line 2: a map_size is from 4M to 256T: `16.5G`" },
	{ "[ledger]\nguard = guard\n", "line 2: this is not an absolute path: `guard`" },
	{ "[witnesses]\naccept = w\n", "line 2: this is not a witness's verifier key: its name, + and what fund "
	  "witness prints: `w`" },
	{ "[witnesses]\nrequire = " LOG_VKEY "\n", "line 2: this is not a witness's verifier key: its name, + and "
	  "what fund witness prints: `" LOG_VKEY "`" },
	{ "[witnesses]\naccept = " WITNESS_VKEY "\nrequire = " WITNESS_VKEY "\n",
	  "line 3: two keys have this witness's name: `witness.example/w`" },
	{ "[witnesses]\nforbid = " WITNESS_VKEY "\n",
	  "line 2: there is no key `forbid` in [witnesses]; see fund.conf(5)" },
	{ "[roles]\nmanager = root\n",
	  "line 2: a role is given as user:NAME, user:UID, group:NAME or group:GID: `root`" },
	{ "[roles]\nmanager = user:0 0\n",
	  "line 2: a role is given as user:NAME, user:UID, group:NAME or group:GID: `0`" },
	{ "[roles]\nmanager = User:0\n",
	  "line 2: a role is given as user:NAME, user:UID, group:NAME or group:GID: `User:0`" },
	{ "[roles]\nmanager = user:no-such-user\n",
	  "line 2: this machine has no such user: `user:no-such-user`" },
	{ "[roles]\nmanager = user:0, group:no-such-group\n",
	  "line 2: this machine has no such group: `group:no-such-group`" },
	{ "[roles]\nmanager = user:\n", "line 2: this machine has no such user: `user:`" },
	{ "[roles]\nmanager = user:-1\n", "line 2: this machine has no such user: `user:-1`" },
	{ "[roles]\nmanager = user:4294967295\n",
	  "line 2: this machine has no such user: `user:4294967295`" },
	{ "[roles]\nmanager = user:4294967296\n",
	  "line 2: this machine has no such user: `user:4294967296`" },
	{ "[roles]\nmanager = user:0x0\n", "line 2: this machine has no such user: `user:0x0`" },
	{ "[ledger]\ndir = srv\n\nmap_size = big\n", "line 2: this is not an absolute path: `srv`" },
};

static void test_wrong(void)
{
	struct config config;
	char want[600];

	for (size_t i = 0; i < SIZE(wrong); i++) {
		snprintf(want, sizeof(want), "%s, %s", path, wrong[i].problem);
		ok(read_text(&config, wrong[i].text) == -1, "refused");
		is_str(problem, want, "and told");
	}
}

/* As many users as fit, then one more. */
static void test_many(void)
{
	char text[16 * 1024] = "[roles]\n";
	struct config config;

	for (int i = 0; i < CONFIG_GRANTS_MAX; i++)	/* in lines of 32, each
							 * within what inih takes */
		sprintf(text + strlen(text), "%s user:%d", i % 16 ? "" : i ? "\n" : "manager =", i);
	is_int(read_text(&config, text), 0, "256 users");
	is_str(problem, "", "are taken");
	ok(config.grant_count == CONFIG_GRANTS_MAX &&
		   granted(&config, 255, ROLE_MANAGER, false, 255),
	   "all of them");
	strcat(text, "\ncron = user:0");
	is_int(read_text(&config, text), -1, "one more is refused");
	ok(strstr(problem, "more than 256 users and groups"), "and told");
}

/* A longer line is not read as two. */
static void test_long(void)
{
	char text[600], want[600];
	struct config config;

	sprintf(text, "[roles]\nmanager = user:1\n# %196s\ncron = user:3\n", "user:2");
	is_int(read_text(&config, text), 0, "a line of 198 bytes");
	is_int(config.grant_count, 2, "is a line");
	sprintf(text, "[roles]\nmanager = user:1\n# %196s user:2\ncron = user:3\n", "");
	snprintf(want, sizeof(want), "%s, line 3: a line has at most 198 bytes", path);
	is_int(read_text(&config, text), -1, "the end of a longer comment is nobody's role");
	is_str(problem, want, "and told");
	sprintf(text, "[roles]\nmanager =%*suser:61010\n", 182, "");
	snprintf(want, sizeof(want), "%s, line 2: a line has at most 198 bytes", path);
	is_int(read_text(&config, text), -1, "nor is a uid cut short");
	is_str(problem, want, "and told");
}

/* What cannot be read is no empty file, which would take everybody's roles away. */
static void test_unreadable(void)
{
	struct config config;

	is_int(config_read(&config, "/", true, problem), -1, "a directory is refused");
	is_str(problem, "cannot read /: Is a directory", "and told");
}

int main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	test_defaults();
	test_missing();
	test_witnesses();
	test_full();
	test_map_size();
	test_wrong();
	test_many();
	test_long();
	test_unreadable();
	unlink(path);
	return done_testing();
}

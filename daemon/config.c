#include "config.h"

#include <errno.h>
#include <grp.h>
#include <ini.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "plan.h"

struct reading {
	struct config *config;
	FILE *file;
	int line;
	bool continued;		/* the line goes on with the one before: inih tells its key again */
	char problem[256];
	int problem_line;
	unsigned seen;		/* bit i: keys[i] was there */
};

typedef bool take_value(struct reading *reading, const char *value, unsigned argument);

static take_value take_dir, take_socket, take_guard, take_map_size, take_role, take_witnesses;

static const struct config_key {
	const char *section, *name;
	take_value *take;
	unsigned argument;
} keys[] = {
	{ "ledger", "dir", take_dir, 0 },
	{ "ledger", "socket", take_socket, 0 },
	{ "ledger", "guard", take_guard, 0 },
	{ "ledger", "map_size", take_map_size, 0 },
	{ "roles", "manager", take_role, ROLE_MANAGER },
	{ "roles", "cron", take_role, ROLE_CRON },
	{ "roles", "auditor", take_role, ROLE_AUDITOR },
	{ "witnesses", "accept", take_witnesses, false },
	{ "witnesses", "require", take_witnesses, true },
};

static bool wrong(struct reading *reading, const char *what, const char *value)
{
	snprintf(reading->problem, sizeof(reading->problem), "%s: `%.80s`", what, value);
	return false;
}

static bool take_path(struct reading *reading, const char *value, char *ret)
{
	if (value[0] != '/' || strlen(value) >= CONFIG_PATH_MAX)
		return wrong(reading, "this is not an absolute path", value);
	snprintf(ret, CONFIG_PATH_MAX, "%s", value);
	return true;
}

static bool take_dir(struct reading *reading, const char *value, unsigned argument)
{
	(void)argument;
	return take_path(reading, value, reading->config->dir);
}

static bool take_socket(struct reading *reading, const char *value, unsigned argument)
{
	(void)argument;
	return take_path(reading, value, reading->config->socket);
}

static bool take_guard(struct reading *reading, const char *value, unsigned argument)
{
	(void)argument;
	return take_path(reading, value, reading->config->guard);
}

/* Decimal digits that fit. */
static bool take_number(const char *text, uint64_t max, uint64_t *ret, const char **end)
{
	char *stop;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &stop, 10);
	*end = stop;
	return !errno && *ret <= max;
}

static bool take_map_size(struct reading *reading, const char *value, unsigned argument)
{
	static const char units[] = "KMGT";
	const char *end, *unit;
	unsigned shift = 0;
	uint64_t size;

	(void)argument;
	if (!take_number(value, UINT64_MAX, &size, &end))
		return wrong(reading, "a map_size is a number of bytes, or with K, M, G or T "
				      "behind it", value);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
	}
	if (*end || size > (UINT64_MAX >> 16) >> shift || size << shift < LEDGER_MAP_MIN)
		return wrong(reading, "a map_size is from 4M to 256T", value);
	reading->config->map_size = size << shift;
	return true;
}

static bool find_user(const char *name, uint64_t *ret)
{
	const struct passwd *user = getpwnam(name);

	if (user)
		*ret = user->pw_uid;
	return user;
}

static bool find_group(const char *name, uint64_t *ret)
{
	const struct group *group = getgrnam(name);

	if (group)
		*ret = group->gr_gid;
	return group;
}

static bool take_grant(struct reading *reading, const char *word, unsigned role)
{
	struct config *config = reading->config;
	bool group = !strncmp(word, "group:", 6), user = !strncmp(word, "user:", 5);
	const char *who = word + (group ? 6 : 5), *end;
	uint64_t id;

	if (!group && !user)
		return wrong(reading, "a role is given as user:NAME, user:UID, group:NAME or "
				      "group:GID", word);
	if (!(take_number(who, UINT32_MAX - 1, &id, &end) && !*end) &&
	    !(group ? find_group(who, &id) : find_user(who, &id)))
		return wrong(reading, group ? "this machine has no such group"
					    : "this machine has no such user", word);
	if (config->grant_count == CONFIG_GRANTS_MAX)
		return wrong(reading, "more than 256 users and groups; use a group", word);
	config->grants[config->grant_count++] = (struct grant){ role, group, (uint32_t)id };
	return true;
}

static bool take_witness(struct reading *reading, const char *word, unsigned required)
{
	struct config *config = reading->config;
	struct verifier key;

	if (!vkey_parse(word, &key) || key.type != KEY_COSIGNER)
		return wrong(reading, "this is not a witness's verifier key: its name, + and what "
				      "fund witness prints", word);
	for (unsigned i = 0; i < config->witness_count; i++)
		if (!strcmp(config->witnesses[i].key.name, key.name))
			return wrong(reading, "two keys have this witness's name", key.name);
	if (config->witness_count == CONFIG_WITNESSES_MAX)
		return wrong(reading, "more than 16 witnesses", word);
	config->witnesses[config->witness_count++] = (struct config_witness){ key, required };
	return true;
}

/* A list with blanks or commas between. */
static bool take_words(struct reading *reading, const char *value, take_value *take,
		       unsigned argument)
{
	char *words = strdup(value), *rest = words, *word;
	bool taken = words;

	while (taken && (word = strsep(&rest, " \t\n,")))
		if (*word)
			taken = take(reading, word, argument);
	free(words);
	return taken;
}

static bool take_role(struct reading *reading, const char *value, unsigned role)
{
	return take_words(reading, value, take_grant, role);
}

static bool take_witnesses(struct reading *reading, const char *value, unsigned required)
{
	return take_words(reading, value, take_witness, required);
}

/* inih calls this for each line: what it then tells of can be told apart by its number. A line that
 * does not fit would come in two, the second of which might be taken for another: it ends the
 * reading. */
static char *read_line(char *bytes, int size, void *context)
{
	struct reading *reading = context;
	char *line = fgets(bytes, size - 1, reading->file);	/* newer inihs refuse what
								 * fills their room */
	int next;

	reading->line++;
	reading->continued = line && (*line == ' ' || *line == '\t');
	if (*reading->problem)
		return line;
	reading->problem_line = reading->line;
	if (!line || strchr(line, '\n'))
		return line;
	next = getc(reading->file);
	if (next == '\n' || next == EOF)
		return line;
	snprintf(reading->problem, sizeof(reading->problem), "a line has at most %d bytes",
		 size - 2);
	return NULL;
}

/* And this for each value; 0 makes it report the line. */
static int take_line(void *context, const char *section, const char *name, const char *value)
{
	struct reading *reading = context;

	if (*reading->problem)	/* the first is the one that is told */
		return 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(section, keys[i].section) || strcmp(name, keys[i].name))
			continue;
		if (reading->seen & 1u << i && !reading->continued)
			return wrong(reading, "this key stands twice", name);
		reading->seen |= 1u << i;
		return keys[i].take(reading, value, keys[i].argument);
	}
	if (!*section)
		return wrong(reading, "this key stands before the first [section]", name);
	snprintf(reading->problem, sizeof(reading->problem),
		 "there is no key `%.60s` in [%.40s]; see fund.conf(5)", name, section);
	return 0;
}

int config_read(struct config *ret, const char *path, bool may_lack, char problem[512])
{
	struct reading reading = { .config = ret };
	bool unread;
	int line;
	FILE *file;

	*ret = (struct config){ .map_size = LEDGER_MAP_DEFAULT };
	snprintf(ret->dir, sizeof(ret->dir), "%s", CONFIG_DIR);
	snprintf(ret->socket, sizeof(ret->socket), "%s", CONFIG_SOCKET);
	file = fopen(path, "re");
	if (!file) {
		if (errno == ENOENT && may_lack)
			return 0;
		snprintf(problem, 512, "cannot read %s: %s", path, strerror(errno));
		return -1;
	}
	reading.file = file;
	line = ini_parse_stream(read_line, &reading, take_line, &reading);
	unread = ferror(file);
	if (unread)
		snprintf(problem, 512, "cannot read %s: %s", path, strerror(errno));
	fclose(file);
	if (unread)
		return -1;
	ret->found = true;
	if (!line && *reading.problem)
		line = reading.problem_line;
	if (!line)
		return 0;
	snprintf(problem, 512, "%s, line %d: %s", path, line,
		 *reading.problem && reading.problem_line == line ? reading.problem
			: "this is neither a [section] nor key = value");
	return -1;
}

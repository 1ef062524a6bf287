#include "trusted.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ours(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

/* One step of a path: what it is, and where it leads. */
static const char *step_problem(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return NULL;
	if (!ours(&st))
		return "belongs to somebody else";
	if (S_ISLNK(st.st_mode) && stat(path, &st) < 0)
		return NULL;
	if (!ours(&st))
		return "leads to what belongs to somebody else";
	return st.st_mode & S_IWOTH && !(S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX)
		       ? "can be written by everybody" : NULL;
}

/* From the path up to the root, or to where a relative one begins. */
static const char *steps_problem(char path[PATH_MAX])
{
	const char *problem = step_problem(path);
	char *slash;

	while (!problem && (slash = strrchr(path, '/')) && path[1]) {
		slash[slash == path] = '\0';
		problem = step_problem(path);
	}
	return problem;
}

const char *trusted_problem(const char *path, char culprit[PATH_MAX])
{
	const char *problem;

	if (snprintf(culprit, PATH_MAX, "%s", path) >= PATH_MAX)
		return NULL;
	problem = steps_problem(culprit);
	if (!problem && realpath(path, culprit))
		problem = steps_problem(culprit);
	return problem;
}

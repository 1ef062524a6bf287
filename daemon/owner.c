#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

bool owner_become(int dir)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return false;
	if (geteuid() != 0 || st.st_uid == 0)
		return true;
	return setgroups(0, NULL) == 0 && setgid(st.st_gid) == 0 && setuid(st.st_uid) == 0;
}

bool owner_become_of(const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	bool became;

	if (dir < 0)
		return false;
	became = owner_become(dir);
	error = errno;
	close(dir);
	errno = error;
	return became;
}

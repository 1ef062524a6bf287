#include "ending.h"

#include <fcntl.h>
#include <unistd.h>

bool ending_was_clean(int dir)
{
	return unlinkat(dir, ENDING_FILE, 0) == 0 && fsync(dir) == 0;
}

void ending_note_clean(int dir)
{
	int fd = openat(dir, ENDING_FILE, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0)
		close(fd);
}

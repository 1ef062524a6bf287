#include "apart.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The lock on the ledger's directory is the parent's:
 * it must end with it, and not with the child. */
static bool descriptors_leave(int out)
{
	return (out == STDOUT_FILENO || dup2(out, STDOUT_FILENO) >= 0) &&
	       close_range(STDERR_FILENO + 1, ~0U, 0) == 0;
}

int apart(int (*work)(void *context), void *context, int out)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -1;
	if (!child) {
		status = descriptors_leave(out) ? work(context) : EXIT_FAILURE;
		_exit(fflush(stdout) ? EXIT_FAILURE : status);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

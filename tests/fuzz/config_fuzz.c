/* A config file: taken with what it must keep to, or refused with the line and a sentence. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	char path[32], problem[512] = "";
	int fd = memfd_create("fund.conf", MFD_CLOEXEC);

	MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_read(&config, path, false, problem) < 0)
		MUST(strstr(problem, "line ") || strstr(problem, "cannot read"));
	else
		MUST(config.dir[0] == '/' && config.socket[0] == '/' &&
		     config.grant_count <= CONFIG_GRANTS_MAX);
	close(fd);
	MUST(config_read(&config, "/nowhere/fund.conf", false, problem) < 0 &&
	     strstr(problem, "cannot read"));
	MUST(!config_read(&config, "/nowhere/fund.conf", true, problem) && !config.found);
	MUST(config_read(&config, "/", false, problem) < 0 && strstr(problem, "cannot read"));
	return 0;
}

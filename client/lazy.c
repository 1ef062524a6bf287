#include "lazy.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "tell.h"

void lazy_load(const char *library, const struct lazy_name *names)
{
	void *handle = dlopen(library, RTLD_NOW), *function = NULL;

	for (; handle && names->name; names++) {
		function = dlsym(handle, names->name);
		if (!function)
			break;
		memcpy(names->into, &function, sizeof(function));
	}
	if (function)
		return;
	tell("%s", dlerror());
	tell_more("This command needs that library; nothing was done.");
	exit(EXIT_FAILED);
}

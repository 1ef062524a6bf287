#include "place.h"

#include <string.h>
#include <unistd.h>

#include "common/hash.h"
#include "files.h"

#define PLACE_MAX 8192
#define NAME_BYTES 8		/* of the hash */

/* The directory, and the file's name in it; -1: there is none. */
static int place_open(const char *base, const char *place, bool make, char name[2 * NAME_BYTES + 1])
{
	static const char digits[] = "0123456789abcdef";
	struct buf path = BUF_INIT;
	uint8_t hash[HASH_SIZE];
	int dir = -1;

	sha256((struct iovec[]){ PART(place, strlen(place)) }, 1, hash);
	for (unsigned i = 0; i < NAME_BYTES; i++) {
		name[2 * i] = digits[hash[i] >> 4];
		name[2 * i + 1] = digits[hash[i] & 15];
	}
	name[2 * NAME_BYTES] = '\0';
	if (base)
		buf_str(&path, base);
	if (base || home_path(&path)) {
		buf_str(&path, "/served");
		dir = dir_open(path.data, make);
	}
	buf_release(&path);
	return dir;
}

bool place_origin(const char *base, const char *place, char ret[ORIGIN_MAX + 1])
{
	char name[2 * NAME_BYTES + 1], *end;
	int dir = place_open(base, place, false, name);
	struct buf text = BUF_INIT;
	bool found = dir >= 0 && file_take(dir, name, PLACE_MAX, &text) && text.len;

	if (dir >= 0)
		close(dir);
	end = found ? memchr(text.data, '\n', text.len) : NULL;
	found = end && end - text.data <= ORIGIN_MAX;
	if (found) {
		memcpy(ret, text.data, (size_t)(end - text.data));
		ret[end - text.data] = '\0';
		found = !origin_problem(ret);
	}
	buf_release(&text);
	return found;
}

void place_keep(const char *base, const char *place, const char *origin)
{
	char name[2 * NAME_BYTES + 1];
	int dir = place_open(base, place, true, name);
	struct buf text = BUF_INIT;

	if (dir < 0)
		return;
	buf_printf(&text, "%s\n%s\n", origin, place);
	file_replace(dir, name, text.data, text.len, 0600, DURABLE_WHOLE);
	buf_release(&text);
	close(dir);
}

#include "ending.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "file.h"
#include "summed.h"

#define FILE_MAX 512

static bool head_read(int dir, const char *name, struct checkpoint *ret)
{
	int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	char bytes[FILE_MAX];
	ssize_t len = fd < 0 ? -1 : file_read(fd, bytes, sizeof(bytes), 0);
	size_t text = len > 0 ? summed_len(bytes, (size_t)len) : 0;

	if (fd >= 0)
		close(fd);
	return text && !checkpoint_parse(bytes, text, ret);
}

void ending_look(int dir, struct ended *ret)
{
	ret->clean = head_read(dir, ENDING_FILE, &ret->head);
	ret->known = ret->clean || head_read(dir, ENDING_LAST_FILE, &ret->head);
}

void ending_take(int dir, struct ended *ret)
{
	ending_look(dir, ret);
	if (ret->clean)
		ret->clean = renameat(dir, ENDING_FILE, dir, ENDING_LAST_FILE) == 0 &&
			     fsync(dir) == 0;
	else
		unlinkat(dir, ENDING_FILE, 0);
}

void ending_note(int dir, const struct buf *head)
{
	struct buf text = BUF_INIT;
	struct note note;

	if (note_parse(head->data, head->len, &note))
		return;
	buf_add(&text, note.text, note.text_len);
	summed_replace(dir, ENDING_FILE, &text);
	buf_release(&text);
}

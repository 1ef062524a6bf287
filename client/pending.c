#include "pending.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/hash.h"
#include "files.h"
#include "tell.h"

#define FILE_MAX 65536
#define FREE ".free"		/* a file that nobody needs any more */
#define BUSY_WAIT_MS 15000
#define BUSY_STEP_MS 50

static const struct field file_fields[] = {
	{ "method", FIELD_STRING, offsetof(struct pending_request, method), FIELD_REQUIRED, 0 },
	{ "parameters", FIELD_STRING, offsetof(struct pending_request, parameters), FIELD_REQUIRED, 0 },
	{ "socket", FIELD_STRING, offsetof(struct pending_request, socket), FIELD_REQUIRED, 0 },
	{ "line", FIELD_STRING, offsetof(struct pending_request, line), FIELD_REQUIRED, 0 },
	{ "at", FIELD_INT, offsetof(struct pending_request, at), FIELD_REQUIRED, 0 },
	{ "sum", FIELD_STRING, offsetof(struct pending_request, sum), FIELD_REQUIRED, 0 },
	FIELDS_END
};

/* What may be asked for again: the requests that carry an id. */
static const char *const methods[] = { "Spend", "TopUp", "Refund", "Open", "Adjust", "Close" };

static bool pending_path(struct buf *out)
{
	if (!home_path(out))
		return false;
	buf_str(out, "/pending");
	return true;
}

/* A descriptor of the directory, or -1 with errno. */
static int pending_dir(bool make)
{
	struct buf path = BUF_INIT;
	int dir = -1;

	errno = ENOENT;
	if (pending_path(&path))
		dir = dir_open(path.data, make);
	buf_release(&path);
	return dir;
}

/* Of the file's content and its name. */
static void sum_make(const char *id, const struct pending_request *p, struct buf *out)
{
	uint8_t sum[HASH_SIZE];
	struct buf text = BUF_INIT;

	json_open(&text, NULL, '[');
	json_str(&text, NULL, id);
	json_str(&text, NULL, p->method);
	json_str(&text, NULL, p->parameters);
	json_str(&text, NULL, p->socket);
	json_str(&text, NULL, p->line);
	json_int(&text, NULL, p->at.value);
	json_close(&text, ']');
	sha256((struct iovec[]){ PART(text.data, text.len) }, 1, sum);
	base64_encode(out, sum, sizeof(sum));
	buf_release(&text);
}

static bool sum_holds(const char *id, const struct pending_request *p)
{
	struct buf sum = BUF_INIT;
	bool holds;

	sum_make(id, p, &sum);
	holds = !strcmp(sum.data, p->sum);
	buf_release(&sum);
	return holds;
}

static void file_text(const char *id, const struct pending_request *p, struct buf *out)
{
	struct buf sum = BUF_INIT;

	sum_make(id, p, &sum);
	json_open(out, NULL, '{');
	json_str(out, "method", p->method);
	json_str(out, "parameters", p->parameters);
	json_str(out, "socket", p->socket);
	json_str(out, "line", p->line);
	json_int(out, "at", p->at.value);
	json_str(out, "sum", sum.data);
	json_close(out, '}');
	buf_char(out, '\n');
	buf_release(&sum);
}

/* A regular file of the caller's that has that name, still. */
static bool file_mine(int fd, int dir, const char *name)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && S_ISREG(held.st_mode) && held.st_uid == geteuid() &&
	       fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

/* The free file, locked, if nobody else takes it just now; or -1. */
static int free_open(int dir)
{
	int fd = openat(dir, FREE, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && file_mine(fd, dir, FREE))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* A new file, locked; or -1 with errno. */
static int temporary_open(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	close(fd);
	errno = EIO;
	return -1;
}

/* Locked, and whole before it gets its name. A descriptor, or -1 with errno. */
static int file_write(int dir, const char *name, const struct buf *text)
{
	int fd = free_open(dir), saved;
	char temporary[64] = FREE;

	if (fd < 0) {
		snprintf(temporary, sizeof(temporary), ".%s.%ld", name, (long)getpid());
		fd = temporary_open(dir, temporary);
	}
	if (fd < 0 || (file_overwrite(fd, text->data, text->len) &&
		       renameat(dir, temporary, dir, name) == 0))
		return fd;
	saved = errno;
	unlinkat(dir, temporary, 0);
	close(fd);
	errno = saved;
	return -1;
}

void pending_keep(struct pending *p)
{
	struct buf text = BUF_INIT;
	int dir = pending_dir(true);

	p->root = NULL;
	p->fd = -1;
	file_text(p->id, &p->request, &text);
	if (dir >= 0)
		p->fd = file_write(dir, p->id, &text);
	if (p->fd < 0)
		tell("note: this request could not be kept in ~/.local/state/fund (%s); should its "
		     "answer get lost, look at fund audit before typing it again", strerror(errno));
	if (dir >= 0)
		close(dir);
	buf_release(&text);
}

static const char *content_problem(const char *id, const struct pending_request *p)
{
	size_t len = strlen(p->parameters), i;
	struct problem problem;
	json_t *json;

	if (!sum_holds(id, p))
		return "it is not as it was written";
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i], p->method) == 0)
			break;
	if (i == sizeof(methods) / sizeof(methods[0]))
		return "its method is none that can be asked for again";
	json = json_parse(p->parameters, len, &problem);
	json_free(json);
	return json && len > 2 && p->parameters[0] == '{'
		       ? NULL
		       : "its parameters are no JSON object";
}

/* Fills p from the open file. */
static bool file_read(struct pending *p, struct problem *problem)
{
	char *text = malloc(FILE_MAX);
	const char *wrong;
	ssize_t len;

	if (!text)
		abort();
	len = read(p->fd, text, FILE_MAX);
	problem_set(problem, "file", len < 0 ? "cannot be read" : "is too long");
	if (len >= 0 && len < FILE_MAX)
		p->root = json_parse(text, (size_t)len, problem);
	free(text);
	if (!p->root ||
	    json_decode(p->root, file_fields, &p->request, sizeof(p->request), false, problem))
		return false;
	wrong = content_problem(p->id, &p->request);
	if (wrong)
		problem_set(problem, "file", "%s", wrong);
	return !wrong;
}

static bool still_there(const struct pending *p)
{
	int dir = pending_dir(false);
	bool there = dir >= 0 && file_mine(p->fd, dir, p->id);

	if (dir >= 0)
		close(dir);
	return there;
}

enum pending_state pending_load(const char *id, struct pending *ret, struct problem *problem)
{
	struct pending p = { .fd = -1, .asked = true };
	int dir = pending_dir(false);
	bool busy, whole;

	snprintf(p.id, sizeof(p.id), "%s", id);
	if (dir >= 0) {
		p.fd = openat(dir, id, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		close(dir);
	}
	busy = p.fd >= 0 && flock(p.fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
	whole = p.fd >= 0 && file_read(&p, problem);
	/* what has lost its name may have been written over while it was read */
	if (p.fd < 0 || !still_there(&p)) {
		pending_release(&p);
		return PENDING_GONE;
	}
	*ret = p;
	if (!whole)
		return PENDING_DAMAGED;
	return busy ? PENDING_BUSY : PENDING_LOADED;
}

enum pending_state pending_wait(struct pending *p)
{
	const struct timespec step = { 0, BUSY_STEP_MS * 1000000L };

	for (int waited = 0; waited <= BUSY_WAIT_MS; waited += BUSY_STEP_MS) {
		bool locked = flock(p->fd, LOCK_EX | LOCK_NB) == 0;

		if (!still_there(p)) {
			pending_release(p);
			return PENDING_GONE;
		}
		if (locked)
			return PENDING_LOADED;
		nanosleep(&step, NULL);
	}
	return PENDING_BUSY;
}

/* The words of what is answered are nobody's any more. */
static void words_blank(int fd)
{
	static const char zeros[FILE_MAX];
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size <= FILE_MAX &&
	    pwrite(fd, zeros, (size_t)st.st_size, 0) < 0 && ftruncate(fd, 0) < 0)
		return;		/* they stay until the file is used again */
}

void pending_drop(struct pending *p)
{
	int dir = pending_dir(false);

	if (p->fd >= 0 && dir >= 0 && file_mine(p->fd, dir, p->id) &&
	    renameat2(dir, p->id, dir, FREE, RENAME_NOREPLACE) && unlinkat(dir, p->id, 0))
		tell("note: pending request %s is answered but could not be removed (%s)", p->id,
		     strerror(errno));
	if (p->fd >= 0)
		words_blank(p->fd);
	if (dir >= 0)
		close(dir);
	pending_release(p);
}

void pending_release(struct pending *p)
{
	if (p->fd >= 0)
		close(p->fd);
	json_free(p->root);
	*p = (struct pending){ .fd = -1 };
}

bool pending_fresh(const struct pending *p)
{
	int64_t now = time(NULL);

	return p->request.at.value <= now && p->request.at.value > now - PENDING_FRESH_S;
}

static int entry_wanted(const struct dirent *entry)
{
	uint8_t uuid[16];

	return uuid_parse(entry->d_name, uuid);
}

/* A UUIDv7 begins with its time, so the order of names is the order of asking. */
size_t pending_list(char ***ret)
{
	struct buf path = BUF_INIT;
	struct dirent **entries = NULL;
	int count = -1, i;
	char **ids;

	if (pending_path(&path))
		count = scandir(path.data, &entries, entry_wanted, alphasort);
	buf_release(&path);
	ids = calloc(count > 0 ? (size_t)count : 1, sizeof(*ids));
	if (!ids)
		abort();
	for (i = 0; i < count; i++) {
		ids[i] = strdup(entries[i]->d_name);
		if (!ids[i])
			abort();
		free(entries[i]);
	}
	free(entries);
	*ret = ids;
	return count > 0 ? (size_t)count : 0;
}

void pending_list_free(char **ids, size_t count)
{
	while (count)
		free(ids[--count]);
	free(ids);
}

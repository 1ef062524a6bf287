/*
 * fund export: the ledger as files for others. Its leaves as tiles (C2SP tlog-tiles), which any
 * static web server serves and anybody verifies; never the words.
 *
 * A second run goes on where the directory ends. Nothing of a directory is taken on trust: what
 * is there and what is new must come out at the root that is signed, or the checkpoint is not
 * replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "common/bytes.h"
#include "common/merkle.h"
#include "files.h"
#include "leaves.h"
#include "progress.h"
#include "render.h"
#include "tell.h"
#include "tiles.h"

struct export_options {
	const char *format, *connect;
};

static const char *format_problem(const char *value)
{
	return strcmp(value, "tiles") ? "the formats are: tiles" : NULL;
}

static const struct option_row export_options[] = {
	{ "format", "FORMAT", offsetof(struct export_options, format), format_problem, "tiles" },
	OPTION_CONNECT(export_options),
	OPTIONS_END
};

static const struct command export_command = {
	"export", "--format tiles DIR [--connect COMMAND]",
	"Write the ledger's leaves as tiles for a web server (managers and auditors)",
	export_options, NULL
};

#define TEMPORARY ".new"	/* what is not whole yet; the next run writes over it */

struct export {
	struct fund *fund;
	const char *path;
	int dir;
	struct tiler tiler;
	struct buf entries;		/* of the tile that is not full */
	unsigned count;			/* leaves in it */
	uint64_t from, next, wrote;	/* the first leaf asked for; the next; tiles written */
	struct checkpoint head;		/* of the directory, before */
	struct buf note;		/* the same, as it is signed; empty: none */
};

/* ---- Files: written aside and renamed, readable for everybody ---- */

static bool fail(const struct export *export, const char *path)
{
	tell("%s/%s: %s", export->path, path, strerror(errno));
	return false;
}

/* The directories above a file, below the export's. */
static bool place_make(const struct export *export, char *path)
{
	bool made = true;

	for (char *slash = strchr(path, '/'); made && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		made = mkdirat(export->dir, path, 0755) == 0 || errno == EEXIST;
		*slash = '/';
	}
	return made;
}

/* A tile that a signed checkpoint may speak of already is not touched. */
static bool tile_there(const struct export *export, const char *path, const void *bytes, size_t len)
{
	struct buf old = BUF_INIT;
	bool there = file_take(export->dir, path, len, &old) && old.len == len &&
		     !memcmp(old.data, bytes, len);

	buf_release(&old);
	return there;
}

static bool tile_write(struct export *export, int level, uint64_t number, unsigned width,
		       const void *bytes, size_t len)
{
	struct buf path = BUF_INIT;
	bool done, there;

	tile_path(&path, level, number, width);
	there = tile_there(export, path.data, bytes, len);
	done = there || (place_make(export, path.data) &&
			 file_place(export->dir, TEMPORARY, path.data, bytes, len, 0644, DURABLE_NOT));
	if (!done)
		fail(export, path.data);
	export->wrote += done && !there;
	buf_release(&path);
	return done;
}

static bool on_tile(void *context, unsigned level, uint64_t number, unsigned width,
		    const uint8_t (*hashes)[HASH_SIZE])
{
	return tile_write(context, (int)level, number, width, hashes, width * (size_t)HASH_SIZE);
}

static bool entries_write(struct export *export)
{
	uint64_t number = (export->next - 1) / TILE_WIDTH;

	if (!export->count || !tile_write(export, TILE_ENTRIES, number, export->count,
					  export->entries.data, export->entries.len))
		return !export->count;
	export->count = 0;
	buf_clear(&export->entries);
	return true;
}

static bool leaf_take(struct export *export, const char *leaf, size_t len)
{
	uint8_t hash[HASH_SIZE], size[2];

	put_be16(size, (uint16_t)len);
	buf_add(&export->entries, size, sizeof(size));
	buf_add(&export->entries, leaf, len);
	export->count++;
	export->next++;
	merkle_leaf(leaf, len, hash);
	if (export->count == TILE_WIDTH && !entries_write(export))
		return false;
	return tiler_leaf(&export->tiler, hash);
}

/* ---- What is there already ---- */

/* The directory's checkpoint, signed by a key of this ledger; without one the directory is new. */
static bool head_take(struct export *export)
{
	const char *problem = NULL;

	if (file_take(export->dir, "checkpoint", NOTE_MAX, &export->note))
		problem = keys_open(&export->fund->watch.keys, export->note.data, export->note.len,
				    &export->head);
	else if (errno != ENOENT)
		return fail(export, "checkpoint");
	if (problem)
		tell("%s/checkpoint: %s; export into another directory", export->path, problem);
	return !problem;
}

/* The hashes of a level's tile that is not full are the nodes over the full tiles below. */
static bool level_take(struct export *export, unsigned level, uint64_t size)
{
	uint64_t count = size >> (8 * level), full = count / TILE_WIDTH;
	struct buf tile = BUF_INIT;
	unsigned width;
	bool taken = true;

	export->tiler.level[level].full = full;
	export->tiler.level[level].count = (unsigned)(count % TILE_WIDTH);
	for (uint64_t i = full * TILE_WIDTH; i < count && level; i++) {
		buf_clear(&tile);
		taken = tile_read(export->dir, (int)level - 1, i, TILE_WIDTH, &tile, &width) &&
			tile.len == (size_t)TILE_WIDTH * HASH_SIZE;
		if (!taken)
			break;
		tile_node((const uint8_t (*)[HASH_SIZE])tile.data, TILE_WIDTH,
			  export->tiler.level[level].hash[i % TILE_WIDTH]);
	}
	buf_release(&tile);
	return taken;
}

/* Goes on from the last full tile of leaves; from the beginning, where that cannot be. */
static void resume(struct export *export)
{
	uint64_t size = export->note.len ? export->head.size / TILE_WIDTH * TILE_WIDTH : 0;

	for (unsigned level = 0; level < TILE_LEVELS; level++)
		if (!level_take(export, level, size)) {
			size = 0;
			level = (unsigned)-1;
		}
	export->from = export->next = size;
}

/* ---- The new ---- */

static enum exit_status leaves_write(struct export *export, uint64_t end)
{
	struct refusal_hint hint = { .method = "Leaves" };
	struct leaves leaves;
	struct progress progress;
	enum leaves_step step;
	enum exit_status status = EXIT_OK;
	const char *leaf;
	size_t len;

	if (!leaves_begin(&leaves, &export->fund->link, export->next, end))
		return tell_unreachable(export->fund);
	progress_begin(&progress);
	while ((step = leaves_next(&leaves, &leaf, &len)) == LEAVES_ONE && status == EXIT_OK) {
		if (!leaf_take(export, leaf, len))
			status = EXIT_FAILED;
		if (!(leaves.next & 1023))
			progress_show(&progress, leaves.next, end);
	}
	progress_end(&progress);
	if (step == LEAVES_REFUSED) {
		status = refusal_tell(&leaves.reply, &hint);
		reply_release(&leaves.reply);
	} else if (step == LEAVES_LOST) {
		status = tell_unreachable(export->fund);
	}
	leaves_release(&leaves);
	return status;
}

/* A full tile stands for its partial ones: they go. */
static void partials_remove(const struct export *export, int level, uint64_t number)
{
	for (unsigned width = 1; width < TILE_WIDTH; width++) {
		struct buf path = BUF_INIT;

		tile_path(&path, level, number, width);
		unlinkat(export->dir, path.data, 0);
		*strrchr(path.data, '/') = '\0';
		if (width == TILE_WIDTH - 1)
			unlinkat(export->dir, path.data, AT_REMOVEDIR);
		else if (width == 1 && faccessat(export->dir, path.data, F_OK, 0))
			width = TILE_WIDTH;
		buf_release(&path);
	}
}

/* Those of the old head. Whoever still asks for one is given the full tile: it is on the disk. */
static void partials_clear(const struct export *export)
{
	uint64_t first = export->from / TILE_WIDTH, full = export->next / TILE_WIDTH;

	for (uint64_t number = first; number < full; number++)
		partials_remove(export, TILE_ENTRIES, number);
	for (int level = 0; level < TILE_LEVELS && full; level++) {
		for (uint64_t number = first; number < full; number++)
			partials_remove(export, level, number);
		first /= TILE_WIDTH;
		full /= TILE_WIDTH;
	}
}

/*
 * Everything is on the disk before the checkpoint that speaks of it. What the old one speaks of
 * stays until then: leaves that are not what is signed have only made full tiles beyond it.
 * Killed anywhere in between, the next run begins where this one did, and does all of it again.
 */
static enum exit_status head_write(struct export *export)
{
	const struct watch *watch = &export->fund->watch;
	uint8_t root[HASH_SIZE];

	tiler_root(&export->tiler, root);
	if (memcmp(root, watch->head.root, HASH_SIZE)) {
		tell("%s: what stands there and what the daemon gave are not what is signed; the checkpoint stays "
		     "as it was. Export into an empty directory to see which of them is wrong.",
		     export->path);
		return EXIT_UNVERIFIED;
	}
	if (!entries_write(export) || !tiler_end(&export->tiler))
		return EXIT_FAILED;
	if (syncfs(export->dir) == 0) {
		partials_clear(export);
		if (file_place(export->dir, TEMPORARY, "checkpoint", watch->note.data, watch->note.len,
			       0644, DURABLE_NEW))
			return EXIT_OK;
	}
	fail(export, "checkpoint");
	return EXIT_FAILED;
}

static void print_done(const struct export *export, uint64_t from)
{
	const struct checkpoint *head = &export->fund->watch.head;
	struct buf out = BUF_INIT;

	if (export->fund->json) {
		json_open(&out, NULL, '{');
		json_str(&out, "origin", head->origin);
		json_int(&out, "size", (int64_t)head->size);
		json_int(&out, "before", (int64_t)from);
		json_int(&out, "tiles", (int64_t)export->wrote);
		json_close(&out, '}');
	} else {
		buf_printf(&out,
			   "%s: %" PRIu64 " entries of %s, %" PRIu64 " of them new; %" PRIu64
			   " tiles written",
			   export->path, head->size, head->origin, head->size - from,
			   export->wrote);
	}
	buf_char(&out, '\n');
	print_text(&out);
}

static enum exit_status tiles_write(struct export *export)
{
	struct watch *watch = &export->fund->watch;
	uint64_t from;
	enum exit_status status;

	if (!head_take(export))
		return EXIT_UNVERIFIED;
	if (export->note.len)
		watch_head(watch, export->note.data, export->note.len, &export->head);
	if (!watch_settle(watch))
		return tell_unsettled(export->fund);
	from = export->note.len ? export->head.size : 0;
	resume(export);
	status = leaves_write(export, watch->head.size);
	if (status == EXIT_OK)
		status = head_write(export);
	if (status == EXIT_OK)
		print_done(export, from);
	return status;
}

static enum exit_status export_run(struct fund *fund, const char *path)
{
	static struct export export;
	enum exit_status status = fund_connect(fund);

	if (status != EXIT_OK)
		return status;
	if (!watch_settle(&fund->watch))
		return tell_unsettled(fund);
	export.fund = fund;
	export.path = path;
	export.tiler.handler = on_tile;
	export.tiler.context = &export;
	export.dir = mkdir(path, 0755) && errno != EEXIST
			     ? -1
			     : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (export.dir < 0)
		return tell("%s: %s", path, strerror(errno));
	if (flock(export.dir, LOCK_EX | LOCK_NB))
		status = tell("%s: another export is writing there", path);
	else
		status = tiles_write(&export);
	close(export.dir);
	buf_release(&export.entries);
	buf_release(&export.note);
	return status;
}

static enum exit_status run(struct fund *fund, int argc, char **argv)
{
	struct export_options options = { NULL };
	int first = command_begin(fund, &export_command, &options, argc, argv);

	if (first < 0)
		return command_over(fund);
	fund->command = options.connect;
	if (!options.format || argc - first != 1)
		return usage_error(&export_command, "a format and a directory are needed");
	return export_run(fund, argv[first]);
}

int main(int argc, char **argv)
{
	return fund_main("fund export", argc, argv, run);
}

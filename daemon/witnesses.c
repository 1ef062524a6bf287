#include "witnesses.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "prove.h"
#include "summed.h"
#include "witness_file.h"

#define FILE_MAX ((size_t)1 << 20)

/* ---- Levels ---- */

static void level_set(struct level *level, uint64_t size, const struct moved *moved, unsigned count)
{
	struct moved *copy = malloc((count + 1) * sizeof(*copy));

	if (!copy)
		abort();
	memcpy(copy, moved, count * sizeof(*copy));
	free(level->moved);
	*level = (struct level){ size, count, copy };
}

static void level_clear(struct level *level)
{
	free(level->moved);
	*level = (struct level){ 0 };
}

void witnesses_show(struct witnesses *witnesses, uint64_t size, const struct books *books)
{
	for (unsigned i = 0; i < WITNESSES_SHOWN; i++)
		if (witnesses->shown[i].size == size)
			return;
	level_set(&witnesses->shown[witnesses->shown_next++ % WITNESSES_SHOWN], size,
		  books->kept_moved, books->kept_moved_count);
}

/* What had moved at a size: of a head that was shown, or else the nearest before it, which is
 * too little. */
static const struct level *level_find(const struct witnesses *witnesses, const struct level *before,
				      uint64_t size)
{
	const struct level *best = before;

	for (unsigned i = 0; i < WITNESSES_SHOWN; i++)
		if (witnesses->shown[i].size <= size && witnesses->shown[i].size > best->size)
			best = &witnesses->shown[i];
	return best;
}

/* ---- Which there are ---- */

static void witness_clear(struct witness *witness)
{
	level_clear(&witness->level);
	buf_release(&witness->head);
}

static struct witness *witness_find(struct witnesses *witnesses, const struct verifier *key)
{
	for (unsigned i = 0; i < witnesses->count; i++)
		if (!memcmp(witnesses->list[i].key.key, key->key, PUBLIC_SIZE) &&
		    !strcmp(witnesses->list[i].key.name, key->name))
			return &witnesses->list[i];
	return NULL;
}

void witnesses_configure(struct witnesses *witnesses, const struct config *config)
{
	struct witness list[CONFIG_WITNESSES_MAX] = { { .required = false } };

	for (unsigned i = 0; i < config->witness_count; i++) {
		struct witness *known = witness_find(witnesses, &config->witnesses[i].key);

		if (known) {
			list[i] = *known;
			*known = (struct witness){ .required = false };
		}
		list[i].key = config->witnesses[i].key;
		list[i].required = config->witnesses[i].required;
	}
	for (unsigned i = 0; i < witnesses->count; i++)
		witness_clear(&witnesses->list[i]);
	memcpy(witnesses->list, list, sizeof(list));
	witnesses->count = config->witness_count;
}

void witnesses_release(struct witnesses *witnesses)
{
	for (unsigned i = 0; i < witnesses->count; i++)
		witness_clear(&witnesses->list[i]);
	for (unsigned i = 0; i < WITNESSES_SHOWN; i++)
		level_clear(&witnesses->shown[i]);
	witnesses->count = 0;
}

/* ---- Checking ---- */

/* The note's signatures by the ledger's keys are those of the head, and at least one is there. */
static const char *signatures_check(const struct note *given, const struct note *head)
{
	const char *problem = "is not signed by the ledger";

	for (unsigned i = 0; i < given->count; i++) {
		const struct note_signature *mine = &given->signature[i];

		for (unsigned k = 0; k < head->count; k++) {
			const struct note_signature *theirs = &head->signature[k];

			if (mine->id != theirs->id || mine->name_len != theirs->name_len ||
			    memcmp(mine->name, theirs->name, mine->name_len))
				continue;
			if (mine->len != theirs->len ||
			    memcmp(mine->bytes, theirs->bytes, mine->len))
				return "has a signature of the ledger's key that does not hold";
			problem = NULL;
		}
	}
	return problem;
}

/* Is it a head of this ledger, as it was signed? *ret is how the ledger has it; the caller
 * releases its note. */
static const char *head_find(struct reader *reader, const struct checkpoint *checkpoint,
			     const struct note *given, struct head *ret)
{
	struct note signed_as;
	const char *problem = prove_extends(reader, checkpoint);

	if (!problem)
		problem = prove_head(reader, checkpoint->origin, checkpoint->size, ret);
	if (problem)
		return problem;
	if (ret->size != checkpoint->size)
		return "is of a size at which the ledger signed no head";
	problem = note_parse(ret->note.data, ret->note.len, &signed_as);
	return problem ? problem : signatures_check(given, &signed_as);
}

/* Takes a cosigned note apart; `note` borrows from `text`. */
static const char *checkpoint_take(struct reader *reader, const char *origin, const char *text,
				   size_t len, struct note *note, struct head *ret)
{
	struct checkpoint checkpoint;
	const char *problem = checkpoint_read(text, len, &checkpoint, note);

	*ret = (struct head){ 0 };
	if (problem)
		return problem;
	if (strcmp(checkpoint.origin, origin))
		return "is another ledger's";
	if (!checkpoint.size)
		return "is of an empty ledger";
	return head_find(reader, &checkpoint, note, ret);
}

static const struct note_signature *signature_by(const struct note *note,
						 const struct verifier *key)
{
	for (unsigned i = 0; i < note->count; i++)
		if (note_signed_as(&note->signature[i], key))
			return &note->signature[i];
	return NULL;
}

static void witness_set(struct witness *witness, const struct head *head, const struct note *note,
			const struct moved *moved, unsigned count)
{
	level_set(&witness->level, head->size, moved, count);
	buf_clear(&witness->head);
	buf_add(&witness->head, head->note.data, head->note.len);
	memcpy(witness->cosignature, signature_by(note, &witness->key)->bytes, COSIGNATURE_SIZE);
}

static void cosignature_add(const struct witness *witness, struct buf *out)
{
	note_sign(out, witness->key.name, witness->key.id, witness->cosignature, COSIGNATURE_SIZE);
}

/* ---- The file ---- */

static void witness_write(const struct witness *witness, struct buf *out)
{
	struct buf note = BUF_INIT;

	buf_add(&note, witness->head.data, witness->head.len);
	cosignature_add(witness, &note);
	witness_file_add(out, &witness->key, witness->level.moved, witness->level.count, &note);
	buf_release(&note);
}

static const char *all_write(const struct witnesses *witnesses, int dir)
{
	struct buf text = BUF_INIT;
	int error;

	witness_file_begin(&text);
	for (unsigned i = 0; i < witnesses->count; i++)
		if (witnesses->list[i].level.size)
			witness_write(&witnesses->list[i], &text);
	error = summed_replace(dir, WITNESSES_FILE, &text);
	buf_release(&text);
	return error ? "the file of the witnesses cannot be written" : NULL;
}

/*
 * What a witness cosigned before must be in the ledger still: false, and told, when it is not.
 * That is signed, but what had moved then is not: with a wrong checksum the witness counts as one
 * that was not here yet.
 */
static bool block_take(struct witnesses *witnesses, const struct witness_block *block, bool summed,
		       struct reader *reader, const char *origin)
{
	struct witness *witness = witness_find(witnesses, &block->key);
	struct head head = { 0 };
	struct note note;
	uint64_t time;
	const char *problem = note_parse(block->note, block->note_len, &note);

	if (!problem)
		problem = cosignature_check(&note, &block->key, &time);
	if (problem) {
		log_warning("the file `%s` is damaged: %s", WITNESSES_FILE, problem);
		return true;
	}
	problem = checkpoint_take(reader, origin, block->note, block->note_len, &note, &head);
	if (problem)
		log_error("the witness %s cosigned a checkpoint of %s that %s. An older or another "
			  "ledger was put in the place of the one it saw: restore the newest one. "
			  "If that is lost for good, remove the file `%s` beside it by hand and "
			  "start again; the witnesses will not forget, so tell them",
			  block->key.name, origin, problem, WITNESSES_FILE);
	else if (witness && summed)
		witness_set(witness, &head, &note, block->moved, block->count);
	buf_release(&head.note);
	return !problem;
}

static bool text_take(struct witnesses *witnesses, const char *text, size_t len,
		      struct reader *reader, const char *origin)
{
	const size_t summed = summed_len(text, len);
	struct lines lines = { text, text + (summed ? summed : len) };
	static struct witness_block block;
	bool whole = witness_file_first(&lines);

	while (whole && lines.p < lines.end) {
		whole = witness_file_next(&lines, &block);
		if (whole && !block_take(witnesses, &block, summed, reader, origin))
			return false;
	}
	if (!whole || !summed)
		log_warning("the file `%s` is damaged; it is made anew with the next cosignature",
			    WITNESSES_FILE);
	return true;
}

bool witnesses_load(struct witnesses *witnesses, int dir, struct reader *reader, const char *origin)
{
	int fd = openat(dir, WITNESSES_FILE, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	char *text;
	bool good;

	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_MAX) {
		log_error("cannot read the file `%s`: %s", WITNESSES_FILE,
			  fd < 0 ? strerror(errno) : "it is too long, or not a file");
		if (fd >= 0)
			close(fd);
		return false;
	}
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		abort();
	good = read(fd, text, (size_t)st.st_size) == (ssize_t)st.st_size &&
	       text_take(witnesses, text, (size_t)st.st_size, reader, origin);
	free(text);
	close(fd);
	return good;
}

/* ---- Taking ---- */

static bool signed_twice(const struct note *note, const struct verifier *key)
{
	unsigned count = 0;

	for (unsigned i = 0; i < note->count; i++)
		count += note_signed_as(&note->signature[i], key);
	return count > 1;
}

/* At least one of the witnesses cosigned it, and none of them wrongly. */
static const char *cosignatures_check(const struct witnesses *witnesses, const struct note *note)
{
	const char *problem = "is cosigned by no witness that fund.conf(5) names";

	for (unsigned i = 0; i < witnesses->count; i++) {
		const struct verifier *key = &witnesses->list[i].key;
		uint64_t time;

		if (!signature_by(note, key))
			continue;
		problem = cosignature_check(note, key, &time);
		if (!problem && signed_twice(note, key))
			problem = "is cosigned twice by one witness";
		if (problem)
			return problem;
	}
	return problem;
}

const char *witnesses_take(struct witnesses *witnesses, int dir, struct reader *reader,
			   const char *origin, const char *text, size_t len, bool *fault)
{
	struct head head;
	struct note note;
	const char *problem = checkpoint_take(reader, origin, text, len, &note, &head);

	*fault = false;
	if (!problem)
		problem = cosignatures_check(witnesses, &note);
	for (unsigned i = 0; i < witnesses->count && !problem; i++) {
		struct witness *witness = &witnesses->list[i];
		const struct level *level = level_find(witnesses, &witness->level, head.size);

		if (head.size <= witness->level.size || !signature_by(&note, &witness->key))
			continue;
		witness_set(witness, &head, &note, level->moved, level->count);
		witnesses->unwritten = true;
	}
	buf_release(&head.note);
	if (problem || !witnesses->unwritten)
		return problem;
	problem = all_write(witnesses, dir);
	*fault = witnesses->unwritten = problem;
	return problem;
}

/* ---- Telling ---- */

void witnesses_sign(const struct witnesses *witnesses, uint64_t size, struct buf *note)
{
	for (unsigned i = 0; i < witnesses->count; i++)
		if (size && witnesses->list[i].level.size == size)
			cosignature_add(&witnesses->list[i], note);
}

const struct witness *witnesses_covering(const struct witnesses *witnesses)
{
	const struct witness *least = NULL, *most = NULL;

	for (unsigned i = 0; i < witnesses->count; i++) {
		const struct witness *witness = &witnesses->list[i];

		if (witness->required && (!least || witness->level.size < least->level.size))
			least = witness;
		if (!most || witness->level.size > most->level.size)
			most = witness;
	}
	if (least)
		most = least;
	return most && most->level.size ? most : NULL;
}

/* The largest size below `below`, and whose it is. */
static const struct witness *largest_below(const struct witnesses *witnesses, uint64_t below)
{
	const struct witness *largest = NULL;

	for (unsigned i = 0; i < witnesses->count; i++) {
		const struct witness *witness = &witnesses->list[i];

		if (witness->level.size && witness->level.size < below &&
		    (!largest || witness->level.size > largest->level.size))
			largest = witness;
	}
	return largest;
}

void witnesses_answer(const struct witnesses *witnesses, const char *key, struct buf *out)
{
	const struct witness *witness;
	struct buf note = BUF_INIT;
	uint64_t below = UINT64_MAX;

	json_open(out, key, '[');
	while ((witness = largest_below(witnesses, below))) {
		below = witness->level.size;
		buf_clear(&note);
		buf_add(&note, witness->head.data, witness->head.len);
		witnesses_sign(witnesses, below, &note);
		json_strn(out, NULL, note.data, note.len);
	}
	json_close(out, ']');
	buf_release(&note);
}

/*
 * daemon/fold.h without its thread and index: at a step of the script the books freeze what they
 * know of ids and refunds, at the next they forget it, and from then on ask the past, which is the
 * model's list here.
 */
#include "daemon/fold.h"

#include "common/bytes.h"
#include "episode.h"
#include "model.h"

void __wrap_fold_turn(struct fold *fold);

static struct {
	bool due, frozen;
	size_t folded;		/* entries of which the past knows */
} past;

void fold_due(void)
{
	past.due = true;
}

void fold_daemon_gone(void)
{
	past.due = past.frozen = false;
	past.folded = 0;
}

static int64_t past_request(void *context, int64_t uid, const uint8_t id[16])
{
	uint64_t words[2] = { get_be64(id), get_be64(id + 8) };

	(void)context;
	return model_with_id(uid, words, past.folded);
}

static int64_t past_refunded(void *context, int64_t seq)
{
	(void)context;
	return model_refunded(seq, past.folded);
}

void __wrap_fold_turn(struct fold *fold)
{
	static const struct books_past here = { past_request, past_refunded };
	struct books *books = episode_books();

	(void)fold;
	if (!past.due)
		return;
	past.due = false;
	past.frozen = !past.frozen;
	if (!past.frozen) {
		books_forget(books);
		return;
	}
	books_freeze(books);
	books->past = &here;
	past.folded = model_count();
}

#include "heads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/proof.h"
#include "place.h"
#include "tell.h"
#include "wire_proof.h"

/* Two heads, the smaller first, while the proof between them is awaited. */
struct proving {
	struct watch *watch;
	struct checkpoint old, new;
	struct buf old_note, new_note;
};

static void buf_set(struct buf *buf, const char *bytes, size_t len)
{
	buf_clear(buf);
	buf_add(buf, bytes, len);
}

void watch_unanswered(struct watch *watch, const struct reply *reply,
		      const struct problem *problem)
{
	alarm_raise(&watch->alarm,
		    "the daemon does not prove that its ledger is the one you know (%s%s%s)",
		    reply->error ? reply->error : problem->parameter, reply->error ? "" : " ",
		    reply->error ? "" : problem->text);
}

/* ---- One head extends another ---- */

static void proving_free(struct proving *proving)
{
	buf_release(&proving->old_note);
	buf_release(&proving->new_note);
	free(proving);
}

static void alarm_rewritten(const struct proving *proving, const char *problem)
{
	alarm_raise(&proving->watch->alarm,
		    "the ledger was rewritten, rolled back or split: the %" PRIu64 " entries that you "
		    "saw are not the beginning of the %" PRIu64 " that it has now (%s)",
		    proving->old.size, proving->new.size, problem);
	alarm_notes(&proving->watch->alarm, &proving->old_note, proving->new_note.data,
		    proving->new_note.len);
}

static void on_consistency(void *context, const struct reply *reply)
{
	struct proving *proving = context;
	struct problem problem = { .text = "" };
	const char *wrong;
	struct proof proof;

	proving->watch->open--;
	if (!reply) {
		proving->watch->unproven = true;
	} else if (reply->error || !wire_hashes(reply->parameters, &proof, &problem)) {
		watch_unanswered(proving->watch, reply, &problem);
		alarm_notes(&proving->watch->alarm, &proving->old_note, proving->new_note.data,
			    proving->new_note.len);
	} else {
		wrong = proof_check_consistency(&proof, proving->old.size, proving->old.root,
						proving->new.size, proving->new.root);
		if (wrong)
			alarm_rewritten(proving, wrong);
	}
	proving_free(proving);
}

static void consistency_ask(struct proving *proving)
{
	struct watch *watch = proving->watch;
	struct buf parameters = BUF_INIT;

	json_open(&parameters, NULL, '{');
	json_int(&parameters, "old", (int64_t)proving->old.size);
	json_int(&parameters, "new", (int64_t)proving->new.size);
	json_close(&parameters, '}');
	watch->open++;
	if (!link_aside(watch->link, "Consistency", &parameters, on_consistency, proving)) {
		watch->open--;
		watch->unproven = true;
		proving_free(proving);
	}
	buf_release(&parameters);
}

/* One of the two is the beginning of the other: known now, or asked for. */
static void heads_prove(struct watch *watch, const struct checkpoint *one,
			const struct buf *one_note, const struct checkpoint *other,
			const char *note, size_t len)
{
	struct proving *proving = calloc(1, sizeof(*proving));
	bool turned = one->size > other->size;

	if (!proving)
		abort();
	proving->watch = watch;
	proving->old = turned ? *other : *one;
	proving->new = turned ? *one : *other;
	buf_add(turned ? &proving->new_note : &proving->old_note, one_note->data, one_note->len);
	buf_add(turned ? &proving->old_note : &proving->new_note, note, len);
	if (one->size != other->size) {
		consistency_ask(proving);
		return;
	}
	if (memcmp(one->root, other->root, HASH_SIZE))
		alarm_rewritten(proving, "two heads of one size have different roots");
	proving_free(proving);
}

void watch_head_proven(struct watch *watch, const char *note, size_t len,
		       const struct checkpoint *head)
{
	watch->head = *head;
	buf_set(&watch->note, note, len);
}

void watch_head(struct watch *watch, const char *note, size_t len, const struct checkpoint *head)
{
	if (watch->state.note.len && !watch->note.len)
		watch_head_proven(watch, watch->state.note.data, watch->state.note.len,
				  &watch->state.head);
	if (watch->note.len)
		heads_prove(watch, &watch->head, &watch->note, head, note, len);
	if (watch->note.len && head->size <= watch->head.size)
		return;
	watch_head_proven(watch, note, len, head);
}

/* ---- The head of now ---- */

static void alarm_back(struct watch *watch, const struct checkpoint *head, const char *note,
		       size_t len)
{
	alarm_raise(&watch->alarm,
		    "the ledger was rolled back: you saw %" PRIu64 " entries, and now it has %" PRIu64,
		    watch->state.head.size, head->size);
	alarm_notes(&watch->alarm, &watch->state.note, note, len);
}

/* A head of good signature that the daemon calls its newest. If it is behind the remembered
 * one, another program may have remembered that after this was asked for, so it is asked for
 * once more. */
static void head_compare(struct watch *watch, const struct checkpoint *head, const char *note,
			 size_t len)
{
	if (watch->state.note.len && head->size < watch->state.head.size) {
		if (watch->again)
			alarm_back(watch, head, note, len);
		else
			watch_ask(watch);
		watch->again = true;
		return;
	}
	watch_head(watch, note, len, head);
	/* it may be cosigned by now, which the one that is remembered was not */
	if (head->size == watch->head.size)
		buf_set(&watch->note, note, len);
}

void watch_foreign(struct watch *watch)
{
	const struct buf *note = &watch->foreign;
	struct checkpoint head;
	const char *problem;

	if (note->len && buf_same(note, &watch->state.note)) {
		head_compare(watch, &watch->state.head, note->data, note->len);
		return;
	}
	problem = keys_open(&watch->keys, note->data, note->len, &head);
	if (!problem) {
		head_compare(watch, &head, note->data, note->len);
		return;
	}
	alarm_raise(&watch->alarm, "the ledger's head is not signed as it must be: %s", problem);
	alarm_notes(&watch->alarm, &watch->state.note, note->data, note->len);
}

/* ---- The first look ---- */

void watch_open(struct watch *watch, const char *origin)
{
	const char *problem = state_open(&watch->state, watch->base, origin, &watch->foreign);

	watch->opened = true;
	keys_copy(&watch->keys, &watch->state.keys);
	if (problem)
		alarm_raise(&watch->alarm, "what is remembered of %s in %s is damaged: %s", origin,
			    watch->state.path.data, problem);
	else if (watch->state.before)
		tell("note: the newest checkpoint in %s was missing or damaged, as a loss of power may "
		     "leave it; the one before it is gone by, of %" PRIu64 " entries",
		     watch->state.path.data, watch->state.head.size);
}

/* Is it the ledger that was here before, as far as is known? Otherwise the state is that one's. */
static bool place_take(struct watch *watch, const char *origin)
{
	char before[ORIGIN_MAX + 1];

	if (!place_origin(watch->base, watch->socket, before))
		return true;
	watch->here = !strcmp(before, origin);
	if (watch->here)
		return true;
	watch_open(watch, before);
	if (!alarm_raised(&watch->alarm) && !watch->state.note.len)
		return true;	/* nothing is remembered of it any more */
	memcpy(watch->before, before, sizeof(before));
	return false;
}

void watch_key(struct watch *watch, const struct verifier *verifier)
{
	if (!watch->keys.count && !watch->named)
		keys_add(&watch->keys, 0, verifier);
	if (!watch->keys.count || !key_same(keys_at(&watch->keys, UINT64_MAX), verifier))
		return;
	buf_clear(&watch->vkey);
	watch_foreign(watch);
}

static void first_look(struct watch *watch, const struct wire_head *says)
{
	struct verifier verifier;
	const char *problem = ledger_key_parse(says->vkey, &verifier);

	if (problem) {
		alarm_raise(&watch->alarm, "the key that the daemon shows is none: %s", problem);
		return;
	}
	watch->named = (uint64_t)says->key.value;
	buf_set(&watch->vkey, says->vkey, strlen(says->vkey));
	buf_set(&watch->foreign, says->checkpoint, strlen(says->checkpoint));
	if (!watch->opened && place_take(watch, verifier.name))
		watch_open(watch, verifier.name);
	if (!watch->before[0] && !alarm_raised(&watch->alarm))
		watch_key(watch, &verifier);
}

static void on_checkpoint(void *context, const struct reply *reply)
{
	struct watch *watch = context;
	struct problem problem = { .text = "" };
	struct wire_head says;

	watch->open--;
	if (!reply)
		watch->unproven = true;
	else if (reply->error || !wire_head(reply->parameters, &says, &problem))
		watch_unanswered(watch, reply, &problem);
	else
		first_look(watch, &says);
}

void watch_ask(struct watch *watch)
{
	struct buf nothing = BUF_INIT;

	watch->open++;
	if (link_aside(watch->link, "Checkpoint", &nothing, on_checkpoint, watch))
		return;
	watch->open--;
	watch->unproven = true;
}

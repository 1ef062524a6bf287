#include "watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/proof.h"
#include "follow.h"
#include "place.h"
#include "tell.h"
#include "wire_proof.h"

#define ROUNDS 3	/* how often the head is asked for, or the file found changed */

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

static void head_start(struct watch *watch);

/* The daemon's answer is none: what it is asked to prove, it does not. */
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
		    "the ledger was rewritten, rolled back or split: the %" PRIu64
		    " entries that you "
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

static void head_set(struct watch *watch, const char *note, size_t len,
		     const struct checkpoint *head)
{
	watch->head = *head;
	buf_set(&watch->note, note, len);
}

void watch_head(struct watch *watch, const char *note, size_t len, const struct checkpoint *head)
{
	if (watch->state.note.len && !watch->note.len)
		head_set(watch, watch->state.note.data, watch->state.note.len, &watch->state.head);
	if (watch->note.len)
		heads_prove(watch, &watch->head, &watch->note, head, note, len);
	if (watch->note.len && head->size <= watch->head.size)
		return;
	head_set(watch, note, len, head);
}

/* ---- The head of now ---- */

static void alarm_back(struct watch *watch, const struct checkpoint *head, const char *note,
		       size_t len)
{
	alarm_raise(&watch->alarm,
		    "the ledger was rolled back: you saw %" PRIu64
		    " entries, and now it has %" PRIu64,
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
			head_start(watch);
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
	problem = keys_open(&watch->keys, note->data, note->len, &head, NULL);
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

static void head_start(struct watch *watch)
{
	struct buf nothing = BUF_INIT;

	watch->open++;
	if (link_aside(watch->link, "Checkpoint", &nothing, on_checkpoint, watch))
		return;
	watch->open--;
	watch->unproven = true;
}

void watch_start(struct watch *watch, struct link *link, const char *socket)
{
	watch->link = link;
	watch->socket = socket;
	head_start(watch);
}

/* ---- Settling ---- */

static bool link_idle(const struct watch *watch)
{
	return watch->link->fd >= 0 && watch->link->sent == watch->link->answered;
}

bool watch_ready(struct watch *watch)
{
	while (watch->link && !watch->note.len && !watch->vkey.len && link_take_aside(watch->link))
		;
	if (watch->link && watch->vkey.len && !alarm_raised(&watch->alarm) && link_idle(watch))
		watch_follow(watch);
	return !alarm_raised(&watch->alarm);
}

bool watch_settle(struct watch *watch)
{
	for (int round = 0; round < ROUNDS && watch->link && link_idle(watch); round++) {
		while (link_take_aside(watch->link))
			;
		if (watch->vkey.len && !alarm_raised(&watch->alarm) && link_idle(watch)) {
			watch_follow(watch);
			continue;
		}
		if (alarm_raised(&watch->alarm) || !watch->unproven || watch->open)
			break;
		watch->unproven = false;
		buf_clear(&watch->note);
		head_start(watch);
	}
	return watch->link && !alarm_raised(&watch->alarm) && !watch->unproven && !watch->open &&
	       !watch->vkey.len;
}

/* ---- Receipts ---- */

/* Both heads are signed, and one has another entry in that place than the other. */
static void alarm_entry(struct watch *watch, const struct receipt *kept,
			const struct receipt *receipt, uint64_t seq)
{
	struct bundle before, now;
	struct buf note = BUF_INIT;

	alarm_raise(&watch->alarm,
		    "entry %" PRIu64
		    " is another one now than in the receipt of it in %s/receipts",
		    seq, watch->state.path.data);
	if (bundle_parse(kept->bundle, kept->bundle_len, &before) ||
	    bundle_parse(receipt->bundle, receipt->bundle_len, &now))
		return;
	buf_add(&note, before.note, before.note_len);
	alarm_notes(&watch->alarm, &note, now.note, now.note_len);
	buf_release(&note);
}

/* Is there a good receipt of that entry already? One that says something else is an alarm. */
static bool receipt_kept(struct watch *watch, const struct receipt *receipt, uint64_t seq)
{
	struct buf text = BUF_INIT;
	struct checkpoint head;
	struct receipt kept;
	struct entry entry;
	bool good = state_receipt(&watch->state, seq, &text) &&
		    !receipt_parse(text.data, text.len, &kept) &&
		    !keys_receipt(&watch->keys, &kept, &entry, &head) && (uint64_t)entry.seq == seq;

	if (good &&
	    (kept.leaf_len != receipt->leaf_len || memcmp(kept.leaf, receipt->leaf, kept.leaf_len)))
		alarm_entry(watch, &kept, receipt, seq);
	good = good && (kept.memo || !receipt->memo);
	buf_release(&text);
	return good;
}

static void receipt_keep(struct watch *watch, const struct receipt *receipt, uint64_t seq)
{
	struct buf text = BUF_INIT;

	if (receipt_kept(watch, receipt, seq))
		return;
	receipt_format(&text, receipt);
	if (!state_save_receipt(&watch->state, seq, &text))
		tell("note: the receipt of entry %" PRIu64
		     " could not be kept (%s); fund receipt %" PRIu64 " shows it",
		     seq, watch->state.problem, seq);
	buf_release(&text);
}

static void receipt_missing(const struct wanted *wanted, const json_t *reply)
{
	int64_t seq = wanted_seq(wanted, reply);

	if (seq >= 0)
		tell("note: no receipt came of entry %" PRId64 "; fund receipt %" PRId64
		     " asks for it again",
		     seq, seq);
}

/* Is the entry the first one after the newest head seen? Then its own proof shows that the head it
 * came with goes on from that one, and none has to be asked for. */
static bool goes_on(const struct watch *watch, const struct bundle *bundle, uint64_t size)
{
	uint8_t root[HASH_SIZE];

	if (!watch->note.len || bundle->index != watch->head.size)
		return false;
	proof_root_before(&bundle->proof, bundle->index, size, root);
	return !memcmp(root, watch->head.root, HASH_SIZE);
}

void watch_expect_receipt(struct watch *watch)
{
	if (watch->link && watch->keys.count)
		state_expect_receipt(&watch->state);
}

void watch_receipt(struct watch *watch, const json_t *reply, const struct wanted *wanted)
{
	struct receipt receipt;
	struct problem problem;
	struct checkpoint head;
	struct bundle bundle;
	struct entry entry;
	const char *wrong = problem.text;

	if (!watch->link || !watch->keys.count)
		return;
	if (wire_receipt(reply, &receipt, &problem)) {
		if (!receipt.bundle) {
			receipt_missing(wanted, reply);
			return;
		}
		wrong = keys_receipt(&watch->keys, &receipt, &entry, &head);
		if (!wrong)
			wrong = wanted_problem(wanted, reply, &receipt, &entry);
	}
	if (wrong) {
		watch->alarm.answer = !alarm_raised(&watch->alarm);
		alarm_raise(&watch->alarm,
			    "the receipt that came with the answer does not hold: %s", wrong);
		return;
	}
	receipt_keep(watch, &receipt, (uint64_t)entry.seq);
	if (bundle_parse(receipt.bundle, receipt.bundle_len, &bundle))
		return;
	if (goes_on(watch, &bundle, head.size))
		head_set(watch, bundle.note, bundle.note_len, &head);
	else
		watch_head(watch, bundle.note, bundle.note_len, &head);
}

/* ---- The end ---- */

static void not_remembered(const struct watch *watch)
{
	tell("note: nothing is remembered of this ledger, so a later change of it would not be seen (%s)",
	     watch->state.problem);
}

/* Has another program remembered something meanwhile? Then that must be on the same line, too. */
static bool changed_meanwhile(struct watch *watch, const struct buf *before)
{
	const struct keys *kept = &watch->state.keys, *mine = &watch->keys;
	const char *problem = state_load(&watch->state, before);

	if (problem)
		alarm_raise(&watch->alarm, "what is remembered in %s is damaged: %s",
			    watch->state.path.data, problem);
	else if (kept->count && !key_same(&kept->key[0].verifier, &mine->key[0].verifier))
		alarm_raise(&watch->alarm,
			    "another fund remembered another key of this ledger just now");
	else if (kept->count > mine->count)
		keys_copy(&watch->keys, kept);
	return alarm_raised(&watch->alarm) || !buf_same(&watch->state.note, before);
}

/* One try: false when the file had changed, and what is in it must be proven first. */
static bool remember_once(struct watch *watch)
{
	struct buf before = BUF_INIT;
	bool saved = true, changed;

	buf_add(&before, watch->state.note.data, watch->state.note.len);
	if (state_lock(&watch->state)) {
		changed = changed_meanwhile(watch, &before);
		if (!changed)
			saved = state_save(&watch->state, &watch->keys, watch->note.data,
					   watch->note.len, &watch->head);
		state_unlock(&watch->state);
	} else {
		saved = changed = false;
	}
	if (!saved)
		not_remembered(watch);
	else if (!changed && !watch->here)
		place_keep(watch->base, watch->socket, watch->head.origin);
	watch->here |= saved && !changed;
	buf_release(&before);
	return !changed;
}

static bool needs_remembering(const struct watch *watch)
{
	return watch->note.len && (!watch->here || !watch->state.note.len ||
				   watch->head.size > watch->state.head.size);
}

/* What is newest is what is kept, too. */
static bool remembered(const struct watch *watch)
{
	return !alarm_raised(&watch->alarm) && watch->note.len && watch->state.note.len &&
	       watch->head.size == watch->state.head.size &&
	       !memcmp(watch->head.root, watch->state.head.root, HASH_SIZE);
}

bool watch_remember(struct watch *watch)
{
	if (!watch_settle(watch))
		return false;
	for (int round = 0; round < ROUNDS; round++) {
		if (!needs_remembering(watch) || remember_once(watch) ||
		    alarm_raised(&watch->alarm))
			break;
		if (watch->state.note.len)
			watch_head(watch, watch->state.note.data, watch->state.note.len,
				   &watch->state.head);
		if (!watch_settle(watch))
			break;
	}
	return remembered(watch);
}

enum exit_status watch_end(struct watch *watch, enum exit_status status)
{
	bool settled;

	if (!watch->link)
		return status;
	settled = watch_settle(watch);
	if (settled)
		watch_remember(watch);
	if (alarm_raised(&watch->alarm))
		return alarm_tell(&watch->alarm, &watch->state);
	if (!settled && status == EXIT_OK)
		tell("note: it could not be checked whether the ledger is the one you know (%s); fund verify does",
		     watch->link->problem);
	return status;
}

void watch_release(struct watch *watch)
{
	watch->link = NULL;
	state_close(&watch->state);
	keys_release(&watch->keys);
	alarm_clear(&watch->alarm);
	buf_release(&watch->note);
	buf_release(&watch->vkey);
	buf_release(&watch->foreign);
}

#include "watch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/proof.h"
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

/* ---- Alarms: the first one counts ---- */

__attribute__((format(printf, 2, 3)))
static void alarm_raise(struct watch *watch, const char *format, ...)
{
	char sentence[512];
	va_list args;

	if (watch->alarm.len)
		return;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	buf_str(&watch->alarm, sentence);
}

static void alarm_notes(struct watch *watch, const struct buf *old, const struct buf *new,
			const struct checkpoint *head)
{
	if (watch->alarm_new.len)
		return;
	buf_set(&watch->alarm_old, old->data, old->len);
	buf_set(&watch->alarm_new, new->data, new->len);
	watch->alarm_head = *head;
}

/* The daemon's answer is none: what it is asked to prove, it does not. */
static void alarm_answer(struct watch *watch, const struct reply *reply, const char *problem)
{
	alarm_raise(watch, "the daemon does not prove that its ledger is the one you know (%s)",
		    reply->error ? reply->error : problem);
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
	alarm_raise(proving->watch, "the ledger was rewritten, rolled back or split: the %" PRIu64 " entries that you "
		    "saw are not the beginning of the %" PRIu64 " that it has now (%s)", proving->old.size,
		    proving->new.size, problem);
	alarm_notes(proving->watch, &proving->old_note, &proving->new_note, &proving->new);
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
		alarm_answer(proving->watch, reply, problem.text);
		alarm_notes(proving->watch, &proving->old_note, &proving->new_note, &proving->new);
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
static void heads_prove(struct watch *watch, const struct checkpoint *one, const struct buf *one_note,
			const struct checkpoint *other, const char *note, size_t len)
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

void watch_head(struct watch *watch, const char *note, size_t len, const struct checkpoint *head)
{
	if (watch->state.note.len && !watch->note.len) {
		watch->head = watch->state.head;
		buf_set(&watch->note, watch->state.note.data, watch->state.note.len);
	}
	if (watch->note.len)
		heads_prove(watch, &watch->head, &watch->note, head, note, len);
	if (watch->note.len && head->size <= watch->head.size)
		return;
	watch->head = *head;
	buf_set(&watch->note, note, len);
}

/* ---- The head of now ---- */

static void alarm_back(struct watch *watch, const struct checkpoint *head, const char *note, size_t len)
{
	struct buf now = BUF_INIT;

	buf_add(&now, note, len);
	alarm_raise(watch, "the ledger was rolled back: you saw %" PRIu64 " entries, and now it has %" PRIu64,
		    watch->state.head.size, head->size);
	alarm_notes(watch, &watch->state.note, &now, head);
	buf_release(&now);
}

/* A head of good signature that the daemon calls its newest. If it is behind the remembered one, another program
 * may have remembered that after this was asked for, so it is asked for once more. */
static void head_compare(struct watch *watch, const struct checkpoint *head, const char *note, size_t len)
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
}

static void head_check(struct watch *watch, const char *note, size_t len)
{
	struct checkpoint head = { .size = 0 };
	struct buf now = BUF_INIT;
	const char *problem = keys_open(&watch->keys, note, len, &head, NULL);

	if (!problem) {
		head_compare(watch, &head, note, len);
		return;
	}
	buf_add(&now, note, len);
	alarm_raise(watch, "the ledger's head is not signed as it must be: %s", problem);
	alarm_notes(watch, &watch->state.note, &now, &head);
	buf_release(&now);
}

/* ---- The first look ---- */

static void state_take(struct watch *watch, const char *origin)
{
	const char *problem = state_open(&watch->state, watch->base, origin);

	watch->opened = true;
	watch->keys = watch->state.keys;
	if (problem)
		alarm_raise(watch, "what is remembered of %s in %s is damaged: %s", origin,
			    watch->state.path.data, problem);
}

static bool same_key(const struct verifier *one, const struct verifier *other)
{
	return one->id == other->id && !memcmp(one->key, other->key, PUBLIC_SIZE);
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
	state_take(watch, before);
	if (!watch->alarm.len && !watch->state.note.len)
		return true;	/* nothing is remembered of it any more */
	memcpy(watch->before, before, sizeof(before));
	return false;
}

/* The pinned key, or one that is pinned now: the head can be checked at once. */
static void key_look(struct watch *watch, const struct verifier *verifier)
{
	if (!watch->keys.count && !watch->named)
		keys_add(&watch->keys, 0, verifier);
	if (!watch->keys.count || !same_key(keys_at(&watch->keys, UINT64_MAX), verifier))
		return;
	buf_clear(&watch->vkey);
	head_check(watch, watch->foreign.data, watch->foreign.len);
}

static void first_look(struct watch *watch, const struct wire_head *says)
{
	struct verifier verifier;
	const char *problem = ledger_key_parse(says->vkey, &verifier);

	if (problem) {
		alarm_raise(watch, "the key that the daemon shows is none: %s", problem);
		return;
	}
	watch->named = (uint64_t)says->key.value;
	buf_set(&watch->vkey, says->vkey, strlen(says->vkey));
	buf_set(&watch->foreign, says->checkpoint, strlen(says->checkpoint));
	if (!watch->opened && place_take(watch, verifier.name))
		state_take(watch, verifier.name);
	if (!watch->before[0] && !watch->alarm.len)
		key_look(watch, &verifier);
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
		alarm_answer(watch, reply, problem.text);
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

/* ---- A key that is not the pinned one ---- */

/* The receipt of an entry, at the first signed head that has it; the reply holds its strings. */
static bool receipt_fetch(struct watch *watch, uint64_t seq, struct reply *reply, struct receipt *ret)
{
	struct buf parameters = BUF_INIT;
	struct problem problem = { .text = "" };
	bool fetched;

	json_open(&parameters, NULL, '{');
	json_int(&parameters, "seq", (int64_t)seq);
	json_int(&parameters, "size", (int64_t)seq + 1);
	json_close(&parameters, '}');
	fetched = link_call(watch->link, "Prove", &parameters, false, reply) == LINK_OK;
	buf_release(&parameters);
	if (!fetched) {
		watch->unproven = true;
		return false;
	}
	if (!reply->error && wire_receipt(reply->parameters, ret, &problem) && ret->bundle)
		return true;
	alarm_answer(watch, reply, problem.text);
	reply_release(reply);
	return false;
}

/* Entry `seq` names a key and is signed with the key before; `keys` gets it. NULL, or what is wrong. */
static const char *takeover_check(struct watch *watch, struct keys *keys, uint64_t seq, const struct receipt *receipt)
{
	struct checkpoint head;
	struct verifier verifier;
	struct bundle bundle;
	struct entry entry;
	const char *problem;

	if (!keys->count) {		/* the genesis vouches for itself: it is what gets pinned */
		problem = entry_parse(receipt->leaf, receipt->leaf_len, &entry);
		if (!problem)
			problem = ledger_key_parse(entry.vkey, &verifier);
		if (!problem)
			problem = keys_add(keys, 0, &verifier);
		return problem ? problem : keys_receipt(keys, receipt, &entry, &head);
	}
	problem = keys_receipt(keys, receipt, &entry, &head);
	if (!problem && ((uint64_t)entry.seq != seq || strcmp(entry.kind_name, "key")))
		problem = "it is another entry";
	if (!problem)
		problem = ledger_key_parse(entry.vkey, &verifier);
	if (!problem)
		problem = keys_add(keys, seq, &verifier);
	if (!problem && !bundle_parse(receipt->bundle, receipt->bundle_len, &bundle))
		watch_head(watch, bundle.note, bundle.note_len, &head);
	return problem;
}

static void alarm_key(struct watch *watch)
{
	struct checkpoint head = { .size = 0 };
	struct note note;

	if (!note_parse(watch->foreign.data, watch->foreign.len, &note))
		(void)!checkpoint_parse(note.text, note.text_len, &head);
	alarm_raise(watch, "the ledger is signed with another key than the one you know, and no entry signed "
		    "with the old key says so");
	alarm_notes(watch, &watch->state.note, &watch->foreign, &head);
}

/* ---- Another ledger in the place of one that is known ---- */

static void alarm_place(struct watch *watch, const char *origin, const char *problem)
{
	struct checkpoint head = { .size = 0 };
	struct note note;

	if (!note_parse(watch->foreign.data, watch->foreign.len, &note))
		(void)!checkpoint_parse(note.text, note.text_len, &head);
	alarm_raise(watch, "here was the ledger %s, and now there is another, %s: %s", watch->before, origin, problem);
	alarm_notes(watch, &watch->state.note, &watch->foreign, &head);
}

/* Does the genesis go on from the ledger that was here, as far as that is remembered? */
static const char *genesis_check(const struct watch *watch, const struct receipt *receipt)
{
	const struct checkpoint *old = &watch->state.head;
	struct keys keys = { .count = 0 };
	struct checkpoint head;
	struct verifier key;
	struct entry genesis;
	uint8_t root[HASH_SIZE];

	if (entry_parse(receipt->leaf, receipt->leaf_len, &genesis) || ledger_key_parse(genesis.vkey, &key) ||
	    keys_add(&keys, 0, &key) || keys_receipt(&keys, receipt, &genesis, &head) ||
	    (!watch->named && strcmp(genesis.vkey, watch->vkey.data)))
		return "its genesis cannot be proven";
	if (strcmp(genesis.prior_origin, watch->before))
		return "it does not say that it goes on from that one";
	if ((uint64_t)genesis.prior_size < old->size)
		return "it goes on from that one, but not with all the entries that you saw";
	if ((uint64_t)genesis.prior_size > old->size)
		return NULL;
	return !base64_decode(genesis.prior_root, strlen(genesis.prior_root), root, HASH_SIZE) ||
			       memcmp(root, old->root, HASH_SIZE)
		       ? "it goes on from that one, but from other entries than you saw" : NULL;
}

static void place_follow(struct watch *watch)
{
	struct verifier verifier;
	struct receipt receipt;
	struct reply reply;
	const char *problem;

	if (ledger_key_parse(watch->vkey.data, &verifier) || !receipt_fetch(watch, 0, &reply, &receipt))
		return;
	problem = genesis_check(watch, &receipt);
	reply_release(&reply);
	if (problem) {
		alarm_place(watch, verifier.name, problem);
		return;
	}
	tell("note: this is another ledger now, %s; it says that it goes on from %s, whose key was lost",
	     verifier.name, watch->before);
	watch->before[0] = '\0';
	state_take(watch, verifier.name);
	if (!watch->alarm.len)
		key_look(watch, &verifier);
}

/* ---- Following keys ---- */

/* The receipts of the entries that named keys, newest first, down to the last that is known here. */
struct chain {
	struct buf text[KEYS_MAX];
	uint64_t seq[KEYS_MAX];
	unsigned count;
};

/* Adds one; *before is the entry that it refers to. */
static bool chain_add(struct watch *watch, struct chain *chain, uint64_t seq, uint64_t *before)
{
	struct receipt receipt;
	struct entry entry;
	struct reply reply;
	bool good;

	if (!receipt_fetch(watch, seq, &reply, &receipt))
		return false;
	good = !entry_parse(receipt.leaf, receipt.leaf_len, &entry) && (!seq || (entry.ref >= 0 && entry.ref < entry.seq));
	chain->seq[chain->count] = seq;
	receipt_format(&chain->text[chain->count++], &receipt);
	*before = (uint64_t)entry.ref;
	reply_release(&reply);
	return good;
}

static bool chain_take(struct watch *watch, const struct keys *keys, struct chain *chain)
{
	uint64_t known = keys->count ? keys->key[keys->count - 1].from : 0, seq = watch->named;

	while (seq > known)
		if (chain->count == KEYS_MAX || !chain_add(watch, chain, seq, &seq))
			return false;
	return keys->count ? seq == known : chain->count < KEYS_MAX && chain_add(watch, chain, 0, &seq);
}

static const char *chain_check(struct watch *watch, struct chain *chain, struct keys *keys)
{
	const char *problem = NULL;
	struct receipt receipt;

	while (!problem && chain->count--) {
		struct buf *text = &chain->text[chain->count];

		problem = receipt_parse(text->data, text->len, &receipt);
		if (!problem)
			problem = takeover_check(watch, keys, chain->seq[chain->count], &receipt);
	}
	return problem;
}

/* Follows who took over, from the pinned key to the one of now. */
static void keys_follow(struct watch *watch)
{
	struct chain chain = { .count = 0 };
	struct keys keys = watch->keys;
	struct verifier now;
	bool followed = chain_take(watch, &keys, &chain) && !chain_check(watch, &chain, &keys) &&
			!ledger_key_parse(watch->vkey.data, &now) && same_key(keys_at(&keys, UINT64_MAX), &now);

	for (unsigned i = 0; i < KEYS_MAX; i++)
		buf_release(&chain.text[i]);
	if (watch->unproven)
		return;
	buf_clear(&watch->vkey);
	if (!followed) {
		buf_clear(&watch->alarm);
		alarm_key(watch);
		return;
	}
	watch->keys = keys;
	head_check(watch, watch->foreign.data, watch->foreign.len);
}

/* What must be asked before the head can be checked. Nothing else is asked of the link meanwhile. */
static void follow(struct watch *watch)
{
	if (watch->before[0])
		place_follow(watch);
	if (watch->vkey.len && !watch->before[0] && !watch->alarm.len)
		keys_follow(watch);
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
	if (watch->link && watch->vkey.len && !watch->alarm.len && link_idle(watch))
		follow(watch);
	return !watch->alarm.len;
}

bool watch_settle(struct watch *watch)
{
	for (int round = 0; round < ROUNDS && watch->link && link_idle(watch); round++) {
		while (link_take_aside(watch->link))
			;
		if (watch->vkey.len && !watch->alarm.len && link_idle(watch)) {
			follow(watch);
			continue;
		}
		if (watch->alarm.len || !watch->unproven || watch->open)
			break;
		watch->unproven = false;
		buf_clear(&watch->note);
		head_start(watch);
	}
	return watch->link && !watch->alarm.len && !watch->unproven && !watch->open && !watch->vkey.len;
}

/* ---- Receipts ---- */

/* Is there a good receipt of that entry already? One that says something else is an alarm. */
static bool receipt_kept(struct watch *watch, const struct receipt *receipt, uint64_t seq)
{
	struct buf text = BUF_INIT;
	struct checkpoint head;
	struct receipt kept;
	struct entry entry;
	bool good = state_receipt(&watch->state, seq, &text) && !receipt_parse(text.data, text.len, &kept) &&
		    !keys_receipt(&watch->keys, &kept, &entry, &head) && (uint64_t)entry.seq == seq;

	if (good && (kept.leaf_len != receipt->leaf_len || memcmp(kept.leaf, receipt->leaf, kept.leaf_len)))
		alarm_raise(watch, "entry %" PRIu64 " is another one now than in the receipt of it in %s/receipts",
			    seq, watch->state.path.data);
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
		tell("note: the receipt of entry %" PRIu64 " could not be kept (%s); fund receipt %" PRIu64
		     " shows it", seq, watch->state.problem, seq);
	buf_release(&text);
}

void watch_receipt(struct watch *watch, const json_t *reply)
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
		if (!receipt.bundle)
			return;
		wrong = keys_receipt(&watch->keys, &receipt, &entry, &head);
	}
	if (wrong) {
		alarm_raise(watch, "the receipt that came with the answer does not hold: %s", wrong);
		return;
	}
	receipt_keep(watch, &receipt, (uint64_t)entry.seq);
	if (!bundle_parse(receipt.bundle, receipt.bundle_len, &bundle))
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
	const char *problem = state_load(&watch->state);

	if (problem)
		alarm_raise(watch, "what is remembered in %s is damaged: %s", watch->state.path.data, problem);
	else if (kept->count && !same_key(&kept->key[0].verifier, &mine->key[0].verifier))
		alarm_raise(watch, "another fund remembered another key of this ledger just now");
	else if (kept->count > mine->count)
		watch->keys = *kept;
	return watch->alarm.len || watch->state.note.len != before->len ||
	       (before->len && memcmp(watch->state.note.data, before->data, before->len));
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
			saved = state_save(&watch->state, &watch->keys, watch->note.data, watch->note.len,
					   &watch->head);
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
	return watch->note.len && (!watch->here || !watch->state.note.len || watch->head.size > watch->state.head.size);
}

/* What is newest is what is kept, too. */
static bool remembered(const struct watch *watch)
{
	return !watch->alarm.len && watch->note.len && watch->state.note.len &&
	       watch->head.size == watch->state.head.size &&
	       !memcmp(watch->head.root, watch->state.head.root, HASH_SIZE);
}

bool watch_remember(struct watch *watch)
{
	if (!watch_settle(watch))
		return false;
	for (int round = 0; round < ROUNDS; round++) {
		if (!needs_remembering(watch) || remember_once(watch) || watch->alarm.len)
			break;
		if (watch->state.note.len)
			watch_head(watch, watch->state.note.data, watch->state.note.len, &watch->state.head);
		if (!watch_settle(watch))
			break;
	}
	return remembered(watch);
}

static enum exit_status alarm_tell(struct watch *watch)
{
	struct buf where = BUF_INIT;
	bool kept = watch->alarm_new.len && state_evidence(&watch->state, &watch->alarm_old, &watch->alarm_new,
							   &watch->alarm_head, &where);

	tell("%s.", watch->alarm.data);
	if (kept)
		tell_more("Both signed checkpoints are kept in %s: show them to your auditor.", where.data);
	if (watch->alarm_new.len && !kept)
		tell_more("The checkpoints could not be kept; please call your auditor now.");
	if (watch->state.path.len && watch->state.dir >= 0)
		tell_more("Once it is explained (a backup that was restored), move %s away to begin anew.",
			  watch->state.path.data);
	buf_release(&where);
	return EXIT_UNVERIFIED;
}

enum exit_status watch_end(struct watch *watch, enum exit_status status)
{
	bool settled;

	if (!watch->link)
		return status;
	settled = watch_settle(watch);
	if (settled)
		watch_remember(watch);
	if (watch->alarm.len)
		return alarm_tell(watch);
	if (!settled && status == EXIT_OK)
		tell("note: it could not be checked whether the ledger is the one you know (%s); fund verify does",
		     watch->link->problem);
	return status;
}

void watch_release(struct watch *watch)
{
	struct buf *bufs[] = { &watch->note, &watch->vkey, &watch->foreign, &watch->alarm, &watch->alarm_old,
			       &watch->alarm_new };

	watch->link = NULL;
	state_close(&watch->state);
	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		buf_release(bufs[i]);
}

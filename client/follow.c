#include "follow.h"

#include <inttypes.h>
#include <string.h>

#include "common/hash.h"
#include "tell.h"
#include "wire_proof.h"

/* The receipt of an entry, at the first signed head that has it; the reply holds its strings. */
static bool receipt_fetch(struct watch *watch, uint64_t seq, struct reply *reply,
			  struct receipt *ret)
{
	struct buf parameters = BUF_INIT;
	struct problem problem = { .parameter = "receipt", .text = "is missing" };
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
	watch_unanswered(watch, reply, &problem);
	reply_release(reply);
	return false;
}

/* ---- Another ledger in the place of one that is known ---- */

static void alarm_place(struct watch *watch, const char *origin, const char *problem)
{
	alarm_raise(&watch->alarm, "here was the ledger %s, and now there is another, %s: %s",
		    watch->before, origin, problem);
	alarm_notes(&watch->alarm, &watch->state.note, watch->foreign.data, watch->foreign.len);
}

/* Takes the genesis, proven with the key that it names. */
static bool genesis_prove(const struct receipt *receipt, struct entry *ret)
{
	struct keys keys = { .count = 0 };
	struct checkpoint head;
	struct verifier key;
	bool proven = !entry_parse(receipt->leaf, receipt->leaf_len, ret) &&
		      !ledger_key_parse(ret->vkey, &key) && !keys_add(&keys, 0, &key) &&
		      !keys_receipt(&keys, receipt, ret, &head);

	keys_release(&keys);
	return proven;
}

/* Does the genesis go on from the ledger that was here, as far as that is remembered? */
static const char *genesis_check(const struct watch *watch, const struct receipt *receipt)
{
	const struct checkpoint *old = &watch->state.head;
	struct entry genesis;
	uint8_t root[HASH_SIZE];

	if (!genesis_prove(receipt, &genesis) ||
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

	if (ledger_key_parse(watch->vkey.data, &verifier) ||
	    !receipt_fetch(watch, 0, &reply, &receipt))
		return;
	problem = genesis_check(watch, &receipt);
	reply_release(&reply);
	if (problem) {
		alarm_place(watch, verifier.name, problem);
		return;
	}
	tell("note: this is another ledger now, %s; it says that it goes on from %s, whose key was "
	     "lost",
	     verifier.name, watch->before);
	watch->before[0] = '\0';
	watch_open(watch, verifier.name);
	if (!alarm_raised(&watch->alarm))
		watch_key(watch, &verifier);
}

/* ---- Keys that took over ---- */

/* Entry `seq` names a key and is signed with the key before; `keys` gets it. NULL, or what is
 * wrong. */
static const char *takeover_check(struct watch *watch, struct keys *keys, uint64_t seq,
				  const struct receipt *receipt)
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
	alarm_clear(&watch->alarm);	/* what failed on the way does not matter to people */
	alarm_raise(
		&watch->alarm,
		"the ledger is signed with another key than the one you know, and no entry signed "
		"with the old key says so");
	alarm_notes(&watch->alarm, &watch->state.note, watch->foreign.data, watch->foreign.len);
}

/* The entry that named the key after the one that
 * signed this head; 0: it is none of those known. */
static uint64_t replaced_at(const struct keys *keys, const struct buf *note)
{
	struct checkpoint head;

	for (unsigned i = 0; i + 1 < keys->count; i++) {
		const struct verifier *key = &keys->key[i].verifier;

		if (!checkpoint_open(note->data, note->len, &key, 1, &head, NULL))
			return keys->key[i + 1].from;
	}
	return 0;
}

/* The daemon's key is not the last one known here, and did not take over from it. */
static void alarm_not_followed(struct watch *watch)
{
	uint64_t entry = replaced_at(&watch->keys, &watch->foreign);

	if (!entry) {
		alarm_key(watch);
		return;
	}
	alarm_clear(&watch->alarm);
	alarm_raise(&watch->alarm,
		    "the ledger was rolled back or split: it is signed with a key that you know, but "
		    "another key replaced that one at entry %" PRIu64,
		    entry);
	alarm_notes(&watch->alarm, &watch->state.note, watch->foreign.data, watch->foreign.len);
}

/* The receipts of the entries that named keys, newest first, down to the last that is known
 * here. */
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
	good = !entry_parse(receipt.leaf, receipt.leaf_len, &entry) &&
	       (!seq || (entry.ref >= 0 && entry.ref < entry.seq));
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
	return keys->count ? seq == known
			   : chain->count < KEYS_MAX && chain_add(watch, chain, 0, &seq);
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

/* The keys that were followed; NULL: they could not be. */
static void keys_take(struct watch *watch, const struct keys *keys)
{
	if (!keys) {
		alarm_not_followed(watch);
		return;
	}
	keys_copy(&watch->keys, keys);
	watch_foreign(watch);
}

/* Follows who took over, from the pinned key to the one of now. */
static void keys_follow(struct watch *watch)
{
	struct chain chain = { .count = 0 };
	struct keys keys = { .count = 0 };
	struct verifier now;
	bool followed;

	keys_copy(&keys, &watch->keys);
	followed = chain_take(watch, &keys, &chain) && !chain_check(watch, &chain, &keys) &&
		   !ledger_key_parse(watch->vkey.data, &now) &&
		   key_same(keys_at(&keys, UINT64_MAX), &now);
	for (unsigned i = 0; i < KEYS_MAX; i++)
		buf_release(&chain.text[i]);
	if (!watch->unproven) {
		buf_clear(&watch->vkey);
		keys_take(watch, followed ? &keys : NULL);
	}
	keys_release(&keys);
}

/* What must be asked before the head can be checked. Nothing else is asked of the link
 * meanwhile. */
void watch_follow(struct watch *watch)
{
	if (watch->before[0])
		place_follow(watch);
	if (watch->vkey.len && !watch->before[0] && !alarm_raised(&watch->alarm))
		keys_follow(watch);
}

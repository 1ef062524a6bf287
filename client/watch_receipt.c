#include "watch.h"

#include <inttypes.h>
#include <string.h>

#include "common/proof.h"
#include "tell.h"
#include "wire_proof.h"

/* Both heads are signed, and one has another entry in that place than the other. */
static void alarm_entry(struct watch *watch, const struct receipt *kept,
			const struct receipt *receipt, uint64_t seq)
{
	struct bundle before, now;
	struct buf note = BUF_INIT;

	alarm_raise(&watch->alarm,
		    "entry %" PRIu64 " is another one now than in the receipt of it in %s/receipts",
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
		watch_head_proven(watch, bundle.note, bundle.note_len, &head);
	else
		watch_head(watch, bundle.note, bundle.note_len, &head);
}

/*
 * Prove, Consistency, Leaves: what lets others check the ledger without trusting who keeps it.
 */
#include "method.h"

#include <stdlib.h>

#include "common/hash.h"
#include "common/log.h"
#include "prove.h"
#include "scope.h"

#define LEAVES_A_TURN 512

static enum err refuse_size(const struct request *request, const char *parameter)
{
	return refuse_words(request->refusal, ERR_MALFORMED, parameter,
			    "is beyond the ledger, which has %llu entries",
			    (unsigned long long)batch_committed(&request->service->batch));
}

static enum err refuse_damage(const struct request *request, const char *problem)
{
	return refuse_words(request->refusal, ERR_UNAVAILABLE, "",
			    "the ledger is damaged: %s; fundd --verify says where", problem);
}

/* ---- Prove ---- */

struct prove_request {
	struct json_int seq, size;
};

static const struct field prove_fields[] = {
	{ "seq", FIELD_INT, offsetof(struct prove_request, seq), FIELD_REQUIRED | FIELD_NATURAL,
	  0 },
	{ "size", FIELD_INT, offsetof(struct prove_request, size), FIELD_POSITIVE, 0 },
	FIELDS_END
};

/* What every verifier must know of a ledger, and what holds no money and no words. */
static bool is_public(const struct entry *entry)
{
	return entry->kind == KIND_GENESIS || entry->kind == KIND_BOOT || entry->kind == KIND_KEY;
}

/* Made by the actor, or of a budget that the actor may spend from. */
static bool is_own(const struct request *request, const struct entry *entry)
{
	struct budget *touched[TOUCHED_MAX];
	unsigned count = books_touched(&request->service->books, entry, touched);

	if (entry->uid == request->actor->uid)
		return true;
	for (unsigned i = 0; i < count; i++)
		if (touched[i] && actor_may_spend(request->actor, touched[i]))
			return true;
	return false;
}

/* A receipt has the entry's words in it: who gets somebody else's is on record, as with an
 * audit. */
static enum err prove_allowed(struct request *request, const struct entry *entry)
{
	struct buf filter = BUF_INIT;
	enum err err;

	if (is_public(entry) || is_own(request, entry))
		return ERR_NONE;
	if (!(request->actor->roles & (ROLE_MANAGER | ROLE_AUDITOR)))
		return refuse_words(request->refusal, ERR_NOT_PERMITTED, "",
				    "entry %lld is somebody else's: who made it, its budget's "
				    "owner, managers and auditors get a receipt of it",
				    (long long)entry->seq);
	json_open(&filter, NULL, '{');
	json_int(&filter, "receipt", entry->seq);
	json_close(&filter, '}');
	err = audit_record(request, filter.data, entry->budget);
	buf_release(&filter);
	return err;
}

/* The newest head, or the first of at least `size` entries. */
static const char *head_take(const struct service *service, struct reader *reader, uint64_t size,
			     struct head *ret)
{
	if (size) {
		const char *problem = prove_head(reader, service->books.origin, size, ret);

		if (!problem)
			witnesses_sign(&service->witnesses, ret->size, &ret->note);
		return problem;
	}
	*ret = (struct head){ .size = service->batch.committed.size };
	buf_add(&ret->note, service->batch.checkpoint.data, service->batch.checkpoint.len);
	witnesses_sign(&service->witnesses, ret->size, &ret->note);
	return NULL;
}

static const char *receipt_make(struct service *service, uint64_t seq, uint64_t size,
				struct buf *out)
{
	struct reader reader;
	struct head head = { 0 };
	const char *problem;

	if (reader_begin(&service->ledger, &reader))
		return "it cannot be read";
	problem = head_take(service, &reader, size, &head);
	if (!problem)
		problem = prove_receipt(&reader, &service->nodes, &service->keyring, seq, &head,
					out);
	buf_release(&head.note);
	reader_end(&reader);
	return problem;
}

void method_fill(struct service *service, int64_t seq, struct buf *out)
{
	const char *problem = receipt_make(service, (uint64_t)seq, 0, out);

	if (!problem)
		return;
	log_error("no receipt of entry %lld can be made: %s", (long long)seq, problem);
	buf_str(out, "null");
}

static enum err prove_check(const struct request *request, const struct prove_request *wanted)
{
	uint64_t committed = batch_committed(&request->service->batch);

	if ((uint64_t)wanted->seq.value >= committed) {
		refuse(request->refusal, ERR_UNKNOWN_ENTRY);
		request->refusal->seq = wanted->seq.value;
		return ERR_UNKNOWN_ENTRY;
	}
	if (!wanted->size.set)
		return ERR_NONE;
	if ((uint64_t)wanted->size.value > committed)
		return refuse_size(request, "size");
	if (wanted->size.value <= wanted->seq.value)
		return refuse_words(request->refusal, ERR_MALFORMED, "size",
				    "is a number of entries that has entry %lld among them: %lld "
				    "or more",
				    (long long)wanted->seq.value, (long long)wanted->seq.value + 1);
	return ERR_NONE;
}

static enum err entry_allowed(struct request *request, int64_t seq)
{
	struct stored stored;
	const char *problem = batch_read(&request->service->batch, seq, &stored);
	enum err err;

	if (problem)
		return refuse_damage(request, problem);
	err = prove_allowed(request, &stored.entry);
	stored_release(&stored);
	return err;
}

enum err method_prove(struct request *request)
{
	struct prove_request wanted;
	struct buf receipt = BUF_INIT;
	const char *problem;
	enum err err = request_decode(request, prove_fields, &wanted, sizeof(wanted));

	if (!err)
		err = prove_check(request, &wanted);
	if (!err)
		err = entry_allowed(request, wanted.seq.value);
	if (err)
		return err;
	problem = receipt_make(request->service, (uint64_t)wanted.seq.value,
			       wanted.size.set ? (uint64_t)wanted.size.value : 0, &receipt);
	if (problem) {
		err = refuse_damage(request, problem);
	} else {
		json_open(request->reply, NULL, '{');
		json_raw(request->reply, "receipt", receipt.data, receipt.len);
		json_close(request->reply, '}');
	}
	buf_release(&receipt);
	return err;
}

/* ---- Consistency ---- */

struct consistency_request {
	struct json_int old, new;
};

static const struct field consistency_fields[] = {
	{ "old", FIELD_INT, offsetof(struct consistency_request, old),
	  FIELD_REQUIRED | FIELD_NATURAL, 0 },
	{ "new", FIELD_INT, offsetof(struct consistency_request, new),
	  FIELD_REQUIRED | FIELD_NATURAL, 0 },
	FIELDS_END
};

static bool consistency_make(struct service *service, const struct consistency_request *wanted,
			     struct proof *ret)
{
	struct reader reader;
	bool made;

	if (reader_begin(&service->ledger, &reader))
		return false;
	made = proof_consistency((uint64_t)wanted->old.value, (uint64_t)wanted->new.value,
				 prove_node, &reader, ret);
	reader_end(&reader);
	return made;
}

static void answer_hashes(struct buf *reply, const struct proof *proof)
{
	struct buf hash = BUF_INIT;

	json_open(reply, NULL, '{');
	json_open(reply, "hashes", '[');
	for (unsigned i = 0; i < proof->count; i++) {
		buf_clear(&hash);
		base64_encode(&hash, proof->hash[i], HASH_SIZE);
		json_strn(reply, NULL, hash.data, hash.len);
	}
	json_close(reply, ']');
	json_close(reply, '}');
	buf_release(&hash);
}

enum err method_consistency(struct request *request)
{
	struct consistency_request wanted;
	struct proof proof;
	enum err err = request_decode(request, consistency_fields, &wanted, sizeof(wanted));

	if (err)
		return err;
	if ((uint64_t)wanted.new.value > batch_committed(&request->service->batch))
		return refuse_size(request, "new");
	if (wanted.old.value > wanted.new.value)
		return refuse_words(request->refusal, ERR_MALFORMED, "old",
				    "is the smaller of the two sizes: %lld at most",
				    (long long)wanted.new.value);
	if (!consistency_make(request->service, &wanted, &proof))
		return refuse_damage(request, "a node of the tree cannot be read");
	answer_hashes(request->reply, &proof);
	return ERR_NONE;
}

/* ---- Leaves ---- */

struct leaves_request {
	struct json_int from, to;
};

static const struct field leaves_fields[] = {
	{ "from", FIELD_INT, offsetof(struct leaves_request, from), FIELD_REQUIRED | FIELD_NATURAL,
	  0 },
	{ "to", FIELD_INT, offsetof(struct leaves_request, to), FIELD_NATURAL, 0 },
	FIELDS_END
};

struct leaves_job {
	struct job job;
	uint64_t next, end;
	struct reader reader;
	bool reading;			/* the reader is open, in this turn */
	unsigned rows;			/* of this turn */
};

/* No reader outlives the turn. */
static void leaves_pause(struct job *job)
{
	struct leaves_job *leaves = (struct leaves_job *)job;

	if (leaves->reading)
		reader_end(&leaves->reader);
	leaves->reading = false;
	leaves->rows = 0;
}

static void leaves_release(struct job *job)
{
	leaves_pause(job);
	free(job);
}

static const char *leaf_next(struct leaves_job *leaves, struct ledger *ledger, struct row *ret)
{
	const void *bytes;
	size_t size;

	if (!leaves->reading && reader_begin(ledger, &leaves->reader))
		return "it cannot be read";
	leaves->reading = true;
	leaves->rows++;
	if (reader_row(&leaves->reader, leaves->next, &bytes, &size))
		return "a row cannot be read";
	return row_parse(leaves->next++, bytes, size, ret);
}

static enum step leaves_step(struct job *job, struct request *request)
{
	struct leaves_job *leaves = (struct leaves_job *)job;
	bool last = leaves->next == leaves->end;
	const char *problem = NULL;
	struct row row;

	if (leaves->rows == LEAVES_A_TURN)
		return STEP_PAUSE;
	if (!last)
		problem = leaf_next(leaves, &request->service->ledger, &row);
	if (problem) {
		refuse_damage(request, problem);
		return STEP_REFUSED;
	}
	json_open(request->reply, NULL, '{');
	if (!last) {
		json_int(request->reply, "seq", (int64_t)leaves->next - 1);
		json_strn(request->reply, "leaf", (const char *)row.leaf.bytes, row.leaf.len);
	}
	json_close(request->reply, '}');
	return last ? STEP_LAST : STEP_ROW;
}

enum err method_leaves(struct request *request)
{
	int64_t committed = (int64_t)batch_committed(&request->service->batch);
	struct leaves_request wanted;
	struct leaves_job *leaves;
	enum err err = request_decode(request, leaves_fields, &wanted, sizeof(wanted));

	if (err)
		return err;
	if (!request->more)
		return refuse(request->refusal, ERR_EXPECTED_MORE);
	if (!wanted.to.set)
		wanted.to.value = committed;
	if (wanted.to.value > committed || wanted.from.value > committed)
		return refuse_size(request, wanted.to.value > committed ? "to" : "from");
	if (wanted.from.value > wanted.to.value)
		return refuse_words(request->refusal, ERR_MALFORMED, "from",
				    "is where the leaves begin, and `to` is the first that is left "
				    "out: %lld at most", (long long)wanted.to.value);
	leaves = calloc(1, sizeof(*leaves));
	if (!leaves)
		abort();
	leaves->job = (struct job){ .step = leaves_step, .pause = leaves_pause,
				    .release = leaves_release };
	leaves->next = (uint64_t)wanted.from.value;
	leaves->end = (uint64_t)wanted.to.value;
	request->job = &leaves->job;
	return ERR_NONE;
}

/*
 * Checkpoint and Cosign: the head that witnesses look at, and what they say of it; and for Status
 * how much is not covered by one yet.
 */
#include "method.h"

#include <string.h>

#include "common/log.h"

/* ---- Checkpoint ---- */

static const struct field no_fields[] = { FIELDS_END };

enum err method_checkpoint(struct request *request)
{
	struct service *service = request->service;
	const struct batch *batch = &service->batch;
	struct buf note = BUF_INIT;
	char nothing;
	enum err err = request_decode(request, no_fields, &nothing, sizeof(nothing));

	if (err)
		return err;
	if (request->actor->roles & ROLE_AUDITOR)
		witnesses_show(&service->witnesses, batch->committed.size, &service->books);
	buf_add(&note, batch->checkpoint.data, batch->checkpoint.len);
	witnesses_sign(&service->witnesses, batch->committed.size, &note);
	json_open(request->reply, NULL, '{');
	json_strn(request->reply, "checkpoint", note.data, note.len);
	json_str(request->reply, "vkey", service->books.keys.vkey);
	json_int(request->reply, "key", service->books.keys.entry);
	if (witnesses_covering(&service->witnesses))
		witnesses_answer(&service->witnesses, "cosigned", request->reply);
	json_close(request->reply, '}');
	buf_release(&note);
	return ERR_NONE;
}

/* ---- Cosign ---- */

struct cosign_request {
	const char *checkpoint;
};

static const struct field cosign_fields[] = {
	{ "checkpoint", FIELD_STRING, offsetof(struct cosign_request, checkpoint), FIELD_REQUIRED,
	  NOTE_MAX },
	FIELDS_END
};

enum err method_cosign(struct request *request)
{
	struct service *service = request->service;
	struct cosign_request wanted;
	struct reader reader;
	const char *problem;
	bool fault;
	enum err err = request_decode(request, cosign_fields, &wanted, sizeof(wanted));

	if (err)
		return err;
	if (reader_begin(&service->ledger, &reader))
		return refuse_words(request->refusal, ERR_UNAVAILABLE, "",
				    "the ledger cannot be read");
	problem = witnesses_take(&service->witnesses, service->dir, &reader, service->books.origin,
				 wanted.checkpoint, strlen(wanted.checkpoint), &fault);
	reader_end(&reader);
	if (!problem)
		return ERR_NONE;
	log_warning("uid %lld handed in a cosigned checkpoint that was not taken: it %s",
		    (long long)request->actor->uid, problem);
	return fault ? refuse_words(request->refusal, ERR_UNAVAILABLE, "", "%s", problem)
		     : refuse_words(request->refusal, ERR_MALFORMED, "checkpoint", "%s", problem);
}

/* ---- The rewrite window ---- */

static int64_t moved_before(const struct level *level, const struct moved *moved)
{
	for (unsigned i = 0; level && i < level->count; i++)
		if (!strcmp(level->moved[i].currency, moved->currency) &&
		    level->moved[i].exp == moved->exp)
			return level->moved[i].amount;
	return 0;
}

static void sums_answer(const struct books *books, const struct level *level, struct buf *reply)
{
	json_open(reply, "unwitnessed", '[');
	for (unsigned i = 0; i < books->moved_count; i++) {
		const struct moved *moved = &books->moved[i];
		int64_t amount = moved->amount - moved_before(level, moved);

		if (amount <= 0)
			continue;
		json_open(reply, NULL, '{');
		json_str(reply, "currency", moved->currency);
		json_int(reply, "exp", moved->exp);
		json_int(reply, "amount", amount);
		json_close(reply, '}');
	}
	json_close(reply, ']');
}

void answer_window(struct request *request)
{
	struct service *service = request->service;
	const struct witness *covering = witnesses_covering(&service->witnesses);
	const struct level *level = covering ? &covering->level : NULL;
	struct stored first;
	char at[TIMESTAMP_SIZE];

	json_int(request->reply, "witnesses", service->witnesses.count);
	json_int(request->reply, "witnessed", level ? (int64_t)level->size : 0);
	if (!batch_read(&service->batch, level ? (int64_t)level->size : 0, &first)) {
		timestamp_format(first.entry.at, at);
		json_str(request->reply, "unwitnessed_since", at);
		stored_release(&first);
	}
	if (request->actor->roles & (ROLE_MANAGER | ROLE_AUDITOR))
		sums_answer(&service->books, level, request->reply);
}

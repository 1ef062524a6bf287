/*
 * The methods that add one entry: each a request with an id, a plan, and words for the memo. What
 * they have in common (ids, replays, conflicts, dry runs, the answer) is done once, here.
 */
#include "method.h"

#include <string.h>

#include "answer.h"
#include "common/hash.h"

#define NO_FLAG SIZE_MAX		/* the method has no such parameter */
#define DIGEST_STORED 12		/* bytes of a request's digest that its memo keeps */
#define DIGEST_TEXT 16			/* characters of them in base64 */

union any_request {
	struct spend_request spend;
	struct topup_request topup;
	struct refund_request refund;
	struct terms_request terms;
	struct close_request close;
};

struct change {
	const char *name;
	const struct field *fields;
	size_t size, id, dry_run, receipt;	/* of the request struct, and offsets in it */
	bool reserve;			/* may use the space kept back */
	enum err (*plan)(const struct service *service, const struct actor *actor,
			 const union any_request *any, struct entry *ret, struct refusal *refusal);
	void (*words)(const union any_request *any, struct memo *ret);
};

/* ---- What each of them does ---- */

static enum err spend_plan(const struct service *service, const struct actor *actor,
			   const union any_request *any, struct entry *ret, struct refusal *refusal)
{
	return plan_spend(&service->books, actor, &any->spend, ret, refusal);
}

static void spend_words(const union any_request *any, struct memo *ret)
{
	ret->reason = any->spend.reason;
	ret->customer = any->spend.customer;
	ret->incident = any->spend.incident;
	ret->evidence = any->spend.evidence;
}

static enum err topup_plan(const struct service *service, const struct actor *actor,
			   const union any_request *any, struct entry *ret, struct refusal *refusal)
{
	return plan_topup(&service->books, actor, &any->topup, ret, refusal);
}

static void topup_words(const union any_request *any, struct memo *ret)
{
	ret->reason = any->topup.reason;
}

static enum err refund_plan(const struct service *service, const struct actor *actor,
			    const union any_request *any, struct entry *ret,
			    struct refusal *refusal)
{
	return plan_refund(&service->books, actor, &any->refund, ret, refusal);
}

static void refund_words(const union any_request *any, struct memo *ret)
{
	ret->reason = any->refund.reason;
}

static enum err open_plan(const struct service *service, const struct actor *actor,
			  const union any_request *any, struct entry *ret, struct refusal *refusal)
{
	return plan_open(&service->books, actor, &service->calendar, &any->terms, ret, refusal);
}

static enum err adjust_plan(const struct service *service, const struct actor *actor,
			    const union any_request *any, struct entry *ret,
			    struct refusal *refusal)
{
	return plan_adjust(&service->books, actor, &service->calendar, &any->terms, ret, refusal);
}

static void no_words(const union any_request *any, struct memo *ret)
{
	(void)any;
	(void)ret;
}

static enum err close_plan(const struct service *service, const struct actor *actor,
			   const union any_request *any, struct entry *ret, struct refusal *refusal)
{
	return plan_close(&service->books, actor, &any->close, ret, refusal);
}

static void close_words(const union any_request *any, struct memo *ret)
{
	ret->reason = any->close.reason;
}

#define MONEY(record) sizeof(struct record), offsetof(struct record, id), \
	offsetof(struct record, dry_run), offsetof(struct record, receipt)
#define TERMS(record) sizeof(struct record), offsetof(struct record, id), NO_FLAG, NO_FLAG

static const struct change spend_change = {
	"Spend", spend_fields, MONEY(spend_request), false,
	spend_plan, spend_words
};
static const struct change topup_change = {
	"TopUp", topup_fields, MONEY(topup_request), false,
	topup_plan, topup_words
};
static const struct change refund_change = {
	"Refund", refund_fields, MONEY(refund_request), false,
	refund_plan, refund_words
};
static const struct change open_change = {
	"Open", open_fields, TERMS(terms_request), false, open_plan, no_words
};
static const struct change adjust_change = {
	"Adjust", adjust_fields, TERMS(terms_request), false, adjust_plan, no_words
};
static const struct change close_change = {
	"Close", close_fields, TERMS(close_request), true, close_plan, close_words
};

/* ---- What all of them do ---- */

static enum err id_take(const struct change *change, const union any_request *any, uint8_t ret[16],
			struct refusal *refusal)
{
	static const uint8_t nil[16];
	const char *text;

	memcpy(&text, (const char *)any + change->id, sizeof(text));
	if (!uuid_parse(text, ret) || !memcmp(ret, nil, sizeof(nil)))
		return refuse_words(refusal, ERR_MALFORMED, "id",
				    "is a UUID such as 0193a5b2-7c3e-7f10-9d43-2b8c5d6e7f80");
	return ERR_NONE;
}

static bool flag_set(const union any_request *any, size_t flag)
{
	return flag != NO_FLAG && *(const bool *)((const char *)any + flag);
}

static enum err words_check(const struct memo *words, struct refusal *refusal)
{
	const char *all[] = { words->reason, words->customer, words->incident, words->evidence };
	size_t len = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		len += all[i] ? strlen(all[i]) : 0;
	if (len <= MEMO_WORDS_MAX)
		return ERR_NONE;
	return refuse_words(refusal, ERR_MALFORMED, "reason",
			    "is too long with the other words: %zu bytes, at most %d are taken",
			    len, MEMO_WORDS_MAX);
}

/*
 * By which a repeated request is told from another one with the same id. 96 bits are plenty: ids
 * are per user, so whoever searched for two requests with one digest would only get the answer to
 * the wrong one of their own. `room` is empty, and so it is left.
 */
static void request_digest(const struct change *change, const union any_request *any,
			   struct buf *room, char ret[DIGEST_TEXT + 1])
{
	uint8_t digest[HASH_SIZE];

	json_content(change->fields, any, room);
	sha256((struct iovec[]){ PART(change->name, strlen(change->name)), PART("\n", 1),
				 PART(room->data, room->len) }, 3, digest);
	buf_clear(room);
	base64_encode(room, digest, DIGEST_STORED);
	memcpy(ret, room->data, DIGEST_TEXT + 1);
	buf_clear(room);
}

/* Behind the entry, which stands in the reply. The receipt is of the head that the entry's commit
 * will sign, or a newer one: a hole for now. */
static void answer_change(struct request *request, const struct entry *entry, bool replayed,
			  bool receipt)
{
	const struct books *books = &request->service->books;

	answer_budget(request->reply, "budget", books, books_budget(books, entry->budget));
	json_bool(request->reply, "replayed", replayed);
	if (receipt) {
		json_raw(request->reply, "receipt", "", 0);
		request->hole = (struct hole){ true, entry->seq, request->reply->len };
	}
	json_close(request->reply, '}');
}

/* The entry this id made before, when it was the same request. */
static enum err replay(struct request *request, int64_t seq, const uint8_t id[16],
		       const char *digest, bool receipt)
{
	struct stored stored;
	const char *problem = batch_read(&request->service->batch, seq, &stored);

	if (problem)
		return refuse_words(request->refusal, ERR_UNAVAILABLE, "",
				    "entry %lld has this id, but %s", (long long)seq, problem);
	if (stored.memo.request && !strcmp(stored.memo.request, digest)) {
		json_open(request->reply, NULL, '{');
		answer_entry(request->reply, "entry", &stored.entry, &stored.memo);
		answer_change(request, &stored.entry, true, receipt);
	} else {
		refuse(request->refusal, ERR_ID_CONFLICT);
		uuid_format(id, request->refusal->id);
		request->refusal->seq = seq;
	}
	stored_release(&stored);
	return request->reply->len ? ERR_NONE : request->refusal->code;
}

/* A dry run's answer: the entry as it would be, the budget as it is. */
static void answer_dry_run(struct request *request, struct entry *entry, const struct memo *words)
{
	entry->seq = (int64_t)batch_size(&request->service->batch);
	entry->at = request->service->now;
	json_open(request->reply, NULL, '{');
	answer_entry(request->reply, "entry", entry, words);
	answer_change(request, entry, false, false);
}

/* What the leaf has and the answer, too, is formatted once. */
static void answer_new(struct request *request, const struct entry *entry, const struct memo *words,
		       bool receipt)
{
	struct span common = batch_common(&request->service->batch);

	json_open(request->reply, NULL, '{');
	answer_common(request->reply, "entry", entry, &common, words);
	answer_change(request, entry, false, receipt);
}

static enum err change_new(const struct change *change, struct request *request,
			   const union any_request *any, struct memo *words, const uint8_t id[16])
{
	struct service *service = request->service;
	const char *problem = service_problem(service, change->reserve);
	struct entry entry;
	enum err err;

	if (problem)
		return refuse_words(request->refusal, ERR_UNAVAILABLE, "", "%s", problem);
	err = change->plan(service, request->actor, any, &entry, request->refusal);
	if (err)
		return err;
	memcpy(entry.id, id, sizeof(entry.id));
	if (flag_set(any, change->dry_run)) {
		answer_dry_run(request, &entry, words);
		return ERR_NONE;
	}
	err = batch_add(&service->batch, &entry, words, service->now, request->refusal);
	if (!err)
		answer_new(request, &entry, words, flag_set(any, change->receipt));
	return err;
}

static enum err change_run(const struct change *change, struct request *request)
{
	union any_request any;
	struct memo words = { 0 };
	char digest[DIGEST_TEXT + 1];
	uint8_t id[16];
	int64_t seq;
	enum err err = request_decode(request, change->fields, &any, change->size);

	if (!err)
		err = id_take(change, &any, id, request->refusal);
	if (err)
		return err;
	change->words(&any, &words);
	err = words_check(&words, request->refusal);
	if (err)
		return err;
	batch_expect(&request->service->batch, request->actor->uid, id, &words);
	request_digest(change, &any, request->reply, digest);
	words.request = digest;
	seq = flag_set(&any, change->dry_run)
		      ? ABSENT
		      : books_request(&request->service->books, request->actor->uid, id);
	return seq != ABSENT ? replay(request, seq, id, digest, flag_set(&any, change->receipt))
			     : change_new(change, request, &any, &words, id);
}

enum err method_spend(struct request *request)
{
	return change_run(&spend_change, request);
}

enum err method_topup(struct request *request)
{
	return change_run(&topup_change, request);
}

enum err method_refund(struct request *request)
{
	return change_run(&refund_change, request);
}

enum err method_open(struct request *request)
{
	return change_run(&open_change, request);
}

enum err method_adjust(struct request *request)
{
	return change_run(&adjust_change, request);
}

enum err method_close(struct request *request)
{
	return change_run(&close_change, request);
}

#include "wanted.h"

#include <string.h>
#include <strings.h>

#include "common/memo.h"
#include "common/text.h"
#include "wire.h"

static bool text_same(const char *one, const char *other)
{
	return !one || !other ? one == other : !strcmp(one, other);
}

static bool account_same(const char *said, const char *account)
{
	return !strcmp(said ? said : "", account);
}

/* What was printed of the entry is what the leaf has. */
static bool entry_same(const struct wire_entry *said, const struct entry *entry)
{
	char at[TIMESTAMP_SIZE];

	timestamp_format(entry->at, at);
	return said->seq.value == entry->seq && !strcmp(said->at, at) &&
	       !strcmp(said->kind, entry->kind_name) &&
	       account_same(said->budget, entry->budget) && account_same(said->from, entry->from) &&
	       account_same(said->to, entry->to) && account_same(said->currency, entry->currency) &&
	       said->amount.set && said->amount.value == entry->amount &&
	       said->exp.value == entry->exp;
}

static bool id_same(const char *id, const struct entry *entry)
{
	char text[UUID_LEN + 1];

	if (!entry_has_id(entry))
		return false;
	uuid_format(entry->id, text);
	return !strcasecmp(id, text);
}

/* The request has the memo's words among its parameters, by the same names. */
static bool words_same(const char *parameters, const struct receipt *receipt)
{
	struct buf asked = BUF_INIT, kept = BUF_INIT;
	struct memo wanted, words;
	bool same = false;

	memset(buf_room(&asked, MEMO_SALT_SIZE), 0, MEMO_SALT_SIZE);
	memset(buf_room(&kept, MEMO_SALT_SIZE), 0, MEMO_SALT_SIZE);
	buf_str(&asked, parameters);
	buf_add(&kept, receipt->memo, receipt->memo_len);
	if (!memo_parse(asked.data, asked.len, &wanted)) {
		if (!memo_parse(kept.data, kept.len, &words)) {
			same = text_same(wanted.reason, words.reason) &&
			       text_same(wanted.customer, words.customer) &&
			       text_same(wanted.incident, words.incident) &&
			       text_same(wanted.evidence, words.evidence);
			memo_release(&words);
		}
		memo_release(&wanted);
	}
	buf_release(&asked);
	buf_release(&kept);
	return same;
}

static const char *answer_problem(const struct wanted *wanted, const struct wire_answer *answer,
				  const struct receipt *receipt, const struct entry *entry)
{
	if (!id_same(wanted->id, entry) || !entry_same(&answer->entry, entry))
		return "it is another entry's than the answer's";
	if (!receipt->memo)	/* they may have been erased since */
		return answer->replayed ? NULL : "it is without the words that were sent";
	return words_same(wanted->parameters, receipt) ? NULL
						       : "its words are not those that were sent";
}

const char *wanted_problem(const struct wanted *wanted, const json_t *reply,
			   const struct receipt *receipt, const struct entry *entry)
{
	struct wire_answer answer;
	struct problem problem;

	if (!wanted->id)
		return entry->seq == wanted->seq ? NULL : "it is another entry's";
	if (!wire_answer(reply, &answer, &problem))
		return "the answer says nothing of the entry";
	return answer_problem(wanted, &answer, receipt, entry);
}

int64_t wanted_seq(const struct wanted *wanted, const json_t *reply)
{
	struct wire_answer answer;
	struct problem problem;

	if (!wanted->id)
		return wanted->seq;
	return wire_answer(reply, &answer, &problem) ? answer.entry.seq.value : -1;
}

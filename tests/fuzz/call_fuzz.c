/* A call and a reply: what is taken is taken again when it is written in the one canonical way. */
#include "common/message.h"
#include "fuzz.h"

static void call_again(const struct call *call)
{
	struct buf parameters = BUF_INIT, again = BUF_INIT, twice = BUF_INIT;
	struct problem problem;
	struct call second;

	if (call->parameters)
		json_text(call->parameters, &parameters);
	call_write(&again, call->method, &parameters, call->more);
	MUST(!call_parse(again.data, again.len - 1, &second, &problem));
	MUST(!strcmp(call->method, second.method) && call->more == second.more);
	buf_clear(&parameters);
	if (second.parameters)
		json_text(second.parameters, &parameters);
	call_write(&twice, second.method, &parameters, second.more);
	MUST(again.len == twice.len && !memcmp(again.data, twice.data, again.len));
	call_release(&second);
	buf_release(&parameters);
	buf_release(&again);
	buf_release(&twice);
}

/* One field of every type, under names that requests have too. */
struct sample {
	struct json_int amount, min, ref;
	bool all;
	const char *reason, *category, *id;
	struct json_strings budgets;
	const json_t *terms, *list;
};

#define FIELD(name, type, flags, max) { #name, type, offsetof(struct sample, name), flags, max }

static const struct field fields[] = {
	FIELD(amount, FIELD_INT, FIELD_POSITIVE, 0), FIELD(min, FIELD_INT, FIELD_NATURAL, 0),
	FIELD(ref, FIELD_INT, 0, 0), FIELD(all, FIELD_BOOL, 0, 0),
	FIELD(reason, FIELD_STRING, FIELD_REQUIRED | FIELD_WORDS, 100),
	FIELD(category, FIELD_STRING, FIELD_TAG, 32), FIELD(id, FIELD_STRING, FIELD_APART, 36),
	FIELD(budgets, FIELD_STRINGS, 0, 64),
	FIELD(terms, FIELD_OBJECT, FIELD_APART, 0), FIELD(list, FIELD_JSON, FIELD_APART, 0),
	FIELDS_END
};

static void decode(const json_t *parameters)
{
	struct problem problem = { .parameter = "" };
	struct buf content = BUF_INIT;
	struct sample sample;
	size_t count;

	if (json_decode(parameters, fields, &sample, sizeof(sample), false, &problem)) {
		MUST(*problem.parameter && *problem.text);
		json_decode(parameters, fields, &sample, sizeof(sample), true, &problem);
		return;
	}
	MUST(sample.reason && strlen(sample.reason) <= 100);
	MUST(!sample.amount.set || sample.amount.value > 0);
	json_content(fields, &sample, &content);
	MUST(content.len >= 2);
	count = json_array_len(sample.list);
	MUST(!json_array_at(sample.list, count));
	for (size_t i = 0; i < count; i++)
		MUST(json_array_at(sample.list, i));
	buf_release(&content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem problem = { .parameter = "" };
	struct reply reply;
	struct call call;

	if (!call_parse((const char *)data, size, &call, &problem)) {
		call_again(&call);
		decode(call.parameters);
		call_release(&call);
	} else {
		MUST(*problem.parameter && *problem.text);
	}
	if (!reply_parse((const char *)data, size, &reply, &problem)) {
		MUST(!reply.error || !reply.continues);
		reply_release(&reply);
	}
	return 0;
}

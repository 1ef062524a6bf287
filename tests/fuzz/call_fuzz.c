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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem problem = { .parameter = "" };
	struct reply reply;
	struct call call;

	if (!call_parse((const char *)data, size, &call, &problem)) {
		call_again(&call);
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

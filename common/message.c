#include "message.h"

#include "value.h"

static const struct field call_fields[] = {
	{ "method", FIELD_STRING, offsetof(struct call, method), FIELD_REQUIRED, 0 },
	{ "parameters", FIELD_OBJECT, offsetof(struct call, parameters), 0, 0 },
	{ "oneway", FIELD_BOOL, offsetof(struct call, oneway), 0, 0 },
	{ "more", FIELD_BOOL, offsetof(struct call, more), 0, 0 },
	{ "upgrade", FIELD_BOOL, offsetof(struct call, upgrade), 0, 0 },
	FIELDS_END
};

static const struct field reply_fields[] = {
	{ "parameters", FIELD_OBJECT, offsetof(struct reply, parameters), 0, 0 },
	{ "continues", FIELD_BOOL, offsetof(struct reply, continues), 0, 0 },
	{ "error", FIELD_STRING, offsetof(struct reply, error), 0, 0 },
	FIELDS_END
};

/* Absent, null and {} mean the same. */
static const json_t *unless_empty(const json_t *parameters)
{
	return parameters && parameters->len ? parameters : NULL;
}

static int call_decode(const json_t *root, struct call *call, struct problem *problem)
{
	if (json_decode(root, call_fields, call, sizeof(*call), false, problem) < 0)
		return -1;
	call->parameters = unless_empty(call->parameters);
	if (call->more && call->oneway) {
		problem_set(problem, "oneway",
			    "cannot go with more: one wants no reply, the other wants several");
		return -1;
	}
	return 0;
}

int call_parse(const char *text, size_t len, struct call *ret, struct problem *problem)
{
	json_t *root = json_parse(text, len, problem);
	struct call call;

	if (!root)
		return -1;
	if (call_decode(root, &call, problem) < 0) {
		json_free(root);
		return -1;
	}
	call.root = root;
	*ret = call;
	return 0;
}

void call_release(struct call *call)
{
	json_free(call->root);
	*call = (struct call){ 0 };
}

static int reply_decode(const json_t *root, struct reply *reply, struct problem *problem)
{
	if (json_decode(root, reply_fields, reply, sizeof(*reply), false, problem) < 0)
		return -1;
	reply->parameters = unless_empty(reply->parameters);
	if (reply->error && !*reply->error) {
		problem_set(problem, "error", "is empty; a name is needed");
		return -1;
	}
	if (reply->continues && reply->error) {
		problem_set(problem, "continues", "cannot go with error, which is the last reply");
		return -1;
	}
	return 0;
}

int reply_parse(const char *text, size_t len, struct reply *ret, struct problem *problem)
{
	json_t *root = json_parse(text, len, problem);
	struct reply reply;

	if (!root)
		return -1;
	if (reply_decode(root, &reply, problem) < 0) {
		json_free(root);
		return -1;
	}
	reply.root = root;
	*ret = reply;
	return 0;
}

void reply_release(struct reply *reply)
{
	json_free(reply->root);
	*reply = (struct reply){ 0 };
}

static void parameters_write(struct buf *out, const struct buf *parameters)
{
	if (parameters->len)
		json_raw(out, "parameters", parameters->data, parameters->len);
	else
		json_raw(out, "parameters", "{}", 2);
}

static void message_end(struct buf *out)
{
	json_close(out, '}');
	buf_char(out, '\0');
}

void call_write(struct buf *out, const char *method, const struct buf *parameters, bool more)
{
	json_open(out, NULL, '{');
	json_str(out, "method", method);
	parameters_write(out, parameters);
	if (more)
		json_bool(out, "more", true);
	message_end(out);
}

void reply_write(struct buf *out, const struct buf *parameters, bool continues)
{
	buf_reserve(out, parameters->len + 64);
	json_open(out, NULL, '{');
	parameters_write(out, parameters);
	if (continues)
		json_bool(out, "continues", true);
	message_end(out);
}

void reply_write_error(struct buf *out, const char *error, const struct buf *parameters)
{
	json_open(out, NULL, '{');
	json_str(out, "error", error);
	parameters_write(out, parameters);
	message_end(out);
}

#include "memo.h"

#define COMMITMENT_PREFIX "fundd memo v1\n"

static const struct field memo_fields[] = {
	{ "reason", FIELD_STRING, offsetof(struct memo, reason), 0, 0 },
	{ "customer", FIELD_STRING, offsetof(struct memo, customer), 0, 0 },
	{ "incident", FIELD_STRING, offsetof(struct memo, incident), 0, 0 },
	{ "evidence", FIELD_STRING, offsetof(struct memo, evidence), 0, 0 },
	{ "message", FIELD_STRING, offsetof(struct memo, message), 0, 0 },
	{ "filter", FIELD_STRING, offsetof(struct memo, filter), 0, 0 },
	{ "customer_prev", FIELD_INT, offsetof(struct memo, customer_prev), 0, 0 },
	{ "request", FIELD_STRING, offsetof(struct memo, request), 0, 0 },
	FIELDS_END
};

void memo_format(const struct memo *memo, const uint8_t salt[MEMO_SALT_SIZE], struct buf *out)
{
	buf_add(out, salt, MEMO_SALT_SIZE);
	json_content(memo_fields, memo, out);
}

void memo_commit(const void *bytes, size_t len, uint8_t ret[HASH_SIZE])
{
	sha256((struct iovec[]){ PART(COMMITMENT_PREFIX, sizeof(COMMITMENT_PREFIX) - 1),
				 PART(bytes, len) }, 2, ret);
}

const char *memo_parse(const void *bytes, size_t len, struct memo *ret)
{
	struct problem problem;
	struct memo memo;
	json_t *root;

	if (len < MEMO_SALT_SIZE + 2 || len > MEMO_MAX)
		return "the memo has no salt or no words";
	root = json_parse((const char *)bytes + MEMO_SALT_SIZE, len - MEMO_SALT_SIZE, &problem);
	if (!root)
		return "the memo is no JSON";
	if (json_decode(root, memo_fields, &memo, sizeof(memo), true, &problem) < 0) {
		json_free(root);
		return "the memo has malformed fields";
	}
	memo.root = root;
	*ret = memo;
	return NULL;
}

void memo_release(struct memo *memo)
{
	json_free(memo->root);
	*memo = (struct memo){ 0 };
}

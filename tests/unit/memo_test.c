#include "common/memo.h"
#include "hex.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

static uint8_t salt[MEMO_SALT_SIZE];

static const struct memo full = {
	.reason = "parcel came late, order 1187", .customer = "C-17", .incident = "I-3",
	.evidence = "sha256:00ff photo.jpg", .message = "danke f\u00fcr \"alles\"",
	.filter = "kind=spend", .customer_prev = { .value = 41, .set = true },
	.request = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
};

#define FULL \
	"{\"reason\":\"parcel came late, order 1187\",\"customer\":\"C-17\",\"incident\":\"I-3\"," \
	"\"evidence\":\"sha256:00ff photo.jpg\",\"message\":\"danke f\u00fcr \\\"alles\\\"\"," \
	"\"filter\":\"kind=spend\",\"customer_prev\":41," \
	"\"request\":\"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"}"

/* The salt and then exactly this JSON, and it commits to this. */
static void is_memo(const struct memo *memo, const char *json, const char *commitment,
		    const char *name)
{
	uint8_t hash[HASH_SIZE];
	struct buf out = BUF_INIT, hash64 = BUF_INIT;

	memo_format(memo, salt, &out);
	ok(out.len == MEMO_SALT_SIZE + strlen(json) && !memcmp(out.data, salt, MEMO_SALT_SIZE),
	   "%s: the salt in front", name);
	is_str(out.data + MEMO_SALT_SIZE, json, name);
	memo_commit(out.data, out.len, hash);
	base64_encode(&hash64, hash, sizeof(hash));
	is_str(hash64.data, commitment, "and what it commits to");
	buf_release(&out);
	buf_release(&hash64);
}

static void test_parse(void)
{
	struct buf out = BUF_INIT;
	struct memo back;

	memo_format(&full, salt, &out);
	is_str(memo_parse(out.data, out.len, &back), NULL, "what was written is taken");
	buf_release(&out);
	is_str(back.reason, full.reason, "reason");
	is_str(back.customer, full.customer, "customer");
	is_str(back.incident, full.incident, "incident");
	is_str(back.evidence, full.evidence, "evidence");
	is_str(back.message, full.message, "message");
	is_str(back.filter, full.filter, "filter");
	is_str(back.request, full.request, "request");
	ok(back.customer_prev.set && back.customer_prev.value == 41, "customer_prev");
	memo_release(&back);
	ok(!back.root && !back.reason && !back.customer_prev.set, "released, nothing is left");
	memo_release(&back);

	memo_format(&(struct memo){ 0 }, salt, &out);
	is_str(memo_parse(out.data, out.len, &back), NULL, "no words are taken");
	ok(!back.reason && !back.request && !back.customer_prev.set, "and are none");
	memo_release(&back);
	buf_release(&out);
}

static const struct {
	const char *json, *problem;
} refused[] = {
	{ "", "the memo has no salt or no words" },
	{ "{", "the memo has no salt or no words" },
	{ "{]", "the memo is no JSON" },
	{ "{}}", "the memo is no JSON" },
	{ "[]", "the memo has malformed fields" },
	{ "{\"reason\":7}", "the memo has malformed fields" },
	{ "{\"customer_prev\":\"7\"}", "the memo has malformed fields" },
	{ "{\"reason\":\"a\",\"reason\":\"b\"}", "the memo is no JSON" },
	{ "{\"reason\":\"\xff\"}", "the memo is no JSON" },
};

static void test_refused(void)
{
	struct buf out = BUF_INIT;
	struct memo back;

	for (size_t i = 0; i < SIZE(refused); i++) {
		buf_clear(&out);
		buf_add(&out, salt, sizeof(salt));
		buf_str(&out, refused[i].json);
		is_str(memo_parse(out.data, out.len, &back), refused[i].problem, refused[i].json);
	}
	is_str(memo_parse(salt, 3, &back), refused[0].problem, "half a salt");
	buf_clear(&out);
	buf_add(&out, salt, sizeof(salt));
	buf_printf(&out, "{\"reason\":\"%*s\"}", MEMO_MAX, "x");
	is_str(memo_parse(out.data, out.len, &back), refused[0].problem, "too long");
	buf_release(&out);
}

int main(void)
{
	for (uint8_t i = 0; i < sizeof(salt); i++)
		salt[i] = i;
	is_memo(&full, FULL, "3ssg7fq/WdbWWZwqj6B0GPxcZAkmmzBly7oboUy9xNA=", "all words");
	is_memo(&(struct memo){ 0 }, "{}", "+ui3qdFRh/C2Ulm4mB6ynLUxHKEITLKte+esys9XNwA=", "no words");
	is_memo(&(struct memo){ .reason = "", .customer_prev = { .value = 0, .set = true } },
		"{\"reason\":\"\",\"customer_prev\":0}", "SOKIz6gryeSwgE8gi+IBb9qluq+3j235pG0UUGCq8FE=", "empty words and number 0 are there");
	test_parse();
	test_refused();
	return done_testing();
}

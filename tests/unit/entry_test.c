#include "common/entry.h"
#include "tap.h"

#define MEMO ",\"memo\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\"}"
#define ID ",\"id\":\"01000000-0000-7000-8000-00000000000f\""
#define HEAD "{\"v\":1,\"seq\":7,\"at\":\"2026-11-25T08:15:30.123456Z\""
#define SPEND HEAD ",\"kind\":\"spend\",\"uid\":1001,\"budget\":\"alice\",\"from\":\"alice\",\"to\":" \
	"\"spent\",\"amount\":2500,\"currency\":\"EUR\",\"exp\":2,\"from_after\":14950," \
	"\"period\":\"2026-11\",\"category\":\"late\"" ID
#define VKEY "test.example/fund+0a1b2c3d+AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAh"

/* One of every kind, as fund-ledger(5) shows them: each comes out as it went in. */
static const char *const leaves[] = {
	"{\"v\":1,\"seq\":0,\"at\":\"2026-01-01T00:00:00.000000Z\",\"kind\":\"genesis\",\"uid\":0,"
	"\"currency\":\"EUR\",\"exp\":2,\"origin\":\"test.example/fund\",\"vkey\":\"" VKEY "\","
	"\"zone\":\"Europe/Berlin\"" MEMO,
	HEAD ",\"kind\":\"boot\",\"uid\":999" MEMO,
	HEAD ",\"kind\":\"open\",\"uid\":0,\"budget\":\"team/north\",\"from\":\"company\",\"to\":"
	"\"team/north\",\"amount\":50000,\"currency\":\"EUR\",\"exp\":2,\"to_after\":50000,"
	"\"period\":\"2026-11\"" ID ",\"group\":61100,\"allowance\":50000,\"every\":\"month\","
	"\"carry\":\"none\"" MEMO,
	HEAD ",\"kind\":\"open\",\"uid\":0,\"budget\":\"yen\",\"currency\":\"JPY\",\"exp\":0" ID
	",\"owner\":4294967294,\"allowance\":0,\"every\":\"none\",\"carry\":\"none\"" MEMO,
	HEAD ",\"kind\":\"adjust\",\"uid\":0,\"budget\":\"alice\",\"currency\":\"EUR\",\"exp\":2,"
	"\"period\":\"2026-W48\"" ID ",\"owner\":0,\"allowance\":0,\"every\":\"week\",\"carry\":"
	"\"cap\",\"cap\":0,\"pool\":\"team/north\",\"self_topup\":1,\"guideline\":1" MEMO,
	HEAD ",\"kind\":\"close\",\"uid\":0,\"budget\":\"alice\",\"from\":\"alice\",\"to\":"
	"\"company\",\"amount\":1,\"currency\":\"EUR\",\"exp\":2,\"from_after\":0" ID MEMO,
	HEAD ",\"kind\":\"topup\",\"uid\":1001,\"budget\":\"alice\",\"from\":\"team/north\",\"to\":"
	"\"alice\",\"amount\":9223372036854775807,\"currency\":\"EUR\",\"exp\":2,\"from_after\":0,"
	"\"to_after\":9223372036854775807,\"period\":\"2026-11\"" ID MEMO,
	HEAD ",\"kind\":\"reset\",\"uid\":990,\"budget\":\"alice\",\"period\":\"2026-11-25\"" MEMO,
	SPEND MEMO,
	HEAD ",\"kind\":\"refund\",\"uid\":1001,\"budget\":\"alice\",\"from\":\"spent\",\"to\":"
	"\"alice\",\"amount\":2500,\"currency\":\"EUR\",\"exp\":2,\"to_after\":17450,\"ref\":6,"
	"\"period\":\"2026-11\"" ID MEMO,
	HEAD ",\"kind\":\"audit\",\"uid\":1003,\"period\":\"2026-11-25\"" ID MEMO,
	HEAD ",\"kind\":\"key\",\"uid\":999,\"ref\":0,\"vkey\":\"" VKEY "\",\"until\":"
	"\"2026-12-25T08:15:30.123456Z\"" MEMO,
	"{\"v\":1,\"seq\":0,\"at\":\"2026-01-01T00:00:00.000000Z\",\"kind\":\"genesis\",\"uid\":0,"
	"\"currency\":\"EUR\",\"exp\":2,\"origin\":\"test.example/fund\",\"vkey\":\"" VKEY "\","
	"\"zone\":\"Europe/Berlin\",\"prior_origin\":\"old.example/fund\",\"prior_size\":12,"
	"\"prior_root\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\"" MEMO,
};

static void test_there_and_back(void)
{
	struct buf out = BUF_INIT;
	struct entry entry;

	for (size_t i = 0; i < sizeof(leaves) / sizeof(*leaves); i++) {
		is_str(entry_parse(leaves[i], strlen(leaves[i]), &entry), NULL, "a leaf is taken");
		buf_clear(&out);
		entry_format(&entry, &out);
		is_str(out.data, leaves[i], entry.kind_name);
		ok(kind_from_word(entry.kind_name) == entry.kind &&
		   !strcmp(kind_word(entry.kind), entry.kind_name), "its kind has its word");
	}
	buf_release(&out);
}

static void test_values(void)
{
	struct entry e;

	entry_parse(leaves[4], strlen(leaves[4]), &e);
	is_int(e.seq, 7, "seq");
	is_int(e.at, INT64_C(1795594530123456), "at, in microseconds");
	is_int(e.kind, KIND_ADJUST, "kind");
	is_int(e.uid, 0, "uid 0 is there");
	is_int(e.amount, ABSENT, "an amount is not");
	is_int(e.terms.owner, 0, "owner");
	is_int(e.terms.group, ABSENT, "no group");
	is_int(e.terms.every, PERIOD_WEEK, "every");
	is_int(e.terms.carry, CARRY_CAP, "carry");
	is_int(e.terms.cap, 0, "a cap of zero is there");
	is_str(e.terms.pool, "team/north", "pool");
	is_str(e.terms.currency, "EUR", "the terms have the entry's currency");
	is_int(e.terms.exp, 2, "and its exponent");
	is_int(e.id[0], 1, "id, first byte");
	is_int(e.id[15], 15, "and last");
	is_int(e.memo[31], 1, "memo");
	is_str(e.category, "", "no category");
}

static void refused(const char *leaf, const char *sentence, const char *name)
{
	struct entry entry;

	is_str(entry_parse(leaf, strlen(leaf), &entry), sentence, name);
}

static void test_refused(void)
{
	static const char bad[] = "a field of the leaf is malformed",
		order[] = "the leaf has fields out of order, or more than its kind has",
		lacks[] = "the leaf lacks seq, at, kind or uid";
	static const struct {
		const char *leaf, *sentence, *name;
	} cases[] = {
		{ "", "the leaf is not of version 1", "nothing" },
		{ "{\"v\":2,\"seq\":7}", "the leaf is not of version 1", "version 2" },
		{ " " SPEND MEMO, "the leaf is not of version 1", "a blank in front" },
		{ SPEND MEMO " ", order, "a blank behind" },
		{ SPEND MEMO "\n", order, "a line end behind" },
		{ SPEND MEMO MEMO, order, "a memo twice" },
		{ SPEND "}", "the leaf has no memo", "no memo" },
		{ SPEND ",\"memo\":\"AQEB\"}", bad, "a memo that is too short" },
		{ SPEND ",\"memo\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF=\"}", bad,
		  "a memo whose base64 has loose bits" },
		{ SPEND ",\"memo\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}",
		  "the leaf has no memo", "a memo of zeros" },
		{ SPEND ",\"owner\":5" MEMO, order, "terms in a spend" },
		{ SPEND ",\"note\":\"x\"" MEMO, order, "a field that no kind has" },
		{ "{\"v\":1,\"at\":\"2026-11-25T08:15:30.123456Z\",\"seq\":7,\"kind\":\"boot\",\"uid\":1"
		  MEMO, lacks, "fields out of order" },
		{ "{\"v\":1,\"seq\":7,\"kind\":\"boot\",\"uid\":1" MEMO, lacks, "no time" },
		{ HEAD ",\"uid\":1" MEMO, lacks, "no kind" },
		{ HEAD ",\"kind\":\"boot\"" MEMO, lacks, "no uid" },
		{ HEAD ",\"kind\":\"boot\",\"uid\":01" MEMO, bad, "a leading zero" },
		{ HEAD ",\"kind\":\"boot\",\"uid\":-1" MEMO, bad, "a minus" },
		{ HEAD ",\"kind\":\"boot\",\"uid\":+1" MEMO, bad, "a plus" },
		{ HEAD ",\"kind\":\"boot\",\"uid\":1.0" MEMO, order, "a fraction" },
		{ HEAD ",\"kind\":\"boot\",\"uid\":1e3" MEMO, order, "an exponent" },
		{ HEAD ",\"kind\":\"boot\",\"uid\":\"1\"" MEMO, bad, "a number in quotes" },
		{ HEAD ",\"kind\":\"boot\",\"uid\":9223372036854775808" MEMO, bad, "beyond int64" },
		{ HEAD ",\"kind\":\"boot\",\"uid\":" MEMO, bad, "no number at all" },
		{ HEAD ", \"kind\":\"boot\",\"uid\":1" MEMO, lacks, "a blank between" },
		{ HEAD ",\"kind\":\"\",\"uid\":1" MEMO, bad, "an empty word" },
		{ HEAD ",\"kind\":\"bo\\u006ft\",\"uid\":1" MEMO, bad, "an escape" },
		{ HEAD ",\"kind\":\"b\xc3\xb6\",\"uid\":1" MEMO, bad, "a letter beyond ASCII" },
		{ HEAD ",\"kind\":\"b\x7f\",\"uid\":1" MEMO, bad, "a control character" },
		{ HEAD ",\"kind\":\"abcdefghijklmnopq\",\"uid\":1" MEMO, bad, "a kind of 17 letters" },
		{ HEAD ",\"kind\":\"boot,\"uid\":1" MEMO, lacks, "a quote too few" },
		{ "{\"v\":1,\"seq\":7,\"at\":\"2026-11-25T08:15:30Z\",\"kind\":\"boot\",\"uid\":1" MEMO,
		  bad, "a time without its decimals" },
		{ "{\"v\":1,\"seq\":7,\"at\":\"2026-02-30T08:15:30.123456Z\",\"kind\":\"boot\",\"uid\":1"
		  MEMO, bad, "a day that is none" },
		{ HEAD ",\"kind\":\"boot\",\"uid\":1,\"id\":\"01000000-0000-7000-8000-00000000000F\""
		  MEMO, bad, "an id in capitals" },
		{ HEAD ",\"kind\":\"boot\",\"uid\":1,\"id\":\"00000000-0000-0000-0000-000000000000\""
		  MEMO, bad, "an id of zeros" },
		{ HEAD ",\"kind\":\"open\",\"uid\":1,\"every\":\"year\"" MEMO, bad, "no period" },
		{ HEAD ",\"kind\":\"open\",\"uid\":1,\"carry\":\"some\"" MEMO, bad, "no carry" },
		{ HEAD ",\"kind\":\"boot\",\"uid\":1,\"currency\":\"EURO\"" MEMO, bad,
		  "a currency of four letters" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refused(cases[i].leaf, cases[i].sentence, cases[i].name);
}

/* Nothing may be missing at the end, and there is one way only to write what is there. */
static void test_cut(void)
{
	const char *leaf = SPEND MEMO;
	char changed[ENTRY_LEAF_MAX];
	struct buf out = BUF_INIT;
	struct entry entry;
	bool right = true, same = true;

	for (size_t len = 0; len < strlen(leaf); len++)
		right = right && entry_parse(leaf, len, &entry);
	ok(right, "a leaf that is cut is refused, at each byte");
	for (size_t i = 0; leaf[i]; i++)
		for (int bit = 0; bit < 8; bit++) {
			strcpy(changed, leaf);
			changed[i] ^= (char)(1 << bit);
			if (entry_parse(changed, strlen(leaf), &entry) || entry.kind == KIND_OTHER)
				continue;
			buf_clear(&out);
			entry_format(&entry, &out);
			same = same && !strcmp(out.data, changed);
		}
	ok(same, "a leaf with one bit flipped is refused, or says something else in the one way");
	buf_release(&out);
}

static void test_long(void)
{
	char leaf[ENTRY_LEAF_MAX + 2];
	struct entry entry;

	memset(leaf, 'x', sizeof(leaf));
	is_str(entry_parse(leaf, ENTRY_LEAF_MAX + 1, &entry), "the leaf is too long", "too long");
	is_str(entry_parse(leaf, ENTRY_LEAF_MAX, &entry), "the leaf is not of version 1",
	       "as long as may be");
}

/* Kinds to come have fields of their own, and are read all the same. */
static void test_later(void)
{
	static const char thank[] = HEAD ",\"kind\":\"thank\",\"uid\":1,\"ref\":3,\"stars\":5,"
		"\"colour\":\"gold\"" MEMO;
	struct entry entry;

	is_str(entry_parse(thank, strlen(thank), &entry), NULL, "a later kind is read");
	is_int(entry.kind, KIND_OTHER, "as one that is not known");
	is_str(entry.kind_name, "thank", "by its name");
	is_int(entry.ref, 3, "with the fields that all have");
	refused(HEAD ",\"kind\":\"thank\",\"uid\":1,\"stars\":[5]" MEMO,
		"a field of the leaf is malformed", "a list is no field");
	refused(HEAD ",\"kind\":\"thank\",\"uid\":1,\"stars\":-5" MEMO,
		"a field of the leaf is malformed", "nor is a number below zero");
	refused(HEAD ",\"kind\":\"thank\",\"uid\":1,\"stars\"5" MEMO,
		"a field of the leaf is malformed", "nor one without its colon");
	refused(HEAD ",\"kind\":\"thank\",\"uid\":1,\"stars\":5}",
		"a field of the leaf is malformed", "a memo must be");
}

static void test_words(void)
{
	struct entry entry;

	is_int(kind_from_word(""), KIND_OTHER, "no word is no kind");
	is_int(kind_from_word("Spend"), KIND_OTHER, "letters count");
	is_int(carry_from_word("cap"), CARRY_CAP, "cap");
	is_int(carry_from_word("some"), -1, "no carry");
	for (int carry = CARRY_NONE; carry <= CARRY_CAP; carry++)
		is_int(carry_from_word(carry_word((enum carry)carry)), carry, "there and back");
	ok(account_built_in("company") && account_built_in("spent"), "the ledger's own accounts");
	ok(!account_built_in("alice") && !account_built_in(""), "and no others");
	entry_clear(&entry);
	ok(!entry_has_id(&entry), "a cleared entry has no id");
	entry.id[15] = 1;
	ok(entry_has_id(&entry), "one byte makes one");
}

int main(void)
{
	test_there_and_back();
	test_values();
	test_refused();
	test_cut();
	test_long();
	test_later();
	test_words();
	return done_testing();
}

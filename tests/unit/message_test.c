#include <stdlib.h>

#include "common/message.h"
#include "tap.h"

#define NEEDS_CALL "; known are method, parameters, oneway, more, upgrade"
#define NEEDS_REPLY "; known are parameters, continues, error"

struct refused {
	const char *text, *parameter, *problem;
};

static const struct refused no_calls[] = {
	{ "", "message", "is empty; JSON is needed" },
	{ "null", "message", "is null; an object is needed" },
	{ "[]", "message", "is a list; an object is needed" },
	{ "[{\"method\":\"a.B\"}]", "message", "is a list; an object is needed" },
	{ "\"a.B\"", "message", "is a string; an object is needed" },
	{ "17", "message", "is a whole number; an object is needed" },
	{ "{}", "method", "is missing" },
	{ "{\"parameters\":{}}", "method", "is missing" },
	{ "{\"method\":null}", "method", "is missing" },
	{ "{\"method\":\"\"}", "method", "is empty; some text is needed" },
	{ "{\"method\":1}", "method", "is a whole number; a string is needed" },
	{ "{\"method\":[\"a.B\"]}", "method", "is a list; a string is needed" },
	{ "{\"method\":\"a.B\",\"params\":{}}", "params", "is not known here" NEEDS_CALL },
	{ "{\"Method\":\"a.B\"}", "Method", "is not known here" NEEDS_CALL },
	{ "{\"method\":\"a.B\",\"continues\":true}", "continues", "is not known here" NEEDS_CALL },
	{ "{\"method\":\"a.B\",\"error\":\"a.C\"}", "error", "is not known here" NEEDS_CALL },
	{ "{\"method\":\"a.B\",\"method\":\"a.B\"}", "method", "is given twice; once is right" },
	{ "{\"method\":\"a.B\",\"parameters\":{\"x\":[{\"y\":1,\"y\":1}]}}", "y",
	  "is given twice; once is right" },
	{ "{\"method\":\"a.B\",\"parameters\":[]}", "parameters",
	  "is a list; an object is needed" },
	{ "{\"method\":\"a.B\",\"parameters\":[1]}", "parameters",
	  "is a list; an object is needed" },
	{ "{\"method\":\"a.B\",\"parameters\":\"{}\"}", "parameters",
	  "is a string; an object is needed" },
	{ "{\"method\":\"a.B\",\"more\":1}", "more",
	  "is a whole number; true or false is needed" },
	{ "{\"method\":\"a.B\",\"oneway\":\"yes\"}", "oneway",
	  "is a string; true or false is needed" },
	{ "{\"method\":\"a.B\",\"upgrade\":{}}", "upgrade",
	  "is an object; true or false is needed" },
	{ "{\"method\":\"a.B\",\"more\":true,\"oneway\":true}", "oneway",
	  "cannot go with more: one wants no reply, the other wants several" },
	{ "{\"method\":\"a.B\",\"parameters\":{\"amount\":9223372036854775808}}", "amount", NULL },
	{ "{\"method\":\"a.\xff\"}", "message", "is no UTF-8, at byte 14" },
	{ "{\"method\":\"a.B\\u0000\"}", "method", "has \\u0000 in it; that is never taken" },
	{ "{\"method\":\"a.B\"}{\"method\":\"a.B\"}", "message", NULL },
	{ "{\"method\":\"a.B\"", "message", NULL },
	{ "GET / HTTP/1.1\r\n\r\n", "message", NULL },
};

static const struct refused no_replies[] = {
	{ "[]", "message", "is a list; an object is needed" },
	{ "{\"parameters\":[]}", "parameters", "is a list; an object is needed" },
	{ "{\"parameters\":3}", "parameters", "is a whole number; an object is needed" },
	{ "{\"error\":{}}", "error", "is an object; a string is needed" },
	{ "{\"error\":\"\"}", "error", "is empty; a name is needed" },
	{ "{\"continues\":\"true\"}", "continues", "is a string; true or false is needed" },
	{ "{\"continues\":true,\"error\":\"a.B\"}", "continues",
	  "cannot go with error, which is the last reply" },
	{ "{\"method\":\"a.B\"}", "method", "is not known here" NEEDS_REPLY },
	{ "{\"parameters\":{},\"parameters\":{}}", "parameters", "is given twice; once is right" },
	{ "{\"parameters\":{\"a\":\"\x80\"}}", "message", "is no UTF-8, at byte 21" },
};

static void check_refusal(int error, const struct problem *problem, const struct refused *want)
{
	is_int(error, -1, "refused");
	is_str(problem->parameter, want->parameter, "... naming the parameter");
	if (want->problem)
		is_str(problem->text, want->problem, "... saying what is wrong");
	else
		ok(problem->text[0], "... %s", problem->text);
}

static void test_no_calls(void)
{
	struct problem problem = { 0 };
	struct call untouched = { .method = "untouched" };
	size_t i;

	for (i = 0; i < sizeof(no_calls) / sizeof(no_calls[0]); i++) {
		const char *text = no_calls[i].text;

		check_refusal(call_parse(text, strlen(text), &untouched, &problem), &problem,
			      &no_calls[i]);
	}
	is_str(untouched.method, "untouched", "a refused call sets nothing");
}

static void test_no_replies(void)
{
	struct problem problem = { 0 };
	struct reply untouched = { .error = "untouched" };
	size_t i;

	for (i = 0; i < sizeof(no_replies) / sizeof(no_replies[0]); i++) {
		const char *text = no_replies[i].text;

		check_refusal(reply_parse(text, strlen(text), &untouched, &problem), &problem,
			      &no_replies[i]);
	}
	is_str(untouched.error, "untouched", "a refused reply sets nothing");
}

static struct call parsed_call(const char *text)
{
	struct problem problem;
	struct call call = { 0 };

	if (!ok(call_parse(text, strlen(text), &call, &problem) == 0, "a call is taken"))
		printf("#  %s %s\n", problem.parameter, problem.text);
	return call;
}

static void test_call(void)
{
	struct call call = parsed_call(" { \"more\" : true , \"parameters\" : { \"x\" : 1 },\n"
				       "\"method\":\"io.fundd.Ledger.Audit\" } ");
	struct buf text = BUF_INIT;

	is_str(call.method, "io.fundd.Ledger.Audit", "the method");
	ok(call.more && !call.oneway && !call.upgrade, "more alone");
	json_text(call.parameters, &text);
	is_str(text.data, "{\"x\":1}", "the parameters");
	buf_release(&text);
	call_release(&call);
	ok(!call.root && !call.method, "released is empty");
	call_release(&call);

	call = parsed_call("{\"method\":\"a.B\",\"oneway\":true,\"more\":false,\"upgrade\":true}");
	ok(!call.more && call.oneway && call.upgrade, "oneway and upgrade");
	call_release(&call);
}

static void test_no_parameters(void)
{
	static const char *const same[] = {
		"{\"method\":\"a.B\"}",
		"{\"method\":\"a.B\",\"parameters\":null}",
		"{\"method\":\"a.B\",\"parameters\":{}}",
		"{\"parameters\":{ },\"method\":\"a.B\",\"more\":null}",
	};
	size_t i;

	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct call call = parsed_call(same[i]);

		ok(!call.parameters && !call.more, "... without parameters");
		call_release(&call);
	}
}

/* The message is the first level, its parameters are the second. */
static void check_depth(int lists, bool taken)
{
	struct buf text = BUF_INIT;
	struct problem problem;
	struct call call = { 0 };
	int i, error;

	buf_str(&text, "{\"method\":\"a.B\",\"parameters\":{\"x\":");
	for (i = 0; i < lists; i++)
		buf_char(&text, '[');
	for (i = 0; i < lists; i++)
		buf_char(&text, ']');
	buf_str(&text, "}}");
	error = call_parse(text.data, text.len, &call, &problem);
	is_int(error, taken ? 0 : -1, "the depth of a message");
	if (error)
		is_str(problem.text, "nests too deep; at most 8 levels are taken", "... is said");
	call_release(&call);
	buf_release(&text);
}

static void test_depth(void)
{
	check_depth(JSON_DEPTH_MAX - 2, true);
	check_depth(JSON_DEPTH_MAX - 1, false);
	check_depth(100000, false);
}

/* ---- what is written is what is parsed ---- */

static void round_trip_call(const char *parameters, bool more, const char *want)
{
	struct buf given = BUF_INIT, out = BUF_INIT, back = BUF_INIT;
	struct problem problem;
	struct call call = { 0 };

	if (parameters)
		buf_str(&given, parameters);
	call_write(&out, "io.fundd.Ledger.Spend", &given, more);
	is_str(out.data, want, "a call as written");
	is_int((int64_t)out.len, (int64_t)strlen(want) + 1, "... with its NUL");
	is_int(call_parse(out.data, out.len - 1, &call, &problem), 0, "... parses");
	is_str(call.method, "io.fundd.Ledger.Spend", "... the method is the same");
	ok(call.more == more && !call.oneway && !call.upgrade, "... more is the same");
	json_text(call.parameters, &back);
	is_str(back.len ? back.data : NULL, parameters, "... the parameters are the same");
	call_release(&call);
	buf_release(&given);
	buf_release(&out);
	buf_release(&back);
}

static void round_trip_reply(const char *error, const char *parameters, bool continues,
			     const char *want)
{
	struct buf given = BUF_INIT, out = BUF_INIT, back = BUF_INIT;
	struct problem problem;
	struct reply reply = { 0 };

	if (parameters)
		buf_str(&given, parameters);
	if (error)
		reply_write_error(&out, error, &given);
	else
		reply_write(&out, &given, continues);
	is_str(out.data, want, "a reply as written");
	is_int((int64_t)out.len, (int64_t)strlen(want) + 1, "... with its NUL");
	is_int(reply_parse(out.data, out.len - 1, &reply, &problem), 0, "... parses");
	is_str(reply.error, error, "... the error is the same");
	ok(reply.continues == continues, "... continues is the same");
	json_text(reply.parameters, &back);
	is_str(back.len ? back.data : NULL, parameters, "... the parameters are the same");
	reply_release(&reply);
	ok(!reply.root, "... released is empty");
	buf_release(&given);
	buf_release(&out);
	buf_release(&back);
}

static void test_round_trips(void)
{
	round_trip_call(NULL, false, "{\"method\":\"io.fundd.Ledger.Spend\",\"parameters\":{}}");
	round_trip_call("{\"amount\":2500,\"reason\":\"\xc3\xa4 \\\"\\\\\\n\","
			"\"big\":-9223372036854775808}",
			false,
			"{\"method\":\"io.fundd.Ledger.Spend\",\"parameters\":{\"amount\":2500,"
			"\"reason\":\"\xc3\xa4 \\\"\\\\\\n\",\"big\":-9223372036854775808}}");
	round_trip_call("{\"a\":[]}", true, "{\"method\":\"io.fundd.Ledger.Spend\","
			"\"parameters\":{\"a\":[]},\"more\":true}");
	round_trip_reply(NULL, NULL, false, "{\"parameters\":{}}");
	round_trip_reply(NULL, "{\"z\":1,\"a\":2}", true,
			 "{\"parameters\":{\"z\":1,\"a\":2},\"continues\":true}");
	round_trip_reply("io.fundd.Ledger.UnknownBudget", "{\"budget\":\"alice\"}", false,
			 "{\"error\":\"io.fundd.Ledger.UnknownBudget\","
			 "\"parameters\":{\"budget\":\"alice\"}}");
	round_trip_reply("org.varlink.service.ExpectedMore", NULL, false,
			 "{\"error\":\"org.varlink.service.ExpectedMore\",\"parameters\":{}}");
}

/* Replies that follow each other in one buffer, as pipelined calls get them. */
static void test_several(void)
{
	static const char want[] = "{\"parameters\":{}}\0{\"error\":\"a.B\",\"parameters\":{}}\0"
		"{\"method\":\"a.C\",\"parameters\":{}}";
	struct buf out = BUF_INIT, none = BUF_INIT;

	reply_write(&out, &none, false);
	reply_write_error(&out, "a.B", &none);
	call_write(&out, "a.C", &none, false);
	ok(out.len == sizeof(want) && !memcmp(out.data, want, sizeof(want)),
	   "messages one behind the other stand apart");
	buf_release(&out);
}

static void test_large_call(void)
{
	struct buf parameters = BUF_INIT, out = BUF_INIT;
	char *long_words = malloc(MESSAGE_MAX);
	struct problem problem;
	struct call call = { 0 };

	memset(long_words, 'w', MESSAGE_MAX - 1);
	long_words[MESSAGE_MAX - 1] = '\0';
	json_open(&parameters, NULL, '{');
	json_str(&parameters, "reason", long_words);
	json_close(&parameters, '}');
	call_write(&out, "a.B", &parameters, false);
	is_int(call_parse(out.data, out.len - 1, &call, &problem), 0,
	       "size is the frame's to limit, not the parser's");
	call_release(&call);
	buf_release(&parameters);
	buf_release(&out);
	free(long_words);
}

int main(void)
{
	test_no_calls();
	test_no_replies();
	test_call();
	test_no_parameters();
	test_depth();
	test_round_trips();
	test_several();
	test_large_call();
	return done_testing();
}

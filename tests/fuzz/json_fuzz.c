/*
 * The parser of the hot path beside jansson: both take the same texts, and read the same from them.
 * But a NUL byte, which jansson passes over between tokens, is refused here: no message has one.
 */
#include <jansson.h>

#include "common/json.h"
#include "fuzz.h"

#define FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY)

static unsigned levels(const json_t *value)
{
	unsigned most = 0, inside;
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_object(value))
		json_object_foreach((json_t *)value, key, member)
			most = (inside = levels(member)) > most ? inside : most;
	if (json_is_array(value))
		json_array_foreach(value, i, member)
			most = (inside = levels(member)) > most ? inside : most;
	return most + (json_is_object(value) || json_is_array(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem problem = { .text = "" };
	struct json_t *ours = json_parse((const char *)data, size, &problem);
	json_t *theirs = json_loadb((const char *)data, size, FLAGS, NULL), *again;
	struct buf text = BUF_INIT;

	if (theirs && (memchr(data, 0, size) || levels(theirs) > JSON_DEPTH_MAX)) {
		json_decref(theirs);
		theirs = NULL;
	}
	MUST(!ours == !theirs);
	MUST(ours || (*problem.parameter && *problem.text));
	if (ours) {
		json_text(ours, &text);
		again = json_loadb(text.data, text.len, FLAGS, NULL);
		MUST(again && json_equal(again, theirs));
		json_decref(again);
		json_decref(theirs);
		json_free(ours);
		buf_release(&text);
	}
	return 0;
}

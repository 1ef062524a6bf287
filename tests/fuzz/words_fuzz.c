/* Words, names, tags and UUIDs: what they are judged by agrees with what they are made of. */
#include "common/text.h"
#include "fuzz.h"

static void uuid_try(const char *text)
{
	uint8_t uuid[16], again[16], made[16];
	char written[UUID_LEN + 1];

	if (!uuid_parse(text, uuid))
		return;
	uuid_format(uuid, written);
	MUST(uuid_parse(written, again) && !memcmp(uuid, again, sizeof(uuid)));
	uuid_v7(uuid[0], uuid, made);
	MUST(made[6] >> 4 == 7 && made[8] >> 6 == 2 && made[5] == uuid[0]);
	uuid_v8(uuid, made);
	MUST(made[6] >> 4 == 8 && made[8] >> 6 == 2 && made[15] == uuid[15]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	size_t len = strlen(text);

	MUST(utf8_check(text, len) <= len);
	if (!words_problem(text)) {
		MUST(len && utf8_check(text, len) == len);
		for (size_t i = 0; i < len; i++)
			MUST((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
	}
	if (!name_problem(text))
		MUST(len <= NAME_MAX_LEN && !words_problem(text) && text[len - 1] != '/' &&
		     !strstr(text, "//"));
	if (!tag_problem(text))
		MUST(len && len <= TAG_MAX_LEN && !strchr(text, '/'));
	uuid_try(text);
	free(text);
	return 0;
}

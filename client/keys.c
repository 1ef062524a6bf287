#include "keys.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

bool key_same(const struct verifier *one, const struct verifier *other)
{
	return one->id == other->id && !memcmp(one->key, other->key, PUBLIC_SIZE);
}

const char *ledger_key_parse(const char *text, struct verifier *ret)
{
	if (!vkey_parse(text, ret))
		return "this is no verifier key, such as example.com/fund+12345678+AbCd...";
	if (ret->type != KEY_ED25519)
		return "this key signs no ledger: it is a witness's";
	return origin_problem(ret->name);
}

const char *ledger_key_problem(const char *text)
{
	struct verifier verifier;

	return ledger_key_parse(text, &verifier);
}

static void keys_reserve(struct keys *keys, unsigned count)
{
	if (count <= keys->room)
		return;
	keys->room = count < 8 ? count : 2 * count;	/* most ledgers have one */
	keys->key = reallocarray(keys->key, keys->room, sizeof(*keys->key));
	if (!keys->key)
		abort();
}

void keys_copy(struct keys *to, const struct keys *from)
{
	keys_reserve(to, from->count);
	for (to->count = 0; to->count < from->count; to->count++)
		to->key[to->count] = from->key[to->count];
}

void keys_release(struct keys *keys)
{
	free(keys->key);
	*keys = (struct keys){ .count = 0 };
}

const char *keys_add(struct keys *keys, uint64_t from, const struct verifier *verifier)
{
	if (keys->count == KEYS_MAX)
		return "there are more keys than are taken";
	if (keys->count && strcmp(keys->key[0].verifier.name, verifier->name))
		return "the keys are of several ledgers";
	if (keys->count ? from <= keys->key[keys->count - 1].from : from > 0)
		return "the keys are not in the order in which they took over";
	keys_reserve(keys, keys->count + 1);
	keys->key[keys->count].from = from;
	keys->key[keys->count++].verifier = *verifier;
	return NULL;
}

void keys_format(const struct keys *keys, struct buf *out)
{
	char vkey[VKEY_MAX + 1];

	for (unsigned i = 0; i < keys->count; i++) {
		vkey_format(&keys->key[i].verifier, vkey);
		if (i)
			buf_printf(out, "%" PRIu64 " ", keys->key[i].from);
		buf_printf(out, "%s\n", vkey);
	}
}

static const char *line_take(struct keys *keys, const struct span *line)
{
	const char *blank = memchr(line->text, ' ', line->len);
	const char *begin = blank ? blank + 1 : line->text;
	size_t len = (size_t)(line->text + line->len - begin);
	struct verifier verifier;
	char vkey[VKEY_MAX + 1];
	const char *problem;
	uint64_t from = 0;

	if (!blank != !keys->count || len > VKEY_MAX || memchr(begin, '\0', len))
		return "it is not one verifier key a line";
	if (blank && !decimal_parse(line->text, (size_t)(blank - line->text), &from))
		return "a key stands without the number of its entry";
	memcpy(vkey, begin, len);
	vkey[len] = '\0';
	problem = ledger_key_parse(vkey, &verifier);
	return problem ? problem : keys_add(keys, from, &verifier);
}

const char *keys_parse(const char *text, size_t len, struct keys *ret)
{
	struct lines lines = { text, text + len };
	const char *problem = NULL;
	struct span line;

	ret->count = 0;
	while (!problem && lines_next(&lines, &line))
		problem = line_take(ret, &line);
	if (!problem && (!ret->count || lines.p != lines.end))
		problem = "it is empty, or its last line does not end";
	return problem;
}

const struct verifier *keys_at(const struct keys *keys, uint64_t size)
{
	unsigned i = keys->count - 1;

	while (i && keys->key[i].from >= size)
		i--;
	return &keys->key[i].verifier;
}

const char *keys_open(const struct keys *keys, const char *bytes, size_t len,
		      struct checkpoint *ret)
{
	const struct verifier *key;
	const char *problem = checkpoint_read(bytes, len, ret, NULL);

	if (problem)
		return problem;
	key = keys_at(keys, ret->size);
	return checkpoint_open(bytes, len, &key, 1, ret, NULL);
}

const char *keys_receipt(const struct keys *keys, const struct receipt *receipt, struct entry *ret,
			 struct checkpoint *head)
{
	const struct verifier *key;
	struct bundle bundle;
	const char *problem = bundle_parse(receipt->bundle, receipt->bundle_len, &bundle);

	if (!problem)
		problem = checkpoint_read(bundle.note, bundle.note_len, head, NULL);
	if (problem)
		return problem;
	key = keys_at(keys, head->size);
	return receipt_check(receipt, &key, 1, ret, head);
}

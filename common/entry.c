#include "entry.h"

#include <string.h>

static const char *const kind_words[KIND_COUNT] = {
	[KIND_OTHER] = "", [KIND_GENESIS] = "genesis", [KIND_BOOT] = "boot", [KIND_OPEN] = "open",
	[KIND_ADJUST] = "adjust", [KIND_CLOSE] = "close", [KIND_TOPUP] = "topup",
	[KIND_RESET] = "reset", [KIND_SPEND] = "spend", [KIND_REFUND] = "refund",
	[KIND_AUDIT] = "audit", [KIND_KEY] = "key",
};

static const char *const carry_words[] = {
	[CARRY_NONE] = "none", [CARRY_ALL] = "all", [CARRY_CAP] = "cap",
};

#define LEAF_BEGIN "{\"v\":1"
_Static_assert(sizeof(LEAF_BEGIN) - 1 == ENTRY_COMMON, "where a leaf's fields begin");

enum leaf_type { LEAF_INT, LEAF_TEXT, LEAF_TIME, LEAF_PERIOD, LEAF_CARRY, LEAF_ID, LEAF_HASH };

struct leaf_field {
	const char *key;	/* with its quotes and colon */
	size_t key_len;
	enum leaf_type type;
	size_t offset;
	size_t size;		/* of a text's array, with its NUL */
};

#define LEAF_FIELD(key, type, member) \
	{ "\"" key "\":", sizeof("\"" key "\":") - 1, type, offsetof(struct entry, member), \
	  sizeof(((struct entry *)0)->member) }

static const struct leaf_field head_fields[] = {
	LEAF_FIELD("seq", LEAF_INT, seq),
	LEAF_FIELD("at", LEAF_TIME, at),
	LEAF_FIELD("kind", LEAF_TEXT, kind_name),
	LEAF_FIELD("uid", LEAF_INT, uid),
	LEAF_FIELD("budget", LEAF_TEXT, budget),
	LEAF_FIELD("from", LEAF_TEXT, from),
	LEAF_FIELD("to", LEAF_TEXT, to),
	LEAF_FIELD("amount", LEAF_INT, amount),
	LEAF_FIELD("currency", LEAF_TEXT, currency),
	LEAF_FIELD("exp", LEAF_INT, exp),
	LEAF_FIELD("from_after", LEAF_INT, from_after),
	LEAF_FIELD("to_after", LEAF_INT, to_after),
	LEAF_FIELD("ref", LEAF_INT, ref),
	LEAF_FIELD("period", LEAF_TEXT, period),
	LEAF_FIELD("category", LEAF_TEXT, category),
	LEAF_FIELD("id", LEAF_ID, id),
	{ NULL }
};

static const struct leaf_field genesis_fields[] = {
	LEAF_FIELD("origin", LEAF_TEXT, origin),
	LEAF_FIELD("vkey", LEAF_TEXT, vkey),
	LEAF_FIELD("zone", LEAF_TEXT, zone),
	LEAF_FIELD("prior_origin", LEAF_TEXT, prior_origin),
	LEAF_FIELD("prior_size", LEAF_INT, prior_size),
	LEAF_FIELD("prior_root", LEAF_TEXT, prior_root),
	{ NULL }
};

static const struct leaf_field key_fields[] = {
	LEAF_FIELD("vkey", LEAF_TEXT, vkey),
	LEAF_FIELD("until", LEAF_TIME, until),
	{ NULL }
};

static const struct leaf_field terms_fields[] = {
	LEAF_FIELD("owner", LEAF_INT, terms.owner),
	LEAF_FIELD("group", LEAF_INT, terms.group),
	LEAF_FIELD("allowance", LEAF_INT, terms.allowance),
	LEAF_FIELD("every", LEAF_PERIOD, terms.every),
	LEAF_FIELD("carry", LEAF_CARRY, terms.carry),
	LEAF_FIELD("cap", LEAF_INT, terms.cap),
	LEAF_FIELD("pool", LEAF_TEXT, terms.pool),
	LEAF_FIELD("self_topup", LEAF_INT, terms.self_topup),
	LEAF_FIELD("guideline", LEAF_INT, terms.guideline),
	{ NULL }
};

static const struct leaf_field no_fields[] = { { NULL } };

static const struct leaf_field tail_fields[] = {
	LEAF_FIELD("memo", LEAF_HASH, memo),
	{ NULL }
};

static const struct leaf_field *own_fields(enum kind kind)
{
	switch (kind) {
	case KIND_GENESIS:
		return genesis_fields;
	case KIND_KEY:
		return key_fields;
	case KIND_OPEN:
	case KIND_ADJUST:
		return terms_fields;
	default:
		return no_fields;
	}
}

const char *kind_word(enum kind kind)
{
	return kind_words[kind];
}

enum kind kind_from_word(const char *word)
{
	for (int kind = KIND_OTHER + 1; kind < KIND_COUNT; kind++)
		if (word[0] == kind_words[kind][0] && !strcmp(word, kind_words[kind]))
			return (enum kind)kind;
	return KIND_OTHER;
}

const char *carry_word(enum carry carry)
{
	return carry_words[carry];
}

int carry_from_word(const char *word)
{
	for (int carry = CARRY_NONE; carry <= CARRY_CAP; carry++)
		if (!strcmp(word, carry_words[carry]))
			return carry;
	return -1;
}

void entry_clear(struct entry *entry)
{
	memset(entry, 0, sizeof(*entry));
	entry->seq = entry->at = entry->uid = entry->amount = entry->exp = ABSENT;
	entry->from_after = entry->to_after = entry->ref = ABSENT;
	entry->prior_size = entry->until = ABSENT;
	entry->terms.owner = entry->terms.group = entry->terms.exp = ABSENT;
	entry->terms.allowance = entry->terms.every = entry->terms.carry = ABSENT;
	entry->terms.cap = entry->terms.self_topup = entry->terms.guideline = ABSENT;
}

bool entry_has_id(const struct entry *entry)
{
	uint64_t halves[2];

	memcpy(halves, entry->id, sizeof(halves));
	return halves[0] | halves[1];
}

bool account_built_in(const char *account)
{
	return (account[0] == 'c' && !strcmp(account, ACCOUNT_COMPANY)) ||
	       (account[0] == 's' && !strcmp(account, ACCOUNT_SPENT));
}

/* ---- Writing ---- */

/* Room for a value behind a comma and the field's key. */
static char *field_room(struct buf *out, const struct leaf_field *field, size_t len)
{
	char *room = buf_room(out, 1 + field->key_len + len);

	*room = ',';
	memcpy(room + 1, field->key, field->key_len);
	return room + 1 + field->key_len;
}

static void field_text(struct buf *out, const struct leaf_field *field, const char *text)
{
	size_t len = strlen(text);
	char *room = field_room(out, field, len + 2);

	room[0] = '"';
	memcpy(room + 1, text, len);
	room[len + 1] = '"';
}

static void field_format(struct buf *out, const struct leaf_field *field,
			 const struct entry *entry)
{
	const void *at = (const char *)entry + field->offset;
	char text[UUID_LEN + 1];
	int64_t value = 0;

	if (field->type != LEAF_TEXT && field->type != LEAF_ID && field->type != LEAF_HASH) {
		memcpy(&value, at, sizeof(value));
		if (value == ABSENT)
			return;
	}
	switch (field->type) {
	case LEAF_INT:
		field_room(out, field, 0);
		buf_int(out, value);
		break;
	case LEAF_TEXT:
		if (*(const char *)at)
			field_text(out, field, at);
		break;
	case LEAF_TIME:
		timestamp_format(value, text);
		field_text(out, field, text);
		break;
	case LEAF_PERIOD:
		field_text(out, field, period_word((enum period)value));
		break;
	case LEAF_CARRY:
		field_text(out, field, carry_word((enum carry)value));
		break;
	case LEAF_ID:
		if (!entry_has_id(entry))
			break;
		uuid_format(at, text);
		field_text(out, field, text);
		break;
	case LEAF_HASH:
		*field_room(out, field, 1) = '"';
		base64_encode(out, at, HASH_SIZE);
		buf_char(out, '"');
		break;
	}
}

static void fields_format(struct buf *out, const struct leaf_field *fields,
			  const struct entry *entry)
{
	for (; fields->key; fields++)
		field_format(out, fields, entry);
}

void entry_format_common(const struct entry *entry, struct buf *out)
{
	fields_format(out, head_fields, entry);
}

size_t entry_format(const struct entry *entry, struct buf *out)
{
	size_t before = out->len, common;

	buf_add(out, LEAF_BEGIN, ENTRY_COMMON);
	entry_format_common(entry, out);
	common = out->len - before;
	fields_format(out, own_fields(entry->kind), entry);
	fields_format(out, tail_fields, entry);
	buf_char(out, '}');
	return common;
}

/* ---- Reading: a cursor that only moves forward ---- */

struct cursor {
	const char *p, *end;
};

static bool cursor_take(struct cursor *c, const char *text, size_t len)
{
	if ((size_t)(c->end - c->p) < len || memcmp(c->p, text, len))
		return false;
	c->p += len;
	return true;
}

static bool cursor_int(struct cursor *c, int64_t *ret)
{
	const char *start = c->p;
	int64_t value = 0;

	while (c->p < c->end && *c->p >= '0' && *c->p <= '9') {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *c->p - '0', &value))
			return false;
		c->p++;
	}
	if (c->p == start || (*start == '0' && c->p - start > 1))
		return false;
	*ret = value;
	return true;
}

/* A quoted string of 1 to size - 1 printable ASCII characters that need no escape. */
static bool cursor_text(struct cursor *c, char *ret, size_t size)
{
	const char *text = c->p + 1, *end;
	size_t room = (size_t)(c->end - c->p);
	bool bad = false;

	if (room < 3 || *c->p != '"')
		return false;
	end = memchr(text, '"', room - 1 < size ? room - 1 : size);
	if (!end || end == text)
		return false;
	for (const char *p = text; p < end; p++)
		bad |= *p < 0x20 || *p > 0x7e || *p == '\\';
	memcpy(ret, text, (size_t)(end - text));
	ret[end - text] = '\0';
	c->p = end + 1;
	return !bad;
}

/* A quoted string of `len` characters, whatever they are. */
static bool cursor_quoted(struct cursor *c, char *ret, size_t len)
{
	if ((size_t)(c->end - c->p) < len + 2 || c->p[0] != '"' || c->p[len + 1] != '"')
		return false;
	memcpy(ret, c->p + 1, len);
	ret[len] = '\0';
	c->p += len + 2;
	return true;
}

static bool field_parse(struct cursor *c, const struct leaf_field *field, struct entry *entry)
{
	void *at = (char *)entry + field->offset;
	char text[HASH_BASE64 + 1];
	int64_t value;

	switch (field->type) {
	case LEAF_INT:
		return cursor_int(c, at);
	case LEAF_TEXT:
		return cursor_text(c, at, field->size);
	case LEAF_TIME:
		return cursor_quoted(c, text, TIMESTAMP_SIZE - 1) && timestamp_parse(text, at);
	case LEAF_PERIOD:
	case LEAF_CARRY:
		if (!cursor_text(c, text, sizeof(text)))
			return false;
		value = field->type == LEAF_PERIOD ? period_from_word(text) : carry_from_word(text);
		memcpy(at, &value, sizeof(value));
		return value >= 0;
	case LEAF_ID:
		return cursor_quoted(c, text, UUID_LEN) && uuid_parse(text, at) &&
		       !strpbrk(text, "ABCDEF") && entry_has_id(entry);
	case LEAF_HASH:
		return cursor_quoted(c, text, HASH_BASE64) &&
		       base64_decode(text, HASH_BASE64, at, HASH_SIZE);
	}
	return false;
}

static bool fields_parse(struct cursor *c, const struct leaf_field *fields, struct entry *entry)
{
	for (; fields->key && c->end - c->p > 2; fields++) {
		struct cursor ahead = { c->p + 1, c->end };

		if (c->p[0] != ',' || c->p[2] != fields->key[1] ||
		    !cursor_take(&ahead, fields->key, fields->key_len))
			continue;
		if (!field_parse(&ahead, fields, entry))
			return false;
		c->p = ahead.p;
	}
	return true;
}

/* The own fields of a kind that is not known yet: any words and integers up to the memo. */
static bool fields_skip(struct cursor *c)
{
	char text[ENTRY_LEAF_MAX];
	int64_t value;

	while (c->p < c->end && *c->p == ',') {
		struct cursor ahead = { c->p + 1, c->end };

		if (cursor_take(&ahead, "\"memo\":", 7))
			return true;
		if (!cursor_text(&ahead, text, sizeof(text)) || !cursor_take(&ahead, ":", 1))
			return false;
		if (!cursor_text(&ahead, text, sizeof(text)) && !cursor_int(&ahead, &value))
			return false;
		c->p = ahead.p;
	}
	return false;
}

const char *entry_parse(const char *leaf, size_t len, struct entry *ret)
{
	struct cursor c = { leaf, leaf + len };
	static const uint8_t nothing[HASH_SIZE];

	entry_clear(ret);
	if (len > ENTRY_LEAF_MAX)
		return "the leaf is too long";
	if (!cursor_take(&c, LEAF_BEGIN, ENTRY_COMMON))
		return "the leaf is not of version 1";
	if (!fields_parse(&c, head_fields, ret))
		return "a field of the leaf is malformed";
	ret->kind = kind_from_word(ret->kind_name);
	if (ret->seq == ABSENT || ret->at == ABSENT || ret->uid == ABSENT || !ret->kind_name[0])
		return "the leaf lacks seq, at, kind or uid";
	if (ret->kind == KIND_OTHER && !fields_skip(&c))
		return "a field of the leaf is malformed";
	if (!fields_parse(&c, own_fields(ret->kind), ret) || !fields_parse(&c, tail_fields, ret))
		return "a field of the leaf is malformed";
	if (!cursor_take(&c, "}", 1) || c.p != c.end)
		return "the leaf has fields out of order, or more than its kind has";
	if (!memcmp(ret->memo, nothing, sizeof(nothing)))
		return "the leaf has no memo";
	memcpy(ret->terms.currency, ret->currency, sizeof(ret->currency));
	ret->terms.exp = ret->exp;
	return NULL;
}

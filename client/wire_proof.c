#include "wire_proof.h"

#include <string.h>

#include "common/hash.h"

static const struct field head_fields[] = {
	{ "checkpoint", FIELD_STRING, offsetof(struct wire_head, checkpoint), FIELD_REQUIRED, 0 },
	{ "vkey", FIELD_STRING, offsetof(struct wire_head, vkey), FIELD_REQUIRED, 0 },
	{ "key", FIELD_INT, offsetof(struct wire_head, key), FIELD_NATURAL, 0 },
	FIELDS_END
};

static const struct field leaf_fields[] = {
	{ "seq", FIELD_INT, offsetof(struct wire_leaf, seq), FIELD_NATURAL, 0 },
	{ "leaf", FIELD_STRING, offsetof(struct wire_leaf, leaf), 0, 0 },
	FIELDS_END
};

struct receipt_parts {
	const char *proof, *leaf, *salt, *memo;
};

static const struct field receipt_fields[] = {
	{ "proof", FIELD_STRING, offsetof(struct receipt_parts, proof), FIELD_REQUIRED, 0 },
	{ "leaf", FIELD_STRING, offsetof(struct receipt_parts, leaf), FIELD_REQUIRED, 0 },
	{ "salt", FIELD_STRING, offsetof(struct receipt_parts, salt), 0, 0 },
	{ "memo", FIELD_STRING, offsetof(struct receipt_parts, memo), 0, 0 },
	FIELDS_END
};

bool wire_head(const json_t *json, struct wire_head *ret, struct problem *problem)
{
	return json_decode(json, head_fields, ret, sizeof(*ret), true, problem) == 0;
}

bool wire_leaf(const json_t *json, struct wire_leaf *ret, struct problem *problem)
{
	if (json_decode(json, leaf_fields, ret, sizeof(*ret), true, problem))
		return false;
	if (ret->seq.set == (ret->leaf != NULL))
		return true;
	problem_set(problem, "leaf", "stands alone");
	return false;
}

bool wire_hashes(const json_t *json, struct proof *ret, struct problem *problem)
{
	static const struct field fields[] = {{"hashes", FIELD_STRINGS, 0, FIELD_REQUIRED, 0},
					      FIELDS_END};
	struct json_strings hashes;

	if (json_decode(json, fields, &hashes, sizeof(hashes), true, problem))
		return false;
	problem_set(problem, "hashes", "are not the base64 of up to %d hashes", PROOF_MAX);
	if (hashes.count > PROOF_MAX)
		return false;
	for (ret->count = 0; ret->count < hashes.count; ret->count++) {
		const char *hash = hashes.item[ret->count];

		if (!base64_decode(hash, strlen(hash), ret->hash[ret->count], HASH_SIZE))
			return false;
	}
	return true;
}

bool wire_receipt(const json_t *json, struct receipt *ret, struct problem *problem)
{
	static const struct field fields[] = { { "receipt", FIELD_OBJECT, 0, 0, 0 }, FIELDS_END };
	struct receipt_parts parts;
	const json_t *receipt;

	*ret = (struct receipt){ NULL };
	if (json_decode(json, fields, &receipt, sizeof(receipt), true, problem))
		return false;
	if (!receipt)
		return true;
	if (json_decode(receipt, receipt_fields, &parts, sizeof(parts), true, problem))
		return false;
	problem_set(problem, "receipt", "has a salt or a memo alone, or a line in what is one");
	if (!parts.salt != !parts.memo || strchr(parts.leaf, '\n') ||
	    (parts.memo && strchr(parts.memo, '\n')) || (parts.salt && strchr(parts.salt, '\n')))
		return false;
	*ret = (struct receipt){
		.bundle = parts.proof, .bundle_len = strlen(parts.proof),
		.leaf = parts.leaf, .leaf_len = strlen(parts.leaf),
		.salt = parts.salt, .salt_len = parts.salt ? strlen(parts.salt) : 0,
		.memo = parts.memo, .memo_len = parts.memo ? strlen(parts.memo) : 0,
	};
	return true;
}

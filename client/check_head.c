#include "check.h"

#include <string.h>

static const char *given_key(struct check *check, const char *origin)
{
	struct verifier verifier;
	const char *problem = ledger_key_parse(check->vkey, &verifier);

	if (problem)
		return problem;
	if (strcmp(verifier.name, origin))
		return "it is another ledger's than the key that was given";
	/* what is remembered is compared all the same, where it can be read */
	if (state_open(&check->state, NULL, origin, NULL))
		state_close(&check->state);
	check->keys.count = 0;
	return keys_add(&check->keys, 0, &verifier);
}

static const char *keys_take(struct check *check, const char *origin)
{
	const char *problem;

	if (check->vkey)
		return given_key(check, origin);
	problem = state_open(&check->state, NULL, origin, NULL);
	keys_copy(&check->keys, &check->state.keys);
	if (!problem && !check->keys.count)
		problem = "no key of this ledger is remembered here; give it with --vkey";
	return problem;
}

static const char *cosigned_check(const struct check *check, const struct note *note)
{
	struct verifier witness;
	uint64_t time;

	if (!check->witness)
		return NULL;
	if (!vkey_parse(check->witness, &witness) || witness.type != KEY_COSIGNER)
		return "the witness's key is none, or signs no cosignatures";
	return cosignature_check(note, &witness, &time);
}

/* What is remembered must be on one line with it, as far as that shows without a proof. */
static const char *remembered_differs(const struct check *check, const struct checkpoint *head)
{
	return check->state.note.len && check->state.head.size == head->size &&
			       memcmp(check->state.head.root, head->root, HASH_SIZE)
		       ? "it is another one than the checkpoint that is remembered: the ledger was rewritten or split"
		       : NULL;
}

const char *check_head(struct check *check, const char *note, size_t len, struct checkpoint *ret)
{
	struct note parts;
	const char *problem = checkpoint_read(note, len, ret, &parts);

	if (!problem)
		problem = keys_take(check, ret->origin);
	if (!problem)
		problem = keys_open(&check->keys, note, len, ret);
	if (!problem)
		problem = cosigned_check(check, &parts);
	return problem ? problem : remembered_differs(check, ret);
}

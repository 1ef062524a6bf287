#include "head.h"

#include <string.h>

#include "common/bytes.h"
#include "common/checkpoint.h"

static const struct signer *signer_find(const struct signers *signers, const char *vkey)
{
	const struct signer *both[] = { &signers->current, &signers->previous };
	char text[VKEY_MAX + 1];

	for (size_t i = 0; i < sizeof(both) / sizeof(*both); i++) {
		if (!both[i]->secret)
			continue;
		vkey_format(&both[i]->verifier, text);
		if (!strcmp(text, vkey))
			return both[i];
	}
	return NULL;
}

const char *head_signable(const struct books *books, const struct signers *signers)
{
	const char *vkeys[BOOKS_SIGNERS_MAX];
	unsigned count = books_signers(books, vkeys);

	for (unsigned i = 0; i < count; i++)
		if (!signer_find(signers, vkeys[i]))
			return "a signing key that the ledger's heads need is missing";
	return NULL;
}

unsigned head_sign(const struct books *books, const struct signers *signers,
		   const struct merkle *tree, uint8_t heads[BOOKS_SIGNERS_MAX * ROW_HEAD_SIZE],
		   struct buf *note)
{
	const char *vkeys[BOOKS_SIGNERS_MAX];
	unsigned count = books_signers(books, vkeys);
	struct buf text = BUF_INIT;
	uint8_t root[HASH_SIZE];

	merkle_root(tree, root);
	checkpoint_text(&text, books->origin, tree->size, root);
	for (unsigned i = 0; i < count; i++) {
		const struct signer *signer = signer_find(signers, vkeys[i]);

		put_be32(heads + i * ROW_HEAD_SIZE, signer->verifier.id);
		signer_sign(signer, text.data, text.len, heads + i * ROW_HEAD_SIZE + 4);
	}
	head_note(note, books->origin, tree->size, root,
		  &(struct part){ heads, count * ROW_HEAD_SIZE });
	buf_release(&text);
	return count;
}

static const uint8_t *signature_find(const struct part *heads, uint32_t id)
{
	for (size_t at = 0; at < heads->len; at += ROW_HEAD_SIZE)
		if (get_be32(heads->bytes + at) == id)
			return heads->bytes + at + 4;
	return NULL;
}

const char *head_check(const struct books *books, const uint8_t root[HASH_SIZE],
		       const struct part *heads)
{
	const char *vkeys[BOOKS_SIGNERS_MAX], *problem = NULL;
	unsigned count = books_signers(books, vkeys);
	struct buf text = BUF_INIT;

	if (heads->len != count * ROW_HEAD_SIZE)
		return "the head is not signed by the ledger's key, or also by another";
	checkpoint_text(&text, books->origin, books->totals.size, root);
	for (unsigned i = 0; i < count && !problem; i++) {
		struct verifier verifier;
		const uint8_t *signature = NULL;

		if (vkey_parse(vkeys[i], &verifier))
			signature = signature_find(heads, verifier.id);
		if (!signature)
			problem = "the head is not signed by the ledger's key";
		else if (!verifier_check(&verifier, text.data, text.len, signature))
			problem = "the head's signature does not hold";
	}
	buf_release(&text);
	return problem;
}

void head_note(struct buf *out, const char *origin, uint64_t size, const uint8_t root[HASH_SIZE],
	       const struct part *heads)
{
	checkpoint_text(out, origin, size, root);
	buf_char(out, '\n');
	for (size_t at = 0; at < heads->len; at += ROW_HEAD_SIZE)
		note_sign(out, origin, get_be32(heads->bytes + at), heads->bytes + at + 4,
			  SIGNATURE_SIZE);
}

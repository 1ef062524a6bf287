/*
 * A receipt: what is taken is written the same again, and no input holds under a key that never
 * signed. Proven anew as the only entry of a ledger whose key is known, it holds when its leaf and
 * its memo do, and not otherwise.
 */
#include "common/memo.h"
#include "common/merkle.h"
#include "common/receipt.h"
#include "fuzz.h"

static const uint8_t seed[SEED_SIZE] = { 1 };

static const char *checked(const struct receipt *receipt, const struct verifier *key,
			   struct entry *entry)
{
	const struct verifier *keys[] = { key };
	struct checkpoint head;

	return receipt_check(receipt, keys, 1, entry, &head);
}

/* A bundle that proves the leaf to be all of a ledger. */
static void bundle_make(const struct receipt *receipt, const struct signer *signer, struct buf *out)
{
	static const struct proof none;
	uint8_t root[HASH_SIZE], signature[SIGNATURE_SIZE];
	struct buf note = BUF_INIT;

	merkle_leaf(receipt->leaf, receipt->leaf_len, root);
	checkpoint_text(&note, signer->verifier.name, 1, root);
	signer_sign(signer, note.data, note.len, signature);
	buf_char(&note, '\n');
	note_sign(&note, signer->verifier.name, signer->verifier.id, signature, sizeof(signature));
	bundle_format(out, 0, &none, note.data, note.len);
	buf_release(&note);
}

static bool memo_fits(const struct receipt *receipt, const struct entry *entry)
{
	uint8_t bytes[RECEIPT_MAX], hash[HASH_SIZE];

	if (!receipt->memo)
		return true;
	if (!base64_decode(receipt->salt, receipt->salt_len, bytes, MEMO_SALT_SIZE))
		return false;
	memcpy(bytes + MEMO_SALT_SIZE, receipt->memo, receipt->memo_len);
	memo_commit(bytes, MEMO_SALT_SIZE + receipt->memo_len, hash);
	return !memcmp(hash, entry->memo, HASH_SIZE);
}

static void proven_anew(struct receipt receipt)
{
	struct buf bundle = BUF_INIT;
	struct entry entry, parsed;
	struct signer signer;
	bool fits;

	MUST(sign_start());
	signer_open(&signer, "fund.example.com", KEY_ED25519, seed);
	bundle_make(&receipt, &signer, &bundle);
	receipt.bundle = bundle.data;
	receipt.bundle_len = bundle.len;
	fits = !entry_parse(receipt.leaf, receipt.leaf_len, &parsed) && !parsed.seq &&
	       memo_fits(&receipt, &parsed) && receipt.memo_len <= MEMO_MAX - MEMO_SALT_SIZE;
	MUST(!checked(&receipt, &signer.verifier, &entry) == fits);
	buf_release(&bundle);
	signer_close(&signer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct verifier nobody = { .name = "fund.example.com", .id = 1 };
	struct buf out = BUF_INIT;
	struct receipt receipt;
	struct entry entry;

	if (receipt_parse((const char *)data, size, &receipt))
		return 0;
	receipt_format(&out, &receipt);
	MUST(out.len == size && !memcmp(out.data, data, size));
	MUST(checked(&receipt, &nobody, &entry));
	proven_anew(receipt);
	buf_release(&out);
	return 0;
}

#include "common/checkpoint.h"
#include "common/note.h"
#include "hex.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define DASH "\xe2\x80\x94 "

/* ---- What golang.org/x/mod/sumdb/note gives as examples ---- */

#define TEXT "If you think cryptography is the answer to your problem,\n" \
	     "then you don't know what your problem is.\n"
#define PETER DASH "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
#define PETER_KEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define ENOCH DASH "EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
#define ENOCH_KEY "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"

static struct verifier peter, enoch, other;
static const struct verifier *const both[] = { &peter, &enoch };

static void keys_load(void)
{
	struct signer signer;
	uint8_t seed[SEED_SIZE] = { 7 };

	ok(vkey_parse(PETER_KEY, &peter) && vkey_parse(ENOCH_KEY, &enoch),
	   "the examples' keys are taken");
	signer_open(&signer, "other.example", KEY_ED25519, seed);
	other = signer.verifier;
	signer_close(&signer);
}

/* NULL when it parses and is signed; else the sentence. */
static const char *opened(const char *bytes, size_t len, const struct verifier *const *keys,
			  unsigned count, uint32_t *by)
{
	struct note note;
	const char *problem = note_parse(bytes, len, &note);

	return problem ? problem : note_check(&note, keys, count, by);
}

static void test_examples(void)
{
	static const char one[] = TEXT "\n" PETER, two[] = TEXT "\n" PETER ENOCH;
	const struct verifier *const unknown[] = { &other };
	struct note note;
	uint32_t by = 0;

	ok(!note_parse(two, sizeof(two) - 1, &note), "a note with two signatures is taken apart");
	ok(note.text_len == sizeof(TEXT) - 1 && !memcmp(note.text, TEXT, note.text_len),
	   "its text");
	is_int(note.count, 2, "two signatures");
	ok(note_signed_as(&note.signature[1], &enoch) &&
		   !note_signed_as(&note.signature[1], &peter),
	   "whose they are");
	is_str(opened(two, sizeof(two) - 1, both, 2, &by), NULL, "both hold");
	is_int(by, 3, "and both are told");
	is_str(opened(one, sizeof(one) - 1, both, 2, &by), NULL, "one is enough");
	is_int(by, 1, "and which one it is, is told");
	is_str(opened(two, sizeof(two) - 1, both, 1, NULL), NULL, "an unknown key is passed over");
	is_str(opened(two, sizeof(two) - 1, unknown, 1, NULL), "none of the known keys signed it",
	       "but one must be known");
}

static void test_last_blank_line(void)
{
	static const char text[] = "a\n\nb\n\n\nc\n", bytes[] = "a\n\nb\n\n\nc\n\n" PETER;
	struct note note;

	is_str(note_parse(bytes, sizeof(bytes) - 1, &note), NULL, "the last blank line divides");
	ok(note.text_len == sizeof(text) - 1 && !memcmp(note.text, text, note.text_len),
	   "not an earlier one");
}

/* ---- Refused ---- */

#define BLANK "the note has no blank line between its text and its signatures"
#define LINE "a signature line does not begin with a dash (U+2014) and a blank"
#define NAMELESS "a signature's key has no name, or one with a + in it"
#define BASE64 "a signature is not the base64 of a key id and a signature"
#define SIG "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="

static const struct {
	const char *note, *problem;
} refused[] = {
	{ "", "the note's last line does not end" },
	{ "\n", BLANK },
	{ "text", "the note's last line does not end" },
	{ TEXT, BLANK },
	{ TEXT PETER, BLANK },
	{ TEXT "\n", BLANK },
	{ TEXT "\n" DASH "PeterNeumann " SIG, "the note's last line does not end" },
	{ TEXT "\n" PETER "\n", BLANK },
	{ TEXT "\n" PETER "more\n", LINE },
	{ TEXT "\n- PeterNeumann " SIG "\n", LINE },
	{ TEXT "\n\xe2\x80\x93 PeterNeumann " SIG "\n", LINE },
	{ TEXT "\n\xe2\x80\x94PeterNeumann " SIG "\n", LINE },
	{ TEXT "\n " PETER, LINE },
	{ TEXT "\n" DASH "PeterNeumann\n", "a signature line has no signature" },
	{ TEXT "\n" DASH " " SIG "\n", NAMELESS },
	{ TEXT "\n" DASH "Peter+Neumann " SIG "\n", NAMELESS },
	{ TEXT "\n" DASH "Peter\xc2\xa0Neumann " SIG "\n", "a signature's key has a blank in its name" },
	{ TEXT "\n" DASH "Peter\xe3\x80\x80Neumann " SIG "\n", "a signature's key has a blank in its name" },
	{ TEXT "\n" DASH "Peter Neumann " SIG "\n", BASE64 },
	{ TEXT "\n" DASH "PeterNeumann  " SIG "\n", BASE64 },
	{ TEXT "\n" DASH "PeterNeumann " SIG " \n", BASE64 },
	{ TEXT "\n" DASH "PeterNeumann \n", BASE64 },
	{ TEXT "\n" DASH "PeterNeumann x08goA==\n", BASE64 },
	{ TEXT "\n" DASH "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQ xVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n", BASE64 },
	{ TEXT "\n" DASH "PeterNeumann x08go_ZJkuBS9UG_SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n", BASE64 },
	{ TEXT "\n" DASH "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM\n", BASE64 },
	{ TEXT "\n" DASH "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAN=\n", BASE64 },
	{ "te\xff" "xt\n\n" PETER, "the note is not UTF-8" },
	{ "te\xc0\xaf" "xt\n\n" PETER, "the note is not UTF-8" },
	{ "te\txt\n\n" PETER, "the note has a control character in it" },
	{ "text\r\n\n" PETER, "the note has a control character in it" },
	{ TEXT "!\n" "\n" PETER, "the signature by a known key does not hold" },
	{ "\n" PETER, BLANK },
};

static void test_refused(void)
{
	char *bytes = malloc(NOTE_MAX + 2);
	struct buf many = BUF_INIT;

	for (size_t i = 0; i < SIZE(refused); i++)
		is_str(opened(refused[i].note, strlen(refused[i].note), both, 2, NULL),
		       refused[i].problem, "refused, and said why");
	is_str(opened("a\0b\n\n" PETER, sizeof("a\0b\n\n" PETER) - 1, both, 2, NULL),
	       "the note has a control character in it", "a NUL is refused");
	memset(bytes, 'x', NOTE_MAX + 2);
	is_str(opened(bytes, NOTE_MAX + 1, both, 2, NULL), "the note is too long: at most 16384 "
							   "bytes are taken",
	       "a note over the limit is refused");
	free(bytes);
	buf_str(&many, TEXT "\n");
	for (int i = 0; i < NOTE_SIGNATURES_MAX - 1; i++)
		buf_str(&many, ENOCH);
	buf_str(&many, PETER);
	is_str(opened(many.data, many.len, both, 1, NULL), NULL, "32 signatures are taken");
	buf_str(&many, ENOCH);
	is_str(opened(many.data, many.len, both, 1, NULL), "the note has more than 32 signatures",
	       "33 are not");
	buf_release(&many);
}

/* A second signature by the same key is not looked at; a wrong first one is. */
static void test_duplicates(void)
{
	static const char wrong[] = DASH
		"PeterNeumann x08go/aJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
	struct buf note = BUF_INIT;

	buf_printf(&note, "%s\n%s%s", TEXT, PETER, wrong);
	is_str(opened(note.data, note.len, both, 2, NULL), NULL,
	       "a name once good is not asked again");
	buf_clear(&note);
	buf_printf(&note, "%s\n%s%s", TEXT, wrong, PETER);
	is_str(opened(note.data, note.len, both, 2, NULL), "the signature by a known key does not "
							   "hold",
	       "a wrong one refuses the note, whatever follows");
	buf_release(&note);
}

/* Signatures of other kinds may be longer than any key here makes. */
static void test_long_signature(void)
{
	uint8_t bytes[4 + 2420] = { 1, 2, 3, 4, 5 };
	struct buf note = BUF_INIT;
	struct note parsed;

	buf_str(&note, TEXT "\n" PETER DASH "quantum.example ");
	base64_encode(&note, bytes, sizeof(bytes));
	buf_char(&note, '\n');
	is_str(opened(note.data, note.len, both, 2, NULL), NULL,
	       "a long signature by an unknown key is passed over");
	note_parse(note.data, note.len, &parsed);
	is_int((int64_t)parsed.signature[1].len, 2420, "its length is told");
	is_int(parsed.signature[1].id, 0x01020304, "its key id too");
	buf_release(&note);
}

/* ---- Checkpoints ---- */

#define ROOT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
#define LINES "a checkpoint has three lines: origin, size and root"
#define ORIGIN "the origin is none that a ledger can have"
#define NUMBER "the size is not a decimal number without leading zeros"
#define NOROOT "the root is not the base64 of 32 bytes"

static const struct {
	const char *text, *problem;
} checkpoints[] = {
	{ "fund.example.com\n0\n" ROOT, NULL },
	{ "fund.example.com\n18446744073709551615\n" ROOT, NULL },
	{ "fund.example.com/north\n10\n" ROOT, NULL },
	{ "", LINES },
	{ "fund.example.com\n", LINES },
	{ "fund.example.com\n10\n", LINES },
	{ "fund.example.com\n10\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", LINES },
	{ "fund.example.com\n10\n" ROOT "more\n", "a checkpoint of this ledger has no lines behind its root" },
	{ "\n10\n" ROOT, ORIGIN },
	{ "fund example\n10\n" ROOT, ORIGIN },
	{ "../fund\n10\n" ROOT, ORIGIN },
	{ "12345678901234567890123456789012345678901234567890123456789012345\n10\n" ROOT, "the origin is too long" },
	{ "fund.example.com\n010\n" ROOT, NUMBER },
	{ "fund.example.com\n00\n" ROOT, NUMBER },
	{ "fund.example.com\n+1\n" ROOT, NUMBER },
	{ "fund.example.com\n-1\n" ROOT, NUMBER },
	{ "fund.example.com\n 1\n" ROOT, NUMBER },
	{ "fund.example.com\n1 \n" ROOT, NUMBER },
	{ "fund.example.com\n\n" ROOT, NUMBER },
	{ "fund.example.com\n1e3\n" ROOT, NUMBER },
	{ "fund.example.com\n18446744073709551616\n" ROOT, NUMBER },
	{ "fund.example.com\n10\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", NOROOT },
	{ "fund.example.com\n10\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n", NOROOT },
	{ "fund.example.com\n10\nAAECAwQFBgcICQoLDA0ODxAREhMU FRYXGBkaGxwdHh8=\n", NOROOT },
	{ "fund.example.com\n10\n\n", NOROOT },
};

static void test_checkpoints(void)
{
	struct checkpoint checkpoint;

	for (size_t i = 0; i < SIZE(checkpoints); i++)
		is_str(checkpoint_parse(checkpoints[i].text, strlen(checkpoints[i].text),
					&checkpoint),
		       checkpoints[i].problem, "a checkpoint's text");
	checkpoint_parse(checkpoints[2].text, strlen(checkpoints[2].text), &checkpoint);
	is_str(checkpoint.origin, "fund.example.com/north", "its origin");
	is_int((int64_t)checkpoint.size, 10, "its size");
	is_hex(checkpoint.root, HASH_SIZE,
	       "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "its root");
}

static void test_open(void)
{
	static const char text[] = "fund.example.com\n10\n" ROOT;
	struct signer ledger, witness, stranger;
	uint8_t seed[SEED_SIZE] = { 1 }, signature[SIGNATURE_SIZE], cosignature[COSIGNATURE_SIZE];
	const struct verifier *keys[] = { &ledger.verifier };
	const struct verifier *strangers[] = { &stranger.verifier };
	struct buf note = BUF_INIT;
	struct checkpoint head;
	struct note parsed;
	uint64_t time = 0;

	signer_open(&ledger, "fund.example.com", KEY_ED25519, seed);
	seed[0] = 2;
	signer_open(&witness, "witness.example/w1", KEY_COSIGNER, seed);
	signer_open(&stranger, "other.example", KEY_ED25519, seed);
	signer_sign(&ledger, text, sizeof(text) - 1, signature);
	cosignature_make(&witness, text, sizeof(text) - 1, 1780000000, cosignature);
	buf_printf(&note, "%s\n", text);
	note_sign(&note, ledger.verifier.name, ledger.verifier.id, signature, sizeof(signature));
	is_str(checkpoint_open(note.data, note.len, keys, 1, &head, &parsed), NULL,
	       "a signed checkpoint opens");
	is_str(cosignature_check(&parsed, &witness.verifier, &time),
	       "the witness did not cosign it", "not cosigned yet");
	note_sign(&note, witness.verifier.name, witness.verifier.id, cosignature,
		  sizeof(cosignature));
	is_str(checkpoint_open(note.data, note.len, keys, 1, &head, &parsed), NULL,
	       "and with a cosignature");
	is_str(cosignature_check(&parsed, &witness.verifier, &time), NULL, "which holds");
	is_int((int64_t)time, 1780000000, "and says when");
	is_str(checkpoint_open(note.data, note.len, strangers, 1, &head, NULL),
	       "none of the known keys signed it", "another key does not open it");
	parsed.signature[1].bytes[7] ^= 1;
	is_str(cosignature_check(&parsed, &witness.verifier, &time),
	       "the witness's cosignature does not hold", "another time does not hold");
	parsed.signature[1].bytes[7] ^= 1;
	parsed.signature[1].len--;
	is_str(cosignature_check(&parsed, &witness.verifier, &time),
	       "the witness's cosignature does not hold", "nor a shorter signature");
	buf_clear(&note);
	buf_printf(&note, "%s\n", text);
	signer_sign(&stranger, text, sizeof(text) - 1, signature);
	note_sign(&note, stranger.verifier.name, stranger.verifier.id, signature,
		  sizeof(signature));
	is_str(checkpoint_open(note.data, note.len, strangers, 1, &head, NULL),
	       "the checkpoint is another ledger's", "a key speaks for its own ledger only");
	buf_release(&note);
	signer_close(&ledger);
	signer_close(&witness);
	signer_close(&stranger);
}

int main(void)
{
	ok(sign_start(), "started");
	keys_load();
	test_examples();
	test_last_blank_line();
	test_refused();
	test_duplicates();
	test_long_signature();
	test_checkpoints();
	test_open();
	return done_testing();
}

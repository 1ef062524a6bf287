#include "common/sign.h"
#include "common/hash.h"
#include "hex.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 8032, section 7.1, tests 1 and 3. */
static const struct {
	const char *seed, *key, *text, *signature;
} known[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
	  "d25bf5f0595bbe24655141438e7a100b" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
	  "4a7c15e9716ed28dc027beceea1ec40a" },
};

static void test_signatures(void)
{
	uint8_t seed[SEED_SIZE], text[8], signature[SIGNATURE_SIZE];
	struct signer signer;

	for (size_t i = 0; i < SIZE(known); i++) {
		size_t len = from_hex(known[i].text, text);

		from_hex(known[i].seed, seed);
		signer_open(&signer, "fund.example.com", KEY_ED25519, seed);
		is_hex(signer.verifier.key, PUBLIC_SIZE, known[i].key,
		       "the public key of the seed");
		signer_sign(&signer, text, len, signature);
		is_hex(signature, SIGNATURE_SIZE, known[i].signature, "the signature");
		ok(verifier_check(&signer.verifier, text, len, signature), "it holds");
		text[len] = 0;
		ok(!verifier_check(&signer.verifier, text, len + 1, signature),
		   "and not with a byte more");
		signer_close(&signer);
		ok(!signer.secret, "the secret is gone");
	}
}

static void test_flipped(void)
{
	const uint8_t seed[SEED_SIZE] = { 7 };
	uint8_t text[] = "fund.example.com\n1\n", signature[SIGNATURE_SIZE];
	struct signer signer;
	bool held = false;

	signer_open(&signer, "fund.example.com", KEY_ED25519, seed);
	signer_sign(&signer, text, sizeof(text), signature);
	for (size_t bit = 0; bit < 8 * sizeof(signature); bit++) {
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		held |= verifier_check(&signer.verifier, text, sizeof(text), signature);
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < 8 * sizeof(text); bit++) {
		text[bit / 8] ^= (uint8_t)(1 << bit % 8);
		held |= verifier_check(&signer.verifier, text, sizeof(text), signature);
		text[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ok(!held, "no flipped bit of text or signature goes unnoticed");
	ok(verifier_check(&signer.verifier, text, sizeof(text), signature), "unflipped it holds");
	signer_close(&signer);
}

#define KEY "AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define WITNESS "fund.example.com+388bcb8c+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"

/* The last: of which golang.org/x/mod/sumdb/note tells the key's name and id. */
static const char *const vkeys[] = {
	"fund.example.com+e24f52c1+" KEY, "fund38.example.com+00080856+" KEY,
	"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
};

static void test_vkey(void)
{
	uint8_t seed[SEED_SIZE];
	char text[VKEY_MAX + 1], longest[ORIGIN_MAX + 1];
	struct verifier verifier;
	struct signer signer;

	for (uint8_t i = 0; i < SEED_SIZE; i++)
		seed[i] = i;
	signer_open(&signer, "fund.example.com", KEY_ED25519, seed);
	vkey_format(&signer.verifier, text);
	is_str(text, vkeys[0], "the verifier key");
	signer_close(&signer);
	for (size_t i = 0; i < SIZE(vkeys); i++) {
		ok(vkey_parse(vkeys[i], &verifier), "a verifier key is taken");
		vkey_format(&verifier, text);
		is_str(text, vkeys[i], "and is the same when written again");
	}
	is_str(verifier.name, "PeterNeumann", "its name");
	ok(verifier.id == 0xc74f20a3, "its id");
	signer_open(&signer, "fund.example.com", KEY_COSIGNER, seed);
	vkey_format(&signer.verifier, text);
	is_str(text, WITNESS, "a witness's verifier key is of another type, and has another id");
	ok(vkey_parse(text, &verifier) && verifier.type == KEY_COSIGNER, "and is taken as one");
	signer_close(&signer);
	memset(longest, 'o', ORIGIN_MAX);
	longest[ORIGIN_MAX] = '\0';
	signer_open(&signer, longest, KEY_ED25519, seed);
	vkey_format(&signer.verifier, text);
	ok(strlen(text) == VKEY_MAX && vkey_parse(text, &verifier) &&
	   !strcmp(verifier.name, longest), "the longest there is");
	signer_close(&signer);
}

static const struct {
	const char *vkey, *why;
} refused[] = {
	{ "", "nothing" },
	{ "+", "a plus" },
	{ "++", "two" },
	{ "fund.example.com", "a name" },
	{ "fund.example.com+e24f52c1", "no key" },
	{ "fund.example.com+e24f52c1+", "an empty key" },
	{ "+e24f52c1+" KEY, "no name" },
	{ "fund.example.com+e24f52c2+" KEY, "another id" },
	{ "fund.example.con+e24f52c1+" KEY, "another name" },
	{ "fund.example.com+e24f52c1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG5", "another key" },
	{ "fund.example.com+E24F52C1+" KEY, "the id in capitals" },
	{ "fund38.example.com+80856+" KEY, "the id without its zeros" },
	{ "fund38.example.com+0x080856+" KEY, "the id with a prefix" },
	{ "fund.example.com++e24f52c1+" KEY, "a plus too many" },
	{ "fund.example.com+e24f52c1-" KEY, "another separator" },
	{ "fund.example.com+e24f52c1+" KEY "\n", "a newline" },
	{ "fund.example.com+e24f52c1+" KEY "=", "padding" },
	{ " fund.example.com+e24f52c1+" KEY, "a blank" },
	{ "fund example.com+e24f52c1+" KEY, "a blank in the name" },
	{ "fund.example.com+e24f52c1+AgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "another type" },
	{ "fund.example.com+e24f52c1+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "a witness's type" },
	{ "fund.example.com+e24f52c1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG", "a cut key" },
	{ "fund.example.com+e24f52c1+AQOhB7_zzhC-HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4", "the URLs' base64" },
};

static void test_vkey_refused(void)
{
	char text[ORIGIN_MAX + 200];
	struct verifier verifier = { .id = 42 };

	for (size_t i = 0; i < SIZE(refused); i++)
		ok(!vkey_parse(refused[i].vkey, &verifier), "refused: %s", refused[i].why);
	memset(text, 'o', sizeof(text));
	snprintf(text + ORIGIN_MAX + 1, sizeof(text) - ORIGIN_MAX - 1, "+e24f52c1+" KEY);
	ok(!vkey_parse(text, &verifier), "refused: a name too long");
	is_int(verifier.id, 42, "what was there before is untouched");
}

static void test_origin(void)
{
	static const char *const good[] = { "a", "example.com/fund", "A-Z_0.9" };
	static const char *const bad[] = { "", " ", "a b", "a+b", "a\n", "f\xc3\xbcr", "a\tb", "a:b", "\x7f",
					  "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", ".a", "a/.b" };
	char text[ORIGIN_MAX + 2];

	for (size_t i = 0; i < SIZE(good); i++)
		ok(!origin_problem(good[i]), "'%s' may name a ledger", good[i]);
	for (size_t i = 0; i < SIZE(bad); i++)
		ok(origin_problem(bad[i]), "bad name %zu may not", i);
	memset(text, 'x', sizeof(text));
	text[ORIGIN_MAX] = '\0';
	ok(!origin_problem(text), "64 characters may");
	text[ORIGIN_MAX] = 'x';
	text[ORIGIN_MAX + 1] = '\0';
	ok(origin_problem(text), "65 may not");
}

static void test_random(void)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 }, nothing[32] = { 0 };

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	ok(memcmp(a, b, sizeof(a)) && memcmp(a, nothing, sizeof(a)) &&
	   memcmp(b, nothing, sizeof(b)), "random bytes differ from each other");
}

int main(void)
{
	ok(sign_start(), "started");
	test_signatures();
	test_flipped();
	test_vkey();
	test_vkey_refused();
	test_origin();
	test_random();
	return done_testing();
}

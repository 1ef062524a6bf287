#include "common/hash.h"
#include "hex.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

static void test_sha256(void)
{
	static const char million[1000000 / 8] = { 0 };
	struct iovec parts[8];
	uint8_t hash[HASH_SIZE];
	char as[sizeof(million)];

	sha256(NULL, 0, hash);
	is_hex(hash, HASH_SIZE, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	       "of nothing");
	sha256((struct iovec[]){ PART("abc", 3) }, 1, hash);
	is_hex(hash, HASH_SIZE, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	       "of abc");
	sha256((struct iovec[]){ PART("", 0), PART("a", 1), PART("bc", 2) }, 3, hash);
	is_hex(hash, HASH_SIZE, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	       "of abc in parts");
	memset(as, 'a', sizeof(as));
	for (size_t i = 0; i < SIZE(parts); i++)
		parts[i] = (struct iovec)PART(as, sizeof(as));
	sha256(parts, SIZE(parts), hash);
	is_hex(hash, HASH_SIZE, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
	       "of a million a");
}

/* RFC 4648, section 10, and what uses the last two characters. */
static const struct {
	const char *hex, *base64;
} pairs[] = {
	{ "", "" }, { "66", "Zg==" }, { "666f", "Zm8=" }, { "666f6f", "Zm9v" },
	{ "666f6f62", "Zm9vYg==" }, { "666f6f6261", "Zm9vYmE=" }, { "666f6f626172", "Zm9vYmFy" },
	{ "fbff", "+/8=" }, { "ffffff", "////" }, { "fbefbe", "++++" }, { "00", "AA==" },
};

static void test_base64(void)
{
	uint8_t bytes[16], back[16];
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < SIZE(pairs); i++) {
		const char *text = pairs[i].base64;
		size_t len = from_hex(pairs[i].hex, bytes);

		buf_clear(&out);
		buf_str(&out, ">");
		base64_encode(&out, bytes, len);
		is_str(out.data + 1, text, "written behind what was there");
		ok(out.len == 1 + strlen(text), "and counted");
		ok(base64_decode(text, strlen(text), back, len) && !memcmp(back, bytes, len),
		   "'%s' and back", text);
		ok(!base64_decode(text, strlen(text), back, len + 1), "not to a byte more");
		ok(!len || !base64_decode(text, strlen(text), back, len - 1), "nor to a byte less");
	}
	buf_release(&out);
}

static const struct {
	const char *text;
	size_t size;
	const char *why;
} refused[] = {
	{ "Zg", 1, "no padding" }, { "Zg=", 1, "half the padding" }, { "Zg===", 1, "too much" },
	{ "Zm8", 2, "no padding" }, { "Zm8==", 2, "too much padding" },
	{ "Zm9v=", 3, "padding where none is due" }, { "Zm9v====", 3, "a group of padding" },
	{ "Zh==", 1, "stray bits" }, { "Zm9=", 2, "stray bits" }, { "Zm9vYmF=", 5, "stray bits" },
	{ "Zm9 ", 3, "a blank" }, { " Zm9v", 3, "a blank in front" }, { "Zm9v\n", 3, "a newline" },
	{ "Zm\n9v", 3, "a newline inside" }, { "Z=9v", 2, "padding inside" },
	{ "=m9v", 2, "padding in front" }, { "Zg=g", 1, "padding, then a letter" },
	{ "-_8=", 2, "the alphabet of URLs" }, { "Zm9*", 3, "a stranger" }, { "====", 1, "nothing else" },
	{ "Zm9\xc3", 3, "a byte that is no ASCII" },
};

static void test_base64_strict(void)
{
	uint8_t back[16] = { 0 };

	for (size_t i = 0; i < SIZE(refused); i++)
		ok(!base64_decode(refused[i].text, strlen(refused[i].text), back, refused[i].size),
		   "refused: %s", refused[i].why);
	ok(!base64_decode("Zm9\0", 4, back, 3), "refused: a NUL");
	ok(base64_decode("Zm9vYmFy", 4, back, 3), "what follows the length is not read");
}

int main(void)
{
	test_sha256();
	test_base64();
	test_base64_strict();
	return done_testing();
}

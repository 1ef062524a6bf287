#include "witness_key.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/hash.h"
#include "files.h"

#define KEY_FILE "key"
#define KEY_FILE_MAX 512
#define KEY_FIRST "PRIVATE+KEY+"

/* HOST/USER, with what a name cannot have left out. */
static void name_default(char ret[ORIGIN_MAX + 1])
{
	const struct passwd *user = getpwuid(geteuid());
	char host[64] = "", text[160];
	size_t len = 0;

	gethostname(host, sizeof(host) - 1);
	if (user)
		snprintf(text, sizeof(text), "%s/%.80s", *host ? host : "witness", user->pw_name);
	else
		snprintf(text, sizeof(text), "%s/%ld", *host ? host : "witness", (long)geteuid());
	for (const char *p = text; *p && len < ORIGIN_MAX; p++)
		if (strchr(ORIGIN_LETTERS, *p))
			ret[len++] = *p;
	ret[len] = '\0';
}

static const char *key_write(int dir, const struct signer *signer, const uint8_t seed[SEED_SIZE])
{
	uint8_t bytes[1 + SEED_SIZE] = { KEY_COSIGNER };
	struct buf text = BUF_INIT;
	bool written;

	memcpy(bytes + 1, seed, SEED_SIZE);
	buf_printf(&text, KEY_FIRST "%s+%08" PRIx32 "+", signer->verifier.name,
		   signer->verifier.id);
	base64_encode(&text, bytes, sizeof(bytes));
	buf_char(&text, '\n');
	written = file_replace(dir, KEY_FILE, text.data, text.len, 0600, DURABLE_NEW);
	sodium_memzero(bytes, sizeof(bytes));
	sodium_memzero(text.data, text.len);
	buf_release(&text);
	return written ? NULL : "its key cannot be written";
}

static const char *key_make(int dir, const char *name, struct signer *ret)
{
	uint8_t seed[SEED_SIZE];
	char own[ORIGIN_MAX + 1];
	const char *problem;

	if (!name) {
		name_default(own);
		name = own;
	}
	problem = origin_problem(name);
	if (problem)
		return problem;
	random_bytes(seed, sizeof(seed));
	signer_open(ret, name, KEY_COSIGNER, seed);
	problem = key_write(dir, ret, seed);
	sodium_memzero(seed, sizeof(seed));
	if (problem)
		signer_close(ret);
	return problem;
}

/* NAME+ID+BASE64 */
static const char *key_parse(char *text, struct signer *ret)
{
	char *id = strchr(text, '+'), *base64 = id ? strchr(id + 1, '+') : NULL,
	     *end = strchr(text, '\n'), want[9];
	uint8_t bytes[1 + SEED_SIZE];
	bool good;

	if (!base64 || !end || end[1])
		return "its key file is damaged";
	*id++ = *base64++ = *end = '\0';
	good = !origin_problem(text) &&
	       base64_decode(base64, (size_t)(end - base64), bytes, sizeof(bytes)) &&
	       bytes[0] == KEY_COSIGNER;
	if (good)
		signer_open(ret, text, KEY_COSIGNER, bytes + 1);
	sodium_memzero(bytes, sizeof(bytes));
	if (!good)
		return "its key file holds no witness's key";
	snprintf(want, sizeof(want), "%08" PRIx32, ret->verifier.id);
	if (!strcmp(id, want))
		return NULL;
	signer_close(ret);
	return "its key file is damaged: the key id is another one";
}

const char *witness_key_open(int dir, const char *name, struct signer *ret, bool *made)
{
	size_t first = sizeof(KEY_FIRST) - 1;
	struct buf text = BUF_INIT;
	const char *problem;
	struct stat st;

	*made = fstatat(dir, KEY_FILE, &st, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
	if (*made)
		return key_make(dir, name, ret);
	if (st.st_mode & 077)
		return "its key file may be read by others; chmod 600 it, or better, remove it and "
		       "begin with a new key";
	if (!file_take(dir, KEY_FILE, KEY_FILE_MAX, &text) || text.len < first ||
	    memcmp(text.data, KEY_FIRST, first))
		problem = "its key file cannot be read, or is none";
	else
		problem = key_parse(text.data + first, ret);
	if (!problem && name && strcmp(name, ret->verifier.name)) {
		signer_close(ret);
		problem = "it has another name; a new name is for a new directory";
	}
	if (text.data)
		sodium_memzero(text.data, text.len);
	buf_release(&text);
	return problem;
}

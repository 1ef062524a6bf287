#include "leaves.h"

#include <string.h>

#include "wire_proof.h"

#define READ_SIZE ((size_t)256 << 10)

bool leaves_begin(struct leaves *leaves, struct link *link, uint64_t from, uint64_t to)
{
	struct buf parameters = BUF_INIT;
	bool sent;

	*leaves = (struct leaves){ .link = link, .next = from, .end = to };
	buf_reserve(&link->in, READ_SIZE);
	json_open(&parameters, NULL, '{');
	json_int(&parameters, "from", (int64_t)from);
	json_int(&parameters, "to", (int64_t)to);
	json_close(&parameters, '}');
	sent = link_send(link, "Leaves", &parameters, true) == LINK_OK;
	buf_release(&parameters);
	return sent;
}

static enum leaves_step lost(struct leaves *leaves, const char *problem)
{
	link_fail(leaves->link, LINK_LOST, problem);
	return LEAVES_LOST;
}

static bool take(char **p, const char *end, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(end - *p) < len || memcmp(*p, word, len))
		return false;
	*p += len;
	return true;
}

/* A JSON string up to its quote, unescaped in place; only `\"` and `\\` are. NULL for another
 * one. */
static char *string_end(char *p, const char *end, size_t *len)
{
	char *out = p, *begin = p;

	for (;;) {
		char *quote = memchr(p, '"', (size_t)(end - p)), *slash;
		size_t run;

		if (!quote)
			return NULL;
		slash = memchr(p, '\\', (size_t)(quote - p));
		run = (size_t)((slash ? slash : quote) - p);
		memmove(out, p, run);
		out += run;
		p += run;
		if (!slash) {
			*len = (size_t)(out - begin);
			return p + 1;
		}
		if (end - p < 2 || (p[1] != '"' && p[1] != '\\'))
			return NULL;
		*out++ = p[1];
		p += 2;
	}
}

/* The form in which fundd writes it. */
static bool quick_parse(struct leaves *leaves, char *text, size_t size, const char **leaf,
			size_t *len)
{
	char *p = text, *end = text + size, *begin;
	uint64_t seq = 0;

	if (!take(&p, end, "{\"parameters\":{\"seq\":"))
		return false;
	while (p < end && *p >= '0' && *p <= '9' && seq < UINT64_MAX / 16)
		seq = seq * 10 + (uint64_t)(*p++ - '0');
	if (seq != leaves->next || !take(&p, end, ",\"leaf\":\""))
		return false;
	begin = p;
	buf_clear(&leaves->leaf);
	if (size - (size_t)(p - text) > sizeof("\"},\"continues\":true}"))
		buf_add(&leaves->leaf, p, (size_t)(end - p));
	begin = leaves->leaf.data;
	if (!begin)
		return false;
	p = string_end(begin, begin + leaves->leaf.len, len);
	end = begin + leaves->leaf.len;
	if (!p || !take(&p, end, "},\"continues\":true}") || p != end)
		return false;
	*leaf = begin;
	return true;
}

static enum leaves_step slow_parse(struct leaves *leaves, const char *text, size_t size,
				   const char **leaf, size_t *len)
{
	struct problem problem;
	struct wire_leaf says;

	if (reply_parse(text, size, &leaves->reply, &problem))
		return lost(leaves, "what it answers is no Varlink reply");
	if (!leaves->reply.continues)
		leaves->link->answered++;
	if (leaves->reply.error)
		return LEAVES_REFUSED;
	if (!wire_leaf(leaves->reply.parameters, &says, &problem) ||
	    (says.seq.set ? (uint64_t)says.seq.value != leaves->next || !leaves->reply.continues
			  : leaves->reply.continues || leaves->next != leaves->end)) {
		reply_release(&leaves->reply);
		return lost(leaves, "the leaves do not come one after the other");
	}
	buf_clear(&leaves->leaf);
	if (says.seq.set)
		buf_add(&leaves->leaf, says.leaf, strlen(says.leaf));
	reply_release(&leaves->reply);
	*leaf = leaves->leaf.data;
	*len = leaves->leaf.len;
	return says.seq.set ? LEAVES_ONE : LEAVES_END;
}

enum leaves_step leaves_next(struct leaves *leaves, const char **leaf, size_t *len)
{
	enum leaves_step step = LEAVES_ONE;
	size_t size;
	char *text = link_text(leaves->link, &size);

	if (!text)
		return LEAVES_LOST;
	if (!quick_parse(leaves, text, size, leaf, len))
		step = slow_parse(leaves, text, size, leaf, len);
	if (step == LEAVES_ONE)
		leaves->next++;
	return step;
}

void leaves_release(struct leaves *leaves)
{
	buf_release(&leaves->leaf);
}

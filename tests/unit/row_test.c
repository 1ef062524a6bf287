#include "daemon/row.h"
#include "common/bytes.h"
#include "tap.h"

#include <stdlib.h>

#define SEQ 3		/* completes three subtrees */
#define HASHES 3
#define HEADS 2

static uint8_t leaf[] = "{\"v\":1,\"seq\":3}", hashes[HASHES * 32], previous[2 * 8], memo[60];
static uint8_t heads[HEADS * ROW_HEAD_SIZE];

static struct row sample(void)
{
	return (struct row){
		.leaf = { leaf, sizeof(leaf) - 1 }, .hashes = { hashes, sizeof(hashes) },
		.previous = { previous, sizeof(previous) }, .memo = { memo, sizeof(memo) },
	};
}

static void fill(uint8_t *bytes, size_t len, uint8_t first)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(first + i);
}

/* Writes the row as it is put into the ledger: begun, then room for its heads, then finished. */
static struct buf finished(const struct row *row, uint64_t seq, unsigned count)
{
	struct buf out = BUF_INIT;
	size_t size;

	row_begin(&out, row);
	size = row_size(out.len, count);
	buf_room(&out, size - out.len);
	row_finish(seq, (uint8_t *)out.data, size, heads, count);
	return out;
}

static bool same(const struct part *got, const void *want, size_t len)
{
	return got->len == len && !memcmp(got->bytes, want, len);
}

static void test_round_trip(unsigned count)
{
	struct row row = sample(), back;
	struct buf out = finished(&row, SEQ, count);

	is_str(row_parse(SEQ, out.data, out.len, &back), NULL, "a row is taken");
	ok(same(&back.leaf, leaf, sizeof(leaf) - 1) && same(&back.hashes, hashes, sizeof(hashes)) &&
	   same(&back.previous, previous, sizeof(previous)) && same(&back.memo, memo, sizeof(memo)),
	   "its parts come back");
	ok(same(&back.heads, heads, count * ROW_HEAD_SIZE), "with %u heads", count);
	ok(row_parse(SEQ + 4, out.data, out.len, &back), "under another number it is refused");
	buf_release(&out);
}

static void test_layout(void)
{
	struct row row = sample();
	struct buf out = finished(&row, SEQ, 1);
	const uint8_t *p = (const uint8_t *)out.data;
	size_t at = 1 + 2 + sizeof(leaf) - 1;

	ok(p[0] == ROW_VERSION && get_be16(p + 1) == sizeof(leaf) - 1 &&
	   !memcmp(p + 3, leaf, sizeof(leaf) - 1), "version, then the leaf");
	ok(get_be16(p + at) == sizeof(hashes) && !memcmp(p + at + 2, hashes, sizeof(hashes)),
	   "then the hashes");
	at += 2 + sizeof(hashes);
	ok(get_be16(p + at) == 16 && !memcmp(p + at + 2, previous, 16), "the back pointers");
	at += 2 + 16;
	ok(get_be16(p + at) == sizeof(memo) && !memcmp(p + at + 2, memo, sizeof(memo)), "the memo");
	at += 2 + sizeof(memo);
	ok(get_be16(p + at) == ROW_HEAD_SIZE && !memcmp(p + at + 2, heads, ROW_HEAD_SIZE),
	   "the heads");
	is_int((int64_t)out.len, (int64_t)(at + 2 + ROW_HEAD_SIZE + ROW_CHECKSUM), "the checksum");
	buf_release(&out);
}

/* Parses a copy that ends where its memory does, so that nothing is read beyond. */
static const char *parse_exact(const char *bytes, size_t len)
{
	char *copy = malloc(len ? len : 1);
	const char *problem;
	struct row back;

	memcpy(copy, bytes, len);
	problem = row_parse(SEQ, copy, len, &back);
	free(copy);
	return problem;
}

static void test_flipped(void)
{
	struct row row = sample();
	struct buf out = finished(&row, SEQ, HEADS);
	bool refused = true;

	for (size_t bit = 0; bit < 8 * out.len; bit++) {
		out.data[bit / 8] ^= (char)(1 << bit % 8);
		refused = refused && parse_exact(out.data, out.len);
		out.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	ok(refused, "each flipped bit is noticed");
	for (size_t len = 0; len < out.len; len++)
		refused = refused && parse_exact(out.data, len);
	ok(refused, "and each length it is cut to");
	buf_str(&out, "x");
	ok(parse_exact(out.data, out.len), "and a byte more");
	ok(!parse_exact(out.data, out.len - 1), "as it was it is taken");
	buf_release(&out);
}

/* Rows with a checksum that fits, and a shape that does not. */
static void test_shapes(void)
{
	static const char hash_problem[] = "the row does not hold the hashes its number calls for",
			  pointer_problem[] = "the row's back pointers are malformed",
			  head_problem[] = "the row's signatures are malformed";
	static const struct {
		size_t hashes, previous;
		unsigned heads;
		const char *problem;
	} shapes[] = {
		{ 96, 0, 0, NULL }, { 96, 24, 1, NULL }, { 96, 8, ROW_HEADS_MAX, NULL },
		{ 64, 0, 0, hash_problem }, { 128, 0, 0, hash_problem }, { 95, 0, 0, hash_problem },
		{ 0, 0, 0, hash_problem }, { 96, 7, 0, pointer_problem },
		{ 96, 32, 0, pointer_problem }, { 96, 0, ROW_HEADS_MAX + 1, head_problem },
	};
	static const uint8_t zero[ROW_HEAD_SIZE * (ROW_HEADS_MAX + 1)];

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct row row = sample(), back;
		struct buf out = BUF_INIT;
		size_t size;

		row.hashes = (struct part){ zero, shapes[i].hashes };
		row.previous = (struct part){ zero, shapes[i].previous };
		row_begin(&out, &row);
		size = row_size(out.len, shapes[i].heads);
		buf_room(&out, size - out.len);
		row_finish(SEQ, (uint8_t *)out.data, size, zero, shapes[i].heads);
		is_str(row_parse(SEQ, out.data, out.len, &back), shapes[i].problem, "a shape");
		buf_release(&out);
	}
}

/* A wrong version, parts longer than the row, and heads of a wrong length: summed up correctly. */
static void test_malformed(void)
{
	struct row row = sample(), back;
	struct buf out = BUF_INIT;

	row_begin(&out, &row);
	out.data[0] = ROW_VERSION + 1;
	buf_room(&out, row_size(out.len, 0) - out.len);
	row_finish(SEQ, (uint8_t *)out.data, out.len, NULL, 0);
	is_str(row_parse(SEQ, out.data, out.len, &back),
	       "the row is of a version that this program does not know", "a later version");
	out.data[0] = ROW_VERSION;
	out.data[1] = 0x7f;
	row_finish(SEQ, (uint8_t *)out.data, out.len, NULL, 0);
	is_str(row_parse(SEQ, out.data, out.len, &back), "the row's parts do not fill it",
	       "a part longer than the row");
	buf_clear(&out);
	row_begin(&out, &row);
	buf_add(&out, "\0\1x12345678", 11);
	row_finish(SEQ, (uint8_t *)out.data, out.len, (const uint8_t *)"", 0);
	is_str(row_parse(SEQ, out.data, out.len, &back), "the row's parts do not fill it",
	       "bytes behind the parts");
	buf_release(&out);
}

int main(void)
{
	fill(hashes, sizeof(hashes), 10);
	fill(previous, sizeof(previous), 120);
	fill(memo, sizeof(memo), 150);
	fill(heads, sizeof(heads), 200);
	test_round_trip(0);
	test_round_trip(1);
	test_round_trip(HEADS);
	test_layout();
	test_flipped();
	test_shapes();
	test_malformed();
	return done_testing();
}

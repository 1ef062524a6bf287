#include "daemon/row.h"
#include "common/bytes.h"
#include "tap.h"

#include <stdlib.h>

#define SEQ 100003		/* completes three subtrees */
#define HASHES 3
#define HEADS 2
#define AT_HASHES (4 + sizeof(leaf) - 1)
#define AT_PREVIOUS (AT_HASHES + sizeof(hashes))
#define AT_HEADS (AT_PREVIOUS + sizeof(distances) + sizeof(memo))
#define AT_COUNT (AT_HEADS + sizeof(heads))
#define PREVIOUS_PROBLEM "the row's back pointers are malformed"
#define HEADS_PROBLEM "the row's signatures are malformed"

static uint8_t leaf[] = "{\"v\":1,\"seq\":100003}", hashes[HASHES * 32], memo[60];
static uint8_t heads[HEADS * ROW_HEAD_SIZE];
static const uint64_t previous[] = { SEQ - 300, ROW_NO_PREVIOUS, 0 };
static const uint8_t distances[] = { 0xac, 2, 0, 0xa3, 0x8d, 6 };

static struct row sample(void)
{
	return (struct row){
		.leaf = { leaf, sizeof(leaf) - 1 }, .hashes = { hashes, sizeof(hashes) },
		.previous = { previous[0], previous[1], previous[2] }, .previous_count = 3,
		.memo = { memo, sizeof(memo) },
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

	row_begin(seq, row, &out);
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
	   same(&back.memo, memo, sizeof(memo)), "its parts come back");
	ok(back.previous_count == 3 && !memcmp(back.previous, previous, sizeof(previous)),
	   "and its back pointers");
	ok(same(&back.heads, heads, count * ROW_HEAD_SIZE), "with %u heads", count);
	ok(row_parse(SEQ + 8, out.data, out.len, &back), "under another number it is refused");
	buf_release(&out);
}

static void test_layout(void)
{
	struct row row = sample();
	struct buf out = finished(&row, SEQ, 1);
	const uint8_t *p = (const uint8_t *)out.data;
	size_t at = 4 + sizeof(leaf) - 1;

	ok(p[0] == ROW_VERSION && p[1] == 3 && get_be16(p + 2) == sizeof(leaf) - 1 &&
	   !memcmp(p + 4, leaf, sizeof(leaf) - 1), "version, pointers, length, then the leaf");
	ok(!memcmp(p + at, hashes, sizeof(hashes)), "the hashes");
	at += sizeof(hashes);
	ok(!memcmp(p + at, distances, sizeof(distances)), "the back pointers");
	at += sizeof(distances);
	ok(!memcmp(p + at, memo, sizeof(memo)), "the memo");
	at += sizeof(memo);
	ok(!memcmp(p + at, heads, ROW_HEAD_SIZE) && p[at + ROW_HEAD_SIZE] == 1, "the heads");
	at += ROW_HEAD_SIZE + 1;
	is_int((int64_t)out.len, (int64_t)(at + CHECKSUM_SIZE), "and the checksum");
	ok(get_be64(p + at) == checksum(SEQ, p, at), "of all before it, with its number");
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

/* The sample with `len` of its bytes at `at` cut out and
 * others in their place, and a checksum that fits. */
static struct buf altered(size_t at, size_t len, const char *bytes, size_t count)
{
	struct row row = sample();
	struct buf whole = finished(&row, SEQ, HEADS), ret = BUF_INIT;
	size_t summed;

	buf_add(&ret, whole.data, at);
	buf_add(&ret, bytes, count);
	buf_add(&ret, whole.data + at + len, whole.len - at - len);
	summed = ret.len - CHECKSUM_SIZE;
	put_be64((uint8_t *)ret.data + summed, checksum(SEQ, ret.data, summed));
	buf_release(&whole);
	return ret;
}

static void test_shapes(void)
{
	static const char many[5 * ROW_HEAD_SIZE + 1] = { [5 * ROW_HEAD_SIZE] = 5 };
	static const struct {
		size_t at, len;
		const char *bytes;
		size_t count;
		const char *problem, *name;
	} shapes[] = {
		{ 0, 1, "\2", 1, "the row is of a version that this program does not know",
		  "a later version" },
		{ 2, 2, "\177\377", 2, "the row's leaf is longer than the row", "a long leaf" },
		{ AT_HASHES, AT_COUNT - AT_HASHES, "", 0,
		  "the row does not hold the hashes its number calls for", "nothing but a leaf" },
		{ 1, 1, "\4", 1, PREVIOUS_PROBLEM, "four back pointers" },
		{ AT_PREVIOUS, 2, "\xac\x82\0", 3, PREVIOUS_PROBLEM, "a distance in more bytes than it needs" },
		{ AT_PREVIOUS, 2, "\xa4\x8d\6", 3, PREVIOUS_PROBLEM, "a distance to before entry 0" },
		{ AT_PREVIOUS, 2, "\xa3\x8d\6", 3, NULL, "a distance to entry 0" },
		{ AT_PREVIOUS, 2, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\2", 10, PREVIOUS_PROBLEM,
		  "a distance of more than 64 bits" },
		{ AT_PREVIOUS, 2, "\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\1", 11, PREVIOUS_PROBLEM,
		  "a distance without an end" },
		{ AT_PREVIOUS, AT_HEADS - AT_PREVIOUS, "\x80", 1, PREVIOUS_PROBLEM, "a distance cut off" },
		{ AT_COUNT, 1, many, sizeof(many), HEADS_PROBLEM, "more heads than there can be" },
		{ AT_PREVIOUS, AT_COUNT - AT_PREVIOUS - 100, "", 0, HEADS_PROBLEM, "heads that do not fit" },
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct buf row = altered(shapes[i].at, shapes[i].len, shapes[i].bytes,
					 shapes[i].count);

		is_str(parse_exact(row.data, row.len), shapes[i].problem, shapes[i].name);
		buf_release(&row);
	}
}

int main(void)
{
	fill(hashes, sizeof(hashes), 10);
	fill(memo, sizeof(memo), 1);
	fill(heads, sizeof(heads), 200);
	test_round_trip(0);
	test_round_trip(1);
	test_round_trip(HEADS);
	test_layout();
	test_flipped();
	test_shapes();
	return done_testing();
}

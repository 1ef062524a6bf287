#include "common/bytes.h"
#include "tap.h"

int main(void)
{
	static const uint8_t want[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	uint8_t got[10];

	memset(got, 0x5a, sizeof(got));
	put_be64(got + 1, UINT64_C(0x0123456789abcdef));
	ok(!memcmp(got + 1, want, 8), "eight bytes, the highest first");
	ok(got[0] == 0x5a && got[9] == 0x5a, "and no others");
	put_be32(got + 1, 0xfedcba98);
	ok(got[1] == 0xfe && got[4] == 0x98 && got[5] == want[4], "four bytes");
	put_be16(got + 1, 0x1234);
	ok(got[1] == 0x12 && got[2] == 0x34 && got[3] == 0xba, "two bytes");
	ok(get_be64(want) == UINT64_C(0x0123456789abcdef), "eight bytes back");
	ok(get_be32(want + 4) == 0x89abcdef, "four back");
	ok(get_be16(want + 6) == 0xcdef, "two back");
	memset(got, 0xff, sizeof(got));
	ok(get_be64(got) == UINT64_MAX && get_be32(got) == UINT32_MAX &&
		   get_be16(got) == UINT16_MAX,
	   "the largest of each has no sign");
	return done_testing();
}

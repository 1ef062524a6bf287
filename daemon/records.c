#include "records.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"

#define LAYOUT 4			/* of what is stored: another one is made again */

_Static_assert(4 + BUDGET_SIZE <= SHELF_RECORD_MAX, "a budget's record");

static void total_combine(uint8_t *old, const uint8_t *newer)
{
	put_be64(old, get_be64(old) + get_be64(newer));
	put_be32(old + 8, get_be32(old + 8) + get_be32(newer + 8));
}

const struct shelf shelves[SHELF_COUNT] = {
	[SHELF_BUDGETS] = { 1, 4, BUDGET_SIZE, NULL, false },
	[SHELF_NAMES] = { 8, 4, NAME_MAX_LEN + 1, NULL, true },
	[SHELF_IDS] = { 2, ID_KEY, SEQ_SIZE, NULL, true },
	[SHELF_REFUNDS] = { 3, 8, 8, NULL, false },
	[SHELF_CUSTOMERS] = { 4, CUSTOMER_HASH, 8, NULL, false },
	[SHELF_LASTS] = { 5, 8, 8, NULL, false },
	[SHELF_TOTALS] = { 6, 8 + LABEL_HASH, 12, total_combine, false },
	[SHELF_LABELS] = { 7, LABEL_HASH, LABEL_SIZE_MAX, NULL, false },
};

/* ---- The record about the whole ---- */

static uint8_t meta_key[1];

void boot_read(char ret[BOOT_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, BOOT_SIZE - 1);

	memset(ret + (n < 0 ? 0 : n), 0, BOOT_SIZE - (size_t)(n < 0 ? 0 : n));
	if (fd >= 0)
		close(fd);
}

static void meta_sum(const struct meta *meta, uint8_t ret[HASH_SIZE])
{
	sha256((struct iovec[]){ PART((const uint8_t *)meta + HASH_SIZE,
				      sizeof(*meta) - HASH_SIZE) }, 1, ret);
}

int meta_put(const struct index *index, MDB_txn *txn, struct meta *meta)
{
	MDB_val key = { sizeof(meta_key), meta_key }, value = { sizeof(*meta), meta };

	meta->layout = LAYOUT;
	meta->size = sizeof(*meta);
	memcpy(meta->boot, index->boot, sizeof(meta->boot));
	meta_sum(meta, meta->sum);
	return mdb_put(txn, index->dbi, &key, &value, 0);
}

bool meta_get(MDB_txn *txn, unsigned dbi, struct meta *ret)
{
	MDB_val key = { sizeof(meta_key), meta_key }, value;
	uint8_t sum[HASH_SIZE];

	if (mdb_get(txn, dbi, &key, &value) || value.mv_size != sizeof(*ret))
		return false;
	memcpy(ret, value.mv_data, sizeof(*ret));
	meta_sum(ret, sum);
	return !memcmp(sum, ret->sum, sizeof(sum)) && ret->layout == LAYOUT &&
	       ret->size == sizeof(*ret);
}

/* ---- Keys ---- */

void id_key(const struct index *index, int64_t uid, const uint8_t id[16],
		   uint8_t ret[ID_KEY])
{
	uint8_t pair[24];

	memcpy(pair, id, 16);
	put_be64(pair + 16, (uint64_t)uid);
	memcpy(ret, id, ID_TIME);
	crypto_shorthash(ret + ID_TIME, pair, sizeof(pair), index->secret);
}

void seq_put(uint8_t *p, uint64_t seq)
{
	uint8_t bytes[8];

	put_be64(bytes, seq);
	memcpy(p, bytes + 8 - SEQ_SIZE, SEQ_SIZE);
}

uint64_t seq_get(const uint8_t *p)
{
	uint8_t bytes[8] = { 0 };

	memcpy(bytes + 8 - SEQ_SIZE, p, SEQ_SIZE);
	return get_be64(bytes);
}

void month_key(uint32_t month, uint32_t place, uint8_t ret[8])
{
	put_be32(ret, month);
	put_be32(ret + 4, place);
}

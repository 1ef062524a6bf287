/*
 * What the index's shelves and its record about the whole are made of: for the files that write,
 * read, load and check it (index.h), and for nobody else.
 */
#ifndef DAEMON_RECORDS_H
#define DAEMON_RECORDS_H

#include "index.h"
#include "shelf.h"

#define LEVELS_MAX 40			/* of the tree's edge that is kept */
#define ID_TIME 6			/* of a UUIDv7 the milliseconds: new ids come last */
#define ID_KEY (ID_TIME + 8)
#define SEQ_SIZE 5
#define LABEL_HASH 8
#define LABEL_SIZE_MAX (2 + CURRENCY_LEN + 1 + TAG_MAX_LEN + 1)

/* Of a budget all but its name, as it lies in memory. */
#define BUDGET_BEGIN offsetof(struct budget, balance)
#define BUDGET_SIZE (sizeof(struct budget) - BUDGET_BEGIN)

extern const struct shelf shelves[SHELF_COUNT];

/* The record about the whole, as it lies in memory: it is read by the program that wrote it,
 * or made again. */
struct meta {
	uint8_t sum[HASH_SIZE];		/* SHA-256 of all that follows */
	uint32_t layout, size;
	char boot[BOOT_SIZE];
	bool closed;			/* in order, and synced */
	uint64_t folded, budgets;
	int64_t last_at, balances, spent, exp;
	char origin[ORIGIN_MAX + 1], zone[ZONE_MAX + 1], currency[CURRENCY_LEN + 1];
	struct keys keys;
	struct moved moved[MOVED_MAX];
	unsigned moved_count;
	uint8_t edge[LEVELS_MAX][HASH_SIZE];
};

/* Of this boot of the machine: what was written in it and not synced is still there. */
void boot_read(char ret[BOOT_SIZE]);

/* Completed: layout, boot, sum. 0, or an error of LMDB. */
int meta_put(const struct index *index, MDB_txn *txn, struct meta *meta);

/* false: damaged, or another program's. */
bool meta_get(MDB_txn *txn, unsigned dbi, struct meta *ret);

/* ---- Keys, and numbers of entries ---- */

void id_key(const struct index *index, int64_t uid, const uint8_t id[16], uint8_t ret[ID_KEY]);
void month_key(uint32_t month, uint32_t place, uint8_t ret[8]);
void seq_put(uint8_t *p, uint64_t seq);
uint64_t seq_get(const uint8_t *p);

#endif

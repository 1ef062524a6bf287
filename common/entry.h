/*
 * The ledger entry, and its leaf: one line of canonical JSON, the bytes that are stored, hashed,
 * proven and exported. Fields stand in a fixed order without blanks; what does not apply is left
 * out:
 *
 *   v seq at kind uid budget from to amount currency exp from_after to_after ref period category id
 *   genesis:     origin vkey zone prior_origin prior_size prior_root
 *   key:         vkey until
 *   open adjust: owner group allowance every carry cap pool self_topup guideline
 *   memo
 *
 * `every` is the Terms' period (month, week, day, none): `period` is already the label. Integers
 * are decimal without sign or leading zeros; strings are printable ASCII without `"` and `\`.
 */
#ifndef COMMON_ENTRY_H
#define COMMON_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "hash.h"
#include "money.h"
#include "period.h"
#include "sign.h"
#include "text.h"

#define ENTRY_LEAF_MAX 2048
#define KIND_MAX 16
#define ZONE_MAX 64
#define ABSENT (-1)		/* of an integer; an absent string is "", an absent id all zero */

#define ACCOUNT_COMPANY "company"
#define ACCOUNT_SPENT "spent"

enum kind {
	KIND_OTHER,		/* a later kind: verified by the generic money rule */
	KIND_GENESIS, KIND_BOOT, KIND_OPEN, KIND_ADJUST, KIND_CLOSE,
	KIND_TOPUP, KIND_RESET, KIND_SPEND, KIND_REFUND, KIND_AUDIT, KIND_KEY,
	KIND_COUNT
};

enum carry { CARRY_NONE, CARRY_ALL, CARRY_CAP };

/* What a budget was opened or adjusted to. Amounts in minor units of currency. */
struct terms {
	int64_t owner, group;	/* uid or gid: exactly one is there */
	char currency[CURRENCY_LEN + 1];
	int64_t exp;
	int64_t allowance;	/* >= 0 */
	int64_t every;		/* enum period */
	int64_t carry;		/* enum carry */
	int64_t cap;		/* with CARRY_CAP, otherwise ABSENT */
	char pool[NAME_MAX_LEN + 1];
	int64_t self_topup;	/* with pool: the most to draw from it in a period */
	int64_t guideline;
};

struct entry {
	int64_t seq;
	int64_t at;		/* microseconds since 1970 UTC */
	enum kind kind;
	char kind_name[KIND_MAX + 1];
	int64_t uid;		/* who asked */
	char budget[NAME_MAX_LEN + 1];	/* whom it is about */
	char from[NAME_MAX_LEN + 1], to[NAME_MAX_LEN + 1];
	int64_t amount;		/* minor units, > 0; ABSENT with from and to when nothing moves */
	char currency[CURRENCY_LEN + 1];
	int64_t exp;
	int64_t from_after, to_after;	/* balances; ABSENT for company and spent */
	int64_t ref;
	char period[LABEL_SIZE];
	char category[TAG_MAX_LEN + 1];
	uint8_t id[16];
	char origin[ORIGIN_MAX + 1], vkey[VKEY_MAX + 1], zone[ZONE_MAX + 1];
	char prior_origin[ORIGIN_MAX + 1];	/* of a genesis: the ledger that
						 * this one goes on from, */
	int64_t prior_size;			/* as far as its last head */
	char prior_root[HASH_BASE64 + 1];
	int64_t until;				/* of a key: heads up to this time
						 * are signed by the old one too */
	struct terms terms;	/* its currency and exp mirror the entry's */
	uint8_t memo[HASH_SIZE];	/* the commitment to the private words */
};

/* An entry in which everything is absent. */
void entry_clear(struct entry *entry);

/* "spend" and back; KIND_OTHER for a word that is no kind of today. */
const char *kind_word(enum kind kind);
enum kind kind_from_word(const char *word);

const char *carry_word(enum carry carry);
int carry_from_word(const char *word);	/* -1: none of them */

bool entry_has_id(const struct entry *entry);

/* `company` and `spent`, which have no balance of their own. */
bool account_built_in(const char *account);

/* Appends the leaf. How many of its bytes stand before the kind's own fields. */
size_t entry_format(const struct entry *entry, struct buf *out);

/* Appends what answers have in common with the leaf: its fields from seq to id, each behind a
 * comma. In a leaf they begin at byte ENTRY_COMMON. */
void entry_format_common(const struct entry *entry, struct buf *out);

#define ENTRY_COMMON 6

/* Takes exactly what entry_format writes (or a later version's for an unknown kind), and nothing
 * else. NULL, or a static sentence with *ret in no defined state. */
const char *entry_parse(const char *leaf, size_t len, struct entry *ret);

#endif

#include "request.h"

#include "common/memo.h"
#include "common/money.h"
#include "common/period.h"
#include "common/text.h"

#define FIELD(record, name, type, flags, max) \
	{ #name, type, offsetof(struct record, name), flags, max }
#define ID(record) FIELD(record, id, FIELD_STRING, FIELD_REQUIRED | FIELD_APART, UUID_LEN)
#define DRY_RUN(record) FIELD(record, dry_run, FIELD_BOOL, FIELD_APART, 0)
#define RECEIPT(record) FIELD(record, receipt, FIELD_BOOL, FIELD_APART, 0)

#define REFERENCE_MAX 128	/* customer, incident */
#define EVIDENCE_MAX 400	/* a digest and a file's name */

const struct field spend_fields[] = {
	FIELD(spend_request, amount, FIELD_INT, FIELD_REQUIRED | FIELD_POSITIVE, 0),
	FIELD(spend_request, currency, FIELD_STRING, FIELD_REQUIRED, CURRENCY_LEN),
	FIELD(spend_request, reason, FIELD_STRING, FIELD_REQUIRED | FIELD_WORDS, MEMO_WORDS_MAX),
	ID(spend_request),
	FIELD(spend_request, exp, FIELD_INT, FIELD_NATURAL, 0),
	FIELD(spend_request, budget, FIELD_STRING, FIELD_FULL, NAME_MAX_LEN),
	FIELD(spend_request, customer, FIELD_STRING, FIELD_WORDS, REFERENCE_MAX),
	FIELD(spend_request, incident, FIELD_STRING, FIELD_WORDS, REFERENCE_MAX),
	FIELD(spend_request, category, FIELD_STRING, FIELD_TAG, TAG_MAX_LEN),
	FIELD(spend_request, evidence, FIELD_STRING, FIELD_WORDS, EVIDENCE_MAX),
	DRY_RUN(spend_request),
	RECEIPT(spend_request),
	FIELDS_END
};

const struct field topup_fields[] = {
	FIELD(topup_request, amount, FIELD_INT, FIELD_REQUIRED | FIELD_POSITIVE, 0),
	FIELD(topup_request, currency, FIELD_STRING, FIELD_REQUIRED, CURRENCY_LEN),
	ID(topup_request),
	FIELD(topup_request, exp, FIELD_INT, FIELD_NATURAL, 0),
	FIELD(topup_request, budget, FIELD_STRING, FIELD_FULL, NAME_MAX_LEN),
	FIELD(topup_request, from, FIELD_STRING, FIELD_FULL, NAME_MAX_LEN),
	FIELD(topup_request, reason, FIELD_STRING, FIELD_WORDS, MEMO_WORDS_MAX),
	DRY_RUN(topup_request),
	RECEIPT(topup_request),
	FIELDS_END
};

const struct field refund_fields[] = {
	FIELD(refund_request, ref, FIELD_INT, FIELD_REQUIRED | FIELD_NATURAL, 0),
	ID(refund_request),
	FIELD(refund_request, amount, FIELD_INT, FIELD_POSITIVE, 0),
	FIELD(refund_request, reason, FIELD_STRING, FIELD_WORDS, MEMO_WORDS_MAX),
	DRY_RUN(refund_request),
	RECEIPT(refund_request),
	FIELDS_END
};

const struct field reset_fields[] = {
	FIELD(reset_request, period, FIELD_STRING, 0, LABEL_SIZE - 1),
	FIELD(reset_request, budget, FIELD_STRING, FIELD_FULL, NAME_MAX_LEN),
	DRY_RUN(reset_request),
	FIELDS_END
};

#define TERMS \
	FIELD(terms_request, owner, FIELD_INT, FIELD_NATURAL, 0), \
	FIELD(terms_request, group, FIELD_INT, FIELD_NATURAL, 0), \
	FIELD(terms_request, allowance, FIELD_INT, FIELD_NATURAL, 0), \
	FIELD(terms_request, period, FIELD_STRING, 0, LABEL_SIZE - 1), \
	FIELD(terms_request, carry, FIELD_STRING, 0, LABEL_SIZE - 1), \
	FIELD(terms_request, cap, FIELD_INT, FIELD_NATURAL, 0), \
	FIELD(terms_request, pool, FIELD_STRING, 0, NAME_MAX_LEN), \
	FIELD(terms_request, self_topup, FIELD_INT, FIELD_POSITIVE, 0), \
	FIELD(terms_request, guideline, FIELD_INT, FIELD_POSITIVE, 0)

const struct field open_fields[] = {
	FIELD(terms_request, name, FIELD_STRING, FIELD_REQUIRED, 256),
	ID(terms_request),
	TERMS,
	FIELD(terms_request, currency, FIELD_STRING, 0, CURRENCY_LEN),
	FIELDS_END
};

const struct field adjust_fields[] = {
	FIELD(terms_request, name, FIELD_STRING, FIELD_REQUIRED, NAME_MAX_LEN),
	ID(terms_request),
	TERMS,
	FIELD(terms_request, clear, FIELD_STRINGS, 0, 16),
	FIELDS_END
};

const struct field close_fields[] = {
	FIELD(close_request, name, FIELD_STRING, FIELD_REQUIRED, NAME_MAX_LEN),
	ID(close_request),
	FIELD(close_request, reason, FIELD_STRING, FIELD_WORDS, MEMO_WORDS_MAX),
	FIELDS_END
};

/*
 * Which entry last spoke of a customer: the head of the chain of customer_prev in the memos.
 * Only a keyed hash of the customer's reference is kept, here and in the index.
 *
 * What is here is what is not folded into the index yet, in two parts: the recent, and the frozen,
 * which a fold may read from its thread while nothing here changes it.
 */
#ifndef DAEMON_CUSTOMERS_H
#define DAEMON_CUSTOMERS_H

#include <stdint.h>

#include "map.h"

#define CUSTOMER_NONE (-1)
#define CUSTOMER_HASH MAP_KEY

struct customers {
	struct map recent, frozen;
	uint8_t key[16];

	/* Asked for who is neither here nor there; NULL: nobody is known elsewhere. */
	int64_t (*folded)(void *context, const uint8_t hash[CUSTOMER_HASH]);
	void *context;
};

/* The key is random until one is set that other runs of the program know too. */
void customers_init(struct customers *customers);
void customers_release(struct customers *customers);

/* By which the customer is known to all that follows: SipHash-2-4 of 128 bits, so that nobody
 * without the key finds two references of one hash. */
void customers_hash(const struct customers *customers, const char *reference,
		    uint8_t ret[CUSTOMER_HASH]);

/* This customer will soon be asked for: has the processor fetch what shows it. */
void customers_expect(const struct customers *customers, const uint8_t hash[CUSTOMER_HASH]);

/* The customer's last entry, or CUSTOMER_NONE. */
int64_t customers_last(const struct customers *customers, const uint8_t hash[CUSTOMER_HASH]);

/* CUSTOMER_NONE takes back the customer's only entry. */
void customers_set(struct customers *customers, const uint8_t hash[CUSTOMER_HASH], int64_t seq);

void customers_freeze(struct customers *customers);	/* nothing is frozen before */
void customers_forget(struct customers *customers);	/* what is frozen */

#endif

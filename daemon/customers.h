/*
 * Which entry last spoke of a customer: the head of the chain of customer_prev in the memos.
 * Only a keyed hash of the customer's reference is kept in memory.
 */
#ifndef DAEMON_CUSTOMERS_H
#define DAEMON_CUSTOMERS_H

#include <stdint.h>

#define CUSTOMER_NONE (-1)

struct customer;

struct customers {
	struct customer *table;
	uint8_t key[16];
};

void customers_init(struct customers *customers);
void customers_release(struct customers *customers);

/* The customer's last entry, or CUSTOMER_NONE. */
int64_t customers_last(const struct customers *customers, const char *reference);

/* CUSTOMER_NONE forgets the customer. */
void customers_set(struct customers *customers, const char *reference, int64_t seq);

#endif

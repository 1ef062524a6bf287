#include "customers.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct customer {
	uint8_t hash[16];
	int64_t last;
	UT_hash_handle hh;
};

void customers_init(struct customers *customers)
{
	customers->table = NULL;
	randombytes_buf(customers->key, sizeof(customers->key));
}

void customers_release(struct customers *customers)
{
	struct customer *customer, *next;

	HASH_ITER(hh, customers->table, customer, next) {
		HASH_DEL(customers->table, customer);
		free(customer);
	}
}

static struct customer *customer_find(const struct customers *customers, const char *reference,
				      uint8_t hash[16])
{
	struct customer *found;

	crypto_generichash(hash, 16, (const uint8_t *)reference, strlen(reference),
			   customers->key, sizeof(customers->key));
	HASH_FIND(hh, customers->table, hash, 16, found);
	return found;
}

int64_t customers_last(const struct customers *customers, const char *reference)
{
	uint8_t hash[16];
	struct customer *found = customer_find(customers, reference, hash);

	return found ? found->last : CUSTOMER_NONE;
}

void customers_set(struct customers *customers, const char *reference, int64_t seq)
{
	uint8_t hash[16];
	struct customer *customer = customer_find(customers, reference, hash);

	if (customer && seq == CUSTOMER_NONE) {
		HASH_DEL(customers->table, customer);
		free(customer);
	} else if (seq != CUSTOMER_NONE) {
		if (!customer) {
			customer = calloc(1, sizeof(*customer));
			if (!customer)
				abort();
			memcpy(customer->hash, hash, sizeof(hash));
			HASH_ADD(hh, customers->table, hash, sizeof(customer->hash), customer);
		}
		customer->last = seq;
	}
}

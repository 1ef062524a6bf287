#include "customers.h"

#include <sodium.h>
#include <string.h>

void customers_init(struct customers *customers)
{
	*customers = (struct customers){ .folded = NULL };
	map_init(&customers->recent, true);
	map_init(&customers->frozen, true);
	randombytes_buf(customers->key, sizeof(customers->key));
}

void customers_release(struct customers *customers)
{
	map_release(&customers->recent);
	map_release(&customers->frozen);
}

void customers_hash(const struct customers *customers, const char *reference,
		    uint8_t ret[CUSTOMER_HASH])
{
	crypto_shorthash_siphashx24(ret, (const uint8_t *)reference, strlen(reference),
				    customers->key);
}

void customers_expect(const struct customers *customers, const uint8_t hash[CUSTOMER_HASH])
{
	map_expect(&customers->recent, hash);
	map_expect(&customers->frozen, hash);
}

int64_t customers_last(const struct customers *customers, const uint8_t hash[CUSTOMER_HASH])
{
	int64_t seq;

	if (map_get(&customers->recent, hash, &seq) || map_get(&customers->frozen, hash, &seq))
		return seq;
	return customers->folded ? customers->folded(customers->context, hash) : CUSTOMER_NONE;
}

void customers_set(struct customers *customers, const uint8_t hash[CUSTOMER_HASH], int64_t seq)
{
	if (seq == CUSTOMER_NONE)
		map_remove(&customers->recent, hash);
	else
		map_set(&customers->recent, hash, seq);
}

void customers_freeze(struct customers *customers)
{
	struct map empty = customers->frozen;

	customers->frozen = customers->recent;
	customers->recent = empty;
}

void customers_forget(struct customers *customers)
{
	map_release(&customers->frozen);
}

#include "daemon/customers.h"
#include "tap.h"

static int64_t last(const struct customers *customers, const char *reference)
{
	uint8_t hash[CUSTOMER_HASH];

	customers_hash(customers, reference, hash);
	return customers_last(customers, hash);
}

static void set(struct customers *customers, const char *reference, int64_t seq)
{
	uint8_t hash[CUSTOMER_HASH];

	customers_hash(customers, reference, hash);
	customers_set(customers, hash, seq);
}

static void test_chain(void)
{
	struct customers customers;

	customers_init(&customers);
	is_int(last(&customers, "C-17"), CUSTOMER_NONE, "nobody is known at first");
	set(&customers, "C-17", 0);
	is_int(last(&customers, "C-17"), 0, "entry 0 is an entry");
	set(&customers, "C-17", 41);
	is_int(last(&customers, "C-17"), 41, "the last one counts");
	is_int(last(&customers, "c-17"), CUSTOMER_NONE, "letters count");
	is_int(last(&customers, "C-1"), CUSTOMER_NONE, "so does the whole reference");
	is_int(last(&customers, ""), CUSTOMER_NONE, "none is nobody");
	set(&customers, "C-18", 42);
	set(&customers, "C-17", CUSTOMER_NONE);
	is_int(last(&customers, "C-17"), CUSTOMER_NONE, "one can be forgotten");
	is_int(last(&customers, "C-18"), 42, "and the other stays");
	set(&customers, "C-19", CUSTOMER_NONE);
	is_int(last(&customers, "C-19"), CUSTOMER_NONE, "forgetting nobody");
	customers_release(&customers);
}

static void test_many(void)
{
	struct customers customers;
	char reference[16];
	bool right = true;

	customers_init(&customers);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 10000; i++) {
			snprintf(reference, sizeof(reference), "C-%d", i);
			set(&customers, reference, 2 * i + round);
		}
	for (int i = 0; i < 10000; i += 2) {
		snprintf(reference, sizeof(reference), "C-%d", i);
		set(&customers, reference, CUSTOMER_NONE);
	}
	for (int i = 0; i < 10000; i++) {
		snprintf(reference, sizeof(reference), "C-%d", i);
		right = right && last(&customers, reference) ==
				 (i % 2 ? 2 * i + 1 : CUSTOMER_NONE);
	}
	ok(right, "ten thousand customers, half of them forgotten");
	customers_release(&customers);
}

int main(void)
{
	test_chain();
	test_many();
	return done_testing();
}

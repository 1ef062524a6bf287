/* exchange: flows are used up from the front, and what is
 * left is taken again, without room that is too large. */
#include "daemon/exchange.h"

#include <event2/event.h>
#include <string.h>

#include "daemon/conn.h"
#include "tap.h"

static void test_flow(void)
{
	struct flow flow = { .used = 0 };
	char bytes[1000];
	bool right = true;

	is_int((int64_t)flow_left(&flow), 0, "a flow begins empty");
	for (unsigned i = 0; i < 100; i++) {
		memset(bytes, (int)i, sizeof(bytes));
		flow_add(&flow, bytes, sizeof(bytes));
		flow_use(&flow, 900);
	}
	is_int((int64_t)flow_left(&flow), 10000, "what was not used is left");
	for (unsigned i = 90; i < 100; i++) {
		memset(bytes, (int)i, sizeof(bytes));
		right = right && !memcmp(flow_front(&flow), bytes, sizeof(bytes));
		flow_use(&flow, sizeof(bytes));
	}
	ok(right, "in its order");
	ok(!flow_left(&flow) && !flow.used && !flow.bytes.len, "a flow used up begins anew");
	ok(flow.bytes.cap < 100000, "and what was used gave its room to what came");
	buf_release(&flow.bytes);
}

static void test_spare(void)
{
	enum { MANY = 100 };
	struct exchanges exchanges = { .count = 0 };
	struct exchange *taken[MANY], *again;

	for (int i = 0; i < MANY; i++)
		taken[i] = exchange_take(&exchanges);
	ok(exchange_over(taken[0]), "a new one is empty");
	buf_str(&taken[0]->held, "an answer");
	ok(!exchange_over(taken[0]), "with an answer held it is not over");
	buf_room(&taken[0]->out.bytes, 100000);
	taken[0]->held_calls = taken[0]->hole_count = 3;
	taken[0]->oneway = taken[0]->more = true;
	exchange_leave(taken[0], &exchanges);
	again = exchange_take(&exchanges);
	ok(again == taken[0] && exchange_over(again), "one that was left is taken again, empty");
	ok(!again->held_calls && !again->hole_count && !again->oneway && !again->more,
	   "with nothing of who had it");
	ok(again->held.cap && !again->out.bytes.cap, "and with its room, but not when it was much");
	for (int i = 0; i < MANY; i++)
		exchange_leave(taken[i], &exchanges);
	is_int(exchanges.count, 64, "a few are kept");
	exchanges_release(&exchanges);
	ok(!exchanges.count && !exchanges.spare, "none after the release");
}

static void test_rest(void)
{
	struct exchanges exchanges = { .count = 0 };
	struct exchange *exchange = exchange_take(&exchanges);

	buf_room(&exchange->out.bytes, 100000);
	buf_room(&exchange->in.bytes, 100000);
	flow_use(&exchange->in, 100000);
	exchange_rest(exchange);
	ok(!exchange->in.bytes.cap && exchange->out.bytes.len == 100000,
	   "large room is given back where nothing is in it");
	exchange_leave(exchange, &exchanges);
	exchanges_release(&exchanges);
}

int main(void)
{
	test_flow();
	test_spare();
	test_rest();
	ok(sizeof(struct conn) + event_get_struct_event_size() <= 248,
	   "an idle connection is one piece of at most 256 bytes");
	return done_testing();
}

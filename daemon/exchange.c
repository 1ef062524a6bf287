#include "exchange.h"

#include <stdlib.h>
#include <string.h>

#define FLOW_TIDY 4096		/* bytes used up at the front before the rest is moved there */
#define SPARE_MAX 64
#define SPARE_ROOM 16384	/* bytes of a spare one's buffer at most */

/* ---- Flows ---- */

size_t flow_left(const struct flow *flow)
{
	return flow->bytes.len - flow->used;
}

const char *flow_front(const struct flow *flow)
{
	return flow->used ? flow->bytes.data + flow->used : flow->bytes.data;
}

void flow_use(struct flow *flow, size_t len)
{
	flow->used += len;
	if (flow->used < flow->bytes.len)
		return;
	buf_clear(&flow->bytes);
	flow->used = 0;
}

void flow_add(struct flow *flow, const char *bytes, size_t len)
{
	size_t left = flow_left(flow);

	if (flow->used >= FLOW_TIDY && left < flow->used) {
		memcpy(flow->bytes.data, flow_front(flow), left);
		flow->bytes.len = left;
		flow->used = 0;
	}
	buf_add(&flow->bytes, bytes, len);
}

/* ---- Coming and going ---- */

struct exchange *exchange_take(struct exchanges *exchanges)
{
	struct exchange *exchange = exchanges->spare;

	if (exchange) {
		exchanges->spare = exchange->next;
		exchanges->count--;
		return exchange;
	}
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		abort();
	return exchange;
}

bool exchange_over(const struct exchange *exchange)
{
	return !exchange->job && !exchange->in.bytes.len && !exchange->out.bytes.len &&
	       !exchange->held.len;
}

static void room_keep(struct buf *buf)
{
	if (buf->cap > SPARE_ROOM)
		buf_release(buf);
	else
		buf_clear(buf);
}

void exchange_rest(struct exchange *exchange)
{
	struct buf *bufs[] = { &exchange->in.bytes, &exchange->out.bytes, &exchange->held };

	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		if (!bufs[i]->len)
			room_keep(bufs[i]);
}

static void exchange_free(struct exchange *exchange)
{
	buf_release(&exchange->in.bytes);
	buf_release(&exchange->out.bytes);
	buf_release(&exchange->held);
	free(exchange->holes);
	free(exchange);
}

void exchanges_release(struct exchanges *exchanges)
{
	struct exchange *exchange;

	while ((exchange = exchanges->spare)) {
		exchanges->spare = exchange->next;
		exchange_free(exchange);
	}
	exchanges->count = 0;
}

void exchange_leave(struct exchange *exchange, struct exchanges *exchanges)
{
	if (exchanges->count == SPARE_MAX) {
		exchange_free(exchange);
		return;
	}
	room_keep(&exchange->in.bytes);
	room_keep(&exchange->out.bytes);
	room_keep(&exchange->held);
	*exchange = (struct exchange){
		.in.bytes = exchange->in.bytes, .out.bytes = exchange->out.bytes,
		.held = exchange->held, .holes = exchange->holes, .next = exchanges->spare,
	};
	exchanges->spare = exchange;
	exchanges->count++;
}

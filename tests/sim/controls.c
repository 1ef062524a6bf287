/*
 * Bugs that are planted, to see that the checks find them: between the daemon's own functions, put
 * there by the linker. Without a control they hand on what they get.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/apply.h"
#include "daemon/batch.h"
#include "daemon/conn.h"
#include "sim.h"

enum commit __real_batch_commit(struct batch *batch, const char **problem);
enum commit __wrap_batch_commit(struct batch *batch, const char **problem);
const char *__real_books_apply(struct books *books, const struct entry *entry);
const char *__wrap_books_apply(struct books *books, const struct entry *entry);
int64_t __real_books_request(const struct books *books, int64_t uid, const uint8_t id[16]);
int64_t __wrap_books_request(const struct books *books, int64_t uid, const uint8_t id[16]);
void __real_conn_run(struct conn *conn, struct service *service);
void __wrap_conn_run(struct conn *conn, struct service *service);
enum err __real_batch_add(struct batch *batch, struct entry *entry, struct memo *words, int64_t now,
			  struct refusal *refusal);
enum err __wrap_batch_add(struct batch *batch, struct entry *entry, struct memo *words, int64_t now,
			  struct refusal *refusal);

void __real_conn_free(struct conn *conn, struct service *service);
void __wrap_conn_free(struct conn *conn, struct service *service);

/* The connections that ran since the last commit: their answers are held. */
static struct conn *ran[256];
static unsigned ran_count;
static struct service *ran_for;

void controls_reset(void)
{
	ran_count = 0;
}

void __wrap_conn_free(struct conn *conn, struct service *service)
{
	for (unsigned i = 0; i < ran_count; i++)
		if (ran[i] == conn)
			ran[i--] = ran[--ran_count];
	__real_conn_free(conn, service);
}

void __wrap_conn_run(struct conn *conn, struct service *service)
{
	__real_conn_run(conn, service);
	ran_for = service;
	if (control == CONTROL_EARLY && ran_count < 256)
		ran[ran_count++] = conn;
}

/* As if what it was computed from were durable. */
static void answer_early(struct conn *conn)
{
	conn->watermark = 0;
	conn_flush(conn, ran_for, 0);
}

enum commit __wrap_batch_commit(struct batch *batch, const char **problem)
{
	for (unsigned i = 0; i < ran_count; i++)
		answer_early(ran[i]);
	ran_count = 0;
	return __real_batch_commit(batch, problem);
}

/* The books do not learn the id, so that nothing stands against its being used again. */
const char *__wrap_books_apply(struct books *books, const struct entry *entry)
{
	struct entry changed = *entry;
	struct budget *to;
	const char *problem;

	if (control == CONTROL_IDS && entry_has_id(entry))
		memcpy(changed.id, &entry->seq, sizeof(entry->seq));
	problem = __real_books_apply(books, &changed);
	to = books_budget(books, entry->to);
	if (control == CONTROL_MONEY && !problem && to)
		to->balance++;
	return problem;
}

int64_t __wrap_books_request(const struct books *books, int64_t uid, const uint8_t id[16])
{
	return control == CONTROL_IDS ? ABSENT : __real_books_request(books, uid, id);
}

enum err __wrap_batch_add(struct batch *batch, struct entry *entry, struct memo *words, int64_t now,
			  struct refusal *refusal)
{
	if (control == CONTROL_PAYLOAD && entry->kind == KIND_SPEND && entry->amount % 16 == 7)
		entry->uid = 5001;
	if (control == CONTROL_LEAK && !malloc(16))
		abort();
	return __real_batch_add(batch, entry, words, now, refusal);
}

/*
 * A whole connection: frames, messages and methods on a real ledger, whose commits all come to
 * nothing, so that every input finds the same state. The first byte says who is connected, the
 * second where the rest is split: in one piece or in many, the answers must be the same to the
 * byte.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/conn.h"
#include "daemon/init.h"
#include "fuzz.h"

#define NOW INT64_C(1795594530000000)	/* 2026-11-25T08:15:30Z */
#define RUNS_MAX 4096

int LLVMFuzzerInitialize(int *argc, char ***argv);
enum commit __wrap_ledger_commit(struct ledger *ledger, uint64_t size);
enum commit __real_ledger_commit(struct ledger *ledger, uint64_t size);

static struct service service;
static struct event_base *base;
static bool undone;

enum commit __wrap_ledger_commit(struct ledger *ledger, uint64_t size)
{
	if (!undone)
		return __real_ledger_commit(ledger, size);
	ledger_abort(ledger);
	ledger->error = ENOSPC;
	return COMMIT_UNDONE;
}

/* ---- The ledger and its people ---- */

static const struct actor people[] = {
	{ .uid = 1001 },
	{ .uid = 1002, .groups = (const gid_t[]){ 1002, 2000 }, .group_count = 2 },
	{ .uid = 1009 },
	{ .uid = 1020, .roles = ROLE_MANAGER | ROLE_CRON | ROLE_AUDITOR },
};

#define PEOPLE (sizeof(people) / sizeof(*people))
#define ID(n) ",\"id\":\"0193a5b2-7c3e-7f10-9d43-00000000000" #n "\"}"

static const char *const before[][2] = {
	{ "Open", "{\"name\":\"team/north\",\"group\":2000,\"allowance\":50000" ID(1) },
	{ "Open", "{\"name\":\"alice\",\"owner\":1001,\"allowance\":20000,\"pool\":\"team/north\","
		  "\"self_topup\":30000" ID(2) },
	{ "Open", "{\"name\":\"bob\",\"owner\":1002,\"allowance\":10000" ID(3) },
	{ "Spend", "{\"budget\":\"alice\",\"amount\":1,\"currency\":\"EUR\",\"reason\":\"x\"" ID(4) },
	{ "Close", "{\"name\":\"bob\"" ID(5) },
};

static void call(const struct actor *actor, const char *method, const char *parameters)
{
	struct problem problem;
	struct buf reply = BUF_INIT, name = BUF_INIT;
	struct refusal refusal;
	json_t *root = json_parse(parameters, strlen(parameters), &problem);
	struct request request = { .service = &service, .actor = actor, .parameters = root,
				   .reply = &reply, .refusal = &refusal };

	MUST(root);
	buf_printf(&name, "%s.%s", LEDGER_INTERFACE, method);
	if (method_run(name.data, &request) && strcmp(method, "Spend"))
		abort();
	json_free(root);
	buf_release(&reply);
	buf_release(&name);
}

static void turn_begin(void)
{
	service.now = NOW;
	calendar_at(NOW, &service.calendar);
	service.room = ROOM_PLENTY;
	service.clock.problem = NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char dir[] = "/tmp/fund-fuzz-XXXXXX";
	static struct config config = { .map_size = LEDGER_MAP_MIN * 4 };
	struct init_options options = { .origin = "fuzz.example", .currency = "EUR", .timezone = "UTC" };
	const char *problem;
	char path[64];

	(void)argc;
	(void)argv;
	MUST(sign_start() && mkdtemp(dir));
	snprintf(config.dir, sizeof(config.dir), "%s", dir);
	MUST(!init_ledger(dir, &options) && !service_load(&service, &config) &&
	     !service_start(&service));
	base = event_base_new();
	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
		turn_begin();
		call(&people[PEOPLE - 1], before[i][0], before[i][1]);
	}
	MUST(base && batch_commit(&service.batch, &problem) == COMMIT_DONE);
	undone = true;
	snprintf(path, sizeof(path), "rm -rf %s", dir);
	return system(path);	/* what is open stays */
}

/* ---- One connection ---- */

static void on_io(int fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

static void calls_run(struct conn *conn)
{
	for (int i = 0; i < RUNS_MAX && conn_ready(conn, batch_committed(&service.batch)) &&
			!batch_full(&service.batch); i++)
		conn_run(conn, &service);
}

/* All that it answers, had it been committed. */
static void connect_and_send(const struct actor *who, const uint8_t *data, size_t size, size_t step,
			     struct buf *answers)
{
	const char *problem;
	struct conn *conn;
	int fds[2];

	MUST(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds) && !fcntl(fds[0], F_SETFL, O_NONBLOCK));
	conn = conn_new(base, fds[0], who, 0, on_io);
	turn_begin();
	for (size_t at = 0; at < size && !conn->closing; at += step) {
		size_t len = size - at < step ? size - at : step;

		MUST(write(fds[1], data + at, len) == (ssize_t)len);
		conn_read(conn, &service, 0);
		calls_run(conn);
	}
	if (conn->exchange)
		buf_add(answers, conn->exchange->held.data, conn->exchange->held.len);
	if (batch_open(&service.batch)) {
		MUST(batch_commit(&service.batch, &problem) == COMMIT_UNDONE);
		conn_undo(conn, problem);
	}
	conn_flush(conn, &service, 0);
	conn_free(conn, &service);
	close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT, split = BUF_INIT;
	uint64_t entries = batch_size(&service.batch);
	const struct actor *who;

	if (size < 3)
		return 0;
	who = &people[data[0] % PEOPLE];
	connect_and_send(who, data + 2, size - 2, size, &whole);
	connect_and_send(who, data + 2, size - 2, 1 + data[1], &split);
	MUST(whole.len == split.len && (!whole.len || !memcmp(whole.data, split.data, whole.len)));
	MUST(batch_size(&service.batch) == entries);
	buf_release(&whole);
	buf_release(&split);
	return 0;
}

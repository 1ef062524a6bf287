/*
 * load -s SOCKET [-c CLIENTS] [-d DEPTH] [-n SPENDS] [-b BUDGETS] [-r] [-o] [-a AUDITS -u UID]
 *
 * Spends through the real protocol: CLIENTS connections, each with DEPTH calls in flight, until
 * SPENDS were answered, from the pools bench/0 to bench/BUDGETS-1 in turn. Every call has its own
 * id; every answer is looked at: a spend, new, with the amount and the id that were asked for, and
 * no entry twice. Anything else ends the run. -r asks for receipts, each of which must be there. -o
 * opens the pools first, for the caller's own group, and fills them; that is not measured.
 *
 * -a has AUDITS more connections read the whole ledger meanwhile, over and over, as user UID (root
 * alone can be somebody else): a user has no more than 64 connections.
 *
 * Prints one line of JSON: the rate is answers a second from the first call to the last answer, the
 * times are microseconds from a call's write to its answer's read.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX 512		/* bytes of one call, with its NUL */
#define ANSWER_MAX (1 << 18)	/* bytes unread that one client holds at most */
#define DEPTH_MAX 64		/* the daemon's limit of calls in flight */
#define CLIENTS_MAX 1024
#define PATIENCE 600		/* seconds that a run may take */
#define POOL_MONEY "1000000000000"
#define UUID_SIZE 37
#define AUDITORS_MAX 64
#define AUDIT "{\"method\":\"io.fundd.Ledger.Audit\",\"parameters\":{},\"more\":true}"
#define MORE_FOLLOW "\"continues\":true}"	/* ends each reply but the last, before its NUL */

struct sent {
	uint64_t at;
	unsigned amount;
	char id[UUID_SIZE];
};

struct client {
	int fd;
	char *in;
	size_t have;
	unsigned head, count;		/* of the ring below */
	struct sent in_flight[DEPTH_MAX];
};

/* Reads the whole ledger, again and again. */
struct auditor {
	int fd;
	char end[sizeof(MORE_FOLLOW) - 1];	/* the last bytes that came */
	uint64_t rows, whole;			/* replies, and ledgers read to their end */
};

/* What epoll tells of: one of the two. */
struct source {
	struct client *client;
	struct auditor *auditor;
};

struct load {
	const char *socket;
	unsigned clients, depth, budgets, auditors;
	uid_t auditor_uid;
	bool receipts;
	uint64_t spends, sent, answered;
	uint64_t began, ended;
	uint64_t *seqs;
	uint32_t *times;		/* nanoseconds / 100 */
	struct client *client;
	struct auditor *auditor;
	struct source *source;
};

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *format, ...)
{
	va_list args;

	fputs("load: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void *room(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die("out of memory");
	return memory;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* A UUIDv7: the milliseconds, then random bits of this process, then a counter. */
static void uuid_next(char ret[UUID_SIZE])
{
	static uint64_t process, counter;
	uint64_t ms = now_ns(CLOCK_REALTIME) / 1000000;

	if (!process && getrandom(&process, sizeof(process), 0) != sizeof(process))
		die("no random bits: %s", strerror(errno));
	snprintf(ret, UUID_SIZE, "%08" PRIx64 "-%04" PRIx64 "-7%03" PRIx64 "-%04" PRIx64
		 "-%012" PRIx64, ms >> 16 & 0xffffffff, ms & 0xffff, process & 0xfff,
		 0x8000 | (process >> 12 & 0x3fff), (process >> 26 & 0xff) << 40 | counter++);
}

/* ---- Connections ---- */

static int connection_open(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		die("the socket's path is too long");
	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("writing: %s", strerror(errno));
		bytes += n;
		len -= (size_t)n;
	}
}

/* Takes in what there is; at least one byte. */
static void client_read(struct client *client)
{
	ssize_t n = read(client->fd, client->in + client->have, ANSWER_MAX - client->have);

	if (n < 0)
		die("reading: %s", strerror(errno));
	if (n == 0)
		die("the daemon hung up");
	client->have += (size_t)n;
}

/* The first whole answer from `from` on, NULL if there
 * is none; *next is where the one after it begins. */
static char *client_answer(struct client *client, size_t from, size_t *next)
{
	char *end = memchr(client->in + from, '\0', client->have - from);

	if (!end)
		return NULL;
	*next = (size_t)(end - client->in) + 1;
	return client->in + from;
}

static void client_drop(struct client *client, size_t len)
{
	client->have -= len;
	memmove(client->in, client->in + len, client->have);
}

static void client_open(struct client *client, const char *path)
{
	*client = (struct client){ .fd = connection_open(path), .in = room(1, ANSWER_MAX) };
}

static void client_close(struct client *client)
{
	close(client->fd);
	free(client->in);
}

/* ---- The pools ---- */

static void pool_call(struct client *client, const char *call, int len, const char *pardoned)
{
	size_t next;
	char *answer;

	write_all(client->fd, call, (size_t)len + 1);
	while (!(answer = client_answer(client, 0, &next)))
		client_read(client);
	if (strstr(answer, "\"error\"") && !strstr(answer, pardoned))
		die("preparing: %s", answer);
	client_drop(client, next);
}

static void pools_open(const struct load *load)
{
	char call[REQUEST_MAX], id[UUID_SIZE];
	struct client client;
	int len;

	client_open(&client, load->socket);
	for (unsigned i = 0; i < load->budgets; i++) {
		uuid_next(id);
		len = snprintf(call, sizeof(call),
			       "{\"method\":\"io.fundd.Ledger.Open\",\"parameters\":{\"name\":"
			       "\"bench/%u\",\"group\":%u,\"id\":\"%s\"}}", i, getgid(), id);
		pool_call(&client, call, len, "BudgetExists");
		uuid_next(id);
		len = snprintf(call, sizeof(call),
			       "{\"method\":\"io.fundd.Ledger.TopUp\",\"parameters\":{\"budget\":"
			       "\"bench/%u\",\"amount\":" POOL_MONEY ",\"currency\":\"EUR\","
			       "\"id\":\"%s\"}}", i, id);
		pool_call(&client, call, len, "none");
	}
	client_close(&client);
}

/* ---- Spending ---- */

static size_t spend_format(struct load *load, struct sent *sent, char out[REQUEST_MAX])
{
	uint64_t n = load->sent++;
	int len;

	sent->amount = 1 + n % 997;
	uuid_next(sent->id);
	len = snprintf(out, REQUEST_MAX,
		       "{\"method\":\"io.fundd.Ledger.Spend\",\"parameters\":{\"amount\":%u,"
		       "\"currency\":\"EUR\",\"reason\":\"parcel came late, order %" PRIu64 "\","
		       "\"id\":\"%s\",\"budget\":\"bench/%u\",\"customer\":\"C%" PRIu64 "\","
		       "\"category\":\"late-delivery\"%s}}", sent->amount, n, sent->id,
		       (unsigned)(n % load->budgets), n % 100003,
		       load->receipts ? ",\"receipt\":true" : "");
	return (size_t)len + 1;
}

static struct sent *client_slot(struct client *client, unsigned nth)
{
	return &client->in_flight[(client->head + nth) % DEPTH_MAX];
}

/* As many calls as may be in flight, in one write. */
static void client_fill(struct load *load, struct client *client)
{
	char out[DEPTH_MAX * REQUEST_MAX];
	unsigned first = client->count;
	uint64_t at;
	size_t len = 0;

	while (client->count < load->depth && load->sent < load->spends)
		len += spend_format(load, client_slot(client, client->count++), out + len);
	at = now_ns(CLOCK_MONOTONIC);
	for (unsigned i = first; i < client->count; i++)
		client_slot(client, i)->at = at;
	write_all(client->fd, out, len);
}

static const char *value_of(const char *answer, const char *key)
{
	const char *at = strstr(answer, key);

	if (!at)
		die("an answer lacks %s: %s", key, answer);
	return at + strlen(key);
}

static void answer_check(struct load *load, const struct sent *sent, const char *answer,
			 uint64_t now)
{
	if (strstr(answer, "\"error\":") || !strstr(answer, "\"kind\":\"spend\"") ||
	    !strstr(answer, "\"replayed\":false"))
		die("this is no new spend: %s", answer);
	if (strtoull(value_of(answer, "\"amount\":"), NULL, 10) != sent->amount)
		die("%u was asked for, not: %s", sent->amount, answer);
	if (strncmp(value_of(answer, "\"id\":\""), sent->id, UUID_SIZE - 1))
		die("%s was asked for, not: %s", sent->id, answer);
	if (load->receipts)
		value_of(answer, "\"receipt\":{");
	load->seqs[load->answered] = strtoull(value_of(answer, "\"seq\":"), NULL, 10);
	load->times[load->answered++] = (uint32_t)((now - sent->at) / 100);
}

static void client_turn(struct load *load, struct client *client)
{
	size_t at = 0, next;
	uint64_t now;
	char *answer;

	client_read(client);
	now = now_ns(CLOCK_MONOTONIC);
	while ((answer = client_answer(client, at, &next))) {
		if (!client->count)
			die("an answer that nobody asked for: %s", answer);
		answer_check(load, client_slot(client, 0), answer, now);
		client->head = (client->head + 1) % DEPTH_MAX;
		client->count--;
		at = next;
	}
	client_drop(client, at);
	client_fill(load, client);
}

/* ---- Auditing meanwhile ---- */

static void auditor_open(const struct load *load, struct auditor *auditor)
{
	if (load->auditor_uid && seteuid(load->auditor_uid) < 0)
		die("only root can be somebody else: %s", strerror(errno));
	*auditor = (struct auditor){ .fd = connection_open(load->socket) };
	if (load->auditor_uid && seteuid(getuid()) < 0)
		die("cannot be myself again: %s", strerror(errno));
	write_all(auditor->fd, AUDIT, sizeof(AUDIT));
}

/* Keeps the last bytes before the final NUL, by which the last reply is told from the others. */
static bool auditor_ended(struct auditor *auditor, const char *bytes, size_t len)
{
	size_t size = sizeof(auditor->end), keep;
	bool nul = bytes[len - 1] == '\0';

	len -= nul;
	keep = len < size ? size - len : 0;
	memmove(auditor->end, auditor->end + size - keep, keep);
	memcpy(auditor->end + keep, bytes + len - (size - keep), size - keep);
	return nul && memcmp(auditor->end, MORE_FOLLOW, size);
}

static void auditor_turn(struct auditor *auditor)
{
	static char bytes[1 << 16];
	ssize_t n = read(auditor->fd, bytes, sizeof(bytes));

	if (n <= 0)
		die("an audit ended: %s", n ? strerror(errno) : "the daemon hung up");
	for (const char *at = bytes; (at = memchr(at, '\0', (size_t)(bytes + n - at))); at++)
		auditor->rows++;
	if (memmem(bytes, (size_t)n, "\"error\":", 8))
		die("an audit was refused");
	if (!auditor_ended(auditor, bytes, (size_t)n))
		return;
	auditor->whole++;
	write_all(auditor->fd, AUDIT, sizeof(AUDIT));
}

/* ---- The run ---- */

static void watch(int epoll, struct source *source, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll: %s", strerror(errno));
}

static void all_open(struct load *load, int epoll)
{
	for (unsigned i = 0; i < load->clients; i++) {
		client_open(&load->client[i], load->socket);
		load->source[i].client = &load->client[i];
		watch(epoll, &load->source[i], load->client[i].fd);
	}
	for (unsigned i = 0; i < load->auditors; i++) {
		auditor_open(load, &load->auditor[i]);
		load->source[load->clients + i].auditor = &load->auditor[i];
		watch(epoll, &load->source[load->clients + i], load->auditor[i].fd);
	}
}

static void all_close(struct load *load)
{
	for (unsigned i = 0; i < load->clients; i++)
		client_close(&load->client[i]);
	for (unsigned i = 0; i < load->auditors; i++)
		close(load->auditor[i].fd);
}

static void load_run(struct load *load)
{
	struct epoll_event events[CLIENTS_MAX];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	all_open(load, epoll);
	load->began = now_ns(CLOCK_MONOTONIC);
	for (unsigned i = 0; i < load->clients; i++)
		client_fill(load, &load->client[i]);
	while (load->answered < load->spends) {
		int n = epoll_wait(epoll, events, CLIENTS_MAX, -1);

		if (n < 0 && errno != EINTR)
			die("epoll: %s", strerror(errno));
		for (int i = 0; i < n; i++) {
			const struct source *source = events[i].data.ptr;

			if (source->client)
				client_turn(load, source->client);
			else
				auditor_turn(source->auditor);
		}
	}
	load->ended = now_ns(CLOCK_MONOTONIC);
	all_close(load);
	close(epoll);
}

/* ---- Afterwards ---- */

static int compare_seqs(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int compare_times(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double time_at(const struct load *load, double share)
{
	return load->times[(uint64_t)(share * (double)(load->spends - 1))] / 10.0;
}

static void load_report(struct load *load)
{
	double seconds = (double)(load->ended - load->began) / 1e9;
	uint64_t rows = 0, whole = 0;

	for (unsigned i = 0; i < load->auditors; i++) {
		rows += load->auditor[i].rows;
		whole += load->auditor[i].whole;
	}
	qsort(load->seqs, load->spends, sizeof(*load->seqs), compare_seqs);
	for (uint64_t i = 1; i < load->spends; i++)
		if (load->seqs[i] == load->seqs[i - 1])
			die("entry %" PRIu64 " was given to two calls", load->seqs[i]);
	qsort(load->times, load->spends, sizeof(*load->times), compare_times);
	printf("{\"clients\": %u, \"depth\": %u, \"spends\": %" PRIu64 ", \"seconds\": %.3f, "
	       "\"rate\": %.0f, \"median_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, "
	       "\"worst_us\": %.1f, \"last\": %" PRIu64 ", \"audit_rows\": %" PRIu64
	       ", \"audits\": %" PRIu64 "}\n",
	       load->clients, load->depth, load->spends, seconds, (double)load->spends / seconds,
	       time_at(load, 0.5), time_at(load, 0.99), time_at(load, 0.999), time_at(load, 1),
	       load->seqs[load->spends - 1], rows, whole);
}

static uint64_t number(const char *text, uint64_t max)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !value || value > max)
		die("%s: a number from 1 to %" PRIu64 " is needed", text, max);
	return value;
}

int main(int argc, char **argv)
{
	struct load load = { .clients = 64, .depth = 1, .spends = 60000, .budgets = 64 };
	bool open = false;
	int option;

	while ((option = getopt(argc, argv, "s:c:d:n:b:roa:u:")) != -1) {
		switch (option) {
		case 's': load.socket = optarg; break;
		case 'c': load.clients = (unsigned)number(optarg, CLIENTS_MAX); break;
		case 'd': load.depth = (unsigned)number(optarg, DEPTH_MAX); break;
		case 'n': load.spends = number(optarg, 100000000); break;
		case 'b': load.budgets = (unsigned)number(optarg, 10000000); break;
		case 'r': load.receipts = true; break;
		case 'o': open = true; break;
		case 'a': load.auditors = (unsigned)number(optarg, AUDITORS_MAX); break;
		case 'u': load.auditor_uid = (uid_t)number(optarg, UINT32_MAX - 1); break;
		default: return 2;
		}
	}
	if (!load.socket)
		die("-s SOCKET is needed");
	alarm(PATIENCE);
	load.seqs = room(load.spends, sizeof(*load.seqs));
	load.times = room(load.spends, sizeof(*load.times));
	load.client = room(load.clients, sizeof(*load.client));
	load.auditor = room(load.auditors + 1, sizeof(*load.auditor));
	load.source = room(load.clients + load.auditors, sizeof(*load.source));
	if (open)
		pools_open(&load);
	load_run(&load);
	load_report(&load);
	free(load.source);
	free(load.auditor);
	free(load.client);
	free(load.times);
	free(load.seqs);
	return 0;
}

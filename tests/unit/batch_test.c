#include "common/bytes.h"
#include "daemon/ending.h"
#include "daemon/init.h"
#include "daemon/service.h"
#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

#define NOON INT64_C(4102488000000000)	/* in 2100: after whatever the ledger has so far */
#define POOL "team/north"

static char place[] = "/tmp/batch-test-XXXXXX";
static struct config config;
static struct service service;
static struct batch *const batch = &service.batch;
static struct refusal refusal;
static const gid_t group = 5001;
static const struct actor actor = { .uid = 1001, .groups = &group, .group_count = 1,
				    .roles = ROLE_MANAGER, .unrestricted = true };

static void bail(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static void start(void)
{
	if (service_load(&service, &config) || service_boot(&service))
		bail("the ledger does not open");
}

/* A ledger with a pool of plenty, in a map of the least size. */
static void begin(void)
{
	static const struct init_options options = { .origin = "test.example/fund", .currency = "EUR",
						     .timezone = "UTC" };

	snprintf(config.dir, sizeof(config.dir), "%s/%s", place, "data");
	config.map_size = LEDGER_MAP_MIN;
	if (init_ledger(config.dir, &options))
		bail("no ledger was made");
	start();
}

static int64_t customer_last(const char *reference)
{
	uint8_t hash[CUSTOMER_HASH];

	customers_hash(&service.customers, reference, hash);
	return customers_last(&service.customers, hash);
}

static void id_next(struct entry *entry)
{
	static uint32_t given;

	memset(entry->id, 7, sizeof(entry->id));
	put_be32(entry->id + 12, ++given);
}

static enum err add(struct entry *entry, const char *reason, const char *customer, int64_t now)
{
	struct memo words = { .reason = reason, .customer = customer };

	id_next(entry);
	return batch_add(batch, entry, &words, now, &refusal);
}

static struct entry spend(int64_t amount)
{
	struct spend_request request = { .amount = { amount, true }, .currency = "EUR",
					 .budget = POOL };
	struct entry entry;

	if (plan_spend(&service.books, &actor, &request, &entry, &refusal))
		bail("the spend is refused");
	return entry;
}

static void commit(const char *name)
{
	const char *problem;

	is_int(batch_commit(batch, &problem), COMMIT_DONE, name);
	is_str(problem, NULL, "without a problem");
}

static void test_open(void)
{
	struct terms_request request = { .name = POOL, .group = { group, true },
					 .allowance = { 1000000, true } };
	struct entry entry;

	is_int((int64_t)batch_size(batch), 2, "a genesis and a boot");
	is_int((int64_t)batch_committed(batch), 2, "are committed");
	if (plan_open(&service.books, &actor, &service.calendar, &request, &entry, &refusal))
		bail("the pool is refused");
	is_int(add(&entry, NULL, NULL, NOON), ERR_NONE, "a pool is opened");
	is_int(entry.seq, 2, "it has the next number");
	is_int(entry.at, NOON, "and this moment");
	is_int((int64_t)batch_size(batch), 3, "answers know of it");
	is_int((int64_t)batch_committed(batch), 2, "and have to wait");
	is_int(batch_open(batch), 1, "one entry is open");
	commit("a commit");
	is_int((int64_t)batch_committed(batch), 3, "then they may go");
	is_int(batch_open(batch), 0, "and none is open");
	ok(!strncmp(batch->checkpoint.data, "test.example/fund\n3\n", 20),
	   "the checkpoint is of this size");
}

static void test_time(void)
{
	struct entry entry = spend(1);

	add(&entry, NULL, NULL, NOON - 5);
	is_int(entry.at, NOON + 1, "a clock that went back: one microsecond after the last");
	entry = spend(1);
	add(&entry, NULL, NULL, NOON + 1);
	is_int(entry.at, NOON + 2, "a clock that stands still: the same");
	entry = spend(1);
	add(&entry, NULL, NULL, NOON + 1000);
	is_int(entry.at, NOON + 1000, "a clock that goes on is believed");
	commit("three in one commit");
}

static void read_is(int64_t seq, const char *reason, int64_t previous, const char *name)
{
	struct stored stored;
	const char *problem = batch_read(batch, seq, &stored);

	if (problem) {
		is_str(problem, NULL, name);
		return;
	}
	ok(stored.entry.seq == seq && stored.memo.reason && !strcmp(stored.memo.reason, reason) &&
	   (stored.memo.customer_prev.set ? stored.memo.customer_prev.value : -1) == previous,
	   "%s", name);
	stored_release(&stored);
}

static void test_words(void)
{
	struct entry first = spend(1), second, other;
	struct stored stored;

	add(&first, "parcel came late", "C-17", NOON);
	second = spend(2);
	add(&second, "and again", "C-17", NOON);
	other = spend(3);
	add(&other, "another's", "C-18", NOON);
	read_is(first.seq, "parcel came late", -1, "an open entry's words");
	read_is(second.seq, "and again", first.seq, "with the customer's entry before");
	read_is(other.seq, "another's", -1, "which is nobody else's");
	commit("committed");
	read_is(first.seq, "parcel came late", -1, "a durable entry's words");
	read_is(second.seq, "and again", first.seq, "and the customer's entry before");
	is_str(batch_read(batch, other.seq + 1, &stored), "no entry has this number",
	       "nothing after the last");
}

/* What the books do not take, though it was planned: nothing of it stays. */
static void test_refused(void)
{
	uint64_t size = batch_size(batch);
	int64_t last = customer_last("C-17");
	struct entry bad = spend(5), good = spend(6);

	bad.from_after++;
	is_int(add(&bad, "a wrong sum", "C-17", NOON), ERR_UNAVAILABLE, "a wrong sum is refused");
	is_str(refusal.problem.text,
	       "the balance after is not what the movement makes it; nothing was recorded",
	       "in words");
	is_int((int64_t)batch_size(batch), (int64_t)size, "nothing is added");
	is_int(customer_last("C-17"), last, "nor to the customer");
	is_int(add(&good, "a right sum", "C-17", NOON), ERR_NONE, "a right one is taken");
	is_int(good.seq, (int64_t)size, "as the next");
	commit("and committed");
	read_is(good.seq, "a right sum", last, "with its own words");
}

static void test_full(void)
{
	struct entry entry;
	bool taken = true;

	for (int i = 0; i < BATCH_MAX; i++) {
		entry = spend(1);
		taken = taken && !batch_full(batch) && !add(&entry, NULL, NULL, NOON);
	}
	ok(taken && batch_full(batch), "a batch takes %d", BATCH_MAX);
	entry = spend(1);
	is_int(add(&entry, NULL, NULL, NOON), ERR_UNAVAILABLE, "and not one more");
	is_str(refusal.problem.text, "too many entries in one commit; nothing was recorded",
	       "in words");
	commit("all in one commit");
	entry = spend(1);
	is_int(add(&entry, NULL, NULL, NOON), ERR_NONE, "then there is room again");
	commit("for the next");
}

static bool ended_well(void)
{
	char path[CONFIG_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/" ENDING_FILE, config.dir);
	return access(path, F_OK) == 0;
}

/* Spends until a commit finds no room: that one is taken back whole. */
static void test_undone(void)
{
	static char reason[1001];
	enum commit done = COMMIT_DONE;
	struct merkle tree;
	struct buf note = BUF_INIT;
	const char *problem = NULL;
	int64_t balance = 0, spent = 0, last = 0;
	uint64_t size = 0;
	struct stored stored;
	struct entry small;

	memset(reason, 'r', sizeof(reason) - 1);
	for (int i = 0; i < 200 && done == COMMIT_DONE; i++) {
		size = batch_committed(batch);
		tree = batch->committed;
		balance = books_budget(&service.books, POOL)->balance;
		spent = service.books.totals.spent;
		last = customer_last("C-17");
		buf_clear(&note);
		buf_add(&note, batch->checkpoint.data, batch->checkpoint.len);
		for (int j = 0; j < 50; j++) {
			struct entry entry = spend(1);

			add(&entry, reason, j % 2 ? "C-17" : "C-new", NOON);
		}
		done = batch_commit(batch, &problem);
	}
	is_int(done, COMMIT_UNDONE, "a full map: a commit is undone");
	ok(problem && *problem, "with a problem: %s", problem ? problem : "(none)");
	is_int((int64_t)batch_size(batch), (int64_t)size, "the books have what is committed");
	is_int((int64_t)batch_committed(batch), (int64_t)size, "which is what there was");
	is_int(batch_open(batch), 0, "nothing is open");
	is_int(books_budget(&service.books, POOL)->balance, balance, "the balance is as before");
	is_int(service.books.totals.spent, spent, "so is what was spent");
	is_int(customer_last("C-17"), last, "and the customer's last");
	ok(!memcmp(&tree, &batch->committed, sizeof(tree)), "and the tree");
	is_str(batch->checkpoint.data, note.data, "and the checkpoint");
	is_str(batch_read(batch, (int64_t)size, &stored), "no entry has this number",
	       "what was undone is not there");
	buf_release(&note);
	small = spend(1);
	is_int(add(&small, NULL, NULL, NOON), ERR_NONE, "something smaller is taken");
	commit("and finds room");
	service_close(&service);
	ok(!ended_well(), "an end that leaves entries in the log is not a good one");
	config.map_size *= 8;
	start();
	is_int((int64_t)batch_size(batch), (int64_t)size + 2, "started again: a boot more");
	is_int(books_budget(&service.books, POOL)->balance, balance - 1,
	       "and the balance is the same");
}

static void test_half_reset(void)
{
	struct budget *pool = books_budget(&service.books, POOL);
	struct entry resets[2];
	const char *problem;
	unsigned count;
	uint64_t size = batch_size(batch);

	plan_reset(&service.books, &actor, pool, resets, &count, &refusal);
	is_int(count, 2, "a lapse and an allowance");
	batch_add(batch, &resets[0], &(struct memo){ 0 }, NOON, &refusal);
	is_int(batch_commit(batch, &problem), COMMIT_UNKNOWN, "a lapse alone is never committed");
	is_str(problem, "a reset stands half posted", "in words");
	service_close(&service);
	start();
	is_int((int64_t)batch_size(batch), (int64_t)size + 1, "after the restart it is not there");
	pool = books_budget(&service.books, POOL);
	plan_reset(&service.books, &actor, pool, resets, &count, &refusal);
	for (unsigned i = 0; i < count; i++)
		batch_add(batch, &resets[i], &(struct memo){ 0 }, NOON, &refusal);
	commit("both together are");
	is_int(books_budget(&service.books, POOL)->balance, 1000000, "and the allowance is there");
}

/* How often so many refused requests are logged. */
static int64_t logged_of(unsigned requests)
{
	int64_t lines = 0;
	int before = dup(STDERR_FILENO);
	FILE *log = tmpfile();

	if (before < 0 || !log || dup2(fileno(log), STDERR_FILENO) < 0)
		bail("no file for the log");
	while (requests--)
		if (batch_reserve(batch, BATCH_MAX + 1, &refusal) != ERR_UNAVAILABLE)
			bail("more than fits is not refused");
	dup2(before, STDERR_FILENO);
	close(before);
	rewind(log);
	for (int c = getc(log); c != EOF; c = getc(log))
		lines += c == '\n';
	fclose(log);
	return lines;
}

static void test_logged_once(void)
{
	struct entry entry = spend(1);

	is_int(logged_of(3), 1, "what cannot be recorded is logged once, not for each who asks");
	is_int(logged_of(2), 0, "and not again");
	add(&entry, NULL, NULL, NOON);
	commit("until something was recorded");
	is_int(logged_of(2), 1, "then it is news again");
}

int main(void)
{
	char remove[sizeof(place) + 16];

	if (!sign_start() || !mkdtemp(place))
		bail("no directory");
	begin();
	test_open();
	test_time();
	test_words();
	test_refused();
	test_full();
	test_undone();
	test_half_reset();
	test_logged_once();
	service_close(&service);
	snprintf(remove, sizeof(remove), "rm -r %s", place);
	return system(remove) || done_testing();
}

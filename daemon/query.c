#include "query.h"

#include <stdlib.h>
#include <string.h>

#define EXPECT_EVERY 4096	/* rows */

/* Where the next candidate comes from. All but SOURCE_UP go from the newest down. */
enum source { SOURCE_UP, SOURCE_DOWN, SOURCE_CHAINS, SOURCE_CUSTOMER };

struct chain {
	char budget[NAME_MAX_LEN + 1];
	uint32_t place;
	uint64_t at;			/* its next candidate; NO_ENTRY: at its end */
};

struct query {
	struct filter filter;
	struct fold *fold;
	enum source source;
	struct chain *chains;
	size_t chain_count;
	uint64_t size;			/* entries at its start */
	uint64_t low, high;		/* what the times given leave: [low, high) */
	bool bounded;			/* low and high are found */
	uint64_t cursor;		/* the next candidate of a scan or a customer's chain */
	bool gather;			/* found from the newest down, wanted the other way round */
	uint64_t *found;		/* gathered so far */
	size_t found_count, found_room;
	uint64_t given;			/* entries handed out or gathered */

	struct reader reader;		/* during a turn */
	struct keyring *keyring;
	unsigned rows;			/* looked at in this turn */
};

struct query *query_new(const struct filter *filter, struct budget *const *budgets, size_t count,
			const struct customers *customers, struct fold *fold, uint64_t size)
{
	struct query *query = calloc(1, sizeof(*query));
	uint8_t customer[CUSTOMER_HASH];

	if (!query || !(query->chains = calloc(count + 1, sizeof(*query->chains))))
		abort();
	query->filter = *filter;
	query->size = size;
	query->fold = fold;
	query->chain_count = count;
	for (size_t i = 0; i < count; i++) {
		strcpy(query->chains[i].budget, budgets[i]->name);
		query->chains[i].place = budgets[i]->place;
		query->chains[i].at = budgets[i]->last;
	}
	if (budgets)
		query->source = SOURCE_CHAINS;
	else if (filter->customer)
		query->source = SOURCE_CUSTOMER;
	else
		query->source = filter->newest_first || filter->limit ? SOURCE_DOWN : SOURCE_UP;
	query->gather = query->source != SOURCE_UP && !filter->newest_first;
	if (query->source == SOURCE_CUSTOMER) {
		customers_hash(customers, filter->customer, customer);
		query->cursor = (uint64_t)customers_last(customers, customer);
	}
	return query;
}

void query_free(struct query *query)
{
	free(query->filter.customer);
	free(query->chains);
	free(query->found);
	free(query);
}

int query_begin(struct query *query, struct ledger *ledger, struct keyring *keyring)
{
	query->keyring = keyring;
	query->rows = 0;
	return reader_begin(ledger, &query->reader);
}

void query_end(struct query *query)
{
	reader_end(&query->reader);
}

/* ---- Candidates ---- */

/* The first entry not before `time`: times rise strictly, so halving finds it. */
static const char *entry_at(struct query *query, int64_t time, uint64_t *ret)
{
	uint64_t low = 0, high = query->size;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct stored stored;
		struct row row;
		const char *problem = stored_read(&query->reader, middle, &row, &stored);

		if (problem)
			return problem;
		if (stored.entry.at < time)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
	return NULL;
}

/* To an old range a budget's chain is long: it is entered
 * in the range's last month, which the index knows. */
static void chains_enter(struct query *query)
{
	if (query->source != SOURCE_CHAINS || query->high == query->size)
		return;
	for (size_t i = 0; i < query->chain_count; i++)
		query->chains[i].at = fold_last(query->fold, query->chains[i].place,
						query->filter.until, query->chains[i].at);
}

static const char *bounds_find(struct query *query)
{
	const char *problem = entry_at(query, query->filter.since, &query->low);

	if (!problem)
		problem = entry_at(query, query->filter.until, &query->high);
	if (problem)
		return problem;
	chains_enter(query);
	if (query->source == SOURCE_UP)
		query->cursor = query->low;
	if (query->source == SOURCE_DOWN)
		query->cursor = query->high - 1;	/* NO_ENTRY when there is none */
	query->bounded = true;
	return NULL;
}

static uint64_t chains_newest(const struct query *query)
{
	uint64_t newest = NO_ENTRY;

	for (size_t i = 0; i < query->chain_count; i++) {
		uint64_t at = query->chains[i].at;

		if (at != NO_ENTRY && (newest == NO_ENTRY || at > newest))
			newest = at;
	}
	return newest;
}

/* The candidate's number; NO_ENTRY at the end. */
static uint64_t candidate(const struct query *query)
{
	uint64_t seq = query->source == SOURCE_CHAINS ? chains_newest(query) : query->cursor;

	if (query->source == SOURCE_UP)
		return seq < query->high ? seq : NO_ENTRY;
	return seq != NO_ENTRY && seq >= query->low && seq < query->size ? seq : NO_ENTRY;
}

/* The entry's budgets stand in the order of its back pointers: budget, from, to without repeats. */
static uint64_t previous_of(const struct row *row, const struct entry *entry, const char *budget)
{
	const char *names[] = { entry->budget, entry->from, entry->to };
	unsigned index = 0;

	for (unsigned i = 0; i < TOUCHED_MAX; i++) {
		bool repeated = !names[i][0] || account_built_in(names[i]);

		for (unsigned j = 0; j < i; j++)
			repeated |= !strcmp(names[i], names[j]);
		if (repeated)
			continue;
		if (!strcmp(names[i], budget))
			return index < row->previous_count ? row->previous[index] : NO_ENTRY;
		index++;
	}
	return NO_ENTRY;
}

static void chains_advance(struct query *query, const struct row *row, const struct entry *entry)
{
	for (size_t i = 0; i < query->chain_count; i++)
		if (query->chains[i].at == (uint64_t)entry->seq)
			query->chains[i].at = previous_of(row, entry, query->chains[i].budget);
}

static void advance(struct query *query, const struct row *row, const struct stored *stored)
{
	switch (query->source) {
	case SOURCE_UP:
		query->cursor++;
		break;
	case SOURCE_DOWN:
		query->cursor = query->cursor ? query->cursor - 1 : NO_ENTRY;
		break;
	case SOURCE_CHAINS:
		chains_advance(query, row, &stored->entry);
		break;
	case SOURCE_CUSTOMER:
		query->cursor = stored->memo.customer_prev.set
					? (uint64_t)stored->memo.customer_prev.value
					: NO_ENTRY;
	}
}

/* ---- Fitting ---- */

static bool kind_fits(const struct filter *filter, const struct entry *entry)
{
	if (filter->every_kind)
		return true;
	if (filter->kind_name[0])
		return !strcmp(filter->kind_name, entry->kind_name);
	return entry->kind != KIND_AUDIT && entry->kind != KIND_BOOT;
}

/* By what the leaf alone says. */
static bool leaf_fits(const struct filter *filter, const struct entry *entry)
{
	if (entry->at < filter->since || entry->at >= filter->until || !kind_fits(filter, entry))
		return false;
	if (filter->category[0] && strcmp(filter->category, entry->category))
		return false;
	return !filter->currency[0] ||
	       (entry->amount != ABSENT && !strcmp(filter->currency, entry->currency) &&
		entry->amount >= filter->min && entry->amount <= filter->max);
}

static bool customer_fits(const struct filter *filter, const struct stored *stored)
{
	return !filter->customer ||
	       (stored->memo.customer && !strcmp(filter->customer, stored->memo.customer));
}

/* Words are opened where they are wanted: to look at, or
 * to go on by. Most rows of most audits do not fit. */
static const char *load(struct query *query, uint64_t seq, bool words, struct row *row,
			struct stored *ret)
{
	const char *problem = stored_read(&query->reader, seq, row, ret);

	query->rows++;
	if (problem)
		return problem;
	if (query->source == SOURCE_UP && seq % EXPECT_EVERY == 0)
		reader_expect(row->leaf.bytes);
	words |= query->filter.customer != NULL;
	if (query->source == SOURCE_CUSTOMER || (words && leaf_fits(&query->filter, &ret->entry)))
		problem = stored_open(row, query->keyring, ret);
	return problem;
}

static void gather(struct query *query, uint64_t seq)
{
	if (query->found_count == query->found_room) {
		query->found_room = query->found_room ? 2 * query->found_room : 64;
		query->found = realloc(query->found, query->found_room * sizeof(*query->found));
		if (!query->found)
			abort();
	}
	query->found[query->found_count++] = seq;
}

/* ---- Pulling ---- */

/* The next that fits, straight from its source. */
static enum pull pull_source(struct query *query, bool words, struct stored *ret,
			     const char **problem)
{
	struct row row;
	uint64_t seq;

	while ((seq = candidate(query)) != NO_ENTRY) {
		if (query->filter.limit && query->given == query->filter.limit)
			return PULL_END;
		if (query->rows >= QUERY_ROWS_A_PULL)
			return PULL_PAUSE;
		*problem = load(query, seq, words, &row, ret);
		if (*problem)
			return PULL_DAMAGED;
		advance(query, &row, ret);
		if (leaf_fits(&query->filter, &ret->entry) &&
		    customer_fits(&query->filter, ret)) {
			query->given++;
			return PULL_ENTRY;
		}
		stored_release(ret);
	}
	return PULL_END;
}

/* First all numbers from the newest down, then the entries from the oldest up. */
static enum pull pull_gathered(struct query *query, struct stored *ret, const char **problem)
{
	enum pull pull = PULL_END;
	struct row row;

	while (query->gather) {
		pull = pull_source(query, false, ret, problem);
		if (pull == PULL_ENTRY) {
			gather(query, (uint64_t)ret->entry.seq);
			stored_release(ret);
		} else if (pull == PULL_END) {
			query->gather = false;
		} else {
			return pull;
		}
	}
	if (!query->found_count)
		return PULL_END;
	if (query->rows >= QUERY_ROWS_A_PULL)
		return PULL_PAUSE;
	*problem = load(query, query->found[--query->found_count], true, &row, ret);
	return *problem ? PULL_DAMAGED : PULL_ENTRY;
}

enum pull query_next(struct query *query, struct stored *ret, const char **problem)
{
	if (!query->bounded) {
		*problem = bounds_find(query);
		if (*problem)
			return PULL_DAMAGED;
	}
	if (query->gather || query->found)
		return pull_gathered(query, ret, problem);
	return pull_source(query, true, ret, problem);
}

/*
 * Is an answer true? It was computed from some state between the one that was durable when the
 * request had got through and the one that is durable now, and from nothing that is not durable.
 */
#include "call.h"

#include <string.h>

#include "episode.h"
#include "memory.h"
#include "people.h"
#include "sim.h"
#include "world.h"

#define AUDIT_WINDOW 8		/* states that an audit's completeness is looked for in */

/* Of each entry, whether somebody was told that it is new. */
static struct {
	bool *list;
	size_t count;
} fresh;

void answers_reset(void)
{
	own_free(fresh.list);
	fresh.list = NULL;
	fresh.count = 0;
}

static bool fresh_before(size_t seq)
{
	bool before;

	while (fresh.count <= seq) {
		fresh.list = own_room(fresh.list, fresh.count, sizeof(*fresh.list));
		fresh.list[fresh.count++] = false;
	}
	before = fresh.list[seq];
	fresh.list[seq] = true;
	return before;
}

/* ---- Refusals ---- */

static void unavailable_check(const struct call *call, const char *text)
{
	if (!episode_troubled_since(call->turn))
		found("unavailable without a reason: %s", text);
}

/* The roles that the caller had at some time since it was asked, and those had all the time. */
static unsigned roles_ever(const struct call *call)
{
	unsigned roles = 0;

	for (unsigned v = call->roles_version; v <= people_roles_version(); v++)
		roles |= people_roles_of(call->who, v);
	return roles;
}

static unsigned roles_always(const struct call *call)
{
	unsigned roles = ~0U;

	for (unsigned v = call->roles_version; v <= people_roles_version(); v++)
		roles &= people_roles_of(call->who, v);
	return roles;
}

static bool refused_in(const struct call *call, const char *error, int64_t available, size_t size)
{
	for (unsigned v = call->roles_version; v <= people_roles_version(); v++) {
		struct outcome outcome = model_outcome(call->content, &people[call->who],
						       people_roles_of(call->who, v), size);

		if (outcome.error && !strcmp(outcome.error, error) &&
		    (available == NOT || outcome.available == available))
			return true;
	}
	return false;
}

static bool id_used(const struct call *call, size_t size)
{
	return !call->content->dry &&
	       model_made(people[call->who].uid, call->content->id, size);
}

static void conflict_check(const struct call *call, const char *text)
{
	const struct record *made = model_made(people[call->who].uid, call->content->id,
					       model_count());
	int64_t seq = NOT;

	json_find_int(text, "\"seq\":", &seq);
	if (!made || made->content == call->content || (int64_t)model_number(made) != seq)
		found("an id in conflict with nothing: %s", text);
}

/* Who is no manager any more is not even told what became of a request made while still one. */
static bool role_lost(const struct call *call)
{
	return call->content->kind >= ACT_OPEN && !(roles_always(call) & MANAGER);
}

static void refusal_check(const struct call *call, const char *error, const char *text)
{
	int64_t available = NOT;

	if (!strcmp(error, "IdConflict")) {
		conflict_check(call, text);
		return;
	}
	json_find_int(text, "\"available\":", &available);
	if (!strcmp(error, "NotPermitted") && role_lost(call))
		return;
	for (size_t size = call->committed; size <= model_count(); size++)
		if (!id_used(call, size) && refused_in(call, error, available, size))
			return;
	found("uid %lld was refused, and should not have been, or otherwise: %s",
	      (long long)people[call->who].uid, text);
}

/* ---- Budgets in answers ---- */

static bool budget_is(const char *text, size_t size)
{
	char name[80] = "", current[LABEL] = "";
	int64_t balance = NOT, spent = NOT, left = 0;
	struct model_budget state;

	json_find_str(text, "\"name\":", name, sizeof(name));
	json_find_int(text, "\"balance\":", &balance);
	json_find_int(text, "\"spent\":", &spent);
	state = model_budget(account_read(name), size);
	if (strstr(text, "\"current\":"))
		json_find_str(text, "\"current\":", current, sizeof(current));
	json_find_int(text, "\"self_topup_left\":", &left);
	return state.there && state.balance == balance && state.spent == spent &&
	       !strcmp(state.current, current) && model_draw_left(&state) == left &&
	       state.closed == !!strstr(text, "\"closed\":true");
}

/* One budget's text, cut out of an answer. */
static const char *budget_next(const char **text, char ret[1024])
{
	const char *begin = strstr(*text, "{\"name\":"), *end;

	if (!begin)
		return NULL;
	end = strstr(begin, "\"closed\":");
	end = end ? strchr(end, '}') : NULL;
	if (!end || end - begin >= 1024)
		found("a budget is malformed: %s", *text);
	memcpy(ret, begin, (size_t)(end - begin));
	ret[end - begin] = '\0';
	*text = end;
	return ret;
}

static bool budget_was(const char *text, size_t from, size_t to)
{
	char budget[1024];

	if (!budget_next(&text, budget))
		return false;
	for (size_t size = to + 1; size-- > from; )
		if (budget_is(budget, size))
			return true;
	return false;
}

/* ---- Changes ---- */

static void dry_check(const struct call *call, size_t size, int64_t amount, const char *text)
{
	struct outcome outcome = model_outcome(call->content, &people[call->who],
					       people_roles_of(call->who, call->roles_version),
					       size);

	if (outcome.error && call->roles_version == people_roles_version())
		found("a dry run says what would be refused (%s): %s", outcome.error, text);
	if (!outcome.error && outcome.amount != amount)
		found("a dry run says %lld: %s", (long long)outcome.amount, text);
	if (size < call->committed || size > model_count() || !budget_was(text, size, size))
		found("a dry run says what never was: %s", text);
}

/* The entry as it was told is the one in the list. */
static void entry_is(const char *text, const struct record *record)
{
	int64_t uid = NOT, amount = 0, from_after = NOT, to_after = NOT;
	char kind[20] = "";

	json_find_int(text, "\"uid\":", &uid);
	json_find_int(text, "\"amount\":", &amount);
	json_find_int(text, "\"from_after\":", &from_after);
	json_find_int(text, "\"to_after\":", &to_after);
	json_find_str(text, "\"kind\":", kind, sizeof(kind));
	if (uid != record->uid || amount != record->amount || from_after != record->from_after ||
	    to_after != record->to_after || strcmp(kind, record->kind))
		found("entry %zu was told otherwise than it is: %s", model_number(record), text);
}

static const struct record *entry_told(const char *text, int64_t *seq)
{
	*seq = NOT;
	json_find_int(text, "\"entry\":{\"seq\":", seq);
	if (*seq < 0)
		found("an answer without its entry: %s", text);
	if (*seq >= (int64_t)model_count())
		found("entry %lld was answered before it was durable", (long long)*seq);
	return model_record((size_t)*seq);
}

/* The receipt is of this entry, under a head that is signed and durable. */
static void receipt_check(const struct call *call, const char *text, int64_t seq)
{
	static const char origin[] = "\\n\\nsim.example/fund\\n";
	const char *receipt = strstr(text, "\"receipt\":{\"proof\":\"c2sp.org/tlog-proof@v1\\n");
	int64_t index = NOT, size = NOT;

	if (!call->receipt)
		return;
	if (strstr(text, "\"receipt\":null") && episode_troubled_since(call->turn))
		return;		/* the ledger could not be read */
	if (receipt && json_find_int(receipt, "\\nindex ", &index))
		json_find_int(receipt, origin, &size);
	if (index != seq || size <= seq || size > (int64_t)model_count() ||
	    !model_record((size_t)size - 1)->last)
		found("the receipt of entry %lld is of %lld, under a head of %lld", (long long)seq,
		      (long long)index, (long long)size);
}

static void change_check(const struct call *call, const char *text)
{
	const struct record *record;
	bool replayed = strstr(text, "\"replayed\":true");
	int64_t seq = NOT, amount = 0;
	size_t after;

	if (call->content->dry) {
		json_find_int(text, "\"entry\":{\"seq\":", &seq);
		json_find_int(text, "\"amount\":", &amount);
		dry_check(call, (size_t)seq, amount, text);
		return;
	}
	record = entry_told(text, &seq);
	after = (size_t)seq + 1;
	if (record->content != call->content || record->uid != people[call->who].uid)
		found("somebody was told of another request's entry: %s", text);
	entry_is(text, record);
	receipt_check(call, text, seq);
	if (!replayed && (fresh_before((size_t)seq) || after <= call->committed))
		found("entry %lld was told as new, and was not", (long long)seq);
	if (!replayed && call->content->kind != ACT_CLOSE && episode_clock_bad_since(call->turn))
		found("money moved while the clock was not to be trusted");
	if (after < call->committed)
		after = call->committed;
	if (!budget_was(text, replayed ? after : (size_t)seq + 1,
			replayed ? model_count() : (size_t)seq + 1))
		found("the budget was never like that: %s", text);
}

/* ---- Reading ---- */

static bool readable(const struct call *call, const struct model_budget *state)
{
	return roles_ever(call) & (MANAGER | AUDITOR) || model_may_spend(&people[call->who], state);
}

/* All budgets of an answer were so at one and the same time. */
static bool balance_was(const struct call *call, const char *text, size_t size)
{
	char budget[1024], name[80] = "";

	while (budget_next(&text, budget)) {
		struct model_budget state;

		json_find_str(budget, "\"name\":", name, sizeof(name));
		state = model_budget(account_read(name), size);
		if (!budget_is(budget, size) || !readable(call, &state))
			return false;
	}
	return true;
}

static bool balance_check(struct call *call, const char *text, bool continues)
{
	for (size_t size = model_count() + 1; size-- > call->committed; )
		if (balance_was(call, text, size))
			return !continues;
	found("balances that never were: %s", text);
}

/* What an audit of everything, or of one's own, gives in a ledger of that size. */
static bool audit_fits(const struct call *call, const struct record *record, bool all, size_t size)
{
	const int named[] = { record->budget, record->from, record->to };

	if (!strcmp(record->kind, "audit") || !strcmp(record->kind, "boot"))
		return false;
	if (call->x % 4 == 2 &&
	    (!record->content || record->content->customer != (int)(call->y % 4)))
		return false;
	for (int i = 0; i < 3 && !all; i++) {
		struct model_budget state = model_budget(named[i], size);

		all = state.there && model_may_spend(&people[call->who], &state);
	}
	return all;
}

static size_t audit_size(const struct call *call, bool all, size_t size)
{
	size_t count = 0, limit = call->x % 4 == 1 ? call->y % 20 + 1 : SIZE_MAX;

	for (size_t i = size; i-- > 0 && count < limit; )
		count += audit_fits(call, model_record(i), all, size);
	return count;
}

static void audit_ends(const struct call *call)
{
	bool all = people_roles_of(call->who, call->roles_version) & (MANAGER | AUDITOR);
	size_t window = model_count() - call->committed;

	if (window > AUDIT_WINDOW || (!all && model_count() > 200) ||
	    call->roles_version != people_roles_version())
		return;
	for (size_t size = call->committed; size <= model_count(); size++)
		if (audit_size(call, all, size) == call->given)
			return;
	found("an audit gave %u entries, and of %zu it should be %zu", call->given, model_count(),
	      audit_size(call, all, model_count()));
}

/* Who looks at everything is on record, that day, before a row is told. */
static void audit_recorded(const struct call *call)
{
	if (!(people_roles_of(call->who, call->roles_version) & (MANAGER | AUDITOR)) ||
	    call->roles_version != people_roles_version())
		return;
	for (size_t i = model_count(); i-- > 0; ) {
		const struct record *record = model_record(i);

		if (!strcmp(record->kind, "audit") && record->uid == people[call->who].uid)
			return;
	}
	found("uid %lld looks at everything, and that is not on record",
	      (long long)people[call->who].uid);
}

static bool audit_check(struct call *call, const char *text, bool continues)
{
	const struct record *record;
	int64_t seq;

	if (!continues) {
		audit_ends(call);
		return true;
	}
	if (call->last == NOT)
		audit_recorded(call);
	record = entry_told(text, &seq);
	entry_is(text, record);
	if (call->last != NOT && (call->x % 4 == 3 ? seq >= call->last : seq <= call->last))
		found("an audit goes from entry %lld to %lld", (long long)call->last,
		      (long long)seq);
	call->last = seq;
	call->given++;
	return false;
}

/* Nobody is left behind in a period that was over when it was asked. */
static void reset_ends(const struct call *call, const char *text)
{
	if (strstr(text, "too many entries in one commit"))
		found("a reset gave a budget up instead of waiting for the next commit: %s", text);
	if (call->x % 8 >= 6 || call->z % 16 == 3 || call->z % 16 == 4 ||
	    strstr(text, "\"failed\":") || episode_jumped_since(call->turn))
		return;
	for (int i = 0; i < BUDGETS; i++) {
		struct model_budget state = model_budget(i, model_count());
		char then[LABEL];

		label_at(call->told, state.terms.every, then);
		if (model_budget(i, call->committed).there && !state.closed &&
		    state.terms.every == model_budget(i, call->committed).terms.every &&
		    strcmp(state.current, then) < 0)
			found("a reset left b%d in %s", i, state.current);
	}
}

static bool reset_check(struct call *call, const char *text, bool continues)
{
	const struct record *record;
	int64_t seq;

	if (!(people[call->who].roles & CRON))
		found("uid %lld resets budgets", (long long)people[call->who].uid);
	if (!continues) {
		reset_ends(call, text);
		return true;
	}
	record = entry_told(text, &seq);
	entry_is(text, record);
	if (strcmp(record->kind, "reset") || record->uid != people[call->who].uid ||
	    seq < (int64_t)call->committed)
		found("a reset tells of what it did not do: %s", text);
	return false;
}

static void reset_refused(const struct call *call, const char *error, const char *text)
{
	bool cron = people[call->who].roles & CRON;

	if (cron ? (!strcmp(error, "PeriodAhead") && call->x % 8 >= 6) ||
			   (call->z % 16 == 3 &&
			    (!strcmp(error, "UnknownBudget") || !strcmp(error, "BudgetClosed")))
		 : !strcmp(error, "NotPermitted"))
		return;
	found("a reset was refused: %s", text);
}

static void balance_refused(const struct call *call, const char *error, const char *text)
{
	if (call->y < 2 || call->y > 3)
		found("a balance was refused: %s", text);
	for (size_t size = call->committed; size <= model_count(); size++) {
		struct model_budget state = model_budget((int)(call->x % BUDGETS), size);

		if (!strcmp(error, "UnknownBudget") ? !state.there
						    : !strcmp(error, "NotPermitted") &&
							      !model_may_spend(&people[call->who],
									       &state))
			return;
	}
	found("a balance was refused: %s", text);
}

static void status_check(const struct call *call, const char *text)
{
	int64_t entries = NOT;
	const char *line = strstr(text, "\\n");

	if (call->kind == ACT_STATUS)
		json_find_int(text, "\"entries\":", &entries);
	else if (line)
		json_find_int(line, "\\n", &entries);
	if (entries < (int64_t)call->committed || entries > (int64_t)model_count())
		found("%lld entries were told, and %zu are there",
		      (long long)entries, model_count());
}

/* ---- Any answer ---- */

static void error_check(const struct call *call, const char *text)
{
	char name[80] = "";
	const char *error;

	json_find_str(text, "\"error\":", name, sizeof(name));
	error = strrchr(name, '.') ? strrchr(name, '.') + 1 : name;
	if (call->kind == ACT_GARBAGE && !strcmp(error, "Malformed"))
		return;
	if (!strcmp(error, "Unavailable"))
		unavailable_check(call, text);
	else if (call->content)
		refusal_check(call, error, text);
	else if (call->kind == ACT_RESET)
		reset_refused(call, error, text);
	else if (call->kind == ACT_BALANCE)
		balance_refused(call, error, text);
	else
		found("a strange refusal: %s", text);
}

bool answer_check(struct call *call, const char *text)
{
	bool continues = strstr(text, ",\"continues\":true}");

	if (continues && !call->more)
		found("more than one answer: %s", text);
	if (!strncmp(text, "{\"error\":", 9)) {
		error_check(call, text);
		return true;
	}
	if (call->kind == ACT_GARBAGE)
		found("garbage was answered: %s", text);
	if (call->content)
		change_check(call, text);
	else if (call->kind == ACT_RESET)
		return reset_check(call, text, continues);
	else if (call->kind == ACT_BALANCE)
		return balance_check(call, text, continues);
	else if (call->kind == ACT_AUDIT)
		return audit_check(call, text, continues);
	else
		status_check(call, text);
	return true;
}

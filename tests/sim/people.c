#include "people.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "episode.h"
#include "memory.h"
#include "sim.h"
#include "world.h"

#define SLOTS 16
#define UNUSED -1
#define HUGE_AMOUNT(y) (INT64_MAX - (int64_t)(y) * 1000)

const struct person people[PEOPLE] = {
	{ 5001, { 5000, 2000 }, 0 }, { 5002, { 5000, 2001 }, 0 }, { 5003, { 5000, 2002 }, 0 },
	{ 5004, { 5000, 2000 }, 0 }, { 5005, { 5000, 2001 }, 0 }, { 5006, { 5000, 2002 }, 0 },
	{ 5007, { 5000, 2000, 2001 }, 0 }, { 5008, { 5000 }, 0 },
	{ 5009, { 5000, 2001 }, CRON },		/* a rep who looks after cron */
	{ 5010, { 5000, 2002 }, MANAGER },	/* a manager with a budget */
	{ 900, { 900 }, MANAGER }, { 901, { 900, 2000 }, MANAGER },
	{ 950, { 950 }, CRON }, { 960, { 960 }, AUDITOR },
	{ 0, { 1 }, MANAGER },
	{ 6000, { 6000 }, 0 },			/* who has nothing to do with it */
};

/* One end of a socket: what was asked there and is not answered. */
struct line {
	struct call *calls;
	size_t first, count;
	char *heard;			/* of a message that is not whole */
	size_t heard_len, heard_room;
	bool garbage;
};

struct lost {
	const struct content *content;
	unsigned who;
};

static struct {
	int slots[SLOTS];		/* their sockets */
	unsigned who[SLOTS];
	struct line lines[SOCKETS];
	struct content **contents;
	size_t content_count;
	struct lost *lost;
	size_t lost_count;
	struct roles {
		unsigned which;
		unsigned long turn;	/* from which on */
	} *roles;			/* by version */
	size_t roles_count;
	unsigned long calls;
} crowd;

/* ---- Roles ---- */

static bool is_manager(unsigned who, unsigned which)
{
	return who == 14 || who == 9 || (who == 10 && which != 2 && which != 3) ||
	       (who == 11 && which != 1 && which != 3);
}

unsigned people_roles_of(unsigned who, unsigned version)
{
	unsigned roles = people[who].roles & ~(unsigned)MANAGER;

	return is_manager(who, crowd.roles[version].which) ? roles | MANAGER : roles;
}

unsigned people_roles_version(void)
{
	return (unsigned)crowd.roles_count - 1;
}

unsigned people_roles_at(unsigned long turn)
{
	unsigned version = people_roles_version();

	while (version && crowd.roles[version].turn >= turn)
		version--;
	return version;
}

void people_roles(unsigned which)
{
	crowd.roles = own_room(crowd.roles, crowd.roles_count, sizeof(*crowd.roles));
	crowd.roles[crowd.roles_count++] = (struct roles){ which & 3, episode_turn() };
}

void people_config(struct config *config)
{
	static const unsigned roles[][2] = { { MANAGER, ROLE_MANAGER }, { CRON, ROLE_CRON },
					     { AUDITOR, ROLE_AUDITOR } };

	config->found = true;
	config->grant_count = 0;
	for (unsigned who = 0; who < PEOPLE; who++)
		for (int i = 0; i < 3; i++)
			if (people_roles_of(who, people_roles_version()) & roles[i][0])
				config->grants[config->grant_count++] = (struct grant){
					roles[i][1], false, (uint32_t)people[who].uid };
}

struct actor people_actor(unsigned who)
{
	gid_t *groups = calloc(3, sizeof(*groups));
	size_t count;

	for (count = 0; count < 3 && people[who].groups[count]; count++)
		groups[count] = people[who].groups[count];
	return (struct actor){ .uid = people[who].uid, .groups = groups, .group_count = count };
}

/* ---- Asking ---- */

static const char *const methods[] = {
	[ACT_SPEND] = "Spend", [ACT_TOPUP] = "TopUp", [ACT_REFUND] = "Refund", [ACT_OPEN] = "Open",
	[ACT_ADJUST] = "Adjust", [ACT_CLOSE] = "Close", [ACT_RESET] = "Reset",
	[ACT_BALANCE] = "Balance", [ACT_AUDIT] = "Audit", [ACT_CHECKPOINT] = "Checkpoint",
	[ACT_STATUS] = "Status",
};

struct text {
	char bytes[1024];
	size_t len;
};

__attribute__((format(printf, 2, 3)))
static void text_add(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text->len += (size_t)vsnprintf(text->bytes + text->len, sizeof(text->bytes) - text->len,
				       format, args);
	va_end(args);
}

static void text_int(struct text *text, const char *key, int64_t value)
{
	if (value != NOT)
		text_add(text, "\"%s\":%lld,", key, (long long)value);
}

static void text_account(struct text *text, const char *key, int account)
{
	char name[24];

	if (account == NOBODY)
		return;
	account_write(account, name);
	text_add(text, "\"%s\":\"%s\",", key, name);
}

static void text_terms(struct text *text, const struct content *content)
{
	static const char *const every[] = { "none", "day", "week", "month" };
	static const char *const keep[] = { "none", "all", "cap" };
	const struct model_terms *terms = &content->terms;

	text_int(text, "owner", terms->owner);
	text_int(text, "group", terms->group);
	text_int(text, "allowance", terms->allowance);
	if (terms->every != NOT)
		text_add(text, "\"period\":\"%s\",", every[terms->every]);
	if (terms->keep != NOT)
		text_add(text, "\"carry\":\"%s\",", keep[terms->keep]);
	text_int(text, "cap", terms->cap);
	text_account(text, "pool", terms->pool);
	text_int(text, "self_topup", terms->self_topup);
	text_int(text, "guideline", content->number + 1);	/* by which the entry is known again */
	if (content->kind == ACT_OPEN)
		text_add(text, "\"currency\":\"%s\",", currency_codes[content->currency]);
	if (content->clear_pool)
		text_add(text, "\"clear\":[\"pool\"],");
}

static void text_payment(struct text *text, const struct content *content)
{
	text_account(text, "budget", content->budget);
	text_account(text, "from", content->kind == ACT_TOPUP ? content->from : NOBODY);
	if (content->kind == ACT_REFUND)
		text_int(text, "ref", content->ref);
	else
		text_add(text, "\"currency\":\"%s\",", currency_codes[content->currency]);
	if (content->amount)
		text_int(text, "amount", content->amount);
	if (content->customer != NOT)
		text_add(text, "\"customer\":\"customer %d\",", content->customer);
	if (content->category != NOT)
		text_add(text, "\"category\":\"c%d\",", content->category);
	if (content->dry)
		text_add(text, "\"dry_run\":true,");
}

static void text_content(struct text *text, const struct call *call)
{
	const struct content *content = call->content;
	bool terms = content->kind == ACT_OPEN || content->kind == ACT_ADJUST;

	if (terms || content->kind == ACT_CLOSE)
		text_account(text, "name", content->budget);
	else
		text_payment(text, content);
	if (terms)
		text_terms(text, content);
	else
		text_add(text, "\"reason\":\"content %u\",", content->number);
	if (call->receipt)
		text_add(text, "\"receipt\":true,");
	text_add(text, "\"id\":\"00000000-0000-7000-8000-%012x\"", content->id);
}

/* What the other calls ask for is in their steps' numbers. */
static void text_reset(struct text *text, const struct call *call)
{
	char label[LABEL], next[LABEL];

	label_at(clock_told(), 1 + call->y % 3, label);
	label_after(label, next);
	if (call->x % 8 >= 6)
		text_add(text, "\"period\":\"%s\",", call->x % 8 == 6 ? label : next);
	if (call->z % 16 == 3)
		text_account(text, "budget", (int)(call->y % BUDGETS));
	text_add(text, "\"dry_run\":%s", call->z % 16 == 4 ? "true" : "false");
}

static void text_balance(struct text *text, const struct call *call)
{
	if (call->y < 2)
		text_add(text, "\"all\":true");
	else if (call->y < 4) {
		char name[24];

		account_write((int)(call->x % BUDGETS), name);
		text_add(text, "\"budgets\":[\"%s\"]", name);
	}
}

static void text_audit(struct text *text, const struct call *call)
{
	switch (call->x % 4) {
	case 1:
		text_add(text, "\"limit\":%u", call->y % 20 + 1);
		break;
	case 2:
		text_add(text, "\"customer\":\"customer %u\"", call->y % 4);
		break;
	case 3:
		text_add(text, "\"reverse\":true");
		break;
	}
}

static void call_text(const struct call *call, struct text *text)
{
	text->len = 0;
	text_add(text, "{\"method\":\"io.fundd.Ledger.%s\",\"parameters\":{", methods[call->kind]);
	if (call->content)
		text_content(text, call);
	else if (call->kind == ACT_RESET)
		text_reset(text, call);
	else if (call->kind == ACT_BALANCE)
		text_balance(text, call);
	else if (call->kind == ACT_AUDIT)
		text_audit(text, call);
	text_add(text, "}%s%s}", call->more ? ",\"more\":true" : "",
		 call->oneway ? ",\"oneway\":true" : "");
}

static void call_send(int socket, struct call *call)
{
	struct line *line = &crowd.lines[socket];
	struct text text;

	call_text(call, &text);
	socket_send(socket, text.bytes, text.len + 1);
	call->end = socket_sent(socket);
	call->last = NOT;
	line->calls = own_room(line->calls, line->count, sizeof(*line->calls));
	line->calls[line->count++] = *call;
	crowd.calls++;
}

/* ---- Contents ---- */

const struct content *content_at(unsigned number)
{
	return number < crowd.content_count ? crowd.contents[number] : NULL;
}

static struct content *content_add(const struct content *like)
{
	struct content *content = own_alloc(sizeof(*content));

	if (like)
		*content = *like;
	content->number = (unsigned)crowd.content_count;
	content->asked = 0;
	if (!like) {
		content->id = content->number;
		content->from = NOBODY;
		content->customer = content->category = NOT;
		content->ref = NOT;
	}
	crowd.contents = own_room(crowd.contents, crowd.content_count, sizeof(*crowd.contents));
	return crowd.contents[crowd.content_count++] = content;
}

/* The n-th of the budgets that there are, mostly; or a name that may mean nothing. */
static int budget_choose(unsigned n)
{
	int there = 0;

	while (there < BUDGETS && model_budget(there, model_count()).there)
		there++;
	return n % 8 && there ? (int)(n % (unsigned)there) : (int)(n % BUDGETS);
}

/* An entry made by the one who asks, mostly, or any other, or one that is not there. */
static int64_t ref_choose(const struct step *step, unsigned who)
{
	int64_t ref = (int64_t)model_count() - 1 - step->x % 50;

	if (step->x == 399 || ref < 0)
		return step->x;
	while (step->z % 4 && ref > 0 && model_record((size_t)ref)->uid != people[who].uid)
		ref--;
	return ref;
}

static void payment_choose(struct content *content, const struct step *step, unsigned who)
{
	content->budget = step->x % 16 < 12 ? NOBODY : budget_choose(step->y);
	content->amount = 1 + (int64_t)(step->z % 8 ? step->y / 20 : step->y);
	content->currency = step->z % 64 == 1;
	content->dry = step->z % 32 == 2;
	if (step->z % 512 == 3)
		content->amount = HUGE_AMOUNT(step->y);
	if (content->kind == ACT_SPEND && step->z >> 6 & 4)
		content->customer = (int)(step->z >> 6 & 3);
	if (content->kind == ACT_SPEND && step->z >> 9 & 4)
		content->category = (int)(step->z >> 9 & 3);
	if (content->kind == ACT_TOPUP && step->z >> 6 & 2)
		content->from = step->z >> 6 & 1 ? COMPANY : (int)(step->z >> 7 & 15);
	if (content->kind == ACT_REFUND) {
		content->budget = NOBODY;
		content->ref = ref_choose(step, who);
		content->amount = step->y % 2 ? 1 + step->y / 2 : 0;
	}
}

static void terms_choose(struct content *content, const struct step *step)
{
	struct model_terms *terms = &content->terms;
	bool adjust = content->kind == ACT_ADJUST;

	content->currency = step->y % 64 == 7 ? 1 : step->y % 64 == 8 ? 2 : 0;
	if (content->budget % 4)
		terms->owner = people[step->y % 8 ? (step->x - step->x / 4 + 9) % 10 : step->y % 16].uid;
	else
		terms->group = 2000 + step->x % 3;
	if (adjust && step->y % 8)
		terms->owner = terms->group = NOT;
	terms->allowance = adjust && step->y % 2 ? NOT : (int64_t)(step->y >> 4 & 0xfff) * 4;
	if (step->y % 512 == 11)
		terms->allowance = HUGE_AMOUNT(step->y);
	terms->every = step->z % 4 ? (int)(step->z % 4) : NOT;
	terms->keep = (step->z >> 2) % 4 == 3 ? NOT : (int)((step->z >> 2) % 4);
	if (terms->keep == KEEP_CAP && step->z >> 4 & 15)
		terms->cap = (step->z >> 4 & 255) * 10;
	if (content->budget % 4 && step->z >> 12 & 1) {
		terms->pool = (int)(step->z >> 13 & 3) * 4;
		terms->self_topup = 1 + (step->y >> 4 & 0x3ff);
	}
	content->clear_pool = adjust && step->y % 16 == 5;
}

static const struct content *content_choose(const struct step *step, unsigned who)
{
	struct content *content = content_add(NULL);

	content->kind = step->act;
	content->budget = step->act == ACT_OPEN ? (int)(step->x % BUDGETS) : budget_choose(step->x);
	content->terms = (struct model_terms){ NOT, NOT, NOT, NOT, NOT, 0, NOT, NOT, NOBODY };
	if (step->act == ACT_OPEN || step->act == ACT_ADJUST)
		terms_choose(content, step);
	else if (step->act != ACT_CLOSE)
		payment_choose(content, step, who);
	return content;
}

/* One of the last requests, as it was or a little otherwise. */
static const struct content *content_again(const struct step *step)
{
	struct content *content;
	const struct content *like;

	if (!crowd.content_count)
		return NULL;
	like = crowd.contents[crowd.content_count - 1 - step->x % crowd.content_count];
	if (step->y)
		return like;
	content = content_add(like);
	if (content->kind == ACT_OPEN || content->kind == ACT_ADJUST)
		content->terms.allowance = content->terms.allowance == 77 ? 78 : 77;
	else if (content->amount < INT64_MAX && content->kind != ACT_CLOSE)
		content->amount++;
	return content;
}

/* ---- Connections ---- */

static void line_clear(struct line *line)
{
	own_free(line->calls);
	own_free(line->heard);
	*line = (struct line){ .count = 0 };
}

static void vanish(unsigned slot)
{
	int socket = crowd.slots[slot];

	if (socket == UNUSED)
		return;
	crowd.slots[slot] = UNUSED;
	socket_vanish(socket);
}

static int connect_as(unsigned slot, unsigned who)
{
	vanish(slot);
	crowd.who[slot] = who;
	crowd.slots[slot] = socket_connect(who);
	if (crowd.slots[slot] != UNUSED)
		line_clear(&crowd.lines[crowd.slots[slot]]);
	return crowd.slots[slot];
}

static void garbage_send(int socket, unsigned which)
{
	static const struct {
		const char *bytes;
		size_t len;
	} garbage[] = {
		{ "", 1 }, { "{}", 3 }, { "nonsense", 9 }, { "[1,2]", 6 },
		{ "{\"method\":\"io.fundd.Ledger.Status\",\"more\":true,\"oneway\":true}", 62 },
		{ "{\"method\":1}", 13 }, { "{\"method\":\"a\",\"method\":\"a\"}", 28 },
		{ "\xff\xfe", 3 },
	};
	struct call call = { .kind = ACT_GARBAGE };

	socket_send(socket, garbage[which].bytes, garbage[which].len);
	crowd.lines[socket].garbage = true;
	call.end = socket_sent(socket);
	crowd.lines[socket].calls = own_room(crowd.lines[socket].calls, crowd.lines[socket].count,
					     sizeof(call));
	crowd.lines[socket].calls[crowd.lines[socket].count++] = call;
}

static void ask(unsigned slot, const struct step *step)
{
	struct call call = { .kind = (int)step->act, .who = crowd.who[slot], .x = step->x,
			     .y = step->y, .z = step->z };

	if (step->act <= ACT_CLOSE)
		call.content = content_choose(step, crowd.who[slot]);
	else if (step->act == ACT_AGAIN)
		call.content = content_again(step);
	if (step->act == ACT_AGAIN && !call.content)
		return;
	if (call.content)
		call.kind = call.content->kind;
	call.oneway = call.content && step->z % 64 == 9;
	call.receipt = call.kind <= ACT_REFUND && step->z % 8 == 5;
	call.more = step->act == ACT_AUDIT || (step->act == ACT_RESET && step->z % 2) ||
		    (step->act == ACT_BALANCE && step->z % 2);
	call_send(crowd.slots[slot], &call);
}

/* What needs a role is mostly asked by who has it. */
static unsigned slot_choose(const struct step *step)
{
	static const unsigned roles[ACT_COUNT] = { [ACT_OPEN] = MANAGER, [ACT_ADJUST] = MANAGER,
						   [ACT_CLOSE] = MANAGER, [ACT_RESET] = CRON };
	unsigned slot = step->slot % SLOTS;

	for (unsigned i = 0; step->z % 8 && i < SLOTS && roles[step->act]; i++)
		if (people[crowd.who[(slot + i) % SLOTS]].roles & roles[step->act])
			return (slot + i) % SLOTS;
	return slot;
}

void people_step(const struct step *step)
{
	unsigned slot = slot_choose(step);
	int socket;

	if (step->act == ACT_VANISH)
		vanish(slot);
	else if (step->act == ACT_CONNECT)
		connect_as(slot, step->x % PEOPLE);
	if (step->act == ACT_VANISH || step->act == ACT_CONNECT)
		return;
	socket = crowd.slots[slot];
	if (socket == UNUSED)
		socket = connect_as(slot, crowd.who[slot]);
	if (socket == UNUSED || crowd.lines[socket].garbage)
		return;
	if (step->act == ACT_DRIBBLE)
		socket_dribble(socket, step->y ? step->x : 0);
	else if (step->act == ACT_DEAF)
		socket_deaf(socket, step->x % 3);
	else if (step->act == ACT_GARBAGE)
		garbage_send(socket, step->x % 8);
	else
		ask(slot, step);
}

/* ---- What happens on a socket ---- */

static void call_through(struct call *call)
{
	call->through = true;
	call->committed = model_count();
	call->turn = episode_turn();
	call->roles_version = people_roles_version();
	call->told = clock_wall();
	if (call->content)
		crowd.contents[call->content->number]->asked |= 1u << call->who;
}

void people_got_through(int socket, uint64_t bytes)
{
	struct line *line = &crowd.lines[socket];

	for (size_t i = line->first; i < line->count; i++)
		if (!line->calls[i].through && line->calls[i].end <= bytes)
			call_through(&line->calls[i]);
}

static void lost_add(const struct call *call)
{
	if (!call->content || call->content->dry || !call->through)
		return;
	crowd.lost = own_room(crowd.lost, crowd.lost_count, sizeof(*crowd.lost));
	crowd.lost[crowd.lost_count++] = (struct lost){ call->content, call->who };
}

static void line_hear(struct line *line, const char *text)
{
	while (line->first < line->count && line->calls[line->first].oneway)
		lost_add(&line->calls[line->first++]);
	if (line->first == line->count) {
		if (strstr(text, "Unavailable"))
			return;		/* turned away at the door */
		found("an answer to nothing: %s", text);
	}
	if (!line->calls[line->first].through)
		found("an answer before it was asked: %s", text);
	if (answer_check(&line->calls[line->first], text))
		line->first++;
}

void people_hear(int socket, const char *bytes, size_t len)
{
	struct line *line = &crowd.lines[socket];

	if (line->heard_room < line->heard_len + len) {
		line->heard_room = 2 * (line->heard_len + len);
		line->heard = own_resize(line->heard, line->heard_room);
	}
	memcpy(line->heard + line->heard_len, bytes, len);
	line->heard_len += len;
	bytes = line->heard;
	for (const char *nul; (nul = memchr(bytes, '\0', line->heard_len)); bytes = nul + 1) {
		line_hear(line, bytes);
		line->heard_len -= (size_t)(nul + 1 - bytes);
	}
	memmove(line->heard, bytes, line->heard_len);
}

void people_hung_up(int socket)
{
	struct line *line = &crowd.lines[socket];

	for (; line->first < line->count; line->first++)
		lost_add(&line->calls[line->first]);
	line_clear(line);
	for (int slot = 0; slot < SLOTS; slot++)
		if (crowd.slots[slot] == socket) {
			crowd.slots[slot] = UNUSED;
			socket_vanish(socket);
		}
}

bool people_may_be_hung_up_on(int socket)
{
	return crowd.lines[socket].garbage;
}

/* ---- At the end ---- */

static bool line_waits(const struct line *line)
{
	for (size_t i = line->first; i < line->count; i++)
		if (!line->calls[i].oneway)
			return true;
	return false;
}

bool people_wait(void)
{
	for (int slot = 0; slot < SLOTS; slot++)
		if (crowd.slots[slot] != UNUSED && line_waits(&crowd.lines[crowd.slots[slot]]))
			return true;
	return false;
}

void people_ask_again(void)
{
	for (unsigned slot = 0; crowd.lost_count && slot < SLOTS; slot++) {
		const struct lost lost = crowd.lost[--crowd.lost_count];
		struct call call = { .kind = lost.content->kind, .who = lost.who,
				     .content = lost.content };
		int socket = connect_as(slot, lost.who);

		if (socket == UNUSED)
			found("no socket is left to ask again");
		call_send(socket, &call);
	}
}

unsigned long people_calls(void)
{
	return crowd.calls;
}

bool people_lost(void)
{
	return crowd.lost_count;
}

void people_reset(void)
{
	unsigned long calls = crowd.calls;

	for (int i = 0; i < SOCKETS; i++)
		line_clear(&crowd.lines[i]);
	for (size_t i = 0; i < crowd.content_count; i++)
		own_free(crowd.contents[i]);
	own_free(crowd.contents);
	own_free(crowd.lost);
	own_free(crowd.roles);
	memset(&crowd, 0, sizeof(crowd));
	crowd.calls = calls;
	for (int slot = 0; slot < SLOTS; slot++)
		crowd.slots[slot] = UNUSED;
	people_roles(0);
	answers_reset();
}

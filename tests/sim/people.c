#include "people.h"

#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "contents.h"
#include "episode.h"
#include "memory.h"
#include "sim.h"
#include "world.h"

#define SLOTS 16
#define UNUSED -1

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
		content_asked(call->content, call->who);
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
	own_free(crowd.lost);
	own_free(crowd.roles);
	memset(&crowd, 0, sizeof(crowd));
	crowd.calls = calls;
	for (int slot = 0; slot < SLOTS; slot++)
		crowd.slots[slot] = UNUSED;
	people_roles(0);
	contents_reset();
	answers_reset();
}

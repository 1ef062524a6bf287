#include "script.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "sim.h"

#define NONE 0, 0, 0

/* How often an act is, in the kinds of episode there
 * are, and how its numbers are drawn (below a limit). */
enum { CALM, CROWDED, FAULTY, CALENDAR, HOSTILE, MOODS };

static const struct act_row {
	const char *name;
	unsigned weight[MOODS];
	unsigned x, y, z;
} acts[ACT_COUNT] = {
	/*			  calm crowd fault calen hosti */
	[ACT_SPEND] =		{ "spend",	{ 60, 160, 60, 40, 50 }, 64, 4000, 4096 },
	[ACT_TOPUP] =		{ "topup",	{ 20, 30, 20, 12, 10 }, 64, 9000, 4096 },
	[ACT_REFUND] =		{ "refund",	{ 12, 12, 12, 8, 8 }, 400, 2000, 4096 },
	[ACT_OPEN] =		{ "open",	{ 8, 4, 8, 8, 4 }, 48, 1u << 16, 1u << 16 },
	[ACT_ADJUST] =		{ "adjust",	{ 6, 2, 6, 8, 2 }, 48, 1u << 16, 1u << 16 },
	[ACT_CLOSE] =		{ "close",	{ 1, 1, 1, 1, 1 }, 48, 1, 4096 },
	[ACT_RESET] =		{ "reset",	{ 4, 2, 6, 20, 2 }, 64, 48, 16 },
	[ACT_BALANCE] =		{ "balance",	{ 16, 20, 12, 8, 10 }, 64, 8, 2 },
	[ACT_AUDIT] =		{ "audit",	{ 6, 6, 5, 4, 5 }, 64, 64, 16 },
	[ACT_CHECKPOINT] =	{ "checkpoint",	{ 2, 2, 2, 2, 2 }, NONE },
	[ACT_STATUS] =		{ "status",	{ 2, 2, 2, 2, 2 }, NONE },
	[ACT_AGAIN] =		{ "again",	{ 20, 20, 30, 10, 12 }, 64, 4, 4096 },
	[ACT_GARBAGE] =		{ "garbage",	{ 0, 0, 0, 0, 8 }, 8, 1, 1 },
	[ACT_CONNECT] =		{ "connect",	{ 8, 8, 10, 8, 14 }, 16, 1, 1 },
	[ACT_VANISH] =		{ "vanish",	{ 2, 2, 4, 2, 12 }, NONE },
	[ACT_DRIBBLE] =		{ "dribble",	{ 3, 3, 3, 3, 10 }, 300, 2, 1 },
	[ACT_DEAF] =		{ "deaf",	{ 1, 1, 1, 1, 10 }, 3, 1, 1 },
	[ACT_TURN] =		{ "turn",	{ 60, 24, 50, 40, 40 }, 4, 1, 1 },
	[ACT_LATER] =		{ "later",	{ 4, 2, 4, 20, 10 }, 64, 1u << 16, 1 },
	[ACT_JUMP] =		{ "jump",	{ 0, 0, 1, 12, 1 }, 64, 3, 1u << 16 },
	[ACT_TRUST] =		{ "trust",	{ 0, 0, 2, 14, 1 }, NONE },
	[ACT_COMMIT] =		{ "commit",	{ 0, 0, 10, 1, 1 }, 8, 1, 1 },
	[ACT_ROOM] =		{ "room",	{ 0, 0, 6, 1, 1 }, 8, 1, 1 },
	[ACT_KEYS] =		{ "keys",	{ 0, 0, 2, 0, 0 }, 2, 1, 1 },
	[ACT_READS] =		{ "reads",	{ 0, 0, 4, 0, 0 }, 3, 6, 1 },
	[ACT_CRASH] =		{ "crash",	{ 0, 0, 3, 1, 1 }, 60, 1, 1 },
	[ACT_STOP] =		{ "stop",	{ 1, 0, 1, 2, 1 }, NONE },
	[ACT_ROLES] =		{ "roles",	{ 1, 1, 1, 1, 1 }, 4, 1, 1 },
	[ACT_FOLD] =		{ "fold",	{ 4, 4, 4, 2, 2 }, NONE },
	[ACT_FILES] =		{ "files",	{ 0, 0, 1, 0, 2 }, NONE },
};

static enum act act_draw(struct dice *dice, unsigned mood)
{
	unsigned sum = 0, drawn;
	size_t i;

	for (i = 0; i < ACT_COUNT; i++)
		sum += acts[i].weight[mood];
	drawn = dice_below(dice, sum);
	for (i = 0; drawn >= acts[i].weight[mood]; i++)
		drawn -= acts[i].weight[mood];
	return (enum act)i;
}

static void step_draw(struct dice *dice, unsigned mood, struct step *ret)
{
	const struct act_row *row;

	ret->act = act_draw(dice, mood);
	row = &acts[ret->act];
	ret->slot = dice_below(dice, 16);
	ret->x = row->x ? dice_below(dice, row->x) : 0;
	ret->y = row->y ? dice_below(dice, row->y) : 0;
	ret->z = row->z ? dice_below(dice, row->z) : 0;
}

/* An episode begins with people coming, and with budgets for them. */
static size_t beginning(struct step *steps, struct dice *dice)
{
	static const uint8_t names[] = { 0, 4, 8, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13 };
	size_t n = 0;

	for (unsigned slot = 0; slot < 16; slot++)
		steps[n++] = (struct step){ ACT_CONNECT, slot, slot, 0, 0 };
	for (unsigned i = 0; i < sizeof(names); i++)
		steps[n++] = (struct step){ ACT_OPEN, 10 + i % 2, names[i],
					    dice_below(dice, 1u << 13) * 8 + 1,
					    dice_below(dice, 1u << 16) };
	steps[n++] = (struct step){ ACT_TURN, 0, 0, 0, 0 };
	return n;
}

void script_make(struct script *script, uint64_t seed, size_t most)
{
	struct dice dice = { seed };
	unsigned mood = dice_below(&dice, MOODS);
	size_t length = 64 + dice_below(&dice, 8) * dice_below(&dice, (unsigned)most / 8), n;

	if (length > most)
		length = most;
	*script = (struct script){ .seed = seed, .count = length };
	script->steps = own_alloc((length + 64) * sizeof(*script->steps));
	n = beginning(script->steps, &dice);
	for (; n < length; n++)
		step_draw(&dice, mood, &script->steps[n]);
	script->count = n;
}

void script_release(struct script *script)
{
	own_free(script->steps);
	script->steps = NULL;
}

bool script_save(const struct script *script, const char *path, const char *why)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return false;
	fprintf(file, "# %.200s\nseed %" PRIu64 "\n", why, script->seed);
	for (size_t i = 0; i < script->count; i++) {
		const struct step *step = &script->steps[i];

		fprintf(file, "%s %u %u %u %u\n", acts[step->act].name, step->slot, step->x,
			step->y, step->z);
	}
	return fclose(file) == 0;
}

static bool line_take(const char *line, struct script *script)
{
	struct step step = { .act = ACT_COUNT };
	char name[16];

	if (line[0] == '#' || sscanf(line, "seed %" SCNu64, &script->seed) == 1)
		return true;
	if (sscanf(line, "%15s %u %u %u %u", name, &step.slot, &step.x, &step.y, &step.z) != 5)
		return false;
	for (unsigned i = 0; i < ACT_COUNT; i++)
		if (!strcmp(name, acts[i].name))
			step.act = (enum act)i;
	if (step.act == ACT_COUNT)
		return false;
	script->steps = own_room(script->steps, script->count, sizeof(step));
	script->steps[script->count++] = step;
	return true;
}

bool script_load(struct script *script, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256];
	bool good = file;

	*script = (struct script){ .seed = 0 };
	while (good && fgets(line, sizeof(line), file))
		good = line_take(line, script);
	if (file)
		fclose(file);
	return good && script->count;
}

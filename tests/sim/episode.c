#include "episode.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/init.h"
#include "daemon/seeds.h"
#include "daemon/server.h"
#include "disk.h"
#include "memory.h"
#include "model.h"
#include "people.h"
#include "sim.h"
#include "world.h"

#define DAY_US INT64_C(86400000000)
#define START_US 1000000		/* a start takes its time */
#define IDLE_MAX 64			/* turns in which nothing happens, and somebody waits */
#define LIVES_MAX 2000
#define ENTRY_BYTES 2000		/* memory that an entry, and a
					 * connection, may cost at most */
#define CONN_BYTES (1500 << 10)
#define BASE_BYTES (4 << 20)

enum control control;

enum phase { SCRIPT, ANSWERS, CERTAINTY, END };

static struct {
	const struct script *script;
	size_t next;
	enum phase phase;
	unsigned long trouble;		/* the last turn with any */
	unsigned long jumped;		/* the last one in which the wall clock did */
	unsigned long good_clock;	/* the last turn in which the clock could be trusted */
	int64_t trusted_wall, trusted_boot, future;
	unsigned idle, lives;
	bool stopping, accepted;	/* accepted: the operator spoke,
					 * and the daemon has not heard */
	struct config config;
	char found[600];
	jmp_buf back, life;
	struct dice dice;
} now;

static struct service service;

/* ---- Ends ---- */

void found(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(now.found, sizeof(now.found), format, args);
	va_end(args);
	longjmp(now.back, 1);
}

void daemon_dies(void)
{
	longjmp(now.life, 1);
}

uint64_t dice_roll(struct dice *dice)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

unsigned dice_below(struct dice *dice, unsigned limit)
{
	return (unsigned)(dice_roll(dice) % limit);
}

/* ---- The daemon's randomness and log ---- */

static const char *random_name(void)
{
	return "the episode's";
}

static uint32_t random_32(void)
{
	return (uint32_t)dice_roll(&now.dice);
}

static void random_fill(void *bytes, size_t len)
{
	uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)dice_roll(&now.dice);
}

static randombytes_implementation the_dice = {
	.implementation_name = random_name, .random = random_32, .buf = random_fill,
};

static char log_text[600];

void __wrap_log_line(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void __wrap_log_line(enum log_level level, const char *format, ...)
{
	va_list args;

	(void)level;
	va_start(args, format);
	vsnprintf(log_text, sizeof(log_text), format, args);
	va_end(args);
}

const char *last_log(void)
{
	return log_text;
}

/* There is no disk for an index: the daemon keeps everything in memory. */
const char *__wrap_index_check(const char *dir);
int __wrap_index_open(struct index *index, const char *dir);
void __wrap_index_remove(const char *dir);

const char *__wrap_index_check(const char *dir)
{
	(void)dir;
	return NULL;
}

int __wrap_index_open(struct index *index, const char *dir)
{
	(void)index;
	(void)dir;
	return ENOSPC;
}

void __wrap_index_remove(const char *dir)
{
	(void)dir;
}

/* There is no other process to look at the ledger first; the start itself looks at all of it. */
bool __wrap_verify_apart(const char *dir);

bool __wrap_verify_apart(const char *dir)
{
	(void)dir;
	return true;
}

/* ---- What is going on ---- */

unsigned long episode_turn(void)
{
	return clock_tellings();
}

bool episode_troubled_since(unsigned long turn)
{
	return now.trouble >= turn;
}

bool episode_clock_bad_since(unsigned long turn)
{
	return now.good_clock < turn;
}

bool episode_jumped_since(unsigned long turn)
{
	return now.jumped >= turn;
}

struct books *episode_books(void)
{
	return &service.books;
}

bool episode_stopping(void)
{
	return now.stopping;
}

static void clock_trusted(void)
{
	now.trusted_wall = clock_wall();
	now.trusted_boot = clock_boot();
	now.future = 0;
	now.good_clock = clock_tellings();
}

/* Has the wall clock outrun the other one, or is it behind what was recorded before the start? */
static bool clock_bad_at(int64_t wall)
{
	return wall < now.future ||
	       wall - now.trusted_wall - (clock_boot() - now.trusted_boot) > DAY_US;
}

static bool clock_bad(void)
{
	return clock_bad_at(clock_wall());
}

static void trouble_look(void)
{
	if (clock_bad() || clock_bad_at(clock_told()) || disk_troubled())
		now.trouble = clock_tellings();
	if (!clock_bad() || !clock_bad_at(clock_told()))
		now.good_clock = clock_tellings();
}

/* ---- The machine's steps ---- */

/* As fundd --accept-clock does. The daemon looks each second. */
static void clock_accept(void)
{
	wallclock_accept(now.config.dir);
	now.accepted = true;
	clocks_later(1000000);
}

void __real_service_second(struct service *whose);
void __wrap_service_second(struct service *whose);

void __wrap_service_second(struct service *whose)
{
	int64_t told = clock_told();

	unsigned long tellings = clock_tellings();

	__real_service_second(whose);
	if (clock_tellings() == tellings)
		return;
	clock_tell_again(told);	/* the turn's time stays what it was */
	clock_trusted();
	now.accepted = false;
}

static void clock_jump(const struct step *step)
{
	/* a second, a day, a month, or anything up to three months; forward or back */
	static const int64_t jumps[] = { 1, 86400, 31 * 86400 };
	int64_t seconds = step->x % 4 < 3 ? jumps[step->x % 4] : (int64_t)step->z * 120;

	now.jumped = clock_tellings();
	clocks_jump(step->y ? -seconds * 1000000 : seconds * 1000000);
}

static void machine_step(const struct step *step)
{
	switch (step->act) {
	case ACT_LATER:
		/* mostly seconds, sometimes up to six weeks */
		clocks_later(((int64_t)step->x % 8 ? step->x : (int64_t)step->y * 60) * 1000000);
		break;
	case ACT_JUMP:
		clock_jump(step);
		break;
	case ACT_TRUST:
		clock_accept();
		break;
	case ACT_COMMIT:
		disk_ends((enum ending)(step->x % END_COUNT));
		break;
	case ACT_ROOM:
		disk_room(step->x < 3 ? step->x : ROOM_PLENTY);
		break;
	case ACT_KEYS:
		disk_keys(step->x);
		break;
	case ACT_READS:
		disk_unreadable(step->x + 1, step->y);
		break;
	case ACT_CRASH:
		crash_at(step->x + 1);
		break;
	case ACT_STOP:
		now.stopping = true;
		signal_send(SIGTERM);
		break;
	case ACT_ROLES:
		people_roles(step->x);
		signal_send(SIGHUP);
		break;
	case ACT_FOLD:
		fold_due();
		break;
	case ACT_FILES:
		accept_fails();
		break;
	default:
		people_step(step);
	}
}

/* ---- Turns ---- */

static void world_behaves(void)
{
	disk_behaves();
	sockets_behave();
	clock_accept();
}

/* When the script is over: everybody is answered, what
 * was lost is asked again, and the daemon stops. */
static void phase_over(void)
{
	if (now.phase == SCRIPT) {
		world_behaves();
		now.phase = ANSWERS;
	} else if (people_wait()) {
		return;
	} else if (clock_bad()) {
		if (!now.accepted)
			clock_accept();	/* it died after it was told the first time */
	} else if (people_lost()) {
		now.phase = CERTAINTY;
		people_ask_again();
	} else {
		now.phase = END;
		now.stopping = true;
		signal_send(SIGTERM);
	}
}

static void memory_check(void)
{
	size_t most = BASE_BYTES + model_count() * ENTRY_BYTES + service.connections * CONN_BYTES;

	if (memory_bytes() > most)
		found("the daemon has %zu bytes with %zu entries and %u connections",
		      memory_bytes(),
		      model_count(), service.connections);
}

bool episode_goes_on(void)
{
	const struct script *script = now.script;
	bool more = false;

	trouble_look();
	disk_check_readers();
	memory_check();
	if (now.phase == SCRIPT && now.next == script->count)
		phase_over();
	else if (now.phase != SCRIPT)
		phase_over();
	while (now.phase == SCRIPT && now.next < script->count) {
		const struct step *step = &script->steps[now.next++];

		if (step->act == ACT_TURN) {
			more = step->x == 1;
			break;
		}
		machine_step(step);
		trouble_look();
	}
	trouble_look();
	return more;
}

/* Everybody who waits is waited for; a second at a time, as timers would have it. */
void episode_idle(void)
{
	if (now.phase == SCRIPT)
		return;
	clocks_later(100000);
	if (++now.idle > IDLE_MAX)
		found(people_wait() ? "somebody is never answered" : "the episode does not end");
}

/* ---- Lives ---- */

static bool reload(struct config *ret)
{
	*ret = now.config;
	people_config(ret);
	return true;
}

static void daemon_clean(void)
{
	signers_close(&service.signers);
	if (service.dir > 0)
		close(service.dir);
	memset(&service, 0, sizeof(service));
	controls_reset();
	fold_daemon_gone();
	memory_drop();
	world_daemon_gone();
	disk_daemon_gone();
	now.trouble = clock_tellings();
}

/* The daemon as main() runs it, to its end in order. */
static void daemon_lives(void)
{
	bool troubled = disk_troubled();

	people_config(&now.config);
	now.stopping = false;
	clocks_later(START_US);
	clock_trusted();
	now.good_clock = 0;
	now.future = model_count() ? model_record(model_count() - 1)->at : 0;
	if (service_load(&service, &now.config) || service_boot(&service)) {
		if (troubled)
			daemon_dies();
		found("the daemon does not start: %s", last_log());
	}
	server_run(&service, WORLD_LISTENER, reload);
	fold_daemon_gone();
	service_close(&service);
	memset(&service, 0, sizeof(service));
	if (memory_blocks())
		found("%zu pieces of memory (%zu bytes) are left behind", memory_blocks(),
		      memory_bytes());
}

/* False when it died. */
static bool life(void)
{
	if (setjmp(now.life))
		return false;
	daemon_lives();
	return true;
}

static void lives(void)
{
	for (unsigned count = 0; !life() || now.phase != END; count++) {
		daemon_clean();
		if (count > LIVES_MAX)
			found("the daemon dies again and again: %s", last_log());
	}
}

/* ---- The whole ---- */

void episode_dir_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
}

static void ledger_make(const char *dir)
{
	static const char *const zones[] = { "UTC", "Europe/Berlin", "America/New_York",
					     "Pacific/Auckland" };
	struct init_options options = { .origin = "sim.example/fund", .currency = "EUR",
					.timezone = zones[now.script->seed % 4] };

	episode_dir_empty(dir);
	if (init_ledger(dir, &options))
		found("no ledger could be made: %s", last_log());
}

/* Comes back in any case: what was found is in now.found. */
static void whole(const char *dir)
{
	if (setjmp(now.back))
		return;
	ledger_make(dir);
	lives();
}

const char *episode_run(const struct script *script, const char *dir)
{
	memset(&now, 0, sizeof(now));
	now.script = script;
	now.dice.state = script->seed ^ 0x5eed;
	snprintf(now.config.dir, sizeof(now.config.dir), "%s", dir);
	now.config.map_size = LEDGER_MAP_DEFAULT;
	randombytes_set_implementation(&the_dice);
	world_reset();
	disk_reset();
	model_reset();
	people_reset();
	whole(dir);
	daemon_clean();
	return now.found[0] ? now.found : NULL;
}

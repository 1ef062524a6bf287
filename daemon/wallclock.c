#include "wallclock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"

#define ACCEPT_FILE "accept-clock"
#define JUMP_US ((int64_t)86400 * 1000000)

static void trust(struct wallclock *clock)
{
	clock->last_at = 0;
	clock->wall = clock_us(CLOCK_REALTIME);
	clock->boot = clock_us(CLOCK_BOOTTIME);
}

void wallclock_begin(struct wallclock *clock, int64_t last_at)
{
	*clock = (struct wallclock){ .problem = NULL };
	trust(clock);
	clock->last_at = last_at;
}

static const char *problem(const struct wallclock *clock, int64_t now)
{
	int64_t boot = clock_us(CLOCK_BOOTTIME);

	if (now < clock->last_at)
		return "the clock is behind the ledger's last entry, so no money is moved until it has "
		       "caught up; if it is right as it is: fundd --accept-clock";
	if (now - clock->wall - (boot - clock->boot) > JUMP_US)
		return "the clock has jumped ahead by over a day, so no money is moved; if it is right "
		       "as it is: fundd --accept-clock";
	return NULL;
}

void wallclock_look(struct wallclock *clock, int64_t now)
{
	clock->problem = problem(clock, now);
}

void wallclock_tell(struct wallclock *clock)
{
	if (clock->problem && clock->problem != clock->told)
		log_warning("%s", clock->problem);
	else if (clock->told && !clock->problem)
		log_notice("the clock is trusted again: money moves");
	clock->told = clock->problem;
}

/* ---- The operator's word ---- */

void wallclock_hear(struct wallclock *clock, int dir)
{
	if (unlinkat(dir, ACCEPT_FILE, 0) < 0)
		return;
	trust(clock);
	log_notice("the operator says that the clock is right");
}

int wallclock_accept(const char *dir)
{
	struct buf path = BUF_INIT;
	int fd;

	buf_printf(&path, "%s/" ACCEPT_FILE, dir);
	fd = open(path.data, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		log_error("cannot write %s: %s", path.data, strerror(errno));
	else
		log_notice("said; a running fundd hears it within a second, a stopped one when it starts");
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	return fd < 0 ? -1 : 0;
}

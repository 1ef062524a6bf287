#include "watch.h"

#include <string.h>

#include "follow.h"
#include "place.h"
#include "tell.h"

#define ROUNDS 3	/* how often the head is asked for, or the file found changed */

void watch_start(struct watch *watch, struct link *link, const char *socket)
{
	watch->link = link;
	watch->socket = socket;
	watch_ask(watch);
}

/* ---- Settling ---- */

static bool link_idle(const struct watch *watch)
{
	return watch->link->fd >= 0 && watch->link->sent == watch->link->answered;
}

bool watch_ready(struct watch *watch)
{
	while (watch->link && !watch->note.len && !watch->vkey.len && link_take_aside(watch->link))
		;
	if (watch->link && watch->vkey.len && !alarm_raised(&watch->alarm) && link_idle(watch))
		watch_follow(watch);
	return !alarm_raised(&watch->alarm);
}

bool watch_settle(struct watch *watch)
{
	for (int round = 0; round < ROUNDS && watch->link && link_idle(watch); round++) {
		while (link_take_aside(watch->link))
			;
		if (watch->vkey.len && !alarm_raised(&watch->alarm) && link_idle(watch)) {
			watch_follow(watch);
			continue;
		}
		if (alarm_raised(&watch->alarm) || !watch->unproven || watch->open)
			break;
		watch->unproven = false;
		buf_clear(&watch->note);
		watch_ask(watch);
	}
	return watch->link && !alarm_raised(&watch->alarm) && !watch->unproven && !watch->open &&
	       !watch->vkey.len;
}

/* ---- The end ---- */

static void not_remembered(const struct watch *watch)
{
	tell("note: nothing is remembered of this ledger, so a later change of it would not be "
	     "seen (%s)",
	     watch->state.problem);
}

/* Has another program remembered something meanwhile? Then that must be on the same line, too. */
static bool changed_meanwhile(struct watch *watch, const struct buf *before)
{
	const struct keys *kept = &watch->state.keys, *mine = &watch->keys;
	const char *problem = state_load(&watch->state, before);

	if (problem)
		alarm_raise(&watch->alarm, "what is remembered in %s is damaged: %s",
			    watch->state.path.data, problem);
	else if (kept->count && !key_same(&kept->key[0].verifier, &mine->key[0].verifier))
		alarm_raise(&watch->alarm,
			    "another fund remembered another key of this ledger just now");
	else if (kept->count > mine->count)
		keys_copy(&watch->keys, kept);
	return alarm_raised(&watch->alarm) || !buf_same(&watch->state.note, before);
}

/* One try: false when the file had changed, and what is in it must be proven first. */
static bool remember_once(struct watch *watch)
{
	struct buf before = BUF_INIT;
	bool saved = true, changed;

	buf_add(&before, watch->state.note.data, watch->state.note.len);
	if (state_lock(&watch->state)) {
		changed = changed_meanwhile(watch, &before);
		if (!changed)
			saved = state_save(&watch->state, &watch->keys, watch->note.data,
					   watch->note.len, &watch->head);
		state_unlock(&watch->state);
	} else {
		saved = changed = false;
	}
	if (!saved)
		not_remembered(watch);
	else if (!changed && !watch->here)
		place_keep(watch->base, watch->socket, watch->head.origin);
	watch->here |= saved && !changed;
	buf_release(&before);
	return !changed;
}

static bool needs_remembering(const struct watch *watch)
{
	return watch->note.len && (!watch->here || !watch->state.note.len ||
				   watch->head.size > watch->state.head.size);
}

/* What is newest is what is kept, too. */
static bool remembered(const struct watch *watch)
{
	return !alarm_raised(&watch->alarm) && watch->note.len && watch->state.note.len &&
	       watch->head.size == watch->state.head.size &&
	       !memcmp(watch->head.root, watch->state.head.root, HASH_SIZE);
}

bool watch_remember(struct watch *watch)
{
	if (!watch_settle(watch))
		return false;
	for (int round = 0; round < ROUNDS; round++) {
		if (!needs_remembering(watch) || remember_once(watch) ||
		    alarm_raised(&watch->alarm))
			break;
		if (watch->state.note.len)
			watch_head(watch, watch->state.note.data, watch->state.note.len,
				   &watch->state.head);
		if (!watch_settle(watch))
			break;
	}
	return remembered(watch);
}

enum exit_status watch_end(struct watch *watch, enum exit_status status)
{
	bool settled;

	if (!watch->link)
		return status;
	settled = watch_settle(watch);
	if (settled)
		watch_remember(watch);
	if (alarm_raised(&watch->alarm))
		return alarm_tell(&watch->alarm, &watch->state);
	if (!settled && status == EXIT_OK)
		tell("note: it could not be checked whether the ledger is the one you know (%s); "
		     "fund verify does",
		     watch->link->problem);
	return status;
}

void watch_release(struct watch *watch)
{
	watch->link = NULL;
	state_close(&watch->state);
	keys_release(&watch->keys);
	alarm_clear(&watch->alarm);
	buf_release(&watch->note);
	buf_release(&watch->vkey);
	buf_release(&watch->foreign);
}

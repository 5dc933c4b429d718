/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: devices that are open. Ends no process, and asks none to. */
#include "change/held.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "use/vfio.h"

/* A look at all groups, where none blocks: less than the second that a run has beyond its deadline. */
#define LOOK_MS 700

struct look {
	const struct sysroot *root;
	const struct actions *actions;
	bool *open; /* for each action; a report takes it back */
};

/* A device that was taken, which an alternative that was only foreseen is not. */
static bool is_taken(const struct action *action)
{
	return action->type == ACTION_BIND && action->state != ACTION_FORESEEN;
}

/* Reports each device that is closed. */
static void look_in_lane(int fd, void *work, void *context)
{
	cleanup_vfio_sight struct vfio_sight sight = { 0 };
	const struct look *look = work;

	(void)context;
	for (size_t i = 0; i < look->actions->count; i++) {
		struct lane_report report = { .step = i };

		if (look->open[i] &&
		    !vfio_group_is_open(look->root, look->actions->items[i].group, &sight))
			lane_send(fd, &report);
	}
}

static void note_closed(const struct lane_report *report, struct lane *lane, void *context)
{
	struct look *look = lane->work;

	(void)context;
	look->open[report->step] = false;
}

/* The device that an action is on is open; for one on the host, any device. */
static bool must_wait(const struct look *look, const struct action *action)
{
	size_t size = strcspn(action->target, "/");
	struct pci_address address;
	bool host_wide = !action_address(action, &address);

	for (size_t i = 0; i < look->actions->count; i++)
		if (look->open[i] &&
		    (host_wide ||
		     (strlen(look->actions->items[i].target) == size &&
		      memcmp(look->actions->items[i].target, action->target, size) == 0)))
			return true;
	return false;
}

/* One look at all that was open; false where it did not end in time. */
static bool look_again(struct look *look, unsigned limit_ms, struct held_silence *silence)
{
	static const struct lanes_callbacks callbacks = { .run = look_in_lane,
							  .report = note_closed };
	struct lane lane = { .work = look };

	(void)lanes_run(&lane, 1, limit_ms, &callbacks, NULL);
	if (lane.end != LANE_LATE && lane.end != LANE_STUCK)
		return true;
	snprintf(silence->path, sizeof(silence->path), "%s", lane.path);
	silence->limit_ms = limit_ms;
	silence->stuck = lane.end == LANE_STUCK ? lane.pid : 0;
	return false;
}

static size_t count_open(const struct look *look)
{
	size_t count = 0;

	for (size_t i = 0; i < look->actions->count; i++)
		count += look->open[i];
	return count;
}

size_t held_find(const struct sysroot *root, const struct journal *journal, const bool *chosen,
		 unsigned wait_ms, bool *held, struct held_silence *ret_silence)
{
	const struct actions *actions = &journal->actions;
	cleanup_free bool *open = calloc(actions->count + 1, sizeof(*open));
	uint64_t limit_ms = (uint64_t)journal->deadline_s * 1000;
	struct deadline deadline = deadline_in_ms(wait_ms);
	struct look look = { root, actions, open };
	unsigned step = 0;
	size_t count = 0;

	*ret_silence = (struct held_silence){ 0 };
	for (size_t i = 0; i < actions->count; i++) {
		held[i] = (!chosen || chosen[i]) && is_taken(&actions->items[i]);
		count += held[i];
		if (open)
			open[i] = held[i];
	}
	if (count == 0 || !open)
		return count;
	if (limit_ms == 0 || limit_ms > (uint64_t)wait_ms + LOOK_MS)
		limit_ms = (uint64_t)wait_ms + LOOK_MS;
	while (look_again(&look, (unsigned)limit_ms, ret_silence) && count_open(&look) > 0 &&
	       deadline_wait_step(deadline, &step))
		continue;
	for (size_t i = 0; i < actions->count; i++)
		held[i] = (!chosen || chosen[i]) && must_wait(&look, &actions->items[i]);
	return count_open(&look);
}

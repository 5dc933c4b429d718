/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: devices that are open. Ends no process, and asks none to. */
#include "change/held.h"

#include <string.h>

#include "base/clock.h"
#include "base/lanes.h"
#include "use/vfio.h"

/* A look at all groups, where none blocks. */
#define LOOK_MS 1000

struct look {
	const struct sysroot *root;
	const struct actions *actions;
	bool *open; /* for each action; a report takes it back */
	unsigned wait_ms;
};

/* A device that was taken, which an alternative that was only foreseen is not. */
static bool is_taken(const struct action *action)
{
	return action->type == ACTION_BIND && action->state != ACTION_FORESEEN;
}

/* Reports each device as soon as it is closed. */
static void look_in_lane(int fd, void *work, void *context)
{
	struct look *look = work;
	struct deadline deadline = deadline_in_ms(look->wait_ms);
	unsigned step = 0;
	bool any;

	(void)context;
	do {
		cleanup_vfio_sight struct vfio_sight sight = { 0 };

		any = false;
		for (size_t i = 0; i < look->actions->count; i++) {
			struct lane_report report = { .step = i };

			if (!look->open[i])
				continue;
			look->open[i] = vfio_group_is_open(look->root,
							   look->actions->items[i].group, &sight);
			any |= look->open[i];
			if (!look->open[i])
				lane_send(fd, &report);
		}
	} while (any && deadline_wait_step(deadline, &step));
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

size_t held_find(const struct sysroot *root, const struct journal *journal, const bool *chosen,
		 unsigned wait_ms, bool *held)
{
	static const struct lanes_callbacks callbacks = { look_in_lane, note_closed };
	struct look look = { root, &journal->actions, NULL, wait_ms };
	cleanup_free bool *open = calloc(journal->actions.count + 1, sizeof(*open));
	struct lane lane = { .work = &look };
	size_t count = 0;

	look.open = open;
	for (size_t i = 0; i < journal->actions.count; i++) {
		held[i] = (!chosen || chosen[i]) && is_taken(&journal->actions.items[i]);
		count += held[i];
		if (open)
			open[i] = held[i];
	}
	if (count == 0 || !open)
		return count;
	(void)lanes_run(&lane, 1, wait_ms + LOOK_MS, &callbacks, NULL);
	count = 0;
	for (size_t i = 0; i < journal->actions.count; i++) {
		held[i] = (!chosen || chosen[i]) && must_wait(&look, &journal->actions.items[i]);
		count += open[i];
	}
	return count;
}

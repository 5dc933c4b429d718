/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: the number of virtual functions. Asks nobody whether they are in use: its caller has. */
#include "change/sriov_count.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "use/eswitch.h"
#include "use/sriov.h"
#include "use/vf.h"

/* Whom the journal names as the source of its actions. */
#define SOURCE "sriov"

static int add(struct sriov_count *count, enum action_type type, const char *name,
	       const char *before, const char *wanted)
{
	cleanup_free char *target = text_format("%s/%s", count->journal.physical, name);
	struct action action = { 0 };

	if (!target || action_make(type, target, before, wanted, SOURCE, &action) < 0)
		return -ENOMEM;
	return actions_add(&count->journal.actions, &action);
}

static struct action *find(const struct sriov_count *count, enum action_type type, const char *name)
{
	cleanup_free char *target = text_format("%s/%s", count->journal.physical, name);

	return target ? actions_find(&count->journal.actions, type, target) : NULL;
}

/* The number of an action's value; 0 for none. */
static unsigned number_of(const struct action *action)
{
	uint32_t number;

	return action && action->before && parse_u32(action->before, &number) == 0 ? number : 0;
}

/* What was set before an interrupted change, over what has come since for other functions. */
static int merge(struct vfs *now, const char *earlier)
{
	cleanup_vfs struct vfs before = { 0 };
	int r = vfs_parse(earlier, &before);

	for (size_t i = 0; i < now->count && r == 0; i++) {
		bool known = false;

		for (size_t k = 0; k < before.count; k++)
			known |= before.items[k].number == now->items[i].number;
		if (!known)
			r = vfs_add(&before, &now->items[i]);
	}
	if (r < 0)
		return r;
	vfs_done(now);
	*now = TAKE_STRUCT(before);
	return 0;
}

/* The journal of a change that was interrupted; an empty one where there is none. */
static int read_earlier(const struct sriov_count *count, const char *address, struct journal *ret,
			struct error *err)
{
	int r;

	if (!count->state)
		return 0;
	r = journal_read_physical(count->root, count->state, address, ret, err);
	return r == -ENOENT ? 0 : r;
}

static int read_values(struct sriov_count *count, const struct journal *earlier,
		       const struct pci_device *physical, struct error *err)
{
	cleanup_vfs struct vfs vfs = { 0 };
	cleanup_free char *values = NULL, *mode = NULL;
	int r = vfs_read(count->root, physical->name, &vfs, err);

	for (size_t i = 0; r == 0 && i < earlier->actions.count; i++) {
		const struct action *action = &earlier->actions.items[i];

		if (action->type == ACTION_KEEP_VFS && action->before &&
		    merge(&vfs, action->before) < 0)
			return error_set(err, -EBADMSG,
					 "what was set for the virtual functions of %s cannot be "
					 "read in " STATE_PATH "/sriov-%s.json: '%s'",
					 physical->name, physical->name, action->before);
		if (action->type == ACTION_KEEP_ESWITCH && action->before && !mode)
			mode = strdup(action->before);
	}
	if (r == 0 && !mode)
		r = eswitch_read(count->root, physical->name, &mode);
	if (r < 0 && r != -ENOENT)
		return *err->message
			       ? r
			       : error_set(err, r, "cannot read the mode of the switch in %s: %s",
					   physical->name, strerror(-r));
	values = vfs_format(&vfs);
	if (!values || add(count, ACTION_KEEP_VFS, "vfs", values, "none") < 0)
		return error_set_memory(err);
	/* "legacy" is what a card without virtual functions is left with, if any */
	if (mode && add(count, ACTION_KEEP_ESWITCH, "eswitch", mode, "legacy") < 0)
		return error_set_memory(err);
	return 0;
}

int sriov_count_read(struct sriov_count *count, const struct pci_device *physical,
		     struct error *err)
{
	cleanup_pci_addresses struct pci_addresses functions = { 0 };
	cleanup_journal struct journal earlier = { 0 };
	char before[16];
	int r = journal_begin(count->root, 0, &count->journal, err);

	memcpy(count->journal.physical, physical->name, sizeof(count->journal.physical));
	if (r == 0)
		r = read_earlier(count, physical->name, &earlier, err);
	if (r == 0)
		r = sriov_functions_find(count->root, physical->name, &functions, err);
	if (r < 0)
		return r;
	count->before = (unsigned)functions.count;
	for (size_t i = 0; i < earlier.actions.count; i++)
		if (earlier.actions.items[i].type == ACTION_SET_ATTRIBUTE)
			count->before = number_of(&earlier.actions.items[i]);
	/* In the order of a start: on the way back the mode comes first, the values last. */
	r = read_values(count, &earlier, physical, err);
	if (r < 0)
		return r;
	snprintf(before, sizeof(before), "%u", count->before);
	if (add(count, ACTION_SET_ATTRIBUTE, "sriov_numvfs", before, "0") < 0)
		return error_set_memory(err);
	if (find(count, ACTION_KEEP_ESWITCH, "eswitch")) {
		struct actions *actions = &count->journal.actions;
		struct action held = actions->items[1];

		actions->items[1] = actions->items[2];
		actions->items[2] = held;
	}
	return 0;
}

int sriov_count_announce(const struct sriov_count *count, struct error *err)
{
	return journal_write(count->state, &count->journal, err);
}

/* ---- the change itself */

/* Hears the first failure, and passes all on. */
struct hearing {
	const struct sriov_count *count;
	struct error failure;
	int result;
};

static void hear(const struct action *action, const struct run_result *result, void *context)
{
	struct hearing *hearing = context;

	if (result->result < 0 && result->result != -EINPROGRESS && hearing->result == 0)
		hearing->result = error_set(&hearing->failure, result->result, "%s", result->text);
	if (hearing->count->report)
		hearing->count->report(action, result, hearing->count->context);
}

static int run(const struct sriov_count *count, enum run_direction direction, struct error *err)
{
	struct hearing hearing = { .count = count };
	int r = run_actions(count->root, &count->journal.actions, direction, NULL,
			    count->deadline_ms, hear, &hearing, err);

	if (r <= 0)
		return r;
	return hearing.result < 0 ? error_set(err, hearing.result, "%s", hearing.failure.message)
				  : error_set(err, -EIO, "it was not done");
}

static int replace(char **value, char *with)
{
	if (!with)
		return -ENOMEM;
	free(*value);
	*value = with;
	return 0;
}

/* What is to be put back: so many, and what was set for those of them that there were. */
static int aim(struct sriov_count *count, unsigned number, const char *values)
{
	struct action *numvfs = find(count, ACTION_SET_ATTRIBUTE, "sriov_numvfs");
	struct action *vfs = find(count, ACTION_KEEP_VFS, "vfs");
	cleanup_vfs struct vfs all = { 0 };
	size_t kept = 0;
	int r = numvfs && vfs ? vfs_parse(values, &all) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < all.count; i++)
		if (all.items[i].number < number)
			all.items[kept++] = all.items[i];
	if (r < 0)
		return r;
	all.count = kept;
	r = replace(&numvfs->before, text_format("%u", number));
	return r < 0 ? r : replace(&vfs->before, vfs_format(&all));
}

static unsigned count_now(const struct sriov_count *count)
{
	cleanup_pci_addresses struct pci_addresses functions = { 0 };

	(void)sriov_functions_find(count->root, count->journal.physical, &functions, NULL);
	return (unsigned)functions.count;
}

static bool is_stuck(const struct sriov_count *count)
{
	for (size_t i = 0; i < count->journal.actions.count; i++)
		if (count->journal.actions.items[i].state == ACTION_STUCK)
			return true;
	return false;
}

/* All go: then *ret_gone; and so many come with what was set. What is stuck is not tried again. */
static int set(struct sriov_count *count, unsigned number, const char *values, bool *ret_gone,
	       struct error *err)
{
	int r;

	if (is_stuck(count))
		return error_set(err, -EBUSY, "a process is stuck in the kernel with it");
	for (size_t i = 0; i < count->journal.actions.count; i++)
		count->journal.actions.items[i].state = ACTION_ANNOUNCED;
	r = run(count, RUN_APPLY, err);
	if (r < 0)
		return r;
	*ret_gone = true;
	return aim(count, number, values) < 0 ? error_set_memory(err) : run(count, RUN_REVERT, err);
}

static int forget(struct sriov_count *count, struct error *err)
{
	actions_done(&count->journal.actions);
	return journal_write(count->state, &count->journal, err);
}

int sriov_count_run(struct sriov_count *count, struct error *err)
{
	const struct action *vfs = find(count, ACTION_KEEP_VFS, "vfs");
	cleanup_free char *values = vfs ? strdup(vfs->before) : NULL;
	const char *physical = count->journal.physical;
	struct error why = { 0 }, back = { 0 };
	bool gone = false;
	int r = values ? set(count, count->wanted, values, &gone, &why) : error_set_memory(&why);

	if (r == 0)
		return forget(count, err);
	if (!gone && !is_stuck(count) && count_now(count) == count->before) {
		(void)forget(count, NULL);
		return error_set(err, r, "%s: %s; nothing is changed", physical, why.message);
	}
	if (values && set(count, count->before, values, &gone, &back) == 0) {
		(void)forget(count, NULL);
		return error_set(err, r, "%s: %s; it has %u as before", physical, why.message,
				 count->before);
	}
	return error_set(err, r,
			 "%s: %s; nor could what was before be put back: %s; it has %u virtual "
			 "functions now, and had %u",
			 physical, why.message, back.message, count_now(count), count->before);
}

void sriov_count_done(struct sriov_count *count)
{
	journal_done(&count->journal);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the checks of a start, one after another. */
#include <errno.h>

#include "base/array.h"
#include "check/check.h"
#include "check/remedy.h"
#include "host/remembered.h"
#include "use/child.h"

typedef int check_topic(const struct start *start, struct findings *findings, struct error *err);

static check_topic *const topics[] = {
	check_config,	 check_settings, check_device,	    check_iommu,     check_pins,
	check_displace,	 check_owner,	 check_romfile,	    check_romimage,  check_storage,
	check_network,	 check_mac,	 check_usb,	    check_opener,    check_nvswitch,
	check_sriov,	 check_mdev,	 check_vgpu,	    check_container, check_variant,
	check_interrupt, check_reset,	 check_framebuffer, check_memory,    check_aperture,
	check_suspended, check_trouble,	 check_configured,
};

/* An id that is none would leave its author thinking that something is allowed. */
static int mark_allowed(const struct start *start, struct findings *findings, struct error *err)
{
	const struct strings *allow = &start->settings.allow;

	for (size_t i = 0; i < allow->count; i++) {
		enum check_id id;

		if (check_id_parse(allow->items[i], &id) < 0)
			return error_set(
				err, -EBADMSG,
				"the settings of VM %u allow '%s', which is not a check; did "
				"you mean '%s'?",
				start->vmid, allow->items[i], check_id_nearest(allow->items[i]));
		for (size_t k = 0; k < findings->count; k++)
			if (findings->items[k].id == id)
				findings->items[k].allowed = true;
	}
	return 0;
}

/*
 * The devices of `plan` that the VM gets. Those of an alternative that Proxmox VE will not choose are
 * left alone, so nothing about them is a reason to refuse, or worth a word. NULL without memory.
 */
static struct plan_device *copy_taken(const struct plan *plan, size_t *ret_count)
{
	struct plan_device *taken = calloc(plan->device_count + 1, sizeof(*taken));
	size_t count = 0;

	for (size_t i = 0; taken && i < plan->device_count; i++)
		if (!plan->devices[i].foreseen)
			taken[count++] = plan->devices[i];
	*ret_count = count;
	return taken;
}

/* The topics change nothing, so what one has read of the host is good for the others. */
static int run_topics(const struct start *start, check_topic *const *run, size_t count,
		      struct findings *findings, struct error *err)
{
	cleanup_child_memory struct child_memory children = { 0 };
	cleanup_remembered struct remembered remembered = { 0 };
	cleanup_free struct plan_device *taken = NULL;
	struct sysroot root = *start->root;
	struct start looked_at = *start;

	root.children = &children;
	root.remembered = &remembered;
	looked_at.root = &root;
	taken = copy_taken(&start->plan, &looked_at.plan.device_count);
	if (!taken)
		return error_set_memory(err);
	looked_at.plan.devices = taken;
	for (size_t i = 0; i < count; i++) {
		int r = run[i](&looked_at, findings, err);

		if (r < 0)
			return r;
	}
	if (remedies_explain(&looked_at, findings) < 0)
		return error_set_memory(err);
	return mark_allowed(start, findings, err);
}

int check_start_run(const struct start *start, struct findings *findings, struct error *err)
{
	return run_topics(start, topics, ARRAY_SIZE(topics), findings, err);
}

int check_claims_run(const struct start *start, struct findings *findings, struct error *err)
{
	static check_topic *const claims[] = { check_claims };

	return run_topics(start, claims, 1, findings, err);
}

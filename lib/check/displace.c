/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what is said of guests that give way to a start, or could. */
#include "change/displace.h"

#include <string.h>

#include "check/check.h"

static char *may_not(const struct start *start, const struct guest *guest)
{
	cleanup_free char *why = NULL;

	if (text_equal(vm_config_get(&start->config, "lock"), "backup"))
		return strdup("It does not give way to a start for a backup: leave this VM out of "
			      "the job, or back it up while the other is off.");
	if (start->comes_back)
		return text_format(
			"It does not give way to a VM that only comes back: 'qm start %u' "
			"asks it.",
			start->vmid);
	if (guest_why_not(start->root, guest, &why) < 0)
		return NULL;
	return why ? text_format("It does not give way, as the settings allow: %s.", why)
		   : strdup("");
}

char *check_displace_advice(const struct start *start, const struct guest *guest)
{
	bool running;

	if (displace_allows(&start->settings, guest->vmid))
		return may_not(start, guest);
	if (guest_is_running(start->root, guest, &running, NULL) < 0 || !running)
		return strdup("");
	return text_format("Or let it give way to this start, and come back after it: "
			   "\"displace\": {\"guests\": [%u]} in /etc/pve/pve-vfio/%u.json.",
			   guest->vmid, start->vmid);
}

/* "VM 101 has 0000:01:00.0 and gives way: it gets 60 s to shut down, and is started again after …" */
static int tell(const struct start *start, const struct action *action, const struct guest *guest,
		struct findings *findings)
{
	bool stop = strcmp(action->wanted, "stop") == 0;
	cleanup_free char *how = stop ? strdup("it is stopped")
				      : text_format("it gets %u s to shut down", action->timeout_s);

	return finding_add(
		findings, CHECK_GUEST_GIVES_WAY, action->target,
		"%s %u has %s and gives way, as the settings of VM %u allow: %s, and %s.",
		guest->kind == GUEST_VM ? "VM" : "Container", guest->vmid, action->source,
		start->vmid, how ? how : "",
		action->keep ? "stays off" : "is started again after this VM has stopped");
}

int check_displace(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.actions.count; i++) {
		const struct action *action = &start->plan.actions.items[i];
		struct guest guest;

		if (!displace_is_asked(action) || guest_parse(action->target, &guest) < 0)
			continue;
		if (tell(start, action, &guest, findings) < 0)
			return error_set_memory(err);
	}
	return 0;
}

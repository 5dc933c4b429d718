/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: a VM that is to go on where it was suspended to disk. */
#include <errno.h>

#include "check/check.h"

/*
 * Proxmox VE has refused to suspend a VM with PCI devices since qemu-server 7.2-5: then they have been
 * added since. Its start has the saved memory loaded (vm_start_nolock() in QemuServer.pm).
 */
int check_suspended(const struct start *start, struct findings *findings, struct error *err)
{
	const char *lock = vm_config_get(&start->config, "lock");
	const char *state = vm_config_get(&start->config, "vmstate");

	if (!text_equal(lock, "suspended") || start->plan.device_count == 0)
		return 0;
	if (finding_add(findings, CHECK_VM_SUSPENDED, "lock",
			"VM %u is suspended to disk (%s), and goes on as it was then; its devices "
			"begin anew.",
			start->vmid, state ? state : "without a file") < 0 ||
	    finding_advise(
		    findings,
		    "If that fails, delete the state: 'qm set %u --delete vmstate'. The guest "
		    "then boots, as after a power cut.",
		    start->vmid) < 0)
		return error_set_memory(err);
	return 0;
}

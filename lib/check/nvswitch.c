/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: GPUs that leave an HGX board whose NVSwitches stay: who is to run the fabric manager? */
#include "use/nvswitch.h"

#include <errno.h>
#include <string.h>

#include "check/check.h"
#include "host/unit.h"

#define VENDOR_NVIDIA 0x10de
#define CLASS_3D      0x0302

/* A GPU as HGX boards have them; one with outputs has no NVSwitch. */
static bool is_gpu(const struct plan_device *planned)
{
	return planned->device.vendor == VENDOR_NVIDIA &&
	       planned->device.class_code >> 8 == CLASS_3D;
}

static const struct plan_device *find_gpu(const struct plan *plan)
{
	for (size_t i = 0; i < plan->device_count; i++)
		if (is_gpu(&plan->devices[i]))
			return &plan->devices[i];
	return NULL;
}

/* The switches that stay with the host, where that matters and nobody has decided it. */
static int find_left(const struct start *start, struct pci_addresses *ret)
{
	cleanup_pci_addresses struct pci_addresses all = { 0 };
	bool active = false;
	int r;

	if (!find_gpu(&start->plan) ||
	    strings_has(&start->settings.stop_units, FABRIC_MANAGER_UNIT) ||
	    nvswitches_list(start->root, &all) < 0 || all.count == 0)
		return 0;
	/* What cannot be asked is not running. */
	if (unit_is_active(start->root, FABRIC_MANAGER_UNIT, &active, NULL) < 0 || !active)
		return 0;
	for (size_t i = 0; i < all.count; i++) {
		r = plan_has_device(&start->plan, all.items[i])
			    ? 0
			    : pci_addresses_add(ret, all.items[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

bool check_fabric_stays(const struct start *start)
{
	cleanup_pci_addresses struct pci_addresses left = { 0 };

	return find_left(start, &left) == 0 && left.count > 0;
}

static int advise(const struct start *start, const struct pci_addresses *left,
		  struct findings *findings)
{
	cleanup_text struct text gpus = { 0 };
	char name[PCI_ADDRESS_TEXT];
	unsigned number = 0;

	for (size_t i = 0; i < start->plan.device_count; i++)
		if (is_gpu(&start->plan.devices[i]))
			text_add(&gpus, "%s%s", gpus.size ? " " : "",
				 start->plan.devices[i].device.name);
	if (gpus.failed)
		return -ENOMEM;

	while (number + 1 < HOSTPCI_COUNT && start->config.hostpci[number].present)
		number++;
	return finding_advise(
		findings,
		"There are three ways. If the VM is to have the whole board: pass the switches too, "
		"each with a line such as 'qm set %u --hostpci%u %s,pcie=1'; the fabric manager is then "
		"stopped while the VM runs, and runs in the guest. If several VMs share the board: "
		"FABRIC_MODE=1 in /%s, and hold the GPUs from boot with 'pve-vfio setup --add "
		"--early %s'. If the GPUs can do without NVLink: \"stop_units\": [\"%s\"] in "
		"/etc/pve/pve-vfio/%u.json.",
		start->vmid, number, pci_address_format(left->items[0], name), FABRIC_MANAGER_PATH,
		gpus.data, FABRIC_MANAGER_UNIT, start->vmid);
}

/*
 * With the switches on the host a GPU that VFIO has already is as it should be in the shared model.
 * One that the host's driver has is in use by the fabric manager, which must not be stopped then.
 */
int check_nvswitch(const struct start *start, struct findings *findings, struct error *err)
{
	const struct plan_device *gpu = find_gpu(&start->plan);
	cleanup_pci_addresses struct pci_addresses left = { 0 };
	cleanup_text struct text names = { 0 };
	enum fabric_mode mode;
	bool held;

	if (!gpu || find_left(start, &left) < 0 || left.count == 0)
		return 0;
	mode = fabric_mode_read(start->root);
	held = text_equal(gpu->device.driver, "nvidia");
	if (!held && mode != FABRIC_BARE)
		return 0;
	for (size_t i = 0; i < left.count; i++) {
		char name[PCI_ADDRESS_TEXT];

		text_add(&names, "%s%s", i > 0 ? ", " : "",
			 pci_address_format(left.items[i], name));
	}
	if (names.failed ||
	    finding_add(
		    findings, CHECK_NVSWITCH_LEFT, gpu->device.name,
		    "The NVSwitches that join this GPU to others (%s) stay with the host, where "
		    "the fabric manager runs%s.",
		    names.data, mode == FABRIC_BARE ? " with FABRIC_MODE=0" : "") < 0)
		return error_set_memory(err);
	if (!held)
		finding_set_level(findings, LEVEL_WARNING);
	return advise(start, &left, findings) < 0 ? error_set_memory(err) : 0;
}

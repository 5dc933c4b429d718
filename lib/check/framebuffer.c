/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: whether a device of the plan is a display that the host needs, or that its firmware keeps. */
#include "use/framebuffer.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/number.h"
#include "check/check.h"
#include "pci/facts.h"

#define CLASS_VGA     0x0300
#define REMOVES_MAJOR 6

/*
 * Since Linux 6.0 vfio-pci removes the firmware's framebuffer from a VGA-class device itself
 * (vfio_pci_vga_init() in drivers/vfio/pci/vfio_pci_core.c); before, and from a display device of
 * another class, it does not.
 */
static bool is_removed_by_vfio(const struct sysroot *root, const struct pci_device *device)
{
	cleanup_free char *release = NULL;
	uint64_t major;

	if (device->class_code >> 8 != CLASS_VGA ||
	    sysroot_read_attribute(root, "proc/sys/kernel/osrelease", &release) < 0)
		return false;
	release[strspn(release, "0123456789")] = '\0';
	return parse_u64(release, &major) == 0 && major >= REMOVES_MAJOR;
}

static bool is_released(const struct plan *plan)
{
	for (size_t i = 0; i < plan->actions.count; i++)
		if (plan->actions.items[i].type == ACTION_RELEASE_FRAMEBUFFER)
			return true;
	return false;
}

static int check_one(const struct start *start, const struct pci_device *device,
		     struct findings *findings)
{
	struct framebuffer framebuffer;
	struct error reason = { 0 };
	bool held;
	int r = framebuffer_find(start->root, device->name, &held, &framebuffer, &reason);

	if (r < 0) {
		r = finding_add(
			findings, CHECK_FRAMEBUFFER_HELD, device->name,
			"It cannot be determined whether the firmware's framebuffer lies in "
			"its memory: %s.",
			reason.message);
		return r < 0 ? r
			     : finding_advise(
				       findings,
				       "Only root sees the addresses in /proc/iomem: run this "
				       "as root.");
	}
	if (!held || is_released(&start->plan) || is_removed_by_vfio(start->root, device))
		return 0;
	if (finding_add(findings, CHECK_FRAMEBUFFER_HELD, device->name,
			"/proc/iomem has %s at %" PRIx64 "-%" PRIx64 ", in its memory.",
			framebuffer.name, framebuffer.range.start, framebuffer.range.end) < 0)
		return -ENOMEM;
	if (start->settings.leave_console)
		return finding_advise(findings,
				      "Let the hook release it: take \"console\": \"leave\" out of "
				      "/etc/pve/pve-vfio/%u.json.",
				      start->vmid);
	return finding_advise(
		findings, "If QEMU or the guest's driver fails with it, have the kernel not use "
			  "that framebuffer: 'pve-vfio setup --add --no-boot-framebuffer' and a "
			  "reboot. The node then has no picture until a graphics driver loads. "
			  "Or let another card be the first in the firmware's settings.");
}

/* One that comes along with a group nobody has chosen. */
static int check_console_chip(const struct plan_device *planned, struct findings *findings)
{
	if (planned->sibling || !pci_is_console_chip(&planned->device))
		return 0;
	return finding_add(findings, CHECK_CONSOLE_CHIP, planned->device.name,
			   "It is the display of the node's management controller (remote "
			   "console), not a GPU.");
}

int check_framebuffer(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++)
		if (check_one(start, &start->plan.devices[i].device, findings) < 0 ||
		    check_console_chip(&start->plan.devices[i], findings) < 0)
			return error_set_memory(err);
	return 0;
}

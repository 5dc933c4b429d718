/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: interrupts that VFIO cannot have, or that QEMU does not understand. */
#include "pci/interrupt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "pci/facts.h"

/* ---- lines */

/* A handler that goes away with this start: of a driver that is unbound, or of the VM's own QEMU. */
static bool is_going(const struct start *start, const char *user)
{
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct pci_device *device = &start->plan.devices[i].device;
		char own[PCI_ADDRESS_TEXT + 16];

		snprintf(own, sizeof(own), "vfio-intx(%s)", device->name);
		if (strcmp(user, own) == 0 ||
		    (device->driver && text_starts_with(user, device->driver)))
			return true;
	}
	return false;
}

/* Who else is on a line. */
struct sharers {
	struct text names;   /* "0000:04:00.0 (of this VM), ehci_hcd:usb1 (of the host)" */
	struct strings keys; /* the lines of the configuration that bring those of this VM */
};

static void sharers_done(struct sharers *sharers)
{
	text_done(&sharers->names);
	strings_done(&sharers->keys);
}

static void add_sharer(struct sharers *sharers, const char *name, const char *of)
{
	text_add(&sharers->names, "%s%s (of %s)", sharers->names.size ? ", " : "", name, of);
}

static int find_sharers(const struct start *start, const struct plan_device *planned, unsigned line,
			struct sharers *ret)
{
	cleanup_strings struct strings users = { 0 };

	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *other = &start->plan.devices[i];

		if (other == planned || other->sibling || other->device.bridge ||
		    pci_line_read(start->root, other->device.name) != line)
			continue;
		add_sharer(ret, other->device.name, "this VM");
		if (strcmp(other->source, planned->source) != 0 &&
		    !strings_has(&ret->keys, other->source) &&
		    strings_add(&ret->keys, other->source) < 0)
			return -ENOMEM;
	}
	/* What cannot be read may be empty. */
	(void)pci_line_users(start->root, line, &users);
	for (size_t i = 0; i < users.count; i++)
		if (!is_going(start, users.items[i]))
			add_sharer(ret, users.items[i],
				   text_starts_with(users.items[i], "vfio-intx(") ? "a running VM"
										  : "the host");
	return ret->names.failed ? -ENOMEM : 0;
}

/* One finding for each line: the others on it are named there. */
static bool is_first_on_line(const struct start *start, const struct plan_device *planned,
			     unsigned line)
{
	for (const struct plan_device *at = start->plan.devices; at < planned; at++)
		if (!at->sibling && pci_line_is_unmaskable(&at->device) &&
		    pci_line_read(start->root, at->device.name) == line)
			return false;
	return true;
}

static int advise_line(const struct start *start, const char *address,
		       const struct sharers *sharers, struct findings *findings)
{
	cleanup_text struct text advice = { 0 };
	char path[SYSROOT_PATH_MAX];

	text_add(&advice,
		 "Put the card into a slot with a line of its own ('cat "
		 "/sys/bus/pci/devices/%s/irq').",
		 address);
	if (sharers->keys.count > 0)
		text_add(&advice, " Or leave the others out: 'qm set %u --delete ", start->vmid);
	for (size_t i = 0; i < sharers->keys.count; i++)
		text_add(&advice, "%s%s%s", i > 0 ? "," : "", sharers->keys.items[i],
			 i + 1 == sharers->keys.count ? "'." : "");
	pci_attribute_path(path, address, "sriov_totalvfs");
	if (sysroot_exists(start->root, path))
		text_add(&advice, " Or pass one of its virtual functions, which have no line.");
	return advice.failed ? -ENOMEM : finding_advise(findings, "%s", advice.data);
}

static int check_line(const struct start *start, const struct plan_device *planned,
		      struct findings *findings)
{
	const char *address = planned->device.name;
	cleanup(sharers_done) struct sharers sharers = { 0 };
	unsigned line;

	if (!pci_line_is_unmaskable(&planned->device))
		return 0;
	line = pci_line_read(start->root, address);
	if (line == 0 || !is_first_on_line(start, planned, line))
		return 0;
	if (find_sharers(start, planned, line, &sharers) < 0)
		return -ENOMEM;
	if (!sharers.names.size)
		return 0;
	if (finding_add(
		    findings, CHECK_INTX_SHARED, address,
		    "It cannot mask its interrupt line %u, so VFIO wants the line for it alone, "
		    "and others are on it: %s. QEMU fails with 'Failed to set up TRIGGER "
		    "eventfd signaling for interrupt INTX-0'.",
		    line, sharers.names.data) < 0)
		return -ENOMEM;
	return advise_line(start, address, &sharers, findings);
}

/* ---- MSI-X tables */

/* What msix_init() in QEMU's hw/pci/msix.c, and vfio_msix_early_setup(), do not take; or NULL. */
static const char *find_fault(const struct pci_msix *msix, const struct pci_region *regions)
{
	uint64_t table_end = msix->table_offset + msix->vectors * UINT64_C(16);
	uint64_t pba_end = msix->pba_offset + (msix->vectors + UINT64_C(63)) / 64 * 8;
	uint64_t table_bar = regions[msix->table_bar].size;
	uint64_t pba_bar = regions[msix->pba_bar].size;

	if (table_bar == 0 || pba_bar == 0)
		return NULL;
	if (pba_end > pba_bar)
		return "its pending bits end beyond their BAR";
	if (table_end > table_bar)
		return "it ends beyond its BAR";
	if (msix->table_bar == msix->pba_bar && msix->table_offset < pba_end &&
	    msix->pba_offset < table_end)
		return "it and its pending bits overlap";
	return NULL;
}

/* QEMU corrects these itself. */
static bool is_corrected(const struct pci_device *device)
{
	return (device->vendor == 0x1425 && (device->device & 0xff00) == 0x5800) ||
	       (device->vendor == 0x1d22 && device->device == 0x3685);
}

/* A BAR that the function has not, and that is not the upper half of another. */
static unsigned find_free_bar(const struct pci_region *regions)
{
	for (unsigned i = 0; i < PCI_BAR_COUNT; i++)
		if (regions[i].size == 0 &&
		    (i == 0 || regions[i - 1].size == 0 || !regions[i - 1].wide))
			return i;
	return PCI_BAR_COUNT;
}

/* `-set` names a device by the id that Proxmox VE gives it, and takes no dot in that. */
static int advise_relocation(const struct start *start, const struct plan_device *planned,
			     const struct pci_region *regions, struct findings *findings)
{
	cleanup_free char *alone = NULL, *option = NULL;
	unsigned bar = find_free_bar(regions);
	size_t functions = 0;

	for (size_t i = 0; i < start->plan.device_count; i++)
		functions += !start->plan.devices[i].sibling &&
			     strcmp(start->plan.devices[i].source, planned->source) == 0;
	if (bar == PCI_BAR_COUNT || !text_starts_with(planned->source, "hostpci"))
		return finding_advise(
			findings,
			"Give its QEMU device the option x-msix-relocation=barN, with "
			"a BAR that has room, in 'args' of VM %u.",
			start->vmid);
	option = text_format("-set device.%s.x-msix-relocation=bar%u", planned->source, bar);
	alone = functions > 1 ? text_format("Name %s alone in %s. ", planned->device.name,
					    planned->source)
			      : strdup("");
	if (!option || !alone)
		return -ENOMEM;
	if (vm_config_get(&start->config, "args"))
		return finding_advise(findings,
				      "%sHave QEMU move the table: add '%s' to 'args' of VM %u.",
				      alone, option, start->vmid);
	return finding_advise(findings, "%sHave QEMU move the table: 'qm set %u --args \"%s\"'.",
			      alone, start->vmid, option);
}

static int check_msix(const struct start *start, const struct plan_device *planned,
		      struct findings *findings)
{
	const struct pci_device *device = &planned->device;
	const char *args = vm_config_get(&start->config, "args");
	struct pci_region regions[PCI_REGION_COUNT];
	struct pci_msix msix;
	const char *fault;

	if (is_corrected(device) || (args && strstr(args, "x-msix-relocation")) ||
	    !pci_msix_read(start->root, device->name, &msix))
		return 0;
	pci_regions_read(start->root, device->name, regions);
	fault = find_fault(&msix, regions);
	if (!fault)
		return 0;
	if (finding_add(findings, CHECK_MSIX_INVALID, device->name,
			"Its MSI-X table (%u vectors, BAR %u at %#" PRIx32
			", pending bits BAR %u at "
			"%#" PRIx32 ") is not as QEMU wants it: %s.",
			msix.vectors, msix.table_bar, msix.table_offset, msix.pba_bar,
			msix.pba_offset, fault) < 0)
		return -ENOMEM;
	return advise_relocation(start, planned, regions, findings);
}

/* What comes along with its group QEMU does not open. */
int check_interrupt(const struct start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *planned = &start->plan.devices[i];

		if (planned->sibling || planned->stuck || planned->device.bridge)
			continue;
		if (check_line(start, planned, findings) < 0 ||
		    check_msix(start, planned, findings) < 0)
			return error_set_memory(err);
	}
	return 0;
}

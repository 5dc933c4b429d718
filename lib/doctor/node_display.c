/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: the display controllers of the node, one after another: what passing them would meet. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "boot/machine.h"
#include "doctor/doctor.h"
#include "pci/health.h"
#include "use/framebuffer.h"
#include "use/reset.h"

#define VENDOR_INTEL 0x8086

struct display {
	const struct doctor *doctor;
	const struct pci_entry *entry;
	const struct safety *safety;
	struct pci_health health;
	const char *name;
};

static int judge_framebuffer(const struct display *display, struct verdicts *verdicts)
{
	struct framebuffer framebuffer;
	struct error reason = { 0 };
	bool held;
	int r = framebuffer_find(display->doctor->node->root, display->name, &held, &framebuffer,
				 &reason);

	if (r < 0)
		return verdict_add(
			verdicts, VERDICT_UNKNOWN, "boot-framebuffer", display->name,
			r == -EACCES ? "Run it as root." : NULL,
			"It cannot be determined whether the firmware's framebuffer lies in its "
			"memory: %s.",
			reason.message);
	if (!held)
		return verdict_add(verdicts, VERDICT_OK, "boot-framebuffer", display->name, NULL,
				   "No firmware framebuffer lies in its memory.");
	return verdict_add(verdicts, VERDICT_INFO, "boot-framebuffer", display->name,
			   "If a VM's driver does not get its memory ('BAR 0: can't reserve'), let "
			   "another card be the first in the firmware's settings.",
			   "The firmware's framebuffer (%s) lies in its memory: it is the card the "
			   "machine booted with.",
			   framebuffer.name);
}

/* Others have a group: it is left out, as Debian's kernels leave out the CPU's own graphics. */
static int judge_no_group(const struct display *display, struct verdicts *verdicts)
{
	const struct pve_node *node = display->doctor->node;
	cleanup_boot_machine struct boot_machine machine = { 0 };
	cleanup_free char *intel = kernel_parameter(node->command_line, "intel_iommu");
	const struct boot_kernel *kernel;

	if (display->doctor->safeties->groups.count == 0)
		return 0;
	if (boot_machine_read(node->root, &machine, NULL) < 0)
		return -ENOMEM;
	kernel = boot_machine_kernel(&machine, node->release);
	if (display->entry->device.vendor == VENDOR_INTEL && intel && strstr(intel, "igfx_off"))
		return verdict_add(verdicts, VERDICT_WARNING, "gpu-group", display->name,
				   "Take igfx_off out of that parameter, and boot again.",
				   "It has no IOMMU group, so it cannot be passed: the kernel was "
				   "booted with intel_iommu=%s.",
				   intel);
	if (display->entry->device.vendor == VENDOR_INTEL && kernel && kernel->but_graphics)
		return verdict_add(verdicts, VERDICT_WARNING, "gpu-group", display->name,
				   "To pass it: 'pve-vfio setup --add --param intel_iommu=on', and "
				   "boot again.",
				   "It has no IOMMU group, so it cannot be passed: the kernel %s "
				   "leaves the CPU's own graphics out unless it is booted with "
				   "intel_iommu=on.",
				   node->release);
	return verdict_add(verdicts, VERDICT_WARNING, "gpu-group", display->name,
			   "Look for a firmware update, and for what the kernel says of it: "
			   "'journalctl -k -b -g \"DMAR|AMD-Vi|SMMU\"'.",
			   "It has no IOMMU group, while others have: it cannot be passed.");
}

/* Functions of its own slot go along anyway. */
static int judge_isolation(const struct display *display, struct verdicts *verdicts)
{
	const struct pci_inventory *inventory = &display->doctor->node->inventory;
	const struct pci_device *device = &display->entry->device;
	cleanup_text struct text others = { 0 };

	if (device->iommu_group == IOMMU_GROUP_NONE)
		return judge_no_group(display, verdicts);
	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_device *other = &inventory->items[i].device;

		if (other->iommu_group == device->iommu_group && !other->bridge &&
		    !pci_same_slot(other->address, device->address))
			text_add(&others, " %s", other->name);
	}
	if (others.failed)
		return -ENOMEM;
	if (!others.size)
		return verdict_add(verdicts, VERDICT_OK, "gpu-group", display->name, NULL,
				   "Its IOMMU group %d has nothing but its own functions%s.",
				   device->iommu_group,
				   display->safety->pass == PASS_YES ? " (one)" : "");
	return verdict_add(verdicts, VERDICT_WARNING, "gpu-group", display->name,
			   "All of them go to the VM together. Try another slot; look in the "
			   "firmware for ACS or 'PCIe ARI'; update it.",
			   "Its IOMMU group %d has other devices too:%s.", device->iommu_group,
			   others.data);
}

/* As the check of a start: a bus is reset for a VM that has all of it. */
static int judge_bus_reset(const struct display *display, struct verdicts *verdicts)
{
	const struct pci_device *device = &display->entry->device;
	cleanup_pci_addresses struct pci_addresses neighbours = { 0 };
	cleanup_text struct text others = { 0 };

	if (reset_neighbours_find(display->doctor->node->root, device->address, &neighbours, NULL) <
	    0)
		return -ENOMEM;
	for (size_t i = 0; i < neighbours.count; i++) {
		char name[PCI_ADDRESS_TEXT];
		const struct pci_entry *other =
			pci_inventory_find(&display->doctor->node->inventory,
					   pci_address_format(neighbours.items[i], name));

		if (!pci_same_slot(neighbours.items[i], device->address) || !other ||
		    other->device.vendor != device->vendor)
			text_add(&others, " %s", name);
	}
	if (others.failed)
		return -ENOMEM;
	if (!others.size)
		return verdict_add(verdicts, VERDICT_OK, "gpu-reset", display->name, NULL,
				   "It is reset with its bus, %s.",
				   neighbours.count == 0 ? "which it has for itself"
							 : "on which are only its own functions: "
							   "pass all of them");
	return verdict_add(verdicts, VERDICT_WARNING, "gpu-reset", display->name,
			   "If the VM's second start fails, reboot the node between two starts.",
			   "Only its bus can be reset, and there is more on it:%s. It is not reset "
			   "unless a VM gets all of them.",
			   others.data);
}

static int judge_reset(const struct display *display, struct verdicts *verdicts)
{
	const struct pci_facts *facts = &display->entry->facts;
	enum reset_reach reach = reset_reach_read(display->doctor->node->root, display->name);

	if (reach == RESET_NONE)
		return verdict_add(
			verdicts, VERDICT_WARNING, "gpu-reset", display->name,
			"If the VM's second start fails, reboot the node between two starts.",
			"It has no reset of its own, and a root bus has none.");
	if (reach == RESET_BUS)
		return judge_bus_reset(display, verdicts);
	return verdict_add(verdicts, VERDICT_OK, "gpu-reset", display->name, NULL,
			   "It can be reset%s%s%s.", facts->reset_methods ? " (" : "",
			   facts->reset_methods ? facts->reset_methods : "",
			   facts->reset_methods ? ")" : "");
}

static int judge_rom(const struct display *display, struct verdicts *verdicts)
{
	if (display->entry->facts.has_rom)
		return verdict_add(verdicts, VERDICT_OK, "gpu-rom", display->name, NULL,
				   "It has a ROM BAR.");
	return verdict_add(verdicts, VERDICT_INFO, "gpu-rom", display->name,
			   "For a picture before the guest's driver comes, give the VM a romfile: "
			   "see 'pve-vfio rom dump' and 'pve-vfio rom vfct'.",
			   "It has no ROM BAR: the VM's firmware finds no option ROM on it.");
}

/* A BAR of this size and up holds the whole memory of a card. */
#define LARGE_BAR (UINT64_C(512) << 20)
#define FOUR_GIB  (UINT64_C(1) << 32)

static int judge_bars(const struct display *display, struct verdicts *verdicts)
{
	const struct pci_region *regions = display->entry->facts.regions;
	const struct pci_region *largest = NULL;
	uint64_t most = 0;
	char size[24], greatest[24];

	for (size_t i = 0; i < PCI_REGION_ROM; i++) {
		if (!regions[i].prefetchable || !regions[i].wide ||
		    (largest && regions[i].size <= largest->size))
			continue;
		largest = &regions[i];
		most = pci_region_most(&display->health, i);
	}
	if (!largest)
		return 0;
	pci_size_words(largest->size, size);
	if (most > largest->size)
		return verdict_add(verdicts, VERDICT_INFO, "gpu-bar", display->name,
				   "For Resizable BAR switch it and 'Above 4G Decoding' on in the "
				   "firmware; a VM sees the size the BAR has on the host.",
				   "Its largest BAR is %s, %s 4 GiB, and could be %s.", size,
				   largest->start < FOUR_GIB ? "below" : "above",
				   pci_size_words(most, greatest));
	if (largest->size >= LARGE_BAR && most > 0)
		return verdict_add(verdicts, VERDICT_INFO, "gpu-bar", display->name,
				   "If the VM's firmware hangs or the guest's driver fails, try it "
				   "with Resizable BAR off in the host's firmware.",
				   "Its largest BAR is %s, %s 4 GiB: Resizable BAR is on.", size,
				   largest->start < FOUR_GIB ? "below" : "above");
	return verdict_add(verdicts, VERDICT_OK, "gpu-bar", display->name, NULL,
			   "Its largest BAR is %s, %s 4 GiB.", size,
			   largest->start < FOUR_GIB ? "below" : "above");
}

/* In the settings of the VM that wants it. */
static char *awake_remedy(const struct display *display)
{
	const struct node_vm *owner =
		node_find_owner(display->doctor->node, display->entry->device.address);
	cleanup_free char *vmid = owner ? text_format("%u", owner->vmid) : strdup("VMID");

	return vmid ? text_format(
			      "Some cards do not come back from there. If this one stops "
			      "answering in a VM: \"devices\": {\"%s\": {\"d3cold\": false}} in "
			      "/etc/pve/pve-vfio/%s.json keeps it awake.",
			      display->name, vmid)
		    : NULL;
}

static int judge_power(const struct display *display, struct verdicts *verdicts)
{
	const struct pci_facts *facts = &display->entry->facts;
	cleanup_free char *remedy = NULL;
	bool may_sleep = text_equal(display->health.d3cold_allowed, "1");

	if (!facts->power)
		return 0;
	if (strcmp(facts->power, "D3cold") == 0) {
		remedy = awake_remedy(display);
		return remedy ? verdict_add(verdicts, VERDICT_INFO, "gpu-power", display->name,
					    remedy,
					    "It is switched off (D3cold) while nobody uses it.")
			      : -ENOMEM;
	}
	return verdict_add(verdicts, VERDICT_OK, "gpu-power", display->name, NULL,
			   "Its power state is %s%s.", facts->power,
			   may_sleep ? ", and it may go to D3cold" : "");
}

static int judge_answer(const struct display *display, struct verdicts *verdicts)
{
	if (!text_equal(display->safety->why, "it does not answer"))
		return 0;
	return verdict_add(verdicts, VERDICT_ERROR, "gpu-dead", display->name,
			   "Switch the machine off for a moment; a reboot alone may not do.",
			   "It does not answer: its configuration space reads ff throughout.");
}

static int judge_display(const struct display *display, struct verdicts *verdicts)
{
	bool outputs = pci_has_outputs(&display->entry->device);
	int r = judge_answer(display, verdicts);

	if (r == 0 && outputs)
		r = judge_framebuffer(display, verdicts);
	if (r == 0)
		r = judge_isolation(display, verdicts);
	if (r == 0)
		r = judge_reset(display, verdicts);
	if (r == 0 && outputs)
		r = judge_rom(display, verdicts);
	if (r == 0)
		r = judge_bars(display, verdicts);
	return r < 0 ? r : judge_power(display, verdicts);
}

int node_displays(const struct doctor *doctor, struct verdicts *verdicts)
{
	const struct pci_inventory *inventory = &doctor->node->inventory;
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < inventory->count && r == 0; i++) {
		struct display display = {
			.doctor = doctor,
			.entry = &inventory->items[i],
			.safety = &doctor->safeties->items[i],
			.name = inventory->items[i].device.name,
		};

		if (!pci_is_gpu(&display.entry->device) || display.entry->facts.physical ||
		    pci_is_console_chip(&display.entry->device))
			continue;
		any = true;
		r = pci_health_read(doctor->node->root, display.entry, &display.health);
		if (r == 0)
			r = judge_display(&display, verdicts);
		pci_health_done(&display.health);
	}
	if (!any && r == 0)
		r = verdict_add(verdicts, VERDICT_INFO, "gpu-none", NULL, NULL,
				"No GPU, or only that of a remote console.");
	return r;
}

/* Counted since the driver of the port was loaded; corrected ones are a nuisance at most. */
static int judge_errors(const struct pci_entry *entry, const struct pci_errors *errors,
			struct verdicts *verdicts)
{
	static const uint64_t many_corrected = 1000;

	if (errors->fatal > 0 || errors->nonfatal > 0)
		return verdict_add(verdicts, VERDICT_WARNING, "pcie-errors", entry->device.name,
				   "Seat the card again, try another slot or riser, a lower link "
				   "speed in the firmware, another power supply.",
				   "It has reported %" PRIu64 " fatal, %" PRIu64
				   " other uncorrected and %" PRIu64 " corrected PCIe errors.",
				   errors->fatal, errors->nonfatal, errors->correctable);
	if (errors->correctable > many_corrected)
		return verdict_add(
			verdicts, VERDICT_INFO, "pcie-errors", entry->device.name,
			"Seat the card again, or try a lower link speed in the firmware; "
			"pcie_aspm=off helps some.",
			"It has reported %" PRIu64 " corrected PCIe errors.", errors->correctable);
	return 0;
}

int node_errors(const struct doctor *doctor, struct verdicts *verdicts)
{
	const struct pci_inventory *inventory = &doctor->node->inventory;
	size_t before = verdicts->count, counting = 0;
	int r = 0;

	for (size_t i = 0; i < inventory->count && r == 0; i++) {
		struct pci_errors errors;

		pci_errors_read(doctor->node->root, inventory->items[i].device.name, &errors);
		counting += errors.known;
		if (errors.known)
			r = judge_errors(&inventory->items[i], &errors, verdicts);
	}
	if (r == 0 && counting > 0 && verdicts->count == before)
		r = verdict_add(verdicts, VERDICT_OK, "pcie-errors", NULL, NULL,
				"None of the %zu functions with error counters has reported PCIe "
				"errors.",
				counting);
	return r;
}

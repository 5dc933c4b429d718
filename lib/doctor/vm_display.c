/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: the GPUs that a VM's configuration passes: picture, sound, ROM. */
#include "doctor/vm_lint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"

#define VENDOR_AMD	    0x1002
#define VENDOR_INTEL	    0x8086
#define CLASS_VGA	    0x0300
#define CLASS_DISPLAY_OTHER 0x0380
#define CLASS_AUDIO_HDA	    0x0403
#define CLASS_ACCELERATOR   0x12

/* One line that passes a function with outputs. */
struct line {
	char source[SOURCE_MAX];
	unsigned index;
	const char *value;
	const struct hostpci *hostpci;
	const struct pci_entry *entry;
};

/* The function a hostpci line means first, or NULL. */
static const struct pci_entry *first_of_line(const struct lint *lint, const char *source)
{
	for (size_t i = 0; i < lint->vm->wanted.count; i++) {
		const struct wanted_device *device = &lint->vm->wanted.devices[i];
		char name[PCI_ADDRESS_TEXT];

		if (strcmp(device->source, source) == 0)
			return pci_inventory_find(&lint->doctor->node->inventory,
						  pci_address_format(device->address, name));
	}
	return NULL;
}

/*
 * It has outputs: a part of a GPU, mediated or a virtual function, has none, nor has a 3D controller
 * (class 0302).
 */
static bool is_display(const struct lint *lint, const char *source)
{
	const struct pci_entry *entry = first_of_line(lint, source);

	for (size_t i = 0; i < lint->vm->wanted.count; i++) {
		const struct wanted_device *device = &lint->vm->wanted.devices[i];

		if (strcmp(device->source, source) == 0 &&
		    (device->kind == WANTED_MDEV || device->kind == WANTED_VGPU))
			return false;
	}
	return entry && !entry->facts.physical &&
	       (entry->device.class_code >> 8 == CLASS_VGA ||
		entry->device.class_code >> 8 == CLASS_DISPLAY_OTHER);
}

void lint_find_displays(struct lint *lint)
{
	for (size_t i = 0; i < lint->vm->wanted.count; i++) {
		const char *source = lint->vm->wanted.devices[i].source;
		const struct pci_entry *entry = first_of_line(lint, source);

		lint->has_display |= is_display(lint, source);
		lint->has_gpu |= entry && (pci_is_display(&entry->device) ||
					   entry->device.class_code >> 16 == CLASS_ACCELERATOR);
	}
}

int lint_vga(const struct lint *lint, struct verdicts *verdicts)
{
	const char *vga = vm_config_get(lint->config, "vga");
	bool none = vga && (text_starts_with(vga, "none") || text_starts_with(vga, "type=none"));
	cleanup_free char *remedy = NULL;

	if (none && !lint->has_display) {
		remedy = text_format("'qm set %u --delete vga' gives it one back, 'qm set %u "
				     "--vga serial0' a text console.",
				     lint->vm->vmid, lint->vm->vmid);
		return remedy ? verdict_add(verdicts,
					    lint->has_gpu ? VERDICT_INFO : VERDICT_WARNING, "vga",
					    "vga", remedy,
					    "It is 'none', and no device with an output is passed: "
					    "the VM has no display at all.")
			      : -ENOMEM;
	}
	if (!lint->has_display || !check_has_emulated_vga(lint->config))
		return 0;
	remedy = text_format("When the guest's driver works and you reach the guest another way "
			     "(SSH, RDP), 'qm set %u --vga none' leaves the GPU alone; the console "
			     "of the web interface is empty then.",
			     lint->vm->vmid);
	return remedy ? verdict_add(verdicts, VERDICT_INFO, "vga", "vga", remedy,
				    "The VM has an emulated display (%s) beside its GPU.",
				    vga ? vga : "std")
		      : -ENOMEM;
}

/* What else would come along, were the function left out of the address. */
static bool has_others(const struct lint *lint, const struct pci_entry *gpu)
{
	const struct pci_inventory *inventory = &lint->doctor->node->inventory;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_device *other = &inventory->items[i].device;

		if (pci_same_slot(other->address, gpu->device.address) &&
		    other->vendor != gpu->device.vendor &&
		    (other->iommu_group != gpu->device.iommu_group ||
		     other->iommu_group == IOMMU_GROUP_NONE))
			return true;
	}
	return false;
}

static char *sound_remedy(const struct lint *lint, const struct line *line,
			  const struct pci_device *sound)
{
	const char *gpu = line->entry->device.name;
	cleanup_free char *host = NULL, *value = NULL, *command = NULL;

	if (line->hostpci->mapping)
		return text_format("Add it to the mapping '%s': the path '%s;%s' (Datacenter, "
				   "Resource Mappings).",
				   line->hostpci->mapping, gpu, sound->name);
	host = has_others(lint, line->entry) ||
			       !pci_same_slot(sound->address, line->entry->device.address)
		       ? text_format("%s;%s", gpu, sound->name)
		       : text_format("%.*s", (int)strcspn(gpu, "."), gpu);
	value = host ? hostpci_change(line->value, NULL, host, NULL) : NULL;
	command = value ? hostpci_command(lint->vm->vmid, line->source, value) : NULL;
	return command ? text_format("Pass both: '%s'.", command) : NULL;
}

/* The bridge above the one above a function; NULL where that is a root port or nothing. */
static const struct pci_entry *find_switch(const struct pci_inventory *inventory,
					   const struct pci_entry *entry)
{
	for (size_t i = 0; i < 2 && entry; i++)
		entry = entry->facts.parent ? pci_inventory_find(inventory, entry->facts.parent)
					    : NULL;
	return entry && entry->facts.parent ? entry : NULL;
}

/* A card with a switch of its maker has its sound behind another port of that (Intel's Arc). */
static bool is_on_card(const struct pci_inventory *inventory, const struct pci_entry *other,
		       const struct pci_entry *gpu)
{
	const struct pci_entry *upstream = find_switch(inventory, gpu);

	return upstream && upstream->device.vendor == gpu->device.vendor &&
	       other->device.vendor == gpu->device.vendor &&
	       find_switch(inventory, other) == upstream;
}

/* A GPU's sound is a function of its maker, or in its group; a board's codec beside it is neither. */
static bool is_sound_of(const struct pci_device *other, const struct pci_device *gpu)
{
	return pci_same_slot(other->address, gpu->address) &&
	       other->class_code >> 8 == CLASS_AUDIO_HDA &&
	       (other->vendor == gpu->vendor ||
		(other->iommu_group != IOMMU_GROUP_NONE && other->iommu_group == gpu->iommu_group));
}

static int lint_sound(const struct lint *lint, const struct line *line, struct verdicts *verdicts)
{
	const struct pci_inventory *inventory = &lint->doctor->node->inventory;
	const struct pci_device *gpu = &line->entry->device;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_device *other = &inventory->items[i].device;
		cleanup_free char *remedy = NULL;
		bool along = other->iommu_group == gpu->iommu_group &&
			     gpu->iommu_group != IOMMU_GROUP_NONE;

		if (!(is_sound_of(other, gpu) ||
		      (other->class_code >> 8 == CLASS_AUDIO_HDA &&
		       is_on_card(inventory, &inventory->items[i], line->entry))) ||
		    node_vm_source(lint->vm, other->address))
			continue;
		remedy = sound_remedy(lint, line, other);
		if (!remedy)
			return -ENOMEM;
		return verdict_add(verdicts, VERDICT_INFO, "gpu-sound", line->source, remedy,
				   "It names the GPU alone; its sound, %s, %s.", other->name,
				   along ? "leaves the host all the same, being in its IOMMU "
					   "group, and the guest does not get it"
					 : "stays with the host");
	}
	return 0;
}

/* How to get this GPU's ROM depends on its maker. */
static char *rom_remedy(const struct lint *lint, const struct line *line)
{
	const char *name = line->entry->device.name;
	const char *bios = lint->ovmf ? "ovmf" : "seabios";

	if (line->entry->device.vendor == VENDOR_AMD)
		return text_format(
			"For a picture from the start: 'pve-vfio rom vfct --device %s -o "
			"vbios.bin', and 'pve-vfio rom install vbios.bin --vmid %u "
			"--hostpci %u'.",
			name, lint->vm->vmid, line->index);
	if (line->entry->device.vendor == VENDOR_INTEL && lint->ovmf)
		return text_format("For a picture from the start it needs a ROM made of Intel's "
				   "UEFI driver for it, which the board's firmware has: 'pve-vfio "
				   "rom wrap DRIVER.efi --device %s -o igd.rom', and 'pve-vfio rom "
				   "install igd.rom --vmid %u --hostpci %u'.",
				   name, lint->vm->vmid, line->index);
	return text_format("For a picture from the start give it the ROM of this very model; "
			   "'pve-vfio rom check downloaded.rom --device %s --bios %s' judges one.",
			   name, bios);
}

static int lint_rom(const struct lint *lint, const struct line *line, struct verdicts *verdicts)
{
	const struct hostpci *hostpci = line->hostpci;
	cleanup_free char *value = NULL, *command = NULL, *remedy = NULL;

	if (hostpci->romfile && !hostpci->rombar) {
		value = hostpci_change(line->value, "rombar", NULL, NULL);
		command = value ? hostpci_command(lint->vm->vmid, line->source, value) : NULL;
		remedy = command ? text_format("Take rombar=0 out of the line: '%s'.", command)
				 : NULL;
		return remedy ? verdict_add(verdicts, VERDICT_WARNING, "rombar", line->source,
					    remedy,
					    "It has a romfile and rombar=0: the guest never sees "
					    "the ROM.")
			      : -ENOMEM;
	}
	if (line->entry->facts.has_rom || hostpci->romfile)
		return 0;
	remedy = rom_remedy(lint, line);
	return remedy ? verdict_add(verdicts, VERDICT_INFO, "gpu-rom", line->source, remedy,
				    "The GPU has no ROM BAR and the line no romfile: %s shows "
				    "nothing on it, only the guest's driver will.",
				    lint->ovmf ? "OVMF" : "SeaBIOS")
		      : -ENOMEM;
}

static int add_with_key(const struct lint *lint, const struct line *line, const char *id,
			const char *key, const char *evidence, struct verdicts *verdicts)
{
	cleanup_free char *value = hostpci_change(line->value, NULL, NULL, key);
	cleanup_free char *command =
		value ? hostpci_command(lint->vm->vmid, line->source, value) : NULL;
	cleanup_free char *remedy = command ? text_format("Set %s: '%s'.", key, command) : NULL;

	return remedy ? verdict_add(verdicts, VERDICT_INFO, id, line->source, remedy, "%s",
				    evidence)
		      : -ENOMEM;
}

/*
 * SeaBIOS starts the ROM of the first VGA device, and that of a display controller only where the VM
 * has none (rom/verdict.h); x-vga takes what only a VGA device has.
 */
static int lint_seabios(const struct lint *lint, const struct line *line, struct verdicts *verdicts)
{
	bool vga = line->entry->device.class_code >> 8 == CLASS_VGA;
	cleanup_free char *remedy = NULL;

	if (vga && !line->hostpci->x_vga)
		return add_with_key(lint, line, "x-vga", "x-vga=1",
				    "Without x-vga=1 ('Primary GPU') SeaBIOS shows nothing on the "
				    "GPU.",
				    verdicts);
	if (vga && vm_config_get(lint->config, "vga") && check_has_emulated_vga(lint->config)) {
		remedy = text_format("'qm set %u --delete vga' leaves the emulated display out.",
				     lint->vm->vmid);
		return remedy ? verdict_add(verdicts, VERDICT_INFO, "x-vga", line->source, remedy,
					    "The VM has an emulated display too, and SeaBIOS shows "
					    "itself on that one.")
			      : -ENOMEM;
	}
	if (vga || !check_has_emulated_vga(lint->config))
		return 0;
	remedy = text_format("Use OVMF, or leave out the emulated display: 'qm set %u --vga none'.",
			     lint->vm->vmid);
	return remedy ? verdict_add(verdicts, VERDICT_INFO, "x-vga", line->source, remedy,
				    "It is a display controller (class 0380), not a VGA device: "
				    "SeaBIOS shows nothing on it while the VM has an emulated "
				    "display.")
		      : -ENOMEM;
}

static int lint_line(const struct lint *lint, const struct line *line, struct verdicts *verdicts)
{
	int r = lint_rom(lint, line, verdicts);

	if (r == 0)
		r = lint_sound(lint, line, verdicts);
	if (r == 0 && !lint->ovmf && !line->hostpci->legacy_igd)
		r = lint_seabios(lint, line, verdicts);
	if (r == 0 && !line->hostpci->pcie && vm_config_is_q35(lint->config))
		r = add_with_key(lint, line, "pcie", "pcie=1",
				 "Without pcie=1 the guest sees the GPU as an old PCI card: some "
				 "drivers do not like that, and none sees its link.",
				 verdicts);
	return r;
}

int lint_lines(const struct lint *lint, struct verdicts *verdicts)
{
	size_t primaries = 0;
	int r = 0;

	for (unsigned i = 0; i < HOSTPCI_COUNT && r == 0; i++) {
		const struct vm_hostpci *hostpci = &lint->config->hostpci[i];
		struct line line = {
			.index = i,
			.value = hostpci->value,
			.hostpci = &hostpci->hostpci,
		};

		if (!hostpci->present)
			continue;
		snprintf(line.source, sizeof(line.source), "hostpci%u", i);
		primaries += hostpci->hostpci.x_vga;
		line.entry = first_of_line(lint, line.source);
		if (is_display(lint, line.source))
			r = lint_line(lint, &line, verdicts);
	}
	if (r == 0 && primaries > 1)
		r = verdict_add(verdicts, VERDICT_WARNING, "x-vga", NULL,
				"Leave it on the line whose monitor the VM is to boot on.",
				"%zu lines have x-vga=1; a VM has one primary display.", primaries);
	return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: the GPUs that a VM's configuration passes: picture, sound, ROM. */
#include "doctor/vm_lint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "pci/companion.h"

#define VENDOR_AMD	    0x1002
#define VENDOR_INTEL	    0x8086
#define CLASS_VGA	    0x0300
#define CLASS_DISPLAY_OTHER 0x0380
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

/* What is on the card of a line's GPU and the VM does not get. */
struct left {
	struct text addresses; /* "0000:01:00.1;0000:04:00.0" */
	struct text words;     /* "its sound, 0000:01:00.1, …" */
	size_t count;
	bool beside; /* all are functions of the GPU's slot */
	bool along;  /* all are in its IOMMU group */
};

static void left_done(struct left *left)
{
	text_done(&left->addresses);
	text_done(&left->words);
}

static void find_left(const struct lint *lint, const struct line *line, struct left *left)
{
	const struct pci_inventory *inventory = &lint->doctor->node->inventory;
	const struct pci_device *gpu = &line->entry->device;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_device *other = &inventory->items[i].device;
		enum pci_companion kind = pci_companion_of(lint->doctor->node->root, inventory,
							   line->entry, &inventory->items[i]);

		if (kind == PCI_COMPANION_NONE || node_vm_source(lint->vm, other->address))
			continue;
		text_add(&left->addresses, "%s%s", left->count ? ";" : "", other->name);
		text_add(&left->words, "%sits %s, %s,", left->count ? " and " : "",
			 pci_companion_word(kind), other->name);
		left->beside &= pci_same_slot(other->address, gpu->address);
		left->along &= other->iommu_group == gpu->iommu_group &&
			       gpu->iommu_group != IOMMU_GROUP_NONE;
		left->count++;
	}
}

static char *left_remedy(const struct lint *lint, const struct line *line, const struct left *left)
{
	const char *gpu = line->entry->device.name;
	cleanup_free char *host = NULL, *value = NULL, *command = NULL;

	if (line->hostpci->mapping)
		return text_format("Add it to the mapping '%s': the path '%s;%s' (Datacenter, "
				   "Resource Mappings).",
				   line->hostpci->mapping, gpu, left->addresses.data);
	host = has_others(lint, line->entry) || !left->beside
		       ? text_format("%s;%s", gpu, left->addresses.data)
		       : text_format("%.*s", (int)strcspn(gpu, "."), gpu);
	value = host ? hostpci_change(line->value, NULL, host, NULL) : NULL;
	command = value ? hostpci_command(lint->vm->vmid, line->source, value) : NULL;
	return command ? text_format("Pass %s: '%s'.", left->count > 1 ? "all" : "both", command)
		       : NULL;
}

static int lint_companions(const struct lint *lint, const struct line *line,
			   struct verdicts *verdicts)
{
	cleanup(left_done) struct left left = { .beside = true, .along = true };
	cleanup_free char *remedy = NULL;

	find_left(lint, line, &left);
	if (left.count == 0)
		return 0;
	if (left.addresses.failed || left.words.failed)
		return -ENOMEM;
	remedy = left_remedy(lint, line, &left);
	if (!remedy)
		return -ENOMEM;
	return verdict_add(verdicts, VERDICT_INFO, "gpu-sound", line->source, remedy,
			   "It names the GPU alone; %s %s%s.", left.words.data,
			   left.count > 1 ? left.along ? "leave" : "stay"
			   : left.along	  ? "leaves"
					  : "stays",
			   left.along ? " the host all the same, being in its IOMMU group, and the "
					"guest does not get it"
				      : " with the host");
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
		r = lint_companions(lint, line, verdicts);
	if (r == 0 && !lint->ovmf && !line->hostpci->legacy_igd)
		r = lint_seabios(lint, line, verdicts);
	if (r == 0 && !line->hostpci->pcie && !line->hostpci->legacy_igd &&
	    vm_config_is_q35(lint->config))
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

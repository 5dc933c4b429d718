/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what the VM's firmware does with the option ROMs it is given. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "pci/select.h"
#include "pve/pve.h"
#include "rom/line.h"

/* PVE knows two firmwares; without the key it is SeaBIOS. */
static enum rom_reader firmware_of(const struct vm_config *config)
{
	const char *bios = vm_config_get(config, "bios");

	return bios && strcmp(bios, "ovmf") == 0 ? ROM_READER_OVMF : ROM_READER_SEABIOS;
}

/* PVE gives the ROM to the first function of the line. */
static const struct pci_device *first_function(const struct start *start, const char *source)
{
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *planned = &start->plan.devices[i];

		if (strcmp(planned->source, source) == 0)
			return &planned->device;
	}
	return NULL;
}

/* A VM's lines as lib/rom knows them; the paths are owned here. */
struct vm_lines {
	struct rom_line items[HOSTPCI_COUNT];
	char *paths[HOSTPCI_COUNT];
	const struct pci_device *devices[HOSTPCI_COUNT];
	struct rom_lines lines;
};

static void vm_lines_done(struct vm_lines *vm)
{
	for (size_t i = 0; i < HOSTPCI_COUNT; i++)
		free(vm->paths[i]);
}
#define cleanup_vm_lines cleanup(vm_lines_done)

static int read_lines(const struct start *start, struct vm_lines *vm)
{
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		const struct vm_hostpci *line = &start->config.hostpci[i];
		char source[SOURCE_MAX];

		if (!line->present)
			continue;
		snprintf(source, sizeof(source), "hostpci%u", i);
		vm->devices[i] = first_function(start, source);
		if (!vm->devices[i])
			continue;
		vm->items[i] = (struct rom_line){
			.present = true,
			.address = vm->devices[i]->address,
			.class_code = vm->devices[i]->class_code,
		};
		if (!line->hostpci.romfile)
			continue;
		vm->paths[i] = text_format("/usr/share/kvm/%s", line->hostpci.romfile);
		if (!vm->paths[i])
			return -ENOMEM;
		vm->items[i].romfile = vm->paths[i] + 1;
	}
	vm->lines = (struct rom_lines){ vm->items, HOSTPCI_COUNT,
					check_has_emulated_vga(&start->config) };
	return 0;
}

/* Graphics in an AMD processor have no ROM of their own: the firmware has their video BIOS in a table. */
static char *read_again(const struct sysroot *root, const struct pci_device *device)
{
	return text_format("pve-vfio rom %s%s -o vbios.rom",
			   pci_is_apu(root, device) ? "vfct --device " : "dump ", device->name);
}

/* What to do, as far as that is known of this file. */
static int advise(const struct start *start, const struct vm_lines *vm, unsigned number,
		  const struct rom *rom, const struct rom_judgement *judgement,
		  struct findings *findings)
{
	const char *path = vm->paths[number];
	const struct pci_device *device = vm->devices[number];
	const struct rom_verdict *verdict = &judgement->verdicts[firmware_of(&start->config)];
	cleanup_free char *again = read_again(start->root, device), *word = NULL, *what = NULL;
	cleanup_strings struct strings words = { 0 };

	if (!again || pve_words(&words, path) < 0 || !(word = pve_command_line(&words)))
		return -ENOMEM;
	if (verdict->repair.steps) {
		what = rom_repair_options(&verdict->repair);
		return what ? finding_advise(findings,
					     "This repairs it, and keeps a copy of what it was: "
					     "'pve-vfio rom fix %s --in-place %s'.",
					     word, what)
			    : -ENOMEM;
	}
	if (!pci_is_apu(start->root, device))
		what = rom_kind_describe(judgement->kind, rom->file, word, device->name);
	if (what)
		return finding_advise(findings, "%s", what);
	if (judgement->cut)
		return finding_advise(findings, "Read the ROM again: '%s'.", again);
	return finding_advise(findings,
			      "'pve-vfio rom check %s' says more. Read the ROM again: '%s'.", word,
			      again);
}

static int judge(const struct start *start, const struct vm_lines *vm, unsigned number,
		 struct bytes file, struct findings *findings)
{
	cleanup_rom_judgement struct rom_judgement judgement = { 0 };
	enum rom_reader firmware = firmware_of(&start->config);
	const struct rom_verdict *verdict = &judgement.verdicts[firmware];
	cleanup_rom struct rom rom = { 0 };
	struct rom_target target;
	char source[SOURCE_MAX];
	int r;

	/* A device that is just going is another check's. */
	if (rom_target_read(start->root, vm->devices[number]->address, &target, NULL) < 0)
		return 0;
	target.before = rom_lines_before(&vm->lines, number);
	if (rom_parse(file, &rom, NULL) < 0 || rom_judge(&rom, &target, &judgement, NULL) < 0)
		return -ENOMEM;
	if (verdict->works && !judgement.cut)
		return 0;
	/* AMD graphics in the processor: one file for the guest's driver, another one for OVMF */
	if (firmware == ROM_READER_OVMF && judgement.verdicts[ROM_READER_DRIVER].works &&
	    rom_lines_find_driver(start->root, &vm->lines, number) < HOSTPCI_COUNT)
		return 0;
	snprintf(source, sizeof(source), "hostpci%u", number);
	if (verdict->works)
		r = finding_add(findings, CHECK_ROMFILE_IGNORED, source,
				"The romfile '%s' of %s is cut short.", vm->paths[number],
				vm->devices[number]->name);
	else
		r = finding_add(findings, CHECK_ROMFILE_IGNORED, source,
				"%s ignores the romfile '%s' of %s: %s", rom_reader_name(firmware),
				vm->paths[number], vm->devices[number]->name, verdict->why);
	return r < 0 ? r : advise(start, vm, number, &rom, &judgement, findings);
}

static int check_line(const struct start *start, const struct vm_lines *vm, unsigned number,
		      struct findings *findings)
{
	cleanup_free char *data = NULL, *again = NULL;
	char source[SOURCE_MAX];
	size_t size;
	int r = sysroot_read_file(start->root, vm->items[number].romfile, ROM_SIZE_MAX, &data,
				  &size);

	if (r == -EFBIG) {
		snprintf(source, sizeof(source), "hostpci%u", number);
		r = finding_add(findings, CHECK_ROMFILE_IGNORED, source,
				"The romfile '%s' is larger than %zu MiB: it is not an option ROM.",
				vm->paths[number], ROM_SIZE_MAX >> 20);
		again = read_again(start->root, vm->devices[number]);
		return r < 0 || !again ? -ENOMEM
				       : finding_advise(findings, "Read the ROM: '%s'.", again);
	}
	/* What cannot be read is reported by romfile.c. */
	if (r < 0)
		return 0;
	return judge(start, vm, number, (struct bytes){ (const uint8_t *)data, size }, findings);
}

/* PVE adds one unless the configuration says otherwise, by vga: or by a primary GPU (PCI.pm, QemuServer.pm). */
bool check_has_emulated_vga(const struct vm_config *config)
{
	const char *vga = vm_config_get(config, "vga");

	if (vga && text_starts_with(vga, "type="))
		vga += strlen("type=");
	if (vga)
		return !text_starts_with(vga, "none") && !text_starts_with(vga, "serial");
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++)
		if (config->hostpci[i].present && config->hostpci[i].hostpci.x_vga)
			return false;
	return true;
}

int check_romimage(const struct start *start, struct findings *findings, struct error *err)
{
	cleanup_vm_lines struct vm_lines vm = { 0 };

	if (start->config.is_template)
		return 0;
	if (read_lines(start, &vm) < 0)
		return error_set_memory(err);
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++)
		if (vm.items[i].romfile && check_line(start, &vm, i, findings) < 0)
			return error_set_memory(err);
	return 0;
}

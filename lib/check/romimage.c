/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what the VM's firmware does with the option ROMs it is given. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "rom/verdict.h"

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

static int judge(const struct start *start, const struct pci_device *device, const char *source,
		 const char *path, struct bytes file, struct findings *findings)
{
	cleanup_rom_judgement struct rom_judgement judgement = { 0 };
	enum rom_reader firmware = firmware_of(&start->config);
	cleanup_rom struct rom rom = { 0 };
	struct rom_target target;

	/* A device that is just going is another check's. */
	if (rom_target_read(start->root, device->address, &target, NULL) < 0)
		return 0;
	if (rom_parse(file, &rom, NULL) < 0 || rom_judge(&rom, &target, &judgement, NULL) < 0)
		return -ENOMEM;
	if (judgement.verdicts[firmware].works)
		return 0;
	return finding_add(findings, CHECK_ROMFILE_IGNORED, source,
			   "%s ignores the romfile '%s' of %s: %s", rom_reader_name(firmware), path,
			   device->name, judgement.verdicts[firmware].why);
}

static int check_line(const struct start *start, const char *source, const char *name,
		      struct findings *findings)
{
	cleanup_free char *path = text_format("/usr/share/kvm/%s", name), *data = NULL;
	const struct pci_device *device = first_function(start, source);
	size_t size;

	if (!path)
		return -ENOMEM;
	/* What cannot be read is told by romfile.c; what is larger is no option ROM. */
	if (!device || sysroot_read_file(start->root, path + 1, ROM_SIZE_MAX, &data, &size) < 0)
		return 0;
	return judge(start, device, source, path, (struct bytes){ (const uint8_t *)data, size },
		     findings);
}

int check_romimage(const struct start *start, struct findings *findings, struct error *err)
{
	for (unsigned i = 0; i < HOSTPCI_COUNT && !start->config.is_template; i++) {
		const struct vm_hostpci *line = &start->config.hostpci[i];
		char source[SOURCE_MAX];

		if (!line->present || !line->hostpci.romfile)
			continue;
		snprintf(source, sizeof(source), "hostpci%u", i);
		if (check_line(start, source, line->hostpci.romfile, findings) < 0)
			return error_set_memory(err);
	}
	return 0;
}

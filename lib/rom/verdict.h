/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: what becomes of an option ROM that a VM is given for a device: what QEMU, the firmware in
 * the VM and a driver there do with it, and why.
 *
 * Sources: QEMU hw/pci/pci.c, pci_add_option_rom(); SeaBIOS src/optionroms.c, map_pcirom() and
 * is_valid_rom(); edk2 PciBusDxe/PciOptionRomSupport.c, LoadOpRomImage() and LocalLoadFile2();
 * Linux drivers/pci/rom.c, pci_get_rom_size(). What is said of SeaBIOS and OVMF was tried in VMs.
 */
#pragma once

#include "base/text.h"
#include "pci/device.h"
#include "rom/image.h"

/* Another function of the device's slot. */
struct rom_sibling {
	uint16_t vendor, device;
	uint32_t class_code;
};

/* The device the ROM is given to; no siblings when only its ids are known. */
struct rom_target {
	uint16_t vendor, device;
	struct rom_sibling siblings[7];
	size_t sibling_count;
};

/* Reads the ids of a device and of its slot's other functions from sysfs. Does not block. */
int rom_target_read(const struct sysroot *root, struct pci_address address, struct rom_target *ret,
		    struct error *err);

/* Those that meet the ROM, in the order they do. */
enum rom_reader {
	ROM_READER_QEMU, /* gives the device a BAR with it */
	ROM_READER_SEABIOS,
	ROM_READER_OVMF,
	ROM_READER_DRIVER, /* of a Linux guest, such as amdgpu and i915 */
	ROM_READER_COUNT,
};

const char *rom_reader_name(enum rom_reader reader);

/* "runs it", "ignores it", … */
const char *rom_reader_verdict(enum rom_reader reader, bool works);

struct rom_verdict {
	bool works;
	char *why; /* a sentence */
};

/* What else a person should know; names in rom_remark_name(). */
enum rom_remark_id {
	ROM_REMARK_DECIMAL,  /* an id was typed as decimal */
	ROM_REMARK_FUNCTION, /* it is for another function of the slot */
	ROM_REMARK_MODEL,    /* it is for another model */
	ROM_REMARK_GENERIC,  /* it has an id that stands for a whole family */
	ROM_REMARK_SHADOW,   /* it looks like the copy in memory, not like the ROM */
	ROM_REMARK_TRUNCATED,
	ROM_REMARK_NOT_LAST,  /* no image says that it is the last */
	ROM_REMARK_UNREACHED, /* an image follows that nobody gets to */
	ROM_REMARK_TRAILER,   /* other data behind the last image, or padding */
};

const char *rom_remark_name(enum rom_remark_id id);

struct rom_remark {
	enum rom_remark_id id;
	char *text; /* a sentence or two */
};

struct rom_judgement {
	struct rom_verdict verdicts[ROM_READER_COUNT];
	struct rom_remark *remarks;
	size_t remark_count;
};

/* Judges a ROM for a device; `target` NULL: for whichever device it says it is for. 0, -ENOMEM. */
int rom_judge(const struct rom *rom, const struct rom_target *target, struct rom_judgement *ret,
	      struct error *err);
void rom_judgement_done(struct rom_judgement *judgement);
#define cleanup_rom_judgement cleanup(rom_judgement_done)

/*
 * Whether the ROM is of no use at all in a VM with that firmware: QEMU does not start with it, or
 * neither the firmware nor a driver can use it. `firmware` is ROM_READER_SEABIOS or _OVMF;
 * ROM_READER_COUNT: any of the two.
 */
bool rom_judgement_is_hopeless(const struct rom_judgement *judgement, enum rom_reader firmware);

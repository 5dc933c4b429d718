/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: what becomes of an option ROM that a VM is given for a device: what QEMU, the firmware in
 * the VM and a driver there do with it, and why.
 *
 * Sources: QEMU hw/pci/pci.c, pci_add_option_rom(); SeaBIOS src/optionroms.c, map_pcirom(),
 * is_valid_rom(), vgarom_setup() and optionrom_setup(); edk2 PciBusDxe/PciOptionRomSupport.c,
 * GetOpRomInfo(), LoadOpRomImage(), ProcessOpRomImage() and LocalLoadFile2(); Linux
 * drivers/pci/rom.c, pci_get_rom_size(). What is said of SeaBIOS and OVMF was tried in VMs.
 */
#pragma once

#include "base/text.h"
#include "pci/device.h"
#include "rom/fix.h"
#include "rom/kind.h"

/* Another function of the device's slot. */
struct rom_sibling {
	uint16_t vendor, device;
	uint32_t class_code;
};

/* What SeaBIOS finds before the device, of which it starts the first with a VGA class only. */
enum rom_displays {
	ROM_DISPLAYS_UNKNOWN,
	ROM_DISPLAYS_NONE, /* no VGA device */
	ROM_DISPLAYS_VGA,
};

/* The device the ROM is given to; no siblings and no class when only its ids are known. */
struct rom_target {
	uint16_t vendor, device;
	uint32_t class_code; /* 0: not known */
	enum rom_displays before;
	struct rom_sibling siblings[7];
	size_t sibling_count;
};

/* Reads the ids of a device and of its slot's other functions from sysfs. Does not block. */
int rom_target_read(const struct sysroot *root, struct pci_address address, struct rom_target *ret,
		    struct error *err) must_check;

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
	char *why; /* a sentence or two */
	/* Where it does not: what rom_fix_apply() has done to the ROM so that it then does. */
	struct rom_repair repair;
};

/* What else a person should know; names in rom_remark_name(). */
enum rom_remark_id {
	ROM_REMARK_DECIMAL,  /* an id was typed as decimal */
	ROM_REMARK_FUNCTION, /* it is for another function of the slot */
	ROM_REMARK_MODEL,    /* it is for another model */
	ROM_REMARK_GENERIC,  /* it has an id that means a whole family */
	ROM_REMARK_ANY,	     /* it has an id that means any device */
	ROM_REMARK_SHADOW,   /* it is the copy in memory, or half a ROM */
	ROM_REMARK_TRUNCATED,
	ROM_REMARK_NOT_LAST,	/* no image says that it is the last */
	ROM_REMARK_UNREACHED,	/* an image follows that nobody gets to */
	ROM_REMARK_TRAILER,	/* other data after the last image, or padding */
	ROM_REMARK_LEGACY_ONLY, /* the flash image of a card, and no EFI image in it */
};

const char *rom_remark_name(enum rom_remark_id id);

struct rom_remark {
	enum rom_remark_id id;
	char *text;		  /* a sentence or two */
	struct rom_repair repair; /* what makes the remark go away */
};

struct rom_judgement {
	enum rom_kind kind; /* what the file is in place of an option ROM */
	bool cut;	    /* it is cut short: not to be used, whoever could */
	struct rom_verdict verdicts[ROM_READER_COUNT];
	struct rom_remark *remarks;
	size_t remark_count;
};

/*
 * Judges a ROM for a device; `target` NULL: for whichever device it says it is for. A repair is named
 * only after it was done to a copy and the result judged. 0, -ENOMEM.
 */
int rom_judge(const struct rom *rom, const struct rom_target *target, struct rom_judgement *ret,
	      struct error *err) must_check;
void rom_judgement_done(struct rom_judgement *judgement);
#define cleanup_rom_judgement cleanup(rom_judgement_done)

/*
 * Whether the ROM is of no use at all in a VM with that firmware: it is cut short, QEMU does not start
 * with it, or neither the firmware nor a driver can use it. `firmware` is ROM_READER_SEABIOS or _OVMF;
 * ROM_READER_COUNT: any of the two.
 */
bool rom_judgement_is_hopeless(const struct rom_judgement *judgement, enum rom_reader firmware);

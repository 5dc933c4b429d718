/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wanted: layouts: what of a VM's configuration belongs to a device for it to work there. A layout is
 * a row of the table in layout.c. The guides they come from are Proxmox VE's own (pve-docs,
 * qm-pci-passthrough.adoc), QEMU's docs/igd-assign.txt and those that tests/cli/test-vfio-attach
 * names.
 */
#pragma once

#include "pci/select.h"
#include "pve/edit.h"

enum layout_kind {
	LAYOUT_GPU,
	LAYOUT_COMPUTE,	   /* a GPU that is not a VGA device: class 0302, 0380 or 12 */
	LAYOUT_INTEL_IGPU, /* 0000:00:02.0 of Intel */
	LAYOUT_AMD_APU,	   /* AMD graphics with parts of the chipset in its slot */
	LAYOUT_NIC,
	LAYOUT_DISK,
	LAYOUT_USB,
	LAYOUT_PLAIN,
};
#define LAYOUT_KIND_COUNT (LAYOUT_PLAIN + 1)

struct layout;

/* A device as a layout sees it. Strings are borrowed. */
struct layout_device {
	enum layout_kind kind;
	uint16_t vendor, device;
	char slot[PCI_ADDRESS_TEXT];	 /* "01:00": all functions. Domain 0000 is left out */
	char function[PCI_ADDRESS_TEXT]; /* "01:00.0": the first one */
	char audio[PCI_ADDRESS_TEXT];	 /* of an APU, or empty */
	bool hba;			 /* a SAS or RAID controller, whose ROM can hang a VM */
	bool whole;			 /* all functions of the slot are meant */
	bool alone;			 /* no other function is in the slot */
	const char *mapping;		 /* a resource mapping to write in place of the address */
	const char *romfile;		 /* or NULL: what the layout has */
	const char *gop;		 /* of an APU: the file with the UEFI driver, or NULL */
	const char *mdev;		 /* a type: a part of the device is meant, or NULL */
};

/* Describes a selection. -errno with a sentence when a device has gone. */
int layout_device_read(const struct sysroot *root, const struct pci_selection *selection,
		       struct layout_device *ret, struct error *err) must_check;

const struct layout *layout_find(const char *name);
const struct layout *layout_at(size_t at); /* NULL behind the last */
const char *layout_name(const struct layout *layout);
const char *layout_what(const struct layout *layout);
bool layout_suits(const struct layout *layout, enum layout_kind kind);
const char *layout_kind_name(enum layout_kind kind);

/*
 * The layout for a device in a VM as it is, so that its machine and firmware stay (but for an AMD
 * APU, which needs OVMF). `has_display`: the VM has another display passed through.
 */
const struct layout *layout_choose(const struct layout_device *device,
				   const struct vm_config *config, bool has_display);

/*
 * Adds what the layout sets, and the device in the first free hostpciN, or in hostpci`number` if
 * that is below HOSTPCI_COUNT. -ENOSPC when none is free; -ENOENT when a file or a type
 * must be named.
 */
int layout_apply(const struct layout *layout, const struct layout_device *device,
		 const struct vm_config *config, unsigned number, struct vm_edit *edit,
		 struct error *err) must_check;

/* Whether a system may be installed: the VM has a disk that is no CD. */
bool vm_config_has_disk(const struct vm_config *config);

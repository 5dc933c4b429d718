/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: the VFIO devices in `args:`, the arguments that PVE hands to QEMU as they are, split by
 * Perl's Text::ParseWords::shellwords(). PVE does nothing for them: no bind, reset, reservation.
 */
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "pci/address.h"

/* One device of `args`. Started as { 0 }. */
struct args_device {
	struct pci_address address;
	char *romfile; /* or NULL */
	char *id;      /* or NULL */
	bool from_set; /* "-set device.hostpciN.host=ADDRESS": what QEMU opens for that `id` */
};

/* What QEMU would not take, or what cannot be determined; words for a person. */
struct args_problem {
	char *text;
};

/* Started as { 0 }. */
struct args {
	bool vanished; /* an unbalanced quote or a final backslash: PVE passes no argument at all */
	struct args_device *devices; /* in order of their options */
	size_t count;
	struct args_problem *problems;
	size_t problem_count;
};

/*
 * Splits as Text::ParseWords::shellwords() (3.31). -EINVAL where Perl returns no words at all: an
 * unbalanced quote, or a backslash at the end, also before the end of a '…'.
 */
int shellwords(const char *line, struct strings *ret);

/*
 * Finds the devices: -device and --device with vfio-pci or vfio-pci-nohotplug in any position of
 * the list (driver=…), `,,` escapes, the JSON form, host= with and without domain, sysfsdev=, and
 * -set of one of these or of a hostpciN. Fails without memory only. fd= is a problem, since nobody
 * can tell what it opens; an mdev is neither device nor problem.
 *
 * As QEMU reads it (util/qemu-option.c, qemu_set_option() in system/vl.c, set_pci_host_devaddr()
 * in hw/core/qdev-properties-system.c, vfio_realize() in hw/vfio/pci.c; tried with 7.2): of a key
 * given twice the last counts, but of id= the first; fd= goes before sysfsdev=, that before host=.
 */
int args_parse(const char *line, struct args *ret, struct error *err) must_check;
void args_done(struct args *args);
#define cleanup_args cleanup(args_done)

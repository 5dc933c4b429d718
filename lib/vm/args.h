/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vm: the VFIO devices in `args:`, the arguments that PVE hands to QEMU as they are, split by
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
	bool from_set; /* of "-set device.hostpciN.host=ADDRESS" */
	char *set_target; /* from_set: "hostpci0" or "hostpci0.1" */
};

/* What QEMU would not take, or what cannot be told; words for a person. */
struct args_problem {
	char *text;
};

struct args {
	bool vanished; /* an unbalanced quote or a final backslash: PVE passes no argument at all */
	struct args_device *devices;
	size_t count;
	struct args_problem *problems;
	size_t problem_count;
};

/* Splits as Text::ParseWords::shellwords(): false, and no words, where Perl returns none. */
bool shellwords(const char *line, struct strings *words);

/*
 * Finds the devices: -device and --device with vfio-pci or vfio-pci-nohotplug in any position of
 * the list (driver=…), `,,` escapes, the JSON form, host= with and without domain, sysfsdev=, and
 * -set. Fails without memory only. A device that stays open to guess (fd=, an mdev) is none.
 */
int args_parse(const char *line, struct args *ret, struct error *err);
void args_done(struct args *args);
#define cleanup_args cleanup(args_done)

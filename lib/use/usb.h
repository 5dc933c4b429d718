/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: the keyboards of the host, most of which hang on USB controllers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "host/sysroot.h"
#include "pci/device.h"

struct keyboard {
	char *name; /* "Logitech K120" */
	char *path; /* its folder, "/devices/pci0000:00/0000:00:14.0/usb1/…" */
};

/* Started as { 0 }. */
struct keyboards {
	struct keyboard *items;
	size_t count;
};

/*
 * The input devices of /proc/bus/input/devices (input_devices_seq_show() in drivers/input/input.c)
 * that the console listens to (handler "kbd") and that have the letters Q and A: power buttons
 * have that handler too. A kernel without input has none. 0 or -errno; does not block.
 */
int keyboards_find(const struct sysroot *root, struct keyboards *ret, struct error *err) must_check;
void keyboards_done(struct keyboards *keyboards);
#define cleanup_keyboards cleanup(keyboards_done)

/* A USB host controller: serial bus controller, USB (PCI Code and ID Assignment, 1.13). */
bool usb_is_controller(const struct pci_device *device);

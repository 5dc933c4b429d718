/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: the framebuffer that the firmware left, and that the kernel draws its console on until the
 * card's own driver comes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/sysroot.h"

/* A range of physical memory; both ends belong to it. */
struct memory_range {
	uint64_t start, end;
};

struct framebuffer {
	struct memory_range range;
	char name[16]; /* "BOOTFB", "efifb": as /proc/iomem calls it */
};

/*
 * Looks for a firmware framebuffer in the memory of the function `address`: one of the names that
 * drivers/firmware/sysfb_simplefb.c and the framebuffer drivers claim it by in /proc/iomem, over
 * one of the regions in its `resource` file. The innermost name is given, which is the driver's.
 * *ret_held is false when there is none. 0 or -errno; -EACCES where /proc/iomem shows no
 * addresses, which it does to root alone. Does not block.
 */
int framebuffer_find(const struct sysroot *root, const char *address, bool *ret_held,
		     struct framebuffer *ret, struct error *err);

/*
 * The platform device of the firmware's framebuffer, "efi-framebuffer.0", and the
 * driver that draws on it (sysfb_init() in drivers/firmware/sysfb.c makes one at most). NULL when
 * there is none, or none with a driver. 0 or -errno. Does not block.
 */
int framebuffer_device(const struct sysroot *root, char **ret_device, char **ret_driver,
		       struct error *err) must_check;

/*
 * Takes its driver from the platform device, or gives it one, and sees that it is so. To repeat it
 * is harmless. -ENODEV when it is to be bound and is no longer there. Waits for the console and the
 * device's lock: call these in a lane.
 */
int framebuffer_unbind(const struct sysroot *root, const char *device,
		       struct error *err) must_check;
int framebuffer_bind(const struct sysroot *root, const char *device, const char *driver,
		     struct error *err) must_check;

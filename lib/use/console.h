/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: the drivers of the virtual terminals (Documentation/driver-api/console.rst): one draws on
 * framebuffers, one on the text memory of a VGA card. /sys/class/vtconsole has an entry for each,
 * with its `name` and `bind`.
 */
#pragma once

#include <stdbool.h>

#include "host/sysroot.h"

enum console_kind {
	CONSOLE_FRAMEBUFFER, /* "(M) frame buffer device" */
	CONSOLE_VGA,	     /* "(S) VGA+" */
};

/*
 * The entry of the driver, "vtcon1", if it draws a terminal now; else NULL, also on a kernel that
 * has no such driver. 0 or -errno. Does not block.
 */
int console_find(const struct sysroot *root, enum console_kind kind, char **ret_name,
		 struct error *err) must_check;

/* `bind` of an entry: -ENOENT when it is no longer there. */
int console_is_bound(const struct sysroot *root, const char *name, bool *ret);

/*
 * Takes the terminals from the driver, or gives them to it, and sees that it is so. Waits for the
 * kernel's console lock: call it in a lane.
 */
int console_bind(const struct sysroot *root, const char *name, bool bind,
		 struct error *err) must_check;

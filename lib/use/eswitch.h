/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: the mode of the switch in a network card's function, "legacy" or "switchdev": devlink-port(8)
 * and Documentation/networking/devlink/devlink-eswitch-attr.rst, by generic netlink. It is gone with
 * the function's driver.
 */
#pragma once

#include "host/sysroot.h"

/*
 * Reads it: "legacy", "switchdev", or a number that this program has no word for; the caller frees it.
 * -ENOENT where the function has none, or its driver no devlink, or one may not ask. 0 or -errno;
 * blocks as netlink_ask() does, and where the driver is busy with devlink.
 */
int eswitch_read(const struct sysroot *root, const char *address, char **ret_mode);

/* Sets it, and sees that it is in effect. 0 or -errno with a sentence. */
int eswitch_set(const struct sysroot *root, const char *address, const char *mode,
		struct error *err) must_check;

/*
 * The representors of its virtual functions, which are there in switchdev mode alone: interfaces below the
 * function whose port is called "pf0vf3" (Documentation/networking/representors.rst, "How are representors
 * identified?"). Added to `names`. 0 or -errno; does not block.
 */
int eswitch_representors(const struct sysroot *root, const char *address,
			 struct strings *names) must_check;

/* The function's other interfaces, its own. The same. */
int eswitch_interfaces(const struct sysroot *root, const char *address,
		       struct strings *names) must_check;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: the running kernel. Changes no parameter of it. */
#include "host/kernel.h"

#include <string.h>

int kernel_boot_id(const struct sysroot *root, char **ret, struct error *err)
{
	int r = sysroot_read_attribute(root, "proc/sys/kernel/random/boot_id", ret);

	if (r < 0)
		return error_set(err, r, "cannot read /proc/sys/kernel/random/boot_id: %s",
				 strerror(-r));
	return 0;
}

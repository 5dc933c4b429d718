/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: this node's name. Asks no cluster. */
#include "pve/node_name.h"

#include <string.h>

int node_name_read(const struct sysroot *root, char **ret, struct error *err)
{
	int r = sysroot_read_attribute(root, "proc/sys/kernel/hostname", ret);

	if (r < 0)
		return error_set(err, r, "cannot read /proc/sys/kernel/hostname: %s", strerror(-r));
	(*ret)[strcspn(*ret, ".")] = '\0';
	return 0;
}

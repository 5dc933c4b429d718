/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: the versions of installed Debian packages, from /var/lib/dpkg/status (dpkg(1)).
 */
#pragma once

#include "host/sysroot.h"

/*
 * Looks `count` packages up; a version that is not found stays NULL. The strings are the caller's.
 * 0 or -errno, also where there is no such file. Reads a file of some megabytes; does not block.
 */
int package_versions(const struct sysroot *root, const char *const *names, size_t count,
		     char **ret_versions);

/*
 * Of the versions that Proxmox VE's packages have, "8.3.9" and in earlier days "7.4-6": whether
 * `version` is before `than`. What cannot be understood is not.
 */
bool package_is_older(const char *version, const unsigned than[3]);

/*
 * Adds the configuration files that installed packages have below `folder`, as they are in its
 * status ("/etc/modprobe.d/pve-blacklist.conf"); none where there is no such file. 0 or -ENOMEM.
 */
int package_conffiles(const struct sysroot *root, const char *folder, struct strings *ret);

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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: the running kernel: which boot this is.
 */
#pragma once

#include "host/sysroot.h"

/* The boot id (random(4), /proc/sys/kernel/random/boot_id): another one after every boot. */
int kernel_boot_id(const struct sysroot *root, char **ret, struct error *err);

/* A kernel's version, "6.8.12-4-pve" as 6 and 8. */
struct kernel_version {
	unsigned major, minor;
};

/* -EINVAL for what does not begin with two numbers. */
int kernel_version_parse(const char *release, struct kernel_version *ret);
/* <0, 0, >0. */
int kernel_version_compare(struct kernel_version a, struct kernel_version b);

/*
 * The value of a parameter on a kernel command line ("pt" for "iommu" in "quiet iommu=pt"): the
 * last counts. "" for a parameter without a value; NULL when it is not there. '-' and '_' are the
 * same in a name, as to the kernel (parameq() in kernel/params.c). The caller frees it.
 */
char *kernel_parameter(const char *command_line, const char *name);

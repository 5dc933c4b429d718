/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: the running kernel: which boot this is.
 */
#pragma once

#include "host/sysroot.h"

/* The boot id (random(4), /proc/sys/kernel/random/boot_id): another one after every boot. */
int kernel_boot_id(const struct sysroot *root, char **ret, struct error *err);

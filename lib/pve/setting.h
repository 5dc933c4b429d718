/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: how Proxmox VE reads the value of a setting other than hostpciN: check_type() over $confdesc
 * in qemu-server's QemuServer.pm (read at 9.2.6 and 8.4.10). A string that has a format is checked
 * and stays as it is written; of another one pair of double quotes around it goes.
 */
#pragma once

#include "host/sysroot.h"

/*
 * The value as Proxmox VE keeps it, which the caller frees: a boolean as "0" or "1". -EINVAL, with
 * the reason, where Proxmox VE drops the line. Formats are checked of machine, vga, hookscript, cpu,
 * memory, smbios1 and vmstate; of the others no more than that they are not quoted. `root` tells
 * the version of Proxmox VE, where that matters; NULL: the newest.
 */
int setting_read(const struct sysroot *root, const char *key, const char *value, char **ret,
		 struct error *err) must_check;

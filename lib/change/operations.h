/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: how the types of action are made and reverted. For the table in action.c alone; the
 * contract of each function is that of struct action_operations.
 */
#pragma once

#include "change/action.h"

/* act_host.c: of the host as a whole. Targets: a unit, an entry of vtconsole, a platform device. */
int unit_apply(const struct sysroot *root, const struct action *action,
	       struct error *err) must_check;
int unit_revert(const struct sysroot *root, const struct action *action, const char **note,
		struct error *err) must_check;
int console_apply(const struct sysroot *root, const struct action *action,
		  struct error *err) must_check;
int console_revert(const struct sysroot *root, const struct action *action, const char **note,
		   struct error *err) must_check;
int framebuffer_apply(const struct sysroot *root, const struct action *action,
		      struct error *err) must_check;
int framebuffer_revert(const struct sysroot *root, const struct action *action, const char **note,
		       struct error *err) must_check;
int unload_apply(const struct sysroot *root, const struct action *action,
		 struct error *err) must_check;
int unload_revert(const struct sysroot *root, const struct action *action, const char **note,
		  struct error *err) must_check;

/* displace.c: of guests. Target: a guest. */
int displace_apply(const struct sysroot *root, const struct action *action, struct error *err);
int displace_revert(const struct sysroot *root, const struct action *action, const char **note,
		    struct error *err);

/* act_device.c: of one function. Targets: "ADDRESS/ATTRIBUTE", for a rescan "ADDRESS/remove". */
int keep_apply(const struct sysroot *root, const struct action *action,
	       struct error *err) must_check;
int keep_revert(const struct sysroot *root, const struct action *action, const char **note,
		struct error *err) must_check;
int attribute_apply(const struct sysroot *root, const struct action *action,
		    struct error *err) must_check;
int attribute_revert(const struct sysroot *root, const struct action *action, const char **note,
		     struct error *err) must_check;
int resize_apply(const struct sysroot *root, const struct action *action,
		 struct error *err) must_check;
int resize_revert(const struct sysroot *root, const struct action *action, const char **note,
		  struct error *err) must_check;
int rescan_apply(const struct sysroot *root, const struct action *action,
		 struct error *err) must_check;
int rescan_revert(const struct sysroot *root, const struct action *action, const char **note,
		  struct error *err) must_check;

/* act_vfs.c: what a network card's driver takes along. Targets: "ADDRESS/vfs", "ADDRESS/eswitch". */
int vfs_revert(const struct sysroot *root, const struct action *action, const char **note,
	       struct error *err) must_check;
int eswitch_revert(const struct sysroot *root, const struct action *action, const char **note,
		   struct error *err) must_check;

/* network.c: what is set for one virtual function. Target: "ADDRESS/vf". */
int vf_apply(const struct sysroot *root, const struct action *action, struct error *err) must_check;
int vf_revert(const struct sysroot *root, const struct action *action, const char **note,
	      struct error *err) must_check;

/* act_disks.c: of the disks of one function. Target: "ADDRESS/disks". */
int disks_apply(const struct sysroot *root, const struct action *action,
		struct error *err) must_check;
int disks_revert(const struct sysroot *root, const struct action *action, const char **note,
		 struct error *err) must_check;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: what the administrator, and packages, have set already.
 */
#pragma once

#include "boot/grub.h"
#include "boot/loader.h"
#include "host/modconf.h"

/* Started as { 0 }. */
struct boot_existing {
	struct grub grub;	   /* what /etc/default/grub comes to */
	struct boot_words cmdline; /* the first line of /etc/kernel/cmdline, which alone counts */
	struct boot_words unread;  /* what is on its other lines, which nobody reads */
	struct boot_words running; /* /proc/cmdline */
	struct modconf conf;
	struct strings
		packaged; /* files of /etc/modprobe.d that are packages', "/etc/modprobe.d/x" */
};

void boot_existing_done(struct boot_existing *existing);
#define cleanup_boot_existing cleanup(boot_existing_done)

/* Reads what the draft's files say; ours are to be taken out of it before (layout_clear()). */
int boot_existing_read(struct boot_draft *draft, const struct sysroot *root,
		       struct boot_existing *ret, struct error *err) must_check;

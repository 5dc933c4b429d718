/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: what the boot files ask for, what the kernel was booted with, and what `pve-vfio setup`
 * would change: setup's own plan, with what was asked of it before. Changes nothing.
 */
#pragma once

#include "boot/plan.h"
#include "doctor/pve_node.h"
#include "pci/claim.h"

/* Started as { 0 }. */
struct boot_view {
	struct record record;
	struct boot_plan plan; /* as of `pve-vfio setup --add`; its `existing` is without ours */
	struct boot_existing existing; /* all that the files ask for */
	struct boot_words effective;   /* /proc/cmdline */
	struct error unread;	       /* the sentence why the files cannot be read; or empty */
	struct error refused;	       /* the sentence why setup refuses them; or empty */
};

/* Reads it. 0 or -ENOMEM; what cannot be read is in `unread`. */
int boot_view_read(const struct pve_node *node, const struct pci_claims *claims,
		   struct boot_view *ret);
void boot_view_done(struct boot_view *view);

/* The setting is made: found, or in our files. */
bool boot_view_is_made(const struct boot_view *view, const struct boot_setting *setting);

/* The setting of the plan that is a parameter of this name, or NULL. */
const struct boot_setting *boot_view_parameter(const struct boot_view *view, const char *name);

/* What makes a change of the boot loader's files count, and what makes setup's own changes. */
const char *boot_view_refresh(const struct boot_view *view);
const char *boot_view_setup(const struct boot_view *view);

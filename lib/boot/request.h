/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: from what is asked for to settings, each with its reason: what every machine needs, and what
 * is made on request only.
 */
#pragma once

#include "boot/existing.h"
#include "boot/machine.h"
#include "boot/record.h"

#define BOOT_ACS_OVERRIDE "downstream,multifunction"

/* Started as { 0 }. Strings are the caller's. */
struct boot_request {
	const char *acs_override; /* its value; NULL: not asked for */
	bool unsafe_interrupts, ignore_msrs, no_boot_framebuffer, nested;
	struct strings parameters;     /* "hugepages=16" */
	struct strings module_options; /* "i915 enable_guc=2" */
	/* EARLY, SRIOV and BLACKLIST, whose reasons name devices */
	struct boot_settings devices;
	bool early_by_address; /* also a device that nothing tells from one that the host uses */
	bool disable_vga; /* of what is held early, one is a VGA device, and none an Intel iGPU */
	const char *pin_kernel;
};

void boot_request_done(struct boot_request *request);
#define cleanup_boot_request cleanup(boot_request_done)

/*
 * Adds what is asked in the form that the record keeps: "--nested", "--param=a=1", which must last as
 * long as the request. -ENOENT for what names devices, and for what is not known. 0, or -ENOMEM.
 */
int boot_request_add(struct boot_request *request, const char *asked);

/*
 * Adds what the record has: what was asked of the last setup, and its devices as they were then.
 * The record must last as long as the request. 0 or -ENOMEM.
 */
int boot_request_repeat(struct boot_request *request, const struct record *record);

/*
 * What it comes to on this machine. A setting that is made already is found; one that somebody made
 * otherwise is left as it is, or, when it was asked for, added after it: `notes` says which.
 * -EINVAL for what cannot be written into the files.
 */
int boot_request_settle(const struct boot_request *request, const struct boot_machine *machine,
			const struct boot_existing *existing, struct boot_settings *ret,
			struct strings *notes, struct error *err) must_check;

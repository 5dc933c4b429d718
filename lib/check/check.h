/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: the checks that concern a start. They look at the host, the plan and the journals of the
 * other VMs, and change nothing. A topic is a file of this room and a row of the table in
 * start.c.
 */
#pragma once

#include "change/start.h"
#include "check/finding.h"

/*
 * Runs every check and adds what it finds. Does not stop at the first: a person wants to see all
 * problems at once. Findings that the settings allow are marked. Not for the claims lock: what is
 * looked at can be thousands of processes. Returns 0, or -errno where a check against harm could
 * not tell.
 */
int check_start_run(const struct start *start, struct findings *findings,
		    struct error *err) must_check;

/*
 * What the journals of the other VMs say, once more under the claims lock, after
 * start_read_claims(). Reads nothing.
 */
int check_claims_run(const struct start *start, struct findings *findings,
		     struct error *err) must_check;

/* The topics. The plan they are given has no device that is only foreseen. */
int check_config(const struct start *start, struct findings *findings,
		 struct error *err) must_check;
int check_settings(const struct start *start, struct findings *findings,
		   struct error *err) must_check;
int check_device(const struct start *start, struct findings *findings,
		 struct error *err) must_check;
int check_pins(const struct start *start, struct findings *findings, struct error *err) must_check;
int check_claims(const struct start *start, struct findings *findings,
		 struct error *err) must_check;
int check_displace(const struct start *start, struct findings *findings,
		   struct error *err) must_check;
int check_owner(const struct start *start, struct findings *findings, struct error *err) must_check;
int check_romfile(const struct start *start, struct findings *findings,
		  struct error *err) must_check;
int check_romimage(const struct start *start, struct findings *findings,
		   struct error *err) must_check;

/* Whether PVE gives the VM an emulated VGA device, which comes before all that is passed. */
bool check_has_emulated_vga(const struct vm_config *config);

int check_storage(const struct start *start, struct findings *findings,
		  struct error *err) must_check;
int check_network(const struct start *start, struct findings *findings,
		  struct error *err) must_check;
int check_usb(const struct start *start, struct findings *findings, struct error *err) must_check;
int check_configured(const struct start *start, struct findings *findings,
		     struct error *err) must_check;
int check_mac(const struct start *start, struct findings *findings, struct error *err) must_check;
int check_opener(const struct start *start, struct findings *findings,
		 struct error *err) must_check;
int check_variant(const struct start *start, struct findings *findings,
		  struct error *err) must_check;
int check_sriov(const struct start *start, struct findings *findings, struct error *err) must_check;
int check_mdev(const struct start *start, struct findings *findings, struct error *err) must_check;
int check_vgpu(const struct start *start, struct findings *findings, struct error *err) must_check;
int check_container(const struct start *start, struct findings *findings,
		    struct error *err) must_check;
int check_reset(const struct start *start, struct findings *findings, struct error *err) must_check;
int check_framebuffer(const struct start *start, struct findings *findings,
		      struct error *err) must_check;
int check_trouble(const struct start *start, struct findings *findings,
		  struct error *err) must_check;
int check_memory(const struct start *start, struct findings *findings,
		 struct error *err) must_check;
int check_iommu(const struct start *start, struct findings *findings, struct error *err) must_check;
int check_aperture(const struct start *start, struct findings *findings,
		   struct error *err) must_check;
int check_suspended(const struct start *start, struct findings *findings,
		    struct error *err) must_check;
int check_nvswitch(const struct start *start, struct findings *findings,
		   struct error *err) must_check;
int check_interrupt(const struct start *start, struct findings *findings,
		    struct error *err) must_check;

/*
 * A sentence to follow the finding that this guest has a device: how it could give way, or why it does
 * not though the settings allow it. "" for nothing; NULL without memory.
 */
char *check_displace_advice(const struct start *start, const struct guest *guest);

/*
 * configured.c: looks at the configuration of each other VM that runs, until one answers with another
 * value than 0, which is returned. The text may be written to. What cannot be read is passed over.
 */
typedef int check_look(uint32_t vmid, char *config, void *context);
int check_running_vms(const struct start *start, check_look *look, void *context) must_check;

/* `memory`, "4096" or "current=4096", in MiB; false for what is neither. */
bool check_memory_read(const struct vm_config *config, uint64_t *ret_mib);

/*
 * GPUs of an HGX board go to the VM, and its NVSwitches stay with the fabric manager, which is thus
 * not to be stopped: check_nvswitch() asks what is meant.
 */
bool check_fabric_stays(const struct start *start);

/* What to do about memory that the firmware has reserved for a device, on this machine. */
const char *check_reserved_remedy(const struct sysroot *root);

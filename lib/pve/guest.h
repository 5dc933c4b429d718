/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: the guests of this node, VMs and containers, as one that gives way to another: whether it
 * runs, whether it may be shut down, and the commands that do it, qm(1) and pct(1).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/sysroot.h"

enum guest_kind { GUEST_VM, GUEST_CONTAINER };

struct guest {
	enum guest_kind kind;
	uint32_t vmid;
};

/* "vm/101", "ct/200": how Proxmox VE's resources are called (pvesh get /cluster/resources). */
#define GUEST_NAME 16
const char *guest_name(const struct guest *guest, char name[GUEST_NAME]);

/* -EINVAL for what guest_name() does not make. */
int guest_parse(const char *name, struct guest *ret) must_check;

/* What people call it: "VM", "container". */
const char *guest_kind_name(enum guest_kind kind);

/* Does not block. 0 or -errno. */
int guest_is_running(const struct sysroot *root, const struct guest *guest, bool *ret,
		     struct error *err) must_check;

/*
 * Why it must not be shut down for another guest: it is not of this node, it is locked (a backup, a
 * migration), or Proxmox VE's HA decides whether it runs. *ret_why is NULL where nothing speaks
 * against it, else to be freed. 0 or -ENOMEM. Blocks no longer than /etc/pve does.
 */
int guest_why_not(const struct sysroot *root, const struct guest *guest, char **ret_why) must_check;

/*
 * Shuts it down, or with `hard` stops it, and sees that it does not run: qm shutdown|stop, pct
 * shutdown|stop, which know of its guest agent and run its hookscript. Blocks for `timeout_s` at
 * most: call it in a lane. -ETIMEDOUT when it runs then, with what the command has said.
 */
int guest_stop(const struct sysroot *root, const struct guest *guest, bool hard, unsigned timeout_s,
	       struct error *err) must_check;

/* Starts it and sees that it runs. Blocks for as long as that takes, `timeout_s` at most. */
int guest_start(const struct sysroot *root, const struct guest *guest, unsigned timeout_s,
		struct error *err) must_check;

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: a kernel for sequences. A tree in a temporary folder that plays sysfs: writes to
 * driver_override, driver/unbind and drivers_probe have the effect they have on Linux 6.1 to 6.12
 * (drivers/base/bus.c, dd.c, driver.c; seen on both), and a device can be told to misbehave. Other
 * attributes of a device take what is written, with the rules of sriov_numvfs (drivers/pci/iov.c)
 * and resourceN_resize (drivers/pci/pci-sysfs.c); `remove` and the `rescan` of a bus let a device
 * go and find it as a new one.
 *
 * All state is in the tree's files, so it works from the children of base/lanes.c too. While a
 * write is in the "kernel" the device's lock is held, as device_lock() is: others wait.
 */
#pragma once

#include "../unit/test.h"
#include "../unit/tree.h"

#include "change/plan.h"
#include "change/restore.h"
#include "use/vf.h"

struct fake_kernel {
	struct tree tree;
	struct state state; /* of run/pve-vfio */
	/* What run_actions() and the like told, in order: "ADDRESS RESULT TEXT\n". */
	struct text told;
	const char *settings; /* JSON, for the plans that are made; NULL: none */
	struct error err;
};

/* What reset_method reads when "default" was written to it. */
#define FAKE_RESET_METHODS "flr bus"

/* In place of an address: the writes to all devices, in order, each as "ADDRESS/WRITE". */
#define FAKE_ALL "all"

/*
 * A machine whose boot id is TREE_BOOT_ID, with the driver vfio-pci, registered first as where its
 * module is loaded from the initramfs, and nothing else.
 */
int fake_setup(void **state);
int fake_teardown(void **state);
#define fake_test(function) cmocka_unit_test_setup_teardown(function, fake_setup, fake_teardown)

/*
 * Registers a driver, behind those there are. `ids` are what its table holds: "8086:10d3 …".
 * `module` may be "": built in.
 */
void fake_driver(const struct fake_kernel *kernel, const char *name, const char *module,
		 const char *ids);

/* Writes to the driver's new_id: it takes these ids too, from the next probe on. */
void fake_learn(const struct fake_kernel *kernel, const char *driver, const char *ids);

void fake_device(const struct fake_kernel *kernel, const struct tree_device *device);

/*
 * A disk of a function, "nvme0n1", which is there while a driver of the host has the function.
 * And a layer on it: "dm-0 nvme0n1 lvm guest-root", "dm-1 dm-0 crypt secret", "md0 nvme0n1,nvme1n1 md".
 * With `again` udev builds it each time that all it is built on is there. One that something is built
 * on is not let go of; for what else holds one there is fake_misbehave(): "dm-0", "remove"; "md0",
 * "md/array_state".
 */
void fake_disk(const struct fake_kernel *kernel, const char *address, const char *name);
void fake_layer(const struct fake_kernel *kernel, const char *description, bool again);
bool fake_has_layer(const struct fake_kernel *kernel, const char *name);

/*
 * A function is a network card that can have virtual functions: its interface is there while a driver
 * of the host has it. What is set for these, as vfs_format() writes it, and the mode of the switch, as
 * somebody has set them; the driver comes back without all that. A setting that it refuses, as the
 * number of rtnetlink's attribute: "9".
 */
void fake_card(const struct fake_kernel *kernel, const char *address, const char *name,
	       unsigned index);
/* What a start reads of the host beside its devices: nothing is used, and there is memory. */
void fake_host(const struct fake_kernel *kernel);
/* A card of NVIDIA's with its sound, their drivers, and one group. */
void fake_gpu(const struct fake_kernel *kernel, const char *gpu, const char *audio, int group);
/* A card of Intel's with its driver and interface, "enp1s0", of group 14: what fake_card() is given. */
void fake_ice(const struct fake_kernel *kernel, const char *address);

/*
 * One of a card's virtual functions, with that number. Of others there is the link alone, to
 * "0000:01:10.3" for number 3 of "0000:01:00.0", for as long as sriov_numvfs says that they are there.
 */
void fake_function(const struct fake_kernel *kernel, const char *card, unsigned number,
		   const struct tree_device *function);
void fake_set_vfs(const struct fake_kernel *kernel, const char *address, unsigned count,
		  const char *vfs, const char *eswitch);
void fake_refuse(const struct fake_kernel *kernel, const char *address, const char *what);
void assert_vfs(const struct fake_kernel *kernel, const char *address, const char *vfs,
		const char *eswitch);

/* What an administrator does: an override, and another driver (NULL: none) by hand. */
void fake_set_override(const struct fake_kernel *kernel, const char *address, const char *override);
void fake_give(const struct fake_kernel *kernel, const char *address, const char *driver);
void fake_vanish(const struct fake_kernel *kernel, const char *address);

/*
 * Somebody has the group of a device open, or no longer: its node is EBUSY to everybody else, and an
 * unbind from a VFIO driver does not return before it is closed. With iommufd it is by the device's
 * own node, /dev/vfio/devices/vfioN, that process `pid` has; without `groups` it is a kernel that
 * has no group nodes (VFIO_GROUP=n).
 */
void fake_open_group(const struct fake_kernel *kernel, const char *address);
void fake_open_device(const struct fake_kernel *kernel, const char *address, pid_t pid,
		      bool groups);
void fake_close(const struct fake_kernel *kernel, const char *address);

/* Opening the node of its group does not return before fake_close(). */
void fake_silence_group(const struct fake_kernel *kernel, const char *address);

/*
 * The next writes of a kind misbehave. `where` is
 *
 *   "override" "unbind" "probe"        every write of that kind, or just those
 *   "override@VALUE" "unbind@DRIVER"   of that value; from that driver
 *   "probe@OVERRIDE"                   while the override is that one ("" for none)
 *   "NAME" "NAME@VALUE"                of an attribute; `remove`
 *   "rescan"                           of a bus, which stands for the address: "0000:01"
 *
 * and `what`, with "once " before it where only the next write is meant,
 *
 *   "fail ERRNO"     the write fails
 *   "ignore"         the write succeeds and has no effect
 *   "beaten"         another process was quicker: the effect is there, and the write is ENODEV
 *   "forestalled"    the same before the file was even opened: the write is ENOENT
 *   "wrong DRIVER"   the probe binds that driver
 *   "late MS"        the probe returns at once, and binds so many ms later
 *   "stall"          the write never returns; a SIGKILL ends the process
 *   "stick"          the same, and no SIGKILL ends it (see fake_loosen())
 *   "die"            the process that writes is killed
 *   "vanish"         the device is gone, and the write fails with ENODEV
 */
void fake_misbehave(const struct fake_kernel *kernel, const char *address, const char *where,
		    const char *what);
void fake_behave(const struct fake_kernel *kernel, const char *address, const char *where);

/* Lets a stuck write go on, have its effect and end; returns when it has. */
void fake_loosen(const struct fake_kernel *kernel, const char *address);

/*
 * From now on, the process that makes the `number`th write (1: the next) is killed, and its parent
 * too, before or after the write has its effect. 0: nobody is.
 */
void fake_kill_at(const struct fake_kernel *kernel, unsigned number, bool after);

/*
 * Does the work in a process, with no assertion in there, which would go on with the tests; true when it was
 * killed. Returns when its children are gone too.
 */
bool fake_is_killed(struct fake_kernel *kernel,
		    int (*work)(struct fake_kernel *kernel, void *context), void *context);

/* The bound driver, "none", or "gone", and the override as it reads: "e1000e (null)". */
void assert_binding(const struct fake_kernel *kernel, const char *address, const char *binding);

/*
 * All writes to a device since the last look: "override=vfio-pci unbind=e1000e probe"; "probe*" is
 * one that was made several times on end. Of a text console's driver they are by its entry, "vtcon1".
 */
void assert_writes(const struct fake_kernel *kernel, const char *address, const char *writes);

/* What was told since the last look; the lines are sorted. */
void assert_told(struct fake_kernel *kernel, const char *lines);

/* ---- the road: what the hook does with lib/change, step by step */

/* plan_make() of VM 101 that wants these addresses (blanks between), with what it returns. */
int fake_make_plan(struct fake_kernel *kernel, const char *addresses, struct plan *plan);

/*
 * The plan of VM 101 that wants these addresses (blanks between), after `earlier` or NULL, without
 * what would change nothing.
 */
void fake_plan(struct fake_kernel *kernel, const char *addresses, const struct journal *earlier,
	       struct plan *plan);

/* Journals the plan's actions, which it loses. */
void fake_announce(struct fake_kernel *kernel, struct plan *plan, struct journal *journal);

/* fake_plan(), fake_announce(), run_actions(); returns what that does. */
int fake_take(struct fake_kernel *kernel, const char *addresses, unsigned deadline_ms,
	      struct journal *journal);

/* What the restores below are made with: without a wait for what is open. */
struct restore fake_giving_back(struct fake_kernel *kernel, unsigned deadline_ms);

/* restore_actions() of the whole journal in memory. */
int fake_roll_back(struct fake_kernel *kernel, unsigned deadline_ms, struct journal *journal);

/* restore_journal() of the journal in the file, as another process does; -ENOENT without one. */
int fake_restore(struct fake_kernel *kernel, unsigned deadline_ms);

/* run_report: into kernel->told. */
void fake_told(const struct action *action, const struct run_result *result, void *context);

bool fake_has_journal(const struct fake_kernel *kernel);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: what a lane may still do. Changes nothing itself. */
#include "change/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/array.h"
#include "base/cage.h"
#include "pci/device.h"

#define DRIVERS "sys/bus/pci/drivers"

/* What is reached, besides the function that an action is on. */
enum reach {
	REACH_NETLINK = 1 << 0,
	REACH_SYS = 1 << 1, /* devices that are there only later, or none of PCI */
	REACH_DISKS = 1 << 2,
	REACH_RESERVATIONS = 1 << 3,
	REACH_MODULES = 1 << 4,
	REACH_PROGRAMS = 1 << 5, /* they need what nobody here knows */
};

static const struct {
	unsigned apply, revert;
} reaches[] = {
	[ACTION_RESERVE] = { REACH_RESERVATIONS, REACH_RESERVATIONS },
	[ACTION_DISPLACE] = { REACH_PROGRAMS, REACH_PROGRAMS },
	[ACTION_STOP_UNIT] = { REACH_PROGRAMS, REACH_PROGRAMS },
	[ACTION_RELEASE_CONSOLE] = { REACH_SYS, REACH_SYS },
	[ACTION_RELEASE_FRAMEBUFFER] = { REACH_SYS, REACH_SYS },
	[ACTION_UNLOAD_MODULE] = { REACH_MODULES, REACH_MODULES },
	[ACTION_LOAD_MODULE] = { REACH_MODULES, REACH_MODULES },
	[ACTION_KEEP_ATTRIBUTE] = { 0, 0 },
	/* a virtual function begins anew that was made just before */
	[ACTION_KEEP_VFS] = { 0, REACH_NETLINK | REACH_SYS },
	[ACTION_SET_ATTRIBUTE] = { 0, 0 },
	[ACTION_KEEP_ESWITCH] = { 0, REACH_NETLINK },
	[ACTION_SET_VF] = { REACH_NETLINK, REACH_NETLINK },
	/* back: udevadm settle */
	[ACTION_RELEASE_DISKS] = { REACH_SYS | REACH_DISKS, REACH_PROGRAMS },
	[ACTION_BIND] = { 0, 0 },
	[ACTION_KEEP_VF] = { 0, REACH_NETLINK },
	/* back it is another folder, which is not there yet */
	[ACTION_RESCAN] = { 0, REACH_SYS },
	[ACTION_RESIZE_BAR] = { 0, 0 },
};
TABLE_FOLLOWS(reaches, ACTION_TYPE_COUNT);

/* Or being loaded: module_load() waits for that. */
static bool is_there(const struct sysroot *root, const char *module)
{
	char path[SYSROOT_PATH_MAX];

	sysroot_path(path, "sys/module", module, "");
	for (char *c = path; *c; c++)
		if (*c == '-')
			*c = '_';
	return sysroot_exists(root, path);
}

static unsigned reach_of(const struct sysroot *root, const struct action *action,
			 enum run_direction direction)
{
	if (direction == RUN_APPLY)
		return reaches[action->type].apply;
	/* bind_back() loads what was unloaded meanwhile */
	if (action->type == ACTION_BIND && action->module && !is_there(root, action->module))
		return REACH_MODULES;
	return reaches[action->type].revert;
}

static void allow(struct cage *cage, const struct sysroot *root, const char *path, unsigned files)
{
	cage_allow(cage, sysroot_openat(root, path, O_PATH), files);
}

static void allow_unbind(struct cage *cage, const struct sysroot *root, const char *driver)
{
	char path[SYSROOT_PATH_MAX];

	sysroot_path(path, DRIVERS, driver, "unbind");
	allow(cage, root, path, CAGE_WRITE);
}

/*
 * The function's own attributes, and the unbinding of the driver that it has now. One that has none may get
 * any before it is bound, as where udev is still loading modules: no file is confined then.
 */
static void allow_function(struct cage *cage, const struct sysroot *root, const char *address)
{
	char path[SYSROOT_PATH_MAX];
	int unbind;

	cage_allow(cage, pci_folder_open(root, address), CAGE_WRITE);
	pci_attribute_path(path, address, "driver/unbind");
	unbind = sysroot_openat(root, path, O_PATH);
	cage_allow(cage, unbind == -ENOENT ? -EAGAIN : unbind, CAGE_WRITE);
}

/* An earlier action of the lane is on the same function. */
static bool is_known(const struct actions *actions, const size_t *steps, size_t at,
		     const char *address)
{
	char other[PCI_ADDRESS_TEXT];

	for (size_t i = 0; i < at; i++) {
		(void)action_split(&actions->items[steps[i]], other);
		if (text_equal(other, address))
			return true;
	}
	return false;
}

static bool has_type(const struct actions *actions, const size_t *steps, size_t count,
		     enum action_type type)
{
	for (size_t i = 0; i < count; i++)
		if (actions->items[steps[i]].type == type)
			return true;
	return false;
}

static void allow_functions(struct cage *cage, const struct sysroot *root,
			    const struct actions *actions, const size_t *steps, size_t count)
{
	bool unbinds_again = has_type(actions, steps, count, ACTION_RESIZE_BAR);

	allow(cage, root, "sys/bus/pci/drivers_probe", CAGE_WRITE);
	for (size_t i = 0; i < count; i++) {
		const struct action *action = &actions->items[steps[i]];
		char address[PCI_ADDRESS_TEXT];

		(void)action_split(action, address);
		if (!is_known(actions, steps, i, address))
			allow_function(cage, root, address);
		/* resize_apply() takes it from the driver that the binding before has given it */
		if (unbinds_again && action->type == ACTION_BIND)
			allow_unbind(cage, root, action->wanted);
	}
}

/* Of this machine's folders that is what these actions write, with what they make in them. */
static void allow_rest(struct cage *cage, const struct sysroot *root, unsigned reach)
{
	if (reach & REACH_SYS)
		allow(cage, root, "sys", CAGE_WRITE);
	if (reach & REACH_DISKS) {
		allow(cage, root, "dev", CAGE_WRITE);
		allow(cage, root, "run/lvm", CAGE_WRITE | CAGE_MAKE);
	}
	if (reach & REACH_RESERVATIONS)
		allow(cage, root, "run/qemu-server", CAGE_WRITE | CAGE_MAKE);
	if (root->fake_write)
		allow(cage, root, ".", CAGE_READ | CAGE_WRITE | CAGE_MAKE);
}

static unsigned calls_of(const struct sysroot *root, unsigned reach)
{
	unsigned calls = 0;

	if (reach & REACH_NETLINK)
		calls |= CAGE_NETLINK;
	if (reach & REACH_MODULES)
		calls |= CAGE_MODULES;
	if (reach & REACH_RESERVATIONS)
		calls |= CAGE_MODES;
	return root->fake_write ? calls | CAGE_PLAY : calls;
}

void reach_confine(const struct sysroot *root, const struct actions *actions, const size_t *steps,
		   size_t count, enum run_direction direction)
{
	bool host_wide = false, reads;
	unsigned reach = 0;
	struct cage cage;

	for (size_t i = 0; i < count; i++) {
		const struct action *action = &actions->items[steps[i]];

		reach |= reach_of(root, action, direction);
		host_wide |= action_operations(action->type)->host_wide;
	}
	if (reach & REACH_PROGRAMS)
		return;
	reads = direction == RUN_APPLY && !host_wide && !(reach & ~(unsigned)REACH_NETLINK);
	cage_begin(&cage, reads);
	if (reads)
		allow(&cage, root, "sys", CAGE_READ);
	if (!host_wide)
		allow_functions(&cage, root, actions, steps, count);
	allow_rest(&cage, root, reach);
	cage_enter(&cage, calls_of(root, reach));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: what the files of the fake kernel share. A test includes fake_kernel.h alone.
 */
#pragma once

#include "fake_kernel.h"

#define DEVICES	  "sys/bus/pci/devices/"
#define DRIVERS	  "sys/bus/pci/drivers/"
#define CONSOLES  "sys/class/vtconsole/"
#define BUSES	  "sys/class/pci_bus/"
#define NAME_SIZE 64

enum kind { OVERRIDE, UNBIND, PROBE, ATTRIBUTE, REMOVE, RESCAN, LAYER };

/* One write while it is in the kernel. */
struct fake_write {
	const struct tree *tree;
	const char *address; /* or an entry of vtconsole, or a bus */
	enum kind kind;
	char name[NAME_SIZE]; /* "override", "unbind", …; of an attribute its own */
	const char *value;
	char driver[NAME_SIZE];	  /* bound, or "" */
	char override[NAME_SIZE]; /* or "" */
};

/* ".fake/ADDRESS/NAME": what the kernel knows of a device beside sysfs. */
void device_file(const char *address, const char *name, char path[PATH_MAX]);
/* The last name of where a link leads; "" without one. */
void link_name(const struct tree *tree, const char *path, char name[NAME_SIZE]);
int take_lock(const struct tree *tree, const char *path);
void bound_driver(const struct tree *tree, const char *address, char driver[NAME_SIZE]);
void set_driver(const struct tree *tree, const char *address, const char *driver);
void set_override(const struct tree *tree, const char *address, const char *override);

/* fake_disks.c: disks are there while a driver of the host has their function. */
void update_disks(const struct tree *tree, const char *address, const char *driver);
bool find_mapper(const struct tree *tree, const char *uuid, char name[NAME_SIZE]);
int change_layer(const struct fake_write *write);

/*
 * fake_card.c: the interface of a network card is there while a driver of the host has the function,
 * and virtual functions are made with a driver's plain values, and with links to as many.
 */
void update_card(const struct tree *tree, const char *address, const char *driver);
void make_vfs(const struct tree *tree, const char *address, unsigned count);
void count_functions(const struct tree *tree, const char *address, unsigned count);
int fake_netlink(const struct sysroot *root, int protocol, const struct netlink_message *request,
		 uint8_t **ret_data, size_t *ret_size);

/* What a kernel does that does what it should; 0 or -errno. */
int do_write(const struct fake_write *write);

/* The same as the device is told to misbehave, or killed in it; under the device's lock. */
int misbehave_or_do(const struct fake_write *write);

/* Around a write: the process is killed where fake_kill_at() says so. What the one says is for the other. */
bool write_begins(const struct tree *tree);
void write_ends(bool last);

/* What the value is beside the kind, for misbehaviour and for the list of writes. */
void write_detail(const struct fake_write *write, bool listed, char detail[NAME_SIZE]);

/* The way in: struct sysroot's fake_write. */
int fake_write(const struct sysroot *root, const char *path, const char *value);

/* fake_open.c: a VFIO device of the function's group is open, in whatever form. */
bool is_group_open(const struct tree *tree, const char *address);

/* And so its node is busy: struct sysroot's fake_open. */
int fake_open(const struct sysroot *root, const char *path);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wanted: the devices a VM wants, resolved from its configuration the way Proxmox VE does it:
 * parse_hostpci_devices() and choose_hostpci_devices() in qemu-server's PCI.pm, lspci() in
 * pve-common's SysFSTools.pm.
 */
#pragma once

#include "pci/present.h"
#include "pve/args.h"
#include "pve/config.h"
#include "pve/mapping.h"

/* "hostpci15" and the NUL. */
#define SOURCE_MAX 16

/* The source of a device in `args`. */
#define SOURCE_ARGS "args"

enum wanted_use {
	WANTED_TAKE,	    /* the VM gets it through VFIO */
	WANTED_ALTERNATIVE, /* PVE is not expected to choose it, though it might */
	WANTED_LEAVE,	    /* PVE handles it alone: mdev, driver=keep without `take_kept` */
};

/* What PVE makes of a line: prepare_pci_device() and choose_hostpci_devices() in PCI.pm. */
enum wanted_kind {
	WANTED_PLAIN, /* bound to vfio-pci, with its group */
	WANTED_KEPT,  /* driver=keep: reserved, and neither bound nor reset */
	WANTED_VGPU,  /* nvidia-N on a function with nvidia/: reserved, and gets its type */
	WANTED_MDEV,  /* a mediated device of it is made; other lines may name it too */
};

struct wanted_device {
	struct pci_address address;
	char source[SOURCE_MAX]; /* the key that asks for it */
	enum wanted_use use;
	enum wanted_kind kind;
	bool own_driver; /* PVE leaves the driver it finds: `args`, driver=keep */
};

enum wanted_problem_kind {
	WANTED_ABSENT,		/* no device there */
	WANTED_TWICE,		/* assigned more than once */
	WANTED_NOTHING,		/* neither host nor mapping, or both */
	WANTED_MAPPING_MISSING, /* no such mapping, or not for this node */
	WANTED_MAPPING_WRONG,	/* the mapping's entry is not what is there */
	WANTED_MAPPING_MDEV,	/* the same, but this version of PVE does not look at that */
	WANTED_NONE_FREE,	/* all alternatives are in use */
	WANTED_MDEV_MANY,	/* a mediated device of more than one device */
	WANTED_ARGS_VANISH,	/* `args` that PVE passes nothing of */
	WANTED_ARGS_UNCLEAR,	/* a device in `args` that cannot be determined */
};

struct wanted_problem {
	enum wanted_problem_kind kind;
	char source[SOURCE_MAX];
	unsigned line; /* of the VM's configuration */
	char *detail;  /* an address, a mapping's name, a sentence */
};

/* Started as { 0 }. */
struct wanted {
	struct wanted_device *devices; /* in order of key, then of address; args last */
	size_t count;
	struct wanted_problem *problems;
	size_t problem_count;
	struct args args;
};

/* The alternatives of one mapping on this node, in order of file. */
struct wanted_choice {
	const char *source;
	enum wanted_kind kind;
	const char *mdev; /* the type of a WANTED_VGPU */
	const struct pci_addresses *alternatives;
	size_t count;
};

/*
 * Chooses one of several alternatives as PVE is going to; `so_far` holds what earlier lines took.
 * -EBUSY when none is free.
 */
typedef int wanted_choose(const struct wanted_choice *choice, const struct wanted *so_far,
			  void *context, size_t *ret, struct error *err);

/* What the devices are resolved from and against. All borrowed. */
struct wanted_input {
	const struct sysroot *root;
	const struct vm_config *config;
	const struct pci_present *present; /* the functions there are now */
	const struct mappings *mappings;
	const char *node; /* this node's name */
	bool take_kept;	  /* driver=keep lines too get their driver from us */
	wanted_choose *choose;
	void *context; /* for `choose` */
};

/* A template wants nothing. Fails without memory, or where `choose` does. */
int wanted_resolve(const struct wanted_input *input, struct wanted *ret,
		   struct error *err) must_check;

/*
 * The device that a line claims for itself: not a mere alternative, and not one of which it wants a
 * mediated device. NULL when there is none.
 */
const struct wanted_device *wanted_find(const struct wanted *wanted, struct pci_address address);
void wanted_done(struct wanted *wanted);
#define cleanup_wanted cleanup(wanted_done)

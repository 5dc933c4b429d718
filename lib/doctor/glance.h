/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: the node at a glance, as 'pve-vfio metrics' shows it each minute: who has which device, how its
 * link and its power are, what starts and stops came to. Judges nothing, wakes no device, takes no lock
 * and starts no program.
 */
#pragma once

#include "change/tally.h"
#include "pci/health.h"
#include "pci/power.h"

enum glance_holder {
	GLANCE_NOBODY,	  /* no driver, or one of VFIO that no VM uses */
	GLANCE_HOST,	  /* a driver of the host */
	GLANCE_VM,	  /* a VM: by its journal, or by its QEMU's command line */
	GLANCE_CONTAINER, /* a driver of the host, and a container that runs is given its nodes */
};
#define GLANCE_HOLDER_COUNT (GLANCE_CONTAINER + 1)

const char *glance_holder_name(enum glance_holder holder);

/* A function that is not a bridge. */
struct glance_device {
	struct pci_device device;
	struct pci_power power;
	struct pci_link link;	  /* of one that is awake, else empty */
	struct pci_errors errors; /* what AER has counted */
	enum glance_holder holder;
	uint32_t vmid; /* of GLANCE_VM and GLANCE_CONTAINER */
	time_t since;  /* of GLANCE_VM by its journal; else 0 */
};

/* A VM that had a device, or wanted one, since the node has started. */
struct glance_vm {
	uint32_t vmid;
	struct tally tally;
	bool has_journal; /* then these: */
	enum journal_phase phase;
	time_t since;
	size_t devices; /* that it has */
	bool watched;	/* a watch of it lives */
	bool left_over; /* nothing of it runs, and its devices are not back: as 'restore --stale' sees it */
};

/* Started as { 0 }. */
struct glance {
	struct glance_device *devices; /* in order of address */
	size_t device_count;
	struct glance_vm *vms; /* in order of number */
	size_t vm_count;
	size_t unreadable; /* journals that cannot be understood */
};

/* 0 or -errno. Blocks no longer than /etc/pve does, where containers are given devices. */
int glance_read(const struct sysroot *root, struct glance *ret, struct error *err) must_check;
void glance_done(struct glance *glance);
#define cleanup_glance cleanup(glance_done)

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: PVE's reservations of PCI devices, /run/qemu-server/pci-id-reservations, under the lock of
 * that name with ".lock": reserve_pci_usage() and its parser in qemu-server's PCI.pm.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/clock.h"
#include "host/sysroot.h"

#define RESERVATION_PATH "/run/qemu-server/pci-id-reservations"

/* More than ten thousand lines; PVE writes one for each function in use. */
#define RESERVATION_MAX ((size_t)256 << 10)

/* One line: "0000:01:00.0 100 pid:13172", "0000:01:00.0 100 time:1795252345". */
struct reservation {
	char *id; /* a PCI address as PVE writes it */
	uint32_t vmid;
	time_t until; /* 0: by pid */
	pid_t pid;    /* 0: by time */
};

/* Started as { 0 }. */
struct reservations {
	struct reservation *items; /* in order of file, each id once: the last line counts */
	size_t count;
};

/* Parses the content of the file; other lines are left out, as PVE does. -ENOMEM only. */
int reservations_parse(const char *data, size_t size, struct reservations *ret,
		       struct error *err) must_check;

/* Reads the file without its lock: it is replaced as a whole. None at all gives none. */
int reservations_read(const struct sysroot *root, struct reservations *ret, struct error *err);
void reservations_done(struct reservations *reservations);
#define cleanup_reservations cleanup(reservations_done)

/*
 * The reservation of another VM that keeps `vmid` from `id`, as PVE decides: its time has not
 * come, or its pid is that of the VM's running QEMU (or this cannot be determined). NULL when there is
 * none.
 */
const struct reservation *reservation_blocking(const struct sysroot *root,
					       const struct reservations *reservations,
					       const char *id, uint32_t vmid, time_t now);

/*
 * Reserves `id` for `vmid` until `until`, under PVE's lock. -EBUSY, with a sentence, when another
 * VM has it. What `vmid` has already stays when it lasts longer, or is by the pid of its running
 * QEMU. Blocks until the deadline at most, for the lock: -ETIMEDOUT. -ENOENT without
 * /run/qemu-server, which is PVE's to make. Lines PVE cannot read are lost, as they are when PVE
 * writes the file.
 */
int reservation_add(const struct sysroot *root, const char *id, uint32_t vmid, time_t until,
		    struct deadline deadline, struct error *err) must_check;

/*
 * Takes a reservation by time of `vmid` away again; one by pid, PVE's own, stays. 0 also when
 * there is none. Blocks as reservation_add() does.
 */
int reservation_remove(const struct sysroot *root, const char *id, uint32_t vmid,
		       struct deadline deadline, struct error *err) must_check;

/*
 * The same for a VM that runs, as its QEMU's process: what Proxmox VE writes once a start is done. It ends
 * with the VM; and for a device that has left it before, of which Proxmox VE's own goes too.
 */
int reservation_add_running(const struct sysroot *root, const char *id, uint32_t vmid, pid_t pid,
			    struct deadline deadline, struct error *err) must_check;
int reservation_remove_running(const struct sysroot *root, const char *id, uint32_t vmid,
			       struct deadline deadline, struct error *err) must_check;

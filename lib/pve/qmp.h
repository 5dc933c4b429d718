/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: the monitor of a VM's QEMU, /run/qemu-server/VMID.qmp, by the QEMU Machine Protocol
 * (docs/interop/qmp-spec in QEMU's source). QEMU talks to one client at a time, and Proxmox VE asks
 * it for each 'qm status' and statistic: a connection is for a few commands, and closed before the guest
 * is waited for. QMPClient.pm in qemu-server does the same.
 */
#pragma once

#include <jansson.h>

#include "base/clock.h"
#include "host/sysroot.h"

/* How long another client may have the monitor: Proxmox VE's commands take less, but for a few. */
#define QMP_WAIT_MS 10000

/* How long QEMU gets to answer what is only a question. */
#define QMP_ANSWER_MS 5000

/* Started as { .fd = -1 }. */
struct qmp {
	int fd;
	uint32_t vmid;
	unsigned major, minor; /* QEMU's version */
	unsigned last_id;
	char *data; /* what has come and was not read yet */
	size_t size;
};

/*
 * Connects, and waits up to `wait_ms` for another client to leave. -ENOENT or -ECONNREFUSED when the VM
 * has no QEMU that listens; -ETIMEDOUT when another client stays, or QEMU answers nothing.
 */
int qmp_open(const struct sysroot *root, uint32_t vmid, unsigned wait_ms, struct qmp *ret,
	     struct error *err) must_check;

/*
 * Sends one command and waits for its answer, up to `limit_ms`. Takes the reference to `arguments`, NULL
 * for none. `ret` may be NULL. -ENODEV when QEMU has no such device (DeviceNotFound), -EREMOTEIO for
 * any other error of QEMU's, with its sentence; -ETIMEDOUT when it has not answered: it may still do
 * what was asked; -ECONNRESET when it has closed the connection; -EBADMSG for what is not the protocol.
 * Of these the last three leave a connection that is of no more use.
 */
int qmp_command(struct qmp *qmp, const char *command, json_t *arguments, unsigned limit_ms,
		json_t **ret, struct error *err) must_check;

void qmp_done(struct qmp *qmp);
#define cleanup_qmp cleanup(qmp_done)

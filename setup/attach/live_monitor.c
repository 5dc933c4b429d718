/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: what QEMU says of itself before a device joins it. Asks, and changes nothing. */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "setup/attach/live.h"

/* That of Proxmox VE 7.0. */
#define QEMU_LEAST 6u

static int look_at_state(struct qmp *qmp, struct error *err)
{
	cleanup_json json_t *status = NULL, *migration = NULL;
	const char *word;
	int r = qmp_command(qmp, "query-status", NULL, QMP_ANSWER_MS, &status, err);

	if (r == 0)
		r = qmp_command(qmp, "query-migrate", NULL, QMP_ANSWER_MS, &migration, err);
	if (r < 0)
		return r;
	word = json_string_value(json_object_get(status, "status"));
	if (!word || strcmp(word, "running") != 0)
		return error_refuse(err,
				    "the guest of VM %u does not run just now (%s): it cannot "
				    "answer; 'qm resume %u' lets it go on",
				    qmp->vmid, word ? word : "unknown", qmp->vmid);
	word = json_string_value(json_object_get(migration, "status"));
	if (word && strcmp(word, "none") != 0 && strcmp(word, "completed") != 0 &&
	    strcmp(word, "failed") != 0 && strcmp(word, "cancelled") != 0)
		return error_refuse(err, "VM %u is being migrated or saved (%s)", qmp->vmid, word);
	return 0;
}

int live_look_at_qemu(const struct sysroot *root, uint32_t vmid, struct qemu_functions *ret,
		      struct error *err)
{
	cleanup_qmp struct qmp qmp = { .fd = -1 };
	int r = qmp_open(root, vmid, QMP_WAIT_MS, &qmp, err);

	if (r < 0)
		return r;
	if (qmp.major < QEMU_LEAST)
		return error_refuse(
			err,
			"VM %u runs in QEMU %u.%u: devices join and leave one of version "
			"%u.0 or later",
			vmid, qmp.major, qmp.minor, QEMU_LEAST);
	r = look_at_state(&qmp, err);
	return r < 0 ? r : qemu_functions_read(&qmp, ret, err);
}

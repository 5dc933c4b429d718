/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio restore. Gives back what the hook took, and never from a running VM. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "change/restore.h"
#include "report/words.h"
#include "setup.h"
#include "vm/qemu.h"

/* Another phase of the VM may be about to end. */
#define LOCK_WAIT_MS 5000

struct telling {
	const struct sysroot *root;
	struct pci_names names;
};

static void tell(const struct action *action, const struct run_result *result, void *context)
{
	struct telling *telling = context;
	cleanup_free char *line =
		words_result(&telling->names, telling->root, RUN_REVERT, action, result);

	if (line)
		puts(line);
}

/* A VM that runs keeps its devices. */
static int refuse_running(struct command *command, uint32_t vmid, struct error *err)
{
	struct qemu qemu;
	int r = qemu_find(&command->root, vmid, &qemu, err);

	if (r < 0)
		return STATUS_FAILED;
	if (qemu.pid == 0)
		return STATUS_DONE;
	fprintf(stderr, "pve-vfio: VM %u runs (process %d) and keeps its devices; stop it first\n",
		vmid, (int)qemu.pid);
	return STATUS_REFUSED;
}

static int give_back(struct command *command, const struct state *state, uint32_t vmid,
		     struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	struct telling telling = { .root = &command->root };
	int r;

	r = journal_read(&command->root, state, vmid, &journal, err);
	if (r == 0)
		r = restore_journal(&command->root, state, &journal, NULL, 0,
				    journal.deadline_s * 1000, tell, &telling, err);
	pci_names_done(&telling.names);
	return r;
}

int verb_restore(struct command *command, struct error *err)
{
	cleanup_state struct state state = { .fd = -1 };
	cleanup_close int lock = -1;
	int r, status;
	uint32_t vmid;

	if (command_parse_vmid(command, 0, &vmid) != STATUS_DONE)
		return STATUS_USAGE;
	r = state_open(&command->root, false, &state, err);
	if (r == 0) {
		lock = journal_lock(&command->root, &state, vmid, LOCK_WAIT_MS, err);
		if (lock < 0)
			return STATUS_FAILED;
		status = refuse_running(command, vmid, err);
		if (status != STATUS_DONE)
			return status;
		r = give_back(command, &state, vmid, err);
	}
	if (r == -ENOENT) {
		printf("VM %u holds no devices.\n", vmid);
		return STATUS_DONE;
	}
	if (r > 0)
		error_set(err, -EIO,
			  "not all devices are back with the host; see 'pve-vfio status'");
	return r == 0 ? STATUS_DONE : STATUS_FAILED;
}
